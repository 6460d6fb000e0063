"""Handing over a person's open cases in one act, to one person or spread by the rules of assignment."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select, true
from sqlalchemy.orm import joinedload

from workflow.core.actors import Actor, Permission
from workflow.core.errors import N_, Invalid, NotPermitted
from workflow.core.tables import Label
from workflow.data import cases
from workflow.data.cases import Case
from workflow.data.people import Person
from workflow.extensions import db
from workflow.services import assignment
from workflow.services.assignment import MOST_AT_ONCE, Assigned


@dataclass(frozen=True, slots=True)
class Stack:
    """Open cases of a person in one step: how many, and which role they wait for."""

    state: Label
    holder: str
    number: int
    overdue: int


def _of(actor: Actor, person_id: int) -> list[Case]:
    """The person's open cases that the actor may give to others, by deadline."""
    query = cases.visible_to(actor).where(Case.assignee_id == person_id, Case.is_open == true())
    whole = query.options(joinedload(Case.flow_version)).order_by(Case.due_at, Case.id).limit(MOST_AT_ONCE)
    return [c for c in db.session.scalars(whole) if assignment.may_assign(actor, c)]


def preview(actor: Actor, person_id: int, now: dt.datetime) -> list[Stack]:
    """What would be handed over, by step; the largest stacks first."""
    if not actor.may(Permission.ASSIGN_CASES):
        raise NotPermitted()
    numbers, late, labels = Counter[tuple[str, str]](), Counter[tuple[str, str]](), dict[tuple[str, str], Label]()
    for case in _of(actor, person_id):
        label = case.flow.state(case.state).label
        key = (label.zh, case.holder)
        labels[key] = label
        numbers[key] += 1
        late[key] += case.due_at <= now
    return [Stack(labels[key], key[1], number, late[key]) for key, number in numbers.most_common()]


def takers(actor: Actor, person_id: int, now: dt.datetime) -> list[Person]:
    """Who could take the person's cases: whoever could be given the most pressing case of each role."""
    by_role = {c.holder: c for c in reversed(_of(actor, person_id))}
    found = {x.person_id for c in by_role.values() for x in assignment.candidates_for(c, now) if not x.is_absent}
    query = select(Person).where(Person.id.in_(found - {person_id})).order_by(Person.name, Person.id)
    return list(db.session.scalars(query))


def hand_over(actor: Actor, person_id: int, to: int | None, expected: int, now: dt.datetime) -> Sequence[Assigned]:
    """Give the person's open cases to ``to``, or spread them by the rules; ends nothing else.

    Each case has its own history row; those that can't be handed over stay and are told with the reason. ``expected``
    is how many the preview showed: with more or fewer now, nothing is done.
    """
    if not actor.may(Permission.ASSIGN_CASES):
        raise NotPermitted()
    found = [c.id for c in _of(actor, person_id)]
    if not found:
        raise Invalid(N_("此人没有您可以转交的在办案件。"))
    if len(found) != expected:
        raise Invalid(N_("在办案件刚有变化（现为 %(n)s 件），请核对后再转交。"), n=len(found))
    if to == person_id:
        raise Invalid(N_("请另选一人。"), field="to")
    without = frozenset({person_id})
    return assignment.assign_many(actor, found, now, person_id=to, how="handed_over", without=without)


def count_open(person_id: int) -> int:
    """How many open cases a person has."""
    query = select(func.count()).select_from(Case).where(Case.assignee_id == person_id, Case.is_open == true())
    return int(db.session.scalar(query) or 0)
