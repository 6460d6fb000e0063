"""The desk's queues: cases filtered, searched and paged by keyset with explicit columns, and an inspector's visits."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    ScalarSelect,
    Select,
    and_,
    exists,
    false,
    func,
    literal,
    or_,
    select,
    true,
    tuple_,
)
from sqlalchemy.orm import InstrumentedAttribute, aliased, joinedload

from workflow.core.actors import Actor, AreaKind, Role
from workflow.core.flow import Flow, StateKind
from workflow.core.identifiers import squeeze
from workflow.core.tailoring import read_tailoring, tailor
from workflow.core.texts import clean_text
from workflow.data import cases, inspections
from workflow.data.areas import Area
from workflow.data.cases import Case
from workflow.data.enterprises import Enterprise
from workflow.data.flows import FlowVersion
from workflow.data.inspections import Inspection, InspectionItem
from workflow.data.passes import VehiclePass
from workflow.extensions import UtcDateTime, db

PAGE = 50
COUNT_CAP = 1000
LONGEST_SEARCH = 100
_USCC_LENGTH, _SHORTEST_USCC, _MOST_LISTED = 18, 6, 200
_WHOLE_REFERENCE = re.compile(r"复工-[^-\s]{1,10}-[0-9]{8}-B?[0-9]{4,8}")


class Tab(StrEnum):
    """What the queue shows: what waits for the reader, what is late and was put before them, all open, all closed."""

    MINE = "mine"
    ESCALATED = "escalated"
    OPEN = "open"
    DONE = "done"


class Group(StrEnum):
    """Groups of states that the filter offers; the first four are of open cases, the others of closed ones."""

    REVIEW = "review"
    INSPECTION = "inspection"
    DECISION = "decision"
    COMPANY = "company"
    APPROVED = "approved"
    ENDED = "ended"


_HOLDERS = {
    Group.REVIEW: (Role.REVIEWER,),
    Group.INSPECTION: (Role.INSPECTOR,),
    Group.DECISION: (Role.LEADER, Role.BUREAU_REVIEWER, Role.LEADING_GROUP),
    Group.COMPANY: (Role.FILER,),
}
_KINDS = {Group.APPROVED: StateKind.APPROVED, Group.ENDED: StateKind.ENDED}


@dataclass(frozen=True, slots=True)
class KnownFlow:
    """A published flow version: its row's id, its key and the checked flow."""

    id: int
    key: str
    flow: Flow


@dataclass(frozen=True, slots=True)
class Filters:
    """What the reader asked for; empty values ask for nothing. ``area_id`` is an area's id of ``area_kind``;
    ``known`` are the flows that ``group`` and ``flow`` are read by."""

    tab: Tab = Tab.MINE
    text: str = ""
    group: Group | None = None
    flow: str = ""
    known: tuple[KnownFlow, ...] = ()
    overdue: bool = False
    area_id: int | None = None
    area_kind: AreaKind | None = None

    @property
    def any(self) -> bool:
        """Whether anything narrows the tab."""
        return bool(self.text or self.group or self.flow or self.overdue or self.area_id)


@dataclass(frozen=True, slots=True)
class Mark:
    """A place between rows: the row with this deadline and id."""

    due_at: dt.datetime
    id: int


@dataclass(frozen=True, slots=True)
class QueueRow:
    """One line of the queue; ``place`` is the town, ``zone`` the zone inside it or empty."""

    id: int
    version: int
    reference: str
    enterprise_name: str
    flow_version_id: int
    state: str
    holder: str
    is_open: bool
    due_at: dt.datetime
    decided_at: dt.datetime | None
    resuming_count: int
    tailoring: dict[str, Any] | None
    place: str
    zone: str

    @property
    def mark(self) -> Mark:
        """Where this row stands."""
        return Mark(self.due_at, self.id)


@dataclass(frozen=True, slots=True)
class Page:
    """Up to :data:`PAGE` rows, and whether there are more on either side."""

    rows: tuple[QueueRow, ...]
    has_before: bool
    has_after: bool


def _tab(actor: Actor, tab: Tab) -> ColumnElement[bool]:
    if tab is Tab.MINE:
        return cases.waiting_for(actor)
    if tab is Tab.ESCALATED:
        return cases.escalated_to(actor)
    return and_(cases.reach(actor), Case.is_open == (true() if tab is Tab.OPEN else false()))


def search(text: str) -> ColumnElement[bool] | None:
    """The condition that a case answers to ``text``: part of its reference or enterprise name, the beginning of its
    credit code, or a whole plate; None when nothing is asked."""
    wanted = clean_text(text)[:LONGEST_SEARCH]
    if not wanted:
        return None
    if _WHOLE_REFERENCE.fullmatch(wanted):
        return Case.reference == wanted
    ways: list[ColumnElement[bool]] = [_holds(Case.enterprise_name, wanted), _holds(Case.reference, wanted)]
    code = squeeze(wanted)
    if code.isascii() and code.isalnum() and _SHORTEST_USCC <= len(code) <= _USCC_LENGTH:
        ways.append(_coded(code))
    if 7 <= len(code) <= 8 and not code[0].isascii():
        ways.append(Case.id.in_(select(VehiclePass.case_id).where(VehiclePass.plate == code)))
    return or_(*ways)


