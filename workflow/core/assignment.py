"""Who is to handle a case: one person by fixed rules, the same for the same facts, with an explanation as data."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from workflow.core.actors import Role
from workflow.core.errors import N_


class Rung(StrEnum):
    """Why somebody is asked before others, the strongest reason first."""

    HANDLED = "handled"
    """Took the last step in this role on this very case."""
    OFFICER = "officer"
    """Is the named officer of the building."""
    BUILDING_TEAM = "building_team"
    """Belongs to a team that covers the building."""
    ZONE_TEAM = "zone_team"
    """Belongs to a team that covers the zone."""
    SECTOR_TEAM = "sector_team"
    """Belongs to a team of the area that takes care of the company's industry."""
    AREA = "area"
    """Holds the role in the area."""


class Skipped(StrEnum):
    """Why somebody with a stronger reason was passed over."""

    ABSENT = "absent"
    CONFLICT = "conflict"
    NOT_IN_ROLE = "not_in_role"
    GAVE_BACK = "gave_back"


RUNG_LABELS: Mapping[Rung, str] = {
    Rung.HANDLED: N_("本案此前的经办人"),
    Rung.OFFICER: N_("楼宇专员"),
    Rung.BUILDING_TEAM: N_("楼宇所属专班"),
    Rung.ZONE_TEAM: N_("片区专班"),
    Rung.SECTOR_TEAM: N_("行业专班"),
    Rung.AREA: N_("辖区人员"),
}
SKIPPED_LABELS: Mapping[Skipped, str] = {
    Skipped.ABSENT: N_("请假"),
    Skipped.CONFLICT: N_("须回避"),
    Skipped.NOT_IN_ROLE: N_("不再担任此职责"),
    Skipped.GAVE_BACK: N_("刚退回此案"),
}

_ROLE_WEIGHT: Mapping[str, int] = {
    Role.REVIEWER.value: 10,
    Role.INSPECTOR.value: 20,
    Role.LEADER.value: 6,
    Role.BUREAU_REVIEWER.value: 10,
    Role.LEADING_GROUP.value: 6,
}
"""What one case in a role's hands weighs, in tenths: a visit on site costs twice the review of papers."""
DUE_SOON = dt.timedelta(days=1)
MOST_PASSED = 8


def weight(holder: str, due_at: dt.datetime, now: dt.datetime) -> int:
    """What an open case adds to its officer's load, in tenths: by its step, twice when overdue, one and a half times
    when due within a day."""
    base = _ROLE_WEIGHT.get(holder, 10)
    if due_at <= now:
        return base * 2
    return base * 3 // 2 if due_at <= now + DUE_SOON else base


@dataclass(frozen=True, slots=True)
class Post:
    """An area in which a role is held; for a bureau's role in which bureau."""

    area_id: int
    bureau: str | None = None


@dataclass(frozen=True, slots=True)
class Reach:
    """What a team covers: areas, and the industries that it takes care of (none: all)."""

    area_ids: frozenset[int]
    sectors: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Task:
    """What is to be assigned: a case with the facts that the rules look at.

    ``officer`` is the named officer of its building, ``conflicted`` who must keep away from the company, ``declined``
    who gave the case back and gets it only when nobody else can.
    """

    role: Role
    area_ids: frozenset[int]
    bureau: str | None = None
    zone_id: int | None = None
    building_id: int | None = None
    sector: str = ""
    handled_by: int | None = None
    officer: int | None = None
    conflicted: frozenset[int] = frozenset()
    declined: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Candidate:
    """Somebody who holds the role somewhere around; ``load`` is weighted, in tenths, ``open_cases`` counts,
    ``lately`` counts what was assigned within a day."""

    person_id: int
    posts: frozenset[Post]
    reaches: tuple[Reach, ...] = ()
    is_absent: bool = False
    cover_id: int | None = None
    load: int = 0
    open_cases: int = 0
    lately: int = 0

    def holds(self, task: Task) -> bool:
        """Whether the role is held where the case lies, and in its bureau."""
        return any(p.area_id in task.area_ids and p.bureau in (None, task.bureau) for p in self.posts)


@dataclass(frozen=True, slots=True)
class Passed:
    """Somebody with a stronger reason who was passed over."""

    person_id: int
    rung: Rung
    why: Skipped


@dataclass(frozen=True, slots=True)
class Choice:
    """Who gets the case and why; ``covers`` is the absent person stood in for, ``others`` how many had the same
    reason and carry more."""

    person_id: int
    rung: Rung
    load: int
    open_cases: int
    others: int
    covers: int | None = None
    passed: tuple[Passed, ...] = field(default_factory=tuple)

    def because(self) -> dict[str, Any]:
        """The explanation as kept with the case: keys, numbers and ids."""
        return {
            "how": "rule",
            "rung": self.rung.value,
            "load": self.load,
            "open": self.open_cases,
            "others": self.others,
            "covers": self.covers,
            "passed": kept_passed(self.passed),
        }


