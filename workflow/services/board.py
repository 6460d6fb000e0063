"""The board: what came in, what waits where, what is late, how long decisions take, and who has how much."""

from __future__ import annotations

import datetime as dt
from collections import Counter as Tally
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from workflow.core.actors import Actor, AreaKind
from workflow.core.errors import NotFound
from workflow.core.spread import nearest_rank
from workflow.core.times import shanghai_day
from workflow.data import board, gate_log, queue
from workflow.data.areas import Area
from workflow.data.counters import Kind
from workflow.data.gate_log import Passed
from workflow.data.queue import Group

TREND_DAYS = 14
STAGES = (Group.REVIEW, Group.INSPECTION, Group.DECISION, Group.COMPANY)
"""The columns of the board; what waits for nobody's step (silent consent) counts in the total alone."""


@dataclass(slots=True)
class Numbers:
    """The numbers of one area; ``hours`` says how often a decision took how many whole hours."""

    stages: Tally[Group] = field(default_factory=Tally)
    open: int = 0
    overdue: int = 0
    filed_today: int = 0
    decided_today: int = 0
    approved: int = 0
    ended: int = 0
    hours: Tally[int] = field(default_factory=Tally)

    @property
    def median(self) -> int | None:
        """Half of the decisions took no more than so many whole hours."""
        return nearest_rank(self.hours, 50)

    @property
    def slowest_tenth(self) -> int | None:
        """Nine of ten decisions took no more than so many whole hours."""
        return nearest_rank(self.hours, 90)

    def add(self, other: Numbers) -> None:
        """Count ``other`` in."""
        self.stages.update(other.stages)
        self.hours.update(other.hours)
        for name in ("open", "overdue", "filed_today", "decided_today", "approved", "ended"):
            setattr(self, name, getattr(self, name) + getattr(other, name))


@dataclass(frozen=True, slots=True)
class Row:
    """An area below, with its numbers; ``area`` is None for a town's cases outside of every zone."""

    area: Area | None
    numbers: Numbers


@dataclass(frozen=True, slots=True)
class Day:
    """One day of the trend."""

    day: dt.date
    filed: int
    decided: int


@dataclass(frozen=True, slots=True)
class Load:
    """How many open cases an officer handles."""

    person_id: int
    name: str
    cases: int
    overdue: int


@dataclass(frozen=True, slots=True)
class Gates:
    """Today at the open gates of an area; ``inside`` are people who are in now."""

    number: int
    inside: int
    passed: Passed


@dataclass(frozen=True, slots=True)
class Board:
    """The board of ``area`` as it is at this moment; ``above`` are the areas that the reader may go back to."""

    area: Area
    above: tuple[Area, ...]
    total: Numbers
    rows: tuple[Row, ...]
    trend: tuple[Day, ...]
    loads: tuple[Load, ...]
    unassigned: int
    window: int
    gates: Gates | None = None


def _chosen(actor: Actor, code: str) -> tuple[Area, tuple[Area, ...]]:
    """The area asked for, and what lies above it within the reader's own; :class:`NotFound` outside of these."""
    roots = board.roots(actor)
    if not roots:
        raise NotFound()
    area = board.find(code) if code else roots[0]
    root = next((r for r in roots if area is not None and r.id in area.lineage), None)
    if area is None or root is None:
        raise NotFound()
    own = area.lineage[: area.lineage.index(root.id) + 1]
    above = [board.by_id(i) for i in reversed(own[1:])]
    return area, tuple(above)


Stages = Mapping[str, Group | None]
"""The stage of the board that a flow's state belongs to, by ``version:state``."""


def _stages(flows: Iterable[queue.KnownFlow]) -> Stages:
    return {f"{k.id}:{s.key}": queue.stage_of(s.holder) for k in flows for s in k.flow.states.values()}


def _stand(numbers: Numbers, key: str, many: int, stages: Stages) -> None:
    numbers.open += many
    stage = stages.get(key)
    if stage is not None:
        numbers.stages[stage] += many


def _passed(numbers: Numbers, kind: str, key: str, many: int, *, is_today: bool, is_recent: bool) -> None:
    """Count what was filed or decided on a day."""
    if kind == Kind.FILED:
        numbers.filed_today += many if is_today else 0
    elif kind == Kind.DECIDED:
        numbers.decided_today += many if is_today else 0
        numbers.approved += many if is_recent and key == "approved" else 0
        numbers.ended += many if is_recent and key == "ended" else 0
    elif is_recent:
        numbers.hours[int(key)] += many


def _by_area(
    area: Area, today: dt.date, since: dt.date, trend: Tally[tuple[str, dt.date]], stages: Stages
) -> dict[int, Numbers]:
    """The numbers of every area below ``area``, from the counters."""
    found: dict[int, Numbers] = {}

    def of(place: int) -> Numbers:
        return found.setdefault(place, Numbers())

    for place, kind, key, n in board.standing(area, today):
        if kind == Kind.DUE:
            of(place).overdue += n
        else:
            _stand(of(place), key, n, stages)
    for place, kind, day, key, n in board.days(area, min(since, today - dt.timedelta(days=TREND_DAYS - 1))):
        trend[(kind, day)] += n
        _passed(of(place), kind, key, n, is_today=day == today, is_recent=day >= since)
    return found


def _zone_rows(town: Area, now: dt.datetime, stages: Stages) -> list[Row]:
    """A town's zones, from its open cases."""
    found: dict[int | None, Numbers] = {}
    for zone, key, many, late in board.by_zone(town, now):
        numbers = found.setdefault(zone, Numbers())
        _stand(numbers, key, many, stages)
        numbers.overdue += late
    rows = [Row(zone, found.get(zone.id, Numbers())) for zone in board.below(town)]
    return [*rows, Row(None, found[None])] if None in found else rows


def board_of(actor: Actor, code: str, window: int, now: dt.datetime) -> Board:
    """The board of the area with this code (the reader's widest when empty); decisions of the last ``window`` days.

    Raises :class:`NotFound` for an area outside of the reader's.
    """
    area, above = _chosen(actor, code)
    today = shanghai_day(now)
    trend: Tally[tuple[str, dt.date]] = Tally()
    stages = _stages(queue.flows())
    found = _by_area(area, today, today - dt.timedelta(days=window - 1), trend, stages)
    total = Numbers()
    for numbers in found.values():
        total.add(numbers)
    if area.area_kind is AreaKind.TOWN:
        rows = _zone_rows(area, now, stages)
    else:
        rows = [Row(part, found.get(part.id, Numbers())) for part in board.below(area)]
    days = [today - dt.timedelta(days=n) for n in reversed(range(TREND_DAYS))]
    return Board(
        area=area,
        above=above,
        total=total,
        rows=tuple(rows),
        trend=tuple(Day(d, trend[(Kind.FILED.value, d)], trend[(Kind.DECIDED.value, d)]) for d in days),
        loads=tuple(Load(*line) for line in board.loads(area, now)),
        unassigned=board.unassigned(area),
        window=window,
        gates=_gates(area, today),
    )


def _gates(area: Area, today: dt.date) -> Gates | None:
    number, inside, passed = gate_log.of_area(area, today)
    return Gates(number, inside, passed) if number else None