def _holds(column: InstrumentedAttribute[str], wanted: str) -> ColumnElement[bool]:
    """That ``wanted`` is part of the text; text without capitals, as Chinese is, need not be folded row by row."""
    folds = wanted.lower() != wanted.upper()
    return column.icontains(wanted, autoescape=True) if folds else column.contains(wanted, autoescape=True)


def _coded(code: str) -> ColumnElement[bool]:
    """That the enterprise's credit code begins with ``code``.

    The enterprises of a rare beginning are listed; a common one is asked about case by case.
    """
    fits = Enterprise.uscc.between(code, code.ljust(_USCC_LENGTH, "Z"))
    listed = db.session.scalars(select(Enterprise.id).where(fits).limit(_MOST_LISTED + 1)).all()
    if len(listed) <= _MOST_LISTED:
        return Case.enterprise_id.in_(listed)
    return exists().where(Enterprise.id == Case.enterprise_id, fits)


def _group(group: Group, known: tuple[KnownFlow, ...]) -> ColumnElement[bool]:
    if group in _HOLDERS:
        return Case.holder.in_([r.value for r in _HOLDERS[group]])
    states = {s.key for k in known for s in k.flow.states.values() if s.kind is _KINDS[group]}
    return Case.state.in_(sorted(states))


def _inside(kind: AreaKind, area_id: int) -> ColumnElement[bool]:
    columns = {AreaKind.CITY: Case.city_id, AreaKind.COUNTY: Case.county_id, AreaKind.TOWN: Case.town_id}
    columns[AreaKind.ZONE] = Case.zone_id  # type: ignore[assignment] # nullable like the building
    columns[AreaKind.BUILDING] = Case.building_id  # type: ignore[assignment]
    return columns[kind] == area_id


def _conditions(actor: Actor, filters: Filters, now: dt.datetime) -> list[ColumnElement[bool]]:
    found = [_tab(actor, filters.tab)]
    words = search(filters.text)
    if words is not None:
        found.append(words)
    if filters.group is not None:
        found.append(_group(filters.group, filters.known))
    if filters.flow:
        found.append(Case.flow_version_id.in_([k.id for k in filters.known if k.key == filters.flow]))
    if filters.overdue:
        found.append(Case.due_at < now)
    if filters.area_id is not None and filters.area_kind is not None:
        found.append(_inside(filters.area_kind, filters.area_id))
    return found


_flows: dict[str, Flow] = {}
"""Checked flows by the SHA-256 of their text, which never changes, so that a page need not read the texts again."""


def flows() -> list[KnownFlow]:
    """Every published flow version, oldest first; texts are read once a process."""
    rows = db.session.execute(
        select(FlowVersion.id, FlowVersion.key, FlowVersion.digest).order_by(FlowVersion.id)
    ).all()
    unknown = [row.id for row in rows if row.digest not in _flows]
    if unknown:
        for version in db.session.scalars(select(FlowVersion).where(FlowVersion.id.in_(unknown))):
            _flows[version.digest] = version.engine.flow
    return [KnownFlow(row.id, row.key, _flows[row.digest]) for row in rows]


def flow_of(row: QueueRow, known: KnownFlow) -> Flow:
    """The flow of a row's case: its version's, with what was tailored for this case worked in."""
    return tailor(known.flow, read_tailoring(row.tailoring)) if row.tailoring else known.flow


def _counted(actor: Actor, filters: Filters, now: dt.datetime) -> ScalarSelect[int]:
    inner = select(Case.id).where(*_conditions(actor, filters, now)).limit(COUNT_CAP + 1).subquery()
    return select(func.count()).select_from(inner).scalar_subquery()


def count(actor: Actor, filters: Filters, now: dt.datetime) -> int:
    """How many cases answer to ``filters``; never more than :data:`COUNT_CAP` + 1 are counted."""
    return db.session.scalar(select(_counted(actor, filters, now))) or 0


def tab_counts(actor: Actor, tabs: Sequence[Tab], now: dt.datetime) -> dict[Tab, int]:
    """How many cases each tab holds, capped like :func:`count`, in one statement."""
    row = db.session.execute(select(*(_counted(actor, Filters(tab=tab), now) for tab in tabs))).one()
    return dict(zip(tabs, row, strict=True))


