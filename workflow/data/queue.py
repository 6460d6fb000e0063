"""The desk's queue: cases filtered, searched, counted and paged by keyset with explicit columns."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    ScalarSelect,
    Select,
    func,
    literal,
    or_,
    select,
    tuple_,
    union,
)
from sqlalchemy.orm import aliased

from workflow.core.actors import Actor
from workflow.core.flow import Flow
from workflow.core.tailoring import read_tailoring, tailor
from workflow.data import cases, search
from workflow.data.areas import Area
from workflow.data.cases import Case
from workflow.data.enterprises import Enterprise
from workflow.data.filters import Filters, Group, KnownFlow, OwnArea, Sort, Tab, flows, own_areas, stage_of
from workflow.data.people import Person
from workflow.data.search import Ids, Search
from workflow.data.ways import Way, unindexed, ways
from workflow.extensions import UtcDateTime, db

__all__ = [
    "Asked",
    "Filters",
    "Group",
    "KnownFlow",
    "Mark",
    "OwnArea",
    "Page",
    "QueueRow",
    "Sort",
    "Tab",
    "conditions",
    "count",
    "flow_of",
    "flows",
    "own_areas",
    "page",
    "rows_of",
    "some",
    "stage_of",
    "stream",
    "tab_counts",
]

PAGE, CHUNK = 50, 1000
COUNT_CAP = 1000
_BROAD = (Tab.OPEN, Tab.DONE)
"""Tabs that may hold a great part of all cases."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A place between rows: the row with this instant (by which the rows are sorted) and id."""

    at: dt.datetime
    id: int


@dataclass(frozen=True, slots=True)
class QueueRow:
    """One line of the queue; ``place`` is the town, ``zone`` the zone inside it or empty, ``assignee`` a name or empty.

    The fields from ``uscc`` on are read for exports only.
    """

    id: int
    version: int
    reference: str
    enterprise_name: str
    flow_version_id: int
    state: str
    holder: str
    is_open: bool
    due_at: dt.datetime
    submitted_at: dt.datetime
    decided_at: dt.datetime | None
    resuming_count: int
    tailoring: dict[str, Any] | None
    place: str
    zone: str
    assignee_id: int | None
    assignee: str
    came_back: bool
    round: int
    sector: str
    bureau: str | None
    escalated_to: str
    uscc: str = ""
    county: str = ""
    building: str = ""
    resume_on: dt.date | None = None
    facts: dict[str, Any] = field(default_factory=dict)

    def mark(self, order: Sort) -> Mark:
        """Where this row stands."""
        return Mark(self.submitted_at if order.by_filing else self.due_at, self.id)


@dataclass(frozen=True, slots=True)
class Page:
    """Up to :data:`PAGE` rows, and whether there are more on either side."""

    rows: tuple[QueueRow, ...]
    has_before: bool
    has_after: bool


def flow_of(row: QueueRow, known: KnownFlow) -> Flow:
    """The flow of a row's case: its version's, with what was tailored for this case worked in."""
    return tailor(known.flow, read_tailoring(row.tailoring)) if row.tailoring else known.flow


@lru_cache(maxsize=2)
def row_columns(whole: bool) -> Select[*tuple[Any, ...]]:
    """The explicit columns of a row with what they are joined from; made once, since they never differ.

    Outer joins, though every case has a town: no planner begins with the towns then.
    """
    town, zone = aliased(Area), aliased(Area)
    names = [c for c in QueueRow.__slots__[:22] if c not in ("place", "zone", "assignee")]
    columns: list[Any] = [getattr(Case, name).label(name) for name in names]
    columns.insert(13, town.name.label("place"))
    columns.insert(14, func.coalesce(zone.name, "").label("zone"))
    columns.insert(16, func.coalesce(Person.name, "").label("assignee"))
    joined: Any = (
        select(*columns)
        .select_from(Case)
        .outerjoin(town, town.id == Case.town_id)
        .outerjoin(zone, zone.id == Case.zone_id)
        .outerjoin(Person, Person.id == Case.assignee_id)
    )
    if not whole:
        return joined  # type: ignore[no-any-return]
    county, building = aliased(Area), aliased(Area)
    more = (Enterprise.uscc, county.name, func.coalesce(building.name, ""), Case.resume_on, Case.facts)
    joined = joined.add_columns(*more).outerjoin(Enterprise, Enterprise.id == Case.enterprise_id)
    joined = joined.outerjoin(county, county.id == Case.county_id)
    return joined.outerjoin(building, building.id == Case.building_id)  # type: ignore[no-any-return]


