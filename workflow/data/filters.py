"""What a reader may ask the queue for: tabs, conditions and orders, and what of it the reader's own areas offer."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import ColumnElement, and_, or_, select

from workflow.core.actors import ROLE_PERMISSIONS, Actor, AreaKind, Permission, Role
from workflow.core.flow import Flow, StateKind
from workflow.data.areas import Area
from workflow.data.flows import FlowVersion
from workflow.data.people import Person, PersonAppointment
from workflow.extensions import db

LONGEST_SEARCH = 200
"""As long as the longest name: a longer text is part of none."""


class Tab(StrEnum):
    """What the queue shows, in the order of its tabs."""

    MINE = "mine"
    """Open cases that the reader handles."""
    TEAM = "team"
    """What waits for one of the reader's roles and is with nobody or with somebody of the reader's teams."""
    OPEN = "open"
    """Every open case of the reader's areas."""
    ESCALATED = "escalated"
    """Late cases that were put before the reader."""
    OVERDUE = "overdue"
    """Open cases whose limit is over."""
    RETURNED = "returned"
    """What came back from the company and waits for one of the reader's roles."""
    COMPANY = "company"
    """What waits for the company."""
    DONE = "done"
    """Closed cases."""


class Group(StrEnum):
    """Groups of states that the filter offers; the first four are of open cases, the others of closed ones."""

    REVIEW = "review"
    INSPECTION = "inspection"
    DECISION = "decision"
    COMPANY = "company"
    APPROVED = "approved"
    ENDED = "ended"


class Due(StrEnum):
    """Until when a case must be due: the end of today, of the third day or of the seventh."""

    TODAY = "today"
    THREE = "3"
    SEVEN = "7"


class Sort(StrEnum):
    """The orders of the rows; of closed cases the limit is the day they were closed."""

    DUE = "due"
    DUE_LATE = "due-late"
    FILED = "filed"
    FILED_NEW = "filed-new"

    @property
    def by_filing(self) -> bool:
        """Whether rows stand by when they were filed."""
        return self in (Sort.FILED, Sort.FILED_NEW)

    @property
    def falls(self) -> bool:
        """Whether the latest comes first."""
        return self in (Sort.DUE_LATE, Sort.FILED_NEW)


HOLDERS = {
    Group.REVIEW: (Role.REVIEWER,),
    Group.INSPECTION: (Role.INSPECTOR,),
    Group.DECISION: (Role.LEADER, Role.BUREAU_REVIEWER, Role.LEADING_GROUP),
    Group.COMPANY: (Role.FILER,),
}
KINDS = {Group.APPROVED: StateKind.APPROVED, Group.ENDED: StateKind.ENDED}
ME, NOBODY = "me", "nobody"


def stage_of(holder: Role | None) -> Group | None:
    """The group of the open states that ``holder`` holds; None where nobody's step is waited for."""
    return next((group for group, roles in HOLDERS.items() if holder in roles), None)


@dataclass(frozen=True, slots=True)
class KnownFlow:
    """A published flow version: its row's id, its key and the checked flow."""

    id: int
    key: str
    flow: Flow


@dataclass(frozen=True, slots=True)
class Filters:
    """What the reader asked for; empty values ask for nothing. ``area_id`` is an area's id of ``area_kind``; ``known``
    are the flows that ``group`` and ``flow`` are read by, ``mates`` the people of the reader's teams.

    ``assignee`` is ``me``, ``nobody`` or a person's id; the days of filing and the counts of heads are inclusive;
    ``again`` asks for cases that were corrected, ``opinions`` for open requests to departments, ``unread`` for
    messages of the company that no officer has read.
    """

    tab: Tab = Tab.MINE
    text: str = ""
    group: Group | None = None
    flow: str = ""
    known: tuple[KnownFlow, ...] = ()
    overdue: bool = False
    area_id: int | None = None
    area_kind: AreaKind | None = None
    mates: frozenset[int] = frozenset()
    assignee: str = ""
    due: Due | None = None
    filed_from: dt.date | None = None
    filed_to: dt.date | None = None
    heads_from: int | None = None
    heads_to: int | None = None
    sector: str = ""
    bureau: str = ""
    again: bool = False
    opinions: bool = False
    unread: bool = False
    sort: Sort | None = None

    @property
    def any(self) -> bool:
        """Whether anything narrows the tab."""
        asked = (self.text, self.group, self.flow, self.overdue, self.area_id, self.assignee, self.due, self.sector)
        days = (self.filed_from, self.filed_to, self.bureau, self.again, self.opinions, self.unread)
        return any(asked) or any(days) or self.heads_from is not None or self.heads_to is not None

    @property
    def order(self) -> Sort:
        """The order asked for; else the most urgent first, and of closed cases the newest."""
        return self.sort or (Sort.DUE_LATE if self.tab is Tab.DONE else Sort.DUE)


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


MOST_COLLEAGUES = 300


def colleagues(actor: Actor, today: dt.date) -> dict[int, str]:
    """Who may handle cases in the actor's areas today, by person id, in the order of their names."""
    clauses: list[ColumnElement[bool]] = []
    for appointment in actor.appointments:
        clauses.append(PersonAppointment.area_id == appointment.area_id)
        above = _ABOVE.get(appointment.area_kind)
        if above is not None:
            clauses.append(PersonAppointment.area_id.in_(select(Area.id).where(above == appointment.area_id)))
    if not clauses:
        return {}
    acting = [
        r.value for r, held in ROLE_PERMISSIONS.items() if {Permission.ACT_ON_CASE, Permission.SEE_DESK} <= set(held)
    ]
    query = (
        select(Person.id, Person.name)
        .join(PersonAppointment, PersonAppointment.person_id == Person.id)
        .where(
            or_(*clauses),
            PersonAppointment.role.in_(acting),
            PersonAppointment.starts_on <= today,
            or_(PersonAppointment.ends_on.is_(None), PersonAppointment.ends_on > today),
        )
        .distinct()
        .order_by(Person.name, Person.id)
        .limit(MOST_COLLEAGUES)
    )
    return {row.id: row.name for row in db.session.execute(query)}
