"""What the gate log reads: entries of the gates that the reader sees, page by page, and what passed on a day."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, false, func, literal, or_, select, true, tuple_

from workflow.core.actors import Actor
from workflow.core.times import end_of_day, start_of_day
from workflow.data.areas import Area
from workflow.data.cases import Case, reach
from workflow.data.gates import Gate, GateDay, GateEntry
from workflow.data.passes import VehiclePass
from workflow.extensions import db

PAGE = 50
CHUNK = 1000


@dataclass(frozen=True, slots=True)
class LogFilters:
    """What the reader asks for: the days from ``from_on`` to ``until_on``, both included, in Shanghai."""

    from_on: dt.date
    until_on: dt.date
    gate_id: int | None = None
    plate: str = ""
    number: str = ""
    decision: str = ""
    alarm: str = ""
    """A code of ``data.gates.ALARMS``, or ``any``."""

    @property
    def any(self) -> bool:
        """Whether anything but gate and days is asked for."""
        return any((self.plate, self.number, self.decision, self.alarm))


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in the log: an entry's time and id."""

    at: dt.datetime
    id: int


@dataclass(frozen=True, slots=True)
class LogPage:
    """A page of entries, the newest first; whether there are newer and older ones."""

    rows: Sequence[GateEntry]
    has_before: bool
    has_after: bool


@dataclass(frozen=True, slots=True)
class KnownPass:
    """A pass that entries are about; ``case_id`` and ``enterprise`` only when the reader may see its case."""

    number: str
    plate: str
    status: str
    is_dead: bool
    changed_at: dt.datetime | None
    words: str
    case_id: int | None
    enterprise: str


@dataclass(frozen=True, slots=True)
class Passed:
    """What passed a gate on some days."""

    vehicles_in: int = 0
    vehicles_out: int = 0
    people_in: int = 0
    people_out: int = 0
    turned_back: int = 0
    handed_over: int = 0
    alarms: int = 0


_SUMS = tuple(Passed.__dataclass_fields__)


def _where(gates: Sequence[Gate], filters: LogFilters) -> ColumnElement[bool]:
    ids = [g.id for g in gates if filters.gate_id in (None, g.id)]
    if not ids:
        return false()
    found = [GateEntry.at >= start_of_day(filters.from_on), GateEntry.at < end_of_day(filters.until_on)]
    if len(ids) == 1:
        found.append(GateEntry.gate_id == ids[0])
    else:
        towns = {g.town_id for g in gates}
        # Town and gate: the index goes by towns, and not every gate of a town need be the reader's.
        found += [GateEntry.town_id.in_(towns), GateEntry.gate_id.in_(ids)]
    if filters.plate:
        found.append(GateEntry.plate.contains(filters.plate, autoescape=True))
    if filters.number:
        found.append(GateEntry.number == filters.number)
    if filters.decision:
        found.append(GateEntry.decision == filters.decision)
    if filters.alarm:
        found.append(GateEntry.has_alarm == true())
        if filters.alarm != "any":
            padded = " " + GateEntry.alarms + " "
            found.append(padded.contains(f" {filters.alarm} ", autoescape=True))
    return and_(*found)


def _place() -> Any:
    return tuple_(GateEntry.at, GateEntry.id)


def page(
    gates: Sequence[Gate], filters: LogFilters, *, after: Mark | None = None, before: Mark | None = None
) -> LogPage:
    """A page of the log, the newest first; ``after`` leads to older entries, ``before`` to newer ones."""
    back = before is not None and after is None
    query = select(GateEntry).where(_where(gates, filters))
    mark = before if back else after
    if mark is not None:
        bound = tuple_(*_bound(mark))
        query = query.where(_place() > bound if back else _place() < bound)
    order = (GateEntry.at.asc(), GateEntry.id.asc()) if back else (GateEntry.at.desc(), GateEntry.id.desc())
    found = list(db.session.scalars(query.order_by(*order).limit(PAGE + 1)))
    more, rows = len(found) > PAGE, found[:PAGE]
    if back:
        return LogPage(rows[::-1], more, True)
    return LogPage(rows, mark is not None, more)


