"""What the officers' pass desk reads: the passes of their areas by tab and filters, page by page, and their numbers."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, false, func, or_, select

from workflow.core.actors import ROLE_PERMISSIONS, Actor, AreaKind, Permission
from workflow.core.grams import folded
from workflow.data import cases
from workflow.data.areas import Area
from workflow.data.cases import Case
from workflow.data.passes import LIVE, VehiclePass
from workflow.data.search import holds
from workflow.extensions import db

PAGE = 50


class Tab(StrEnum):
    """What a pass is for the desk: to be decided, good, stopped for a while, or over."""

    REQUESTED = "requested"
    STANDING = "standing"
    SUSPENDED = "suspended"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class PassFilters:
    """What the reader asks for; ``days`` narrows to those that end within so many days."""

    tab: Tab = Tab.REQUESTED
    town_id: int | None = None
    company: str = ""
    plate: str = ""
    purpose: str = ""
    reason: str = ""
    days: int | None = None
    case_id: int | None = None

    @property
    def any(self) -> bool:
        """Whether anything but the tab is asked for."""
        chosen = (self.company, self.plate, self.purpose, self.reason)
        return any(chosen) or any(v is not None for v in (self.town_id, self.days, self.case_id))


@dataclass(frozen=True, slots=True)
class DeskPass:
    """A row of the desk."""

    id: int
    case_id: int
    enterprise_id: int
    reference: str
    enterprise_name: str
    town: str
    plate: str
    plate_kind: str
    vehicle_type: str
    purpose: str
    route: str
    schedule: str
    reason: str
    status: str
    number: str | None
    words: str
    valid_from_on: dt.date
    valid_until_on: dt.date
    requested_at: dt.datetime


@dataclass(frozen=True, slots=True)
class DeskPage:
    """A page of rows; whether there are more before and after it."""

    rows: Sequence[DeskPass]
    has_before: bool
    has_after: bool


_COLUMNS: tuple[Any, ...] = (
    VehiclePass.id,
    VehiclePass.case_id,
    Case.enterprise_id,
    Case.reference,
    Case.enterprise_name,
    Area.name,
    VehiclePass.plate,
    VehiclePass.plate_kind,
    VehiclePass.vehicle_type,
    VehiclePass.purpose,
    VehiclePass.route,
    VehiclePass.schedule,
    VehiclePass.reason,
    VehiclePass.status,
    VehiclePass.number,
    VehiclePass.words,
    VehiclePass.valid_from_on,
    VehiclePass.valid_until_on,
    VehiclePass.requested_at,
)


def _towns(actor: Actor) -> ColumnElement[bool]:
    """The towns in which the actor decides on passes, by which the desk's index is asked."""
    held = [a for a in actor.appointments if Permission.DECIDE_PASS in ROLE_PERMISSIONS[a.role]]
    own = {a.area_id for a in held if a.area_kind is AreaKind.TOWN}
    others = {a.area_id for a in held} - own
    if len(own) == 1 and not others:
        return VehiclePass.town_id == next(iter(own))
    wide = select(Area.id).where(
        Area.kind == AreaKind.TOWN.value, or_(Area.county_id.in_(others), Area.city_id.in_(others))
    )
    small = select(Area.town_id).where(Area.id.in_(others), Area.town_id.is_not(None))
    return or_(VehiclePass.town_id.in_(own), VehiclePass.town_id.in_(wide), VehiclePass.town_id.in_(small))


def decided_by(actor: Actor) -> ColumnElement[bool]:
    """The condition that the actor decides on a pass: its case lies in their area, and is no company's of theirs."""
    if not actor.may(Permission.DECIDE_PASS):
        return false()
    reach = and_(_towns(actor), cases.covered_with(actor, Permission.DECIDE_PASS))
    return and_(reach, Case.enterprise_id.not_in(actor.enterprise_ids)) if actor.enterprise_ids else reach


def in_tab(tab: Tab, today: dt.date) -> ColumnElement[bool]:
    """The passes of a tab; what is granted is over after its last day."""
    status, until = VehiclePass.status, VehiclePass.valid_until_on
    if tab is Tab.ENDED:
        return or_(
            status.in_(("refused", "withdrawn", "revoked", "replaced")), and_(status == "granted", until < today)
        )
    if tab is Tab.STANDING:
        return and_(status == "granted", until >= today)
    return status == tab.value


def _asked(filters: PassFilters, today: dt.date) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    for column, value in (
        (VehiclePass.town_id, filters.town_id),
        (VehiclePass.case_id, filters.case_id),
        (VehiclePass.purpose, filters.purpose or None),
        (VehiclePass.reason, filters.reason or None),
    ):
        if value is not None:
            found.append(column == value)
    if filters.plate:
        found.append(VehiclePass.plate.contains(filters.plate, autoescape=True))
    if folded(filters.company):
        found.append(holds(folded(filters.company)))
    if filters.days is not None:
        last = today + dt.timedelta(days=filters.days)
        found.append(VehiclePass.valid_until_on.between(today, last))
    return found


