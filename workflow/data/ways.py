"""The ways along the indexes by which a tab of the queue is read: each a run of rows in the order that is asked for.

A reader with several posts has several ways, and what lies on two of them is shown once. What else is asked for is
checked row by row, in a form that no planner takes for an index.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, case, exists, false, func, literal_column, or_, select, true

from workflow.core.actors import ROLE_PERMISSIONS, Actor, Appointment, AreaKind, Permission, Role
from workflow.core.times import end_of_day, shanghai_day, start_of_day
from workflow.data import cases, casework
from workflow.data.cases import Case, area_column
from workflow.data.filters import HOLDERS, KINDS, ME, NOBODY, Due, Filters, Group, Tab
from workflow.data.opinions import OpinionRequest

_NARROW = tuple(AreaKind)
_TAKEN = (Tab.TEAM, Tab.RETURNED)
"""Tabs of what waits for the reader's own roles."""


@dataclass(frozen=True, slots=True)
class Way:
    """``keys`` are fixed by an index in the order asked for; ``checks`` are looked at row by row."""

    keys: tuple[ColumnElement[bool], ...]
    checks: tuple[ColumnElement[bool], ...]

    @property
    def conditions(self) -> list[ColumnElement[bool]]:
        """Everything, the checks as one expression that no index answers."""
        return [*self.keys, unindexed(self.checks)] if self.checks else list(self.keys)

    @property
    def whole(self) -> ColumnElement[bool]:
        """Everything as one plain condition."""
        return and_(*self.keys, *self.checks)


def unindexed(checks: Iterable[ColumnElement[bool]]) -> ColumnElement[bool]:
    """All of ``checks``, hidden from the planner: an index on one of them would lose the order of the rows.

    PostgreSQL takes "differs from 0" for true of nearly all rows, and so goes along the index instead of sorting.
    """
    return case((and_(*checks), literal_column("1")), else_=literal_column("0")) != literal_column("0")


def ways(actor: Actor, filters: Filters, now: dt.datetime) -> list[Way]:
    """The ways that together hold everything asked for; none when the reader holds no post that the tab is for."""
    asked = tuple(conditions(actor, filters, now))
    if filters.tab is Tab.MINE:
        mine = (Case.assignee_id == actor.person_id, Case.is_open == true())
        return [Way(mine, (cases.reach(actor), *asked))]
    found: dict[tuple[Any, ...], Way] = {}
    for post in actor.appointments:
        if not _concerned(post, filters.tab):
            continue
        for holder in _holders(post, filters):
            role = post.role if filters.tab is Tab.ESCALATED or post.role is Role.DEPARTMENT else ""
            place = (post.area_kind, post.area_id, post.bureau, holder, role)
            keys, checks = _along(post, filters, holder)
            found[place] = Way((*keys, *_moments(filters, now)), (*checks, *asked))
    return list(found.values())


def _concerned(post: Appointment, tab: Tab) -> bool:
    if tab is Tab.ESCALATED:
        return True
    wanted = Permission.ACT_ON_CASE if tab in _TAKEN else Permission.SEE_CASE
    return wanted in ROLE_PERMISSIONS[post.role]


def _holders(post: Appointment, filters: Filters) -> list[str]:
    """The holders that the way is divided by; one empty holder where it is not."""
    if filters.tab in _TAKEN:
        return [post.role.value]
    if filters.tab is Tab.COMPANY:
        return [Role.FILER.value]
    if filters.tab in (Tab.OPEN, Tab.OVERDUE) and filters.group in HOLDERS:
        return [role.value for role in HOLDERS[Group(filters.group)]]
    return [""]


