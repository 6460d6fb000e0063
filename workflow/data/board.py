"""What a board reads: the counters of an area summed by the areas below it, and a town's cases by zone."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, or_, select, true
from sqlalchemy.orm import InstrumentedAttribute

from workflow.core.actors import ROLE_PERMISSIONS, Actor, AreaKind, Permission
from workflow.data import people
from workflow.data.areas import Area
from workflow.data.cases import Case
from workflow.data.counters import NO_DAY, Counter, Kind
from workflow.extensions import db

MOST_OFFICERS = 100
_BELOW: dict[AreaKind, InstrumentedAttribute[Any]] = {AreaKind.CITY: Area.county_id, AreaKind.COUNTY: Area.id}
"""The area that a town's numbers are shown under, by what is looked at; a town's own are shown by zone."""


def _inside(area: Area) -> ColumnElement[bool]:
    """The towns of ``area``."""
    towns = Area.kind == AreaKind.TOWN.value
    within = {AreaKind.CITY: Area.city_id, AreaKind.COUNTY: Area.county_id}.get(area.area_kind, Area.id)
    return towns & (within == area.id)


def roots(actor: Actor) -> list[Area]:
    """The areas that the actor may see a board of, by their appointments, the widest first."""
    ids = [a.area_id for a in actor.appointments if Permission.SEE_BOARD in ROLE_PERMISSIONS[a.role]]
    found = db.session.scalars(select(Area).where(Area.id.in_(ids))).all() if ids else ()
    order = list(AreaKind)
    return sorted(found, key=lambda a: (order.index(a.area_kind), a.code))


def below(area: Area) -> list[Area]:
    """The counties of a city, the towns of a county, the zones of a town, by code."""
    query = select(Area).where(Area.parent_id == area.id, Area.kind != AreaKind.BUILDING.value)
    return list(db.session.scalars(query.order_by(Area.code)))


def find(code: str) -> Area | None:
    """A city, county or town by its code."""
    kinds = (AreaKind.CITY.value, AreaKind.COUNTY.value, AreaKind.TOWN.value)
    return db.session.scalar(select(Area).where(Area.code == code, Area.kind.in_(kinds)))


def by_id(area_id: int) -> Area:
    """The area with this id."""
    return db.session.get_one(Area, area_id)


def _part(area: Area) -> InstrumentedAttribute[Any]:
    return _BELOW.get(area.area_kind, Area.id)


def standing(area: Area, today: dt.date) -> list[tuple[int, str, str, int]]:
    """Open cases by the area below: those in a state (kind OPEN, key ``flow version:state``), and those whose last day
    lies before ``today`` (kind DUE)."""
    part = _part(area)
    stands = and_(Counter.kind == Kind.OPEN.value, Counter.day == NO_DAY)
    late = and_(Counter.kind == Kind.DUE.value, Counter.day < today)
    query = (
        select(part, Counter.kind, Counter.key, func.sum(Counter.number))
        .join(Area, Area.id == Counter.town_id)
        .where(_inside(area), or_(stands, late))
        .group_by(part, Counter.kind, Counter.key)
    )
    return [(place, kind, key, int(n)) for place, kind, key, n in db.session.execute(query) if n]


def days(area: Area, since: dt.date) -> list[tuple[int, str, dt.date, str, int]]:
    """Cases filed and decided since a day, and the hours of the decisions, by the area below, kind, day and key."""
    part = _part(area)
    kinds = (Kind.FILED.value, Kind.DECIDED.value, Kind.HOURS.value)
    query = (
        select(part, Counter.kind, Counter.day, Counter.key, func.sum(Counter.number))
        .join(Area, Area.id == Counter.town_id)
        .where(_inside(area), Counter.kind.in_(kinds), Counter.day >= since)
        .group_by(part, Counter.kind, Counter.day, Counter.key)
    )
    return [(place, kind, day, key, int(n)) for place, kind, day, key, n in db.session.execute(query) if n]


def by_zone(town: Area, now: dt.datetime) -> list[tuple[int | None, str, int, int]]:
    """A town's open cases by zone and ``flow version:state``: how many, and how many of them are late."""
    late = func.sum(case((Case.due_at < now, 1), else_=0))
    query = (
        select(Case.zone_id, Case.flow_version_id, Case.state, func.count(), late)
        .where(Case.town_id == town.id, Case.is_open == true())
        .group_by(Case.zone_id, Case.flow_version_id, Case.state)
    )
    return [(zone, f"{flow}:{state}", n, int(m or 0)) for zone, flow, state, n, m in db.session.execute(query)]


def loads(area: Area, now: dt.datetime) -> list[tuple[int, str, int, int]]:
    """Who handles how many open cases of the area, the most first: person id, name, cases, late cases."""
    total = func.sum(Counter.number)
    query = (
        select(Counter.key, total)
        .join(Area, Area.id == Counter.town_id)
        .where(_inside(area), Counter.kind == Kind.LOAD.value, Counter.day == NO_DAY)
        .group_by(Counter.key)
        .having(total > 0)
        .order_by(total.desc(), Counter.key)
        .limit(MOST_OFFICERS)
    )
    held = {int(key): int(n) for key, n in db.session.execute(query)}
    if not held:
        return []
    names = people.names_of(set(held))
    late = _late(area, held, now)
    return [(i, names.get(i, ""), n, late.get(i, 0)) for i, n in held.items()]


def _late(area: Area, people: Iterable[int], now: dt.datetime) -> dict[int, int]:
    within = {AreaKind.CITY: Case.city_id, AreaKind.COUNTY: Case.county_id}.get(area.area_kind, Case.town_id)
    query = (
        select(Case.assignee_id, func.count())
        .where(Case.assignee_id.in_(list(people)), Case.is_open == true(), Case.due_at < now, within == area.id)
        .group_by(Case.assignee_id)
    )
    return {person: n for person, n in db.session.execute(query) if person is not None}


def unassigned(area: Area) -> int:
    """How many open cases of the area wait to be assigned."""
    within = {AreaKind.CITY: Case.city_id, AreaKind.COUNTY: Case.county_id}.get(area.area_kind, Case.town_id)
    query = select(func.count()).where(within == area.id, Case.assign_at.is_not(None), Case.is_open == true())
    return db.session.scalar(query) or 0