def _whole(actor: Actor, filters: PassFilters, today: dt.date) -> ColumnElement[bool]:
    return and_(decided_by(actor), in_tab(filters.tab, today), *_asked(filters, today))


def page(
    actor: Actor, filters: PassFilters, today: dt.date, *, after: int | None = None, before: int | None = None
) -> DeskPage:
    """A page: requests the oldest first, all others the newest first; ``after`` and ``before`` are ids of rows."""
    rising = filters.tab is Tab.REQUESTED
    back = before is not None and after is None
    mark, up = (before, not rising) if back else (after, rising)
    query = _rows().where(_whole(actor, filters, today))
    if mark is not None:
        query = query.where(VehiclePass.id > mark if up else VehiclePass.id < mark)
    query = query.order_by(VehiclePass.id.asc() if up else VehiclePass.id.desc()).limit(PAGE + 1)
    found = [DeskPass(*row) for row in db.session.execute(query)]
    more, rows = len(found) > PAGE, found[:PAGE]
    if back:
        return DeskPage(rows[::-1], more, True)
    return DeskPage(rows, mark is not None, more)


def _rows() -> Select[Any]:
    joined = select(*_COLUMNS).join(Case, Case.id == VehiclePass.case_id)
    return joined.join(Area, Area.id == VehiclePass.town_id)


def ids(actor: Actor, filters: PassFilters, today: dt.date, most: int) -> list[int]:
    """The ids of all that answer to the filters, up to ``most``, in the order of the tab."""
    order = VehiclePass.id.asc() if filters.tab is Tab.REQUESTED else VehiclePass.id.desc()
    query = select(VehiclePass.id).join(Case, Case.id == VehiclePass.case_id)
    return list(db.session.scalars(query.where(_whole(actor, filters, today)).order_by(order).limit(most)))


def some(actor: Actor, pass_ids: Collection[int]) -> dict[int, DeskPass]:
    """Those of the passes that the actor decides on, by id."""
    if not pass_ids:
        return {}
    query = _rows().where(decided_by(actor), VehiclePass.id.in_(pass_ids))
    return {row[0]: DeskPass(*row) for row in db.session.execute(query)}


def plates(pass_ids: Collection[int]) -> dict[int, str]:
    """The plates of passes, by id; for callers who know that the reader sees their cases."""
    if not pass_ids:
        return {}
    found = db.session.execute(select(VehiclePass.id, VehiclePass.plate).where(VehiclePass.id.in_(pass_ids)))
    return {pass_id: plate for pass_id, plate in found}  # noqa: C416 - rows are no pairs for mypy


def owned_rows(actor: Actor) -> Select[VehiclePass]:
    """The passes that the actor decides on, joined to their cases."""
    return select(VehiclePass).join(Case, Case.id == VehiclePass.case_id).where(decided_by(actor))


def numbers(actor: Actor, filters: PassFilters, today: dt.date) -> dict[Tab, int]:
    """How many of the actor's passes each tab holds with these filters, in one statement."""
    counts = [func.sum(case((in_tab(tab, today), 1), else_=0)) for tab in Tab]
    query = select(*counts).select_from(VehiclePass).join(Case, Case.id == VehiclePass.case_id)
    row = db.session.execute(query.where(decided_by(actor), *_asked(filters, today))).one()
    return {tab: int(n or 0) for tab, n in zip(Tab, row, strict=True)}


def live_of(enterprise_ids: Collection[int], today: dt.date) -> dict[int, int]:
    """How many live passes each of the enterprises has over all its cases: what its quota counts."""
    if not enterprise_ids:
        return {}
    query = (
        select(Case.enterprise_id, func.count())
        .select_from(VehiclePass)
        .join(Case, Case.id == VehiclePass.case_id)
        .where(Case.enterprise_id.in_(enterprise_ids))
        .where(VehiclePass.status.in_(LIVE), VehiclePass.valid_until_on >= today)
        .group_by(Case.enterprise_id)
    )
    return {enterprise: int(n) for enterprise, n in db.session.execute(query)}


def towns_of(actor: Actor) -> list[Area]:
    """The towns in which the actor decides on passes, by code."""
    held = [a.area_id for a in actor.appointments if Permission.DECIDE_PASS in ROLE_PERMISSIONS[a.role]]
    inside = or_(Area.id.in_(held), Area.county_id.in_(held), Area.city_id.in_(held))
    query = select(Area).where(Area.kind == AreaKind.TOWN.value, inside)
    return list(db.session.scalars(query.order_by(Area.code)))