def kept_passed(passed: Iterable[Passed]) -> list[list[Any]]:
    """Those passed over, as kept with the case."""
    return [[p.person_id, p.rung.value, p.why.value] for p in passed][:MOST_PASSED]


def _covers(candidate: Candidate, area_id: int | None, sector: str) -> bool:
    return area_id is not None and any(
        area_id in r.area_ids and (not r.sectors or sector in r.sectors) for r in candidate.reaches
    )


def rung_of(candidate: Candidate, task: Task) -> Rung:
    """The strongest reason why the case is the candidate's."""
    if candidate.person_id == task.handled_by:
        return Rung.HANDLED
    if candidate.person_id == task.officer:
        return Rung.OFFICER
    if _covers(candidate, task.building_id, task.sector):
        return Rung.BUILDING_TEAM
    if _covers(candidate, task.zone_id, task.sector):
        return Rung.ZONE_TEAM
    if any(task.sector in r.sectors and r.area_ids & task.area_ids for r in candidate.reaches):
        return Rung.SECTOR_TEAM
    return Rung.AREA


_ORDER = {rung: place for place, rung in enumerate(Rung)}


def _stand_in(absent: Candidate, by_id: Mapping[int, Candidate]) -> Candidate | None:
    """Who stands in for somebody absent: the cover, or the cover's cover, as long as each is known; None at an end."""
    seen = {absent.person_id}
    here: Candidate | None = absent
    while here is not None and here.is_absent:
        following = by_id.get(here.cover_id) if here.cover_id is not None else None
        if following is None or following.person_id in seen:
            return None
        seen.add(following.person_id)
        here = following
    return here


def able(task: Task, candidates: Iterable[Candidate]) -> list[Candidate]:
    """Those of the candidates who may be given the case: they hold the role for it, are there, and have no interest."""
    return [c for c in candidates if c.holds(task) and not c.is_absent and c.person_id not in task.conflicted]


def choose(task: Task, candidates: Collection[Candidate]) -> Choice | None:
    """The one person to handle ``task``; None when nobody can.

    By the strongest reason (see :class:`Rung`); an absent person's reason passes to the cover. Among equals the lowest
    weighted load, then the fewest assigned lately, then the lowest id: the order of ``candidates`` does not matter.
    """
    here = [c for c in candidates if c.holds(task)]
    fit = able(task, here)
    if not fit:
        return None
    rungs = {c.person_id: rung_of(c, task) for c in here}
    best, covers = _inherited(rungs, here, frozenset(c.person_id for c in fit))

    def rank(c: Candidate) -> tuple[bool, int, int, int, int]:
        return c.person_id in task.declined, _ORDER[best[c.person_id]], c.load, c.lately, c.person_id

    chosen = min(fit, key=rank)
    same = sum(rank(c)[:2] == rank(chosen)[:2] for c in fit) - 1
    return Choice(
        person_id=chosen.person_id,
        rung=best[chosen.person_id],
        load=chosen.load,
        open_cases=chosen.open_cases,
        others=same,
        covers=covers.get(chosen.person_id),
        passed=tuple(passed_over(task, here, best[chosen.person_id], chosen.person_id)),
    )


def _inherited(
    rungs: Mapping[int, Rung], here: Collection[Candidate], fit: frozenset[int]
) -> tuple[dict[int, Rung], dict[int, int]]:
    """The reasons with those of absent people passed on to whoever stands in, and for whom that is."""
    best, covers = dict(rungs), dict[int, int]()
    by_id = {c.person_id: c for c in here}
    for absent in sorted((c for c in here if c.is_absent), key=lambda c: c.person_id):
        cover = _stand_in(absent, by_id)
        if cover is None or cover.person_id not in fit:
            continue
        if _ORDER[rungs[absent.person_id]] < _ORDER[best[cover.person_id]]:
            best[cover.person_id], covers[cover.person_id] = rungs[absent.person_id], absent.person_id
    return best, covers


def passed_over(
    task: Task, here: Collection[Candidate], chosen: Rung | None = None, person_id: int | None = None
) -> list[Passed]:
    """Who had as strong a reason as ``chosen`` (None: any) or a stronger one and did not get the case, and why."""
    found = []
    known = {c.person_id for c in here}
    for person, rung in ((task.handled_by, Rung.HANDLED), (task.officer, Rung.OFFICER)):
        if person is not None and person not in known:
            found.append(Passed(person, rung, Skipped.NOT_IN_ROLE))
    for candidate in here:
        rung = rung_of(candidate, task)
        if candidate.person_id in task.conflicted:
            found.append(Passed(candidate.person_id, rung, Skipped.CONFLICT))
        elif candidate.is_absent:
            found.append(Passed(candidate.person_id, rung, Skipped.ABSENT))
        elif candidate.person_id in task.declined:
            found.append(Passed(candidate.person_id, rung, Skipped.GAVE_BACK))
    limit = _ORDER[chosen] if chosen else len(_ORDER)
    kept = [p for p in found if _ORDER[p.rung] <= limit and p.person_id != person_id]
    return sorted(kept, key=lambda p: (_ORDER[p.rung], p.person_id))