@dataclass(frozen=True, slots=True)
class Asked:
    """A reader's question made ready once: the ways along the indexes, and the search that narrows them."""

    order: Sort
    tab: Tab
    ways: tuple[Way, ...]
    search: Search | None

    @classmethod
    def by(cls, actor: Actor, filters: Filters, now: dt.datetime) -> Asked:
        """Make ``filters`` ready for ``actor``."""
        return cls(filters.order, filters.tab, tuple(ways(actor, filters, now)), search.find(actor, filters))

    def _sorted(self, backwards: bool) -> tuple[Any, ...]:
        column = Case.submitted_at if self.order.by_filing else Case.due_at
        return (column.desc(), Case.id.desc()) if self.order.falls != backwards else (column.asc(), Case.id.asc())

    def _beyond(self, mark: Mark, backwards: bool) -> ColumnElement[bool]:
        place = tuple_(Case.submitted_at if self.order.by_filing else Case.due_at, Case.id)
        there = tuple_(literal(mark.at, UtcDateTime()), literal(mark.id))
        return place < there if self.order.falls != backwards else place > there

    @property
    def whole(self) -> ColumnElement[bool]:
        """Everything asked for as one plain condition, for those who have ids already."""
        inside = or_(*(way.whole for way in self.ways))
        return inside if self.search is None else inside & self.search.check

    def _listed(self, ids: Ids) -> list[ColumnElement[bool]]:
        """The conditions by which the listed candidates are sifted."""
        return [Case.id.in_(ids), unindexed([self.whole])]

    def _runs(self) -> list[list[ColumnElement[bool]]]:
        """The conditions of each way to be walked."""
        if self.search is None:
            return [way.conditions for way in self.ways]
        if self.search.few and self.search.ids is not None:
            return [self._listed(self.search.ids)]
        check = self.search.check
        return [[*way.keys, unindexed([*way.checks, check])] for way in self.ways]

    def rows(self, mark: Mark | None, backwards: bool, limit: int, whole: bool = False) -> list[QueueRow]:
        """Up to ``limit`` rows after (backwards: before) a mark."""
        runs, order = self._runs(), self._sorted(backwards)
        beyond = [] if mark is None else [self._beyond(mark, backwards)]
        if not self.ways:
            return []
        query = row_columns(whole)
        if len(runs) == 1:
            query = query.where(*runs[0], *beyond)
        else:
            parts = [select(Case.id).where(*run, *beyond).order_by(*order).limit(limit).subquery() for run in runs]
            query = query.where(Case.id.in_(union(*(select(part.c.id) for part in parts))))
        return [QueueRow(*row) for row in db.session.execute(query.order_by(*order).limit(limit))]

    def page(self, after: Mark | None, before: Mark | None) -> Page:
        """One page after or before a mark; rows with the same instant stand by id, so that none is shown twice."""
        mark, backwards = (before, True) if before is not None else (after, False)
        found = self.rows(mark, backwards, PAGE + 1)
        more, rows = len(found) > PAGE, found[:PAGE]
        if backwards:
            return Page(tuple(reversed(rows)), has_before=more, has_after=True)
        return Page(tuple(rows), has_before=mark is not None, has_after=more)

    def counting(self) -> ScalarSelect[int] | ColumnElement[int]:
        """An expression for how many there are, at most :data:`COUNT_CAP` + 1.

        A text that many names hold is counted by its pieces where the tab is broad, else along the tab.
        """
        if not self.ways:
            return literal(0)
        runs, order = self._runs(), self._sorted(False)  # in order, so that an index is followed up to the cap
        found = self.search
        if found is not None and found.ids is not None and (found.few or self.tab in _BROAD):
            runs, order = [self._listed(found.ids)], ()
        parts = [select(Case.id).where(*run).order_by(*order).limit(COUNT_CAP + 1).subquery() for run in runs]
        inner = parts[0]
        if len(parts) > 1:
            inner = select(union(*(select(p.c.id) for p in parts)).subquery()).limit(COUNT_CAP + 1).subquery()
        return select(func.count()).select_from(inner).scalar_subquery()

    def count(self) -> int:
        """How many there are, capped."""
        return db.session.scalar(select(self.counting())) or 0