@lru_cache(maxsize=1)
def _columns() -> Select[*tuple[Any, ...]]:
    """The explicit columns of a row with what they are joined from; made once, since it never differs."""
    town, zone = aliased(Area), aliased(Area)
    return (
        select(
            Case.id,
            Case.version,
            Case.reference,
            Case.enterprise_name,
            Case.flow_version_id,
            Case.state.label("state"),
            Case.holder,
            Case.is_open,
            Case.due_at,
            Case.decided_at,
            Case.resuming_count,
            Case.tailoring,
            town.name.label("place"),
            func.coalesce(zone.name, "").label("zone"),
        )
        .join(town, town.id == Case.town_id)
        .outerjoin(zone, zone.id == Case.zone_id)
    )


def page(
    actor: Actor, filters: Filters, now: dt.datetime, *, after: Mark | None = None, before: Mark | None = None
) -> Page:
    """One page in the order of deadlines (closed cases newest first), after or before a mark.

    Rows with the same deadline stand by id, so that no row is shown twice or left out between pages.
    """
    conditions = _conditions(actor, filters, now)
    mark, backwards = (before, True) if before is not None else (after, False)
    descending = (filters.tab is Tab.DONE) != backwards
    place = tuple_(Case.due_at, Case.id)
    if mark is not None:
        there = tuple_(literal(mark.due_at, UtcDateTime()), literal(mark.id))
        conditions.append(place < there if descending else place > there)
    order = (Case.due_at.desc(), Case.id.desc()) if descending else (Case.due_at, Case.id)
    query = _columns().where(*conditions).order_by(*order).limit(PAGE + 1)
    found = [QueueRow(*row) for row in db.session.execute(query)]
    more, rows = len(found) > PAGE, found[:PAGE]
    if backwards:
        return Page(tuple(reversed(rows)), has_before=more, has_after=True)
    return Page(tuple(rows), has_before=mark is not None, has_after=more)


_ABOVE = {AreaKind.CITY: Area.city_id, AreaKind.COUNTY: Area.county_id, AreaKind.TOWN: Area.town_id}


@dataclass(frozen=True, slots=True)
class OwnArea:
    """An area as the filter offers it."""

    id: int
    code: str
    name: str
    kind: str


def own_areas(actor: Actor) -> list[OwnArea]:
    """The areas the actor may narrow the queue to: counties and towns below a wide area, the zones of an own town."""
    clauses: list[ColumnElement[bool]] = []
    for appointment in actor.appointments:
        kind = appointment.area_kind
        clauses.append(Area.id == appointment.area_id)
        if kind is AreaKind.TOWN:
            clauses.append(and_(Area.town_id == appointment.area_id, Area.kind == AreaKind.ZONE.value))
        elif kind in _ABOVE:
            clauses.append(and_(_ABOVE[kind] == appointment.area_id, Area.kind.in_(("county", "town"))))
    if not clauses:
        return []
    query = select(Area.id, Area.code, Area.name, Area.kind).where(or_(*clauses)).order_by(Area.code).limit(400)
    return [OwnArea(*row) for row in db.session.execute(query)]


def some(actor: Actor, case_ids: list[int]) -> dict[int, Case]:
    """The cases among ``case_ids`` that the actor may see, by id."""
    if not case_ids:
        return {}
    found = db.session.scalars(cases.visible_to(actor).where(Case.id.in_(case_ids)))
    return {case.id: case for case in found}


def planned_visits(actor: Actor) -> list[Inspection]:
    """The visits ahead that the actor is appointed to, the next first, with case, town and both inspectors."""
    query = (
        inspections.visible_to(actor)
        .where(
            Inspection.status == "planned",
            or_(Inspection.lead_id == actor.person_id, Inspection.second_id == actor.person_id),
        )
        .options(
            joinedload(Inspection.case).joinedload(Case.town),
            joinedload(Inspection.lead),
            joinedload(Inspection.second),
        )
        .order_by(Inspection.visit_at, Inspection.id)
        .limit(200)
    )
    return list(db.session.scalars(query))


def marked(visits: list[Inspection]) -> dict[int, tuple[int, int]]:
    """How many items of each visit are marked, and how many there are."""
    query = (
        select(InspectionItem.inspection_id, func.count(InspectionItem.result), func.count())
        .where(InspectionItem.inspection_id.in_([v.id for v in visits]))
        .group_by(InspectionItem.inspection_id)
    )
    return {row[0]: (row[1], row[2]) for row in db.session.execute(query)} if visits else {}


def to_arrange(actor: Actor) -> list[Case]:
    """The cases that wait for an inspector of the actor's areas and have no visit arranged, the most urgent first."""
    arranged = select(Inspection.case_id).where(Inspection.status == "planned")
    query = (
        select(Case)
        .where(cases.waiting_for(actor), Case.holder == Role.INSPECTOR.value, Case.id.not_in(arranged))
        .options(joinedload(Case.town), joinedload(Case.flow_version))
        .order_by(Case.due_at, Case.id)
        .limit(100)
    )
    return list(db.session.scalars(query))