def _bound(mark: Mark) -> tuple[Any, Any]:
    return literal(mark.at, GateEntry.at.type), literal(mark.id)


def stream(gates: Sequence[Gate], filters: LogFilters, most: int) -> Iterator[Sequence[GateEntry]]:
    """All entries of the filters in chunks, the newest first, at most ``most``; what was read is let go again."""
    mark, left = None, most
    while left > 0:
        query = select(GateEntry).where(_where(gates, filters))
        if mark is not None:
            query = query.where(_place() < tuple_(*_bound(mark)))
        query = query.order_by(GateEntry.at.desc(), GateEntry.id.desc()).limit(min(CHUNK, left))
        rows = list(db.session.scalars(query))
        if not rows:
            return
        mark, left = Mark(rows[-1].at, rows[-1].id), left - len(rows)
        yield rows
        for row in rows:
            db.session.expunge(row)


def count(gates: Sequence[Gate], filters: LogFilters, most: int) -> int:
    """How many entries the filters hold, counted up to ``most``."""
    inner = select(GateEntry.id).where(_where(gates, filters)).limit(most).subquery()
    return db.session.scalar(select(func.count()).select_from(inner)) or 0


def passed(gates: Sequence[Gate], from_on: dt.date, until_on: dt.date) -> dict[int, Passed]:
    """What passed each gate on these days, in one statement."""
    if not gates:
        return {}
    totals = [func.sum(getattr(GateDay, name)) for name in _SUMS]
    query = (
        select(GateDay.gate_id, *totals)
        .where(GateDay.gate_id.in_([g.id for g in gates]), GateDay.day_on.between(from_on, until_on))
        .group_by(GateDay.gate_id)
    )
    return {row[0]: Passed(*(int(n or 0) for n in row[1:])) for row in db.session.execute(query)}


def passes_of(actor: Actor, numbers: Collection[str]) -> dict[str, KnownPass]:
    """The passes with these numbers; whose they are only where the reader may see the case."""
    if not numbers:
        return {}
    may = case((reach(actor), 1), else_=0)
    columns = (VehiclePass.number, VehiclePass.plate, VehiclePass.status, VehiclePass.is_dead, VehiclePass.changed_at)
    query = select(*columns, VehiclePass.words, VehiclePass.case_id, Case.enterprise_name, may)
    query = query.join(Case, Case.id == VehiclePass.case_id).where(VehiclePass.number.in_(numbers))
    found = {}
    for number, plate, status, dead, at, words, case_id, name, seen in db.session.execute(query):
        whose = (case_id, name) if seen else (None, "")
        found[number] = KnownPass(number, plate, status, dead, at, words if seen else "", *whose)
    return found


def elsewhere(entries: Sequence[GateEntry], within: dt.timedelta) -> list[tuple[str, int, dt.datetime]]:
    """Where the passes of these entries came in around that time: (number, gate, when), in one statement."""
    if not entries:
        return []
    times = [e.at for e in entries]
    query = select(GateEntry.number, GateEntry.gate_id, GateEntry.at).where(
        GateEntry.number.in_({e.number for e in entries}),
        GateEntry.at.between(min(times) - within, max(times) + within),
        GateEntry.direction == "in",
        GateEntry.decision == "pass",
    )
    return [(number, gate_id, at) for number, gate_id, at in db.session.execute(query)]


def of_area(area: Area, day_on: dt.date) -> tuple[int, int, Passed]:
    """An area's gates: how many are open, how many people are inside, and what passed on a day; in one statement."""
    own = (Area.id, Area.city_id, Area.county_id, Area.town_id, Area.zone_id)
    within = or_(*(column == area.id for column in own))
    totals = [func.sum(getattr(GateDay, name)) for name in _SUMS]
    query: Select[Any] = (
        select(func.count(Gate.id), func.sum(Gate.inside), *totals)
        .join(Area, Area.id == Gate.area_id)
        .outerjoin(GateDay, and_(GateDay.gate_id == Gate.id, GateDay.day_on == day_on))
        .where(within, Gate.is_open == true())
    )
    gates, inside, *sums = db.session.execute(query).one()
    return int(gates), int(inside or 0), Passed(*(int(n or 0) for n in sums))