def _along(
    post: Appointment, filters: Filters, holder: str
) -> tuple[list[ColumnElement[bool]], list[ColumnElement[bool]]]:
    """The fixed columns of the way and its checks: by the narrower of the post's area and the one asked for."""
    keys = [area_column(post.area_kind) == post.area_id]
    checks: list[ColumnElement[bool]] = []
    if post.bureau and post.role is Role.DEPARTMENT:
        checks.append(Case.id.in_(select(OpinionRequest.case_id).where(OpinionRequest.department == post.bureau)))
    elif post.bureau:
        checks.append(Case.bureau == post.bureau)
    if filters.area_id is not None and filters.area_kind is not None:
        inside = area_column(filters.area_kind) == filters.area_id
        if _NARROW.index(filters.area_kind) > _NARROW.index(post.area_kind):
            checks, keys = [*checks, *keys], [inside]
        else:
            checks.append(inside)
    if filters.tab is Tab.ESCALATED:
        keys += [Case.escalated_to == post.role.value, Case.escalated_to != literal_column("''")]
        return keys, [*checks, Case.is_open == true()]
    if filters.tab is Tab.RETURNED:
        keys += [Case.holder == holder, Case.came_back == true()]
        return keys, [*checks, Case.is_open == true()]
    if holder and filters.order.by_filing:
        checks.append(Case.holder == holder)
    elif holder:
        keys.append(Case.holder == holder)
    keys.append(Case.is_open == (false() if filters.tab is Tab.DONE else true()))
    return keys, checks


def _moments(filters: Filters, now: dt.datetime) -> Iterator[ColumnElement[bool]]:
    if filters.tab is Tab.OVERDUE:
        yield Case.due_at < now


def conditions(actor: Actor, filters: Filters, now: dt.datetime) -> Iterator[ColumnElement[bool]]:
    """What narrows the tab, without its text: for :func:`ways`, which knows the tab and the areas."""
    if filters.tab is Tab.TEAM:
        mates = filters.mates | {actor.person_id}
        yield or_(Case.assignee_id.is_(None), Case.assignee_id.in_(sorted(mates)))
    if filters.tab is Tab.MINE and filters.area_id is not None and filters.area_kind is not None:
        yield area_column(filters.area_kind) == filters.area_id
    if filters.group in HOLDERS:
        yield Case.holder.in_([r.value for r in HOLDERS[Group(filters.group)]])
    elif filters.group is not None:
        states = {s.key for k in filters.known for s in k.flow.states.values() if s.kind is KINDS[filters.group]}
        yield Case.state.in_(sorted(states))
    if filters.flow:
        yield Case.flow_version_id.in_([k.id for k in filters.known if k.key == filters.flow])
    if filters.overdue:
        yield Case.due_at < now
    if filters.due is not None:
        days = {Due.TODAY: 0, Due.THREE: 2, Due.SEVEN: 6}[filters.due]
        yield Case.due_at <= end_of_day(shanghai_day(now) + dt.timedelta(days=days))
    yield from _of_the_case(filters)
    yield from _of_the_people(actor, filters)


def _of_the_case(filters: Filters) -> Iterator[ColumnElement[bool]]:
    if filters.filed_from is not None:
        yield Case.submitted_at >= start_of_day(filters.filed_from)
    if filters.filed_to is not None:
        yield Case.submitted_at < end_of_day(filters.filed_to)
    if filters.heads_from is not None:
        yield Case.resuming_count >= filters.heads_from
    if filters.heads_to is not None:
        yield Case.resuming_count <= filters.heads_to
    if filters.sector:
        yield Case.sector == filters.sector
    if filters.bureau:
        yield Case.bureau == filters.bureau
    if filters.again:
        yield Case.round > 1


def _of_the_people(actor: Actor, filters: Filters) -> Iterator[ColumnElement[bool]]:
    if filters.assignee == NOBODY:
        yield Case.assignee_id.is_(None)
    elif filters.assignee:
        yield Case.assignee_id == (actor.person_id if filters.assignee == ME else int(filters.assignee))
    if filters.opinions:
        yield exists().where(OpinionRequest.case_id == Case.id, OpinionRequest.status == "open")
    if filters.unread:
        message, mark = casework.ThreadMessage, casework.ThreadMark
        read = select(mark.up_to_id).where(mark.case_id == Case.id, mark.side == casework.STAFF).scalar_subquery()
        yield exists().where(
            message.case_id == Case.id, message.from_company == true(), message.id > func.coalesce(read, 0)
        )