def conditions(actor: Actor, filters: Filters, now: dt.datetime) -> ColumnElement[bool]:
    """Everything asked for as one condition on cases, for whoever picks among given ids."""
    return Asked.by(actor, filters, now).whole


def count(actor: Actor, filters: Filters, now: dt.datetime) -> int:
    """How many cases answer to ``filters``; never more than :data:`COUNT_CAP` + 1 are counted."""
    return Asked.by(actor, filters, now).count()


@lru_cache(maxsize=256)
def _counts_of_tabs(who: Actor, tabs: tuple[Tab, ...], mates: frozenset[int], minute: dt.datetime) -> Any:
    """The statement that counts each tab; making it costs more than running it, so it is kept a minute."""
    parts = [Asked.by(who, Filters(tab=tab, mates=mates), minute).counting() for tab in tabs]
    return select(*(part.label(f"n{n}") for n, part in enumerate(parts)))


def tab_counts(
    actor: Actor, tabs: Sequence[Tab], now: dt.datetime, mates: frozenset[int] = frozenset(), asked: Asked | None = None
) -> tuple[dict[Tab, int], int]:
    """How many cases each tab holds, and how many answer to ``asked``, capped like :func:`count`, in one statement.

    What is late is counted by the minute: limits end at midnight.
    """
    query = _counts_of_tabs(actor, tuple(tabs), mates, now.replace(second=0, microsecond=0))
    if asked is not None:
        query = query.add_columns(asked.counting().label("asked"))
    row = tuple(db.session.execute(query).one())
    return dict(zip(tabs, row, strict=False)), row[-1] if asked is not None else 0


def page(
    actor: Actor, filters: Filters, now: dt.datetime, *, after: Mark | None = None, before: Mark | None = None
) -> Page:
    """One page in the order that is asked for, after or before a mark."""
    return Asked.by(actor, filters, now).page(after, before)


def stream(actor: Actor, filters: Filters, now: dt.datetime) -> Iterator[QueueRow]:
    """Every row that answers to ``filters`` with all its fields, read :data:`CHUNK` by chunk from mark to mark."""
    asked, mark = Asked.by(actor, filters, now), None
    while rows := asked.rows(mark, False, CHUNK, whole=True):
        yield from rows
        if len(rows) < CHUNK:
            return
        mark = rows[-1].mark(asked.order)


def rows_of(actor: Actor, case_ids: Sequence[int]) -> list[QueueRow]:
    """The rows of these cases that the actor may see, with all their fields, in the order given."""
    query = row_columns(True).where(cases.reach(actor), Case.id.in_(case_ids))
    found = {row.id: QueueRow(*row) for row in db.session.execute(query)}
    return [found[i] for i in dict.fromkeys(case_ids) if i in found]


def some(actor: Actor, case_ids: list[int]) -> dict[int, Case]:
    """The cases among ``case_ids`` that the actor may see, by id."""
    if not case_ids:
        return {}
    found = db.session.scalars(cases.visible_to(actor).where(Case.id.in_(case_ids)))
    return {case.id: case for case in found}
