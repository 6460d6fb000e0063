"""Who could be given a case, as the core's rules look at them: read once for a town and role, then kept up by hand."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from sqlalchemy import ColumnElement, Integer, case, cast, func, or_, select, true

from workflow.core.actors import Role
from workflow.core.assignment import DUE_SOON, Candidate, Post, Reach, Task, weight
from workflow.core.times import shanghai_day
from workflow.data import organisation
from workflow.data.areas import Area
from workflow.data.cases import Case
from workflow.data.inspections import Inspection
from workflow.data.organisation import BuildingOfficer, Team, TeamArea, TeamMember
from workflow.data.people import Account, PersonAppointment
from workflow.extensions import db

LATELY = dt.timedelta(days=1)


@dataclass(slots=True)
class Work:
    """What a person has in hand: weighted load in tenths, open cases, and how many came within a day."""

    load: int = 0
    open_cases: int = 0
    lately: int = 0


@dataclass(frozen=True, slots=True)
class _Member:
    """What a candidate is, without the work in hand."""

    person_id: int
    posts: frozenset[Post]
    reaches: tuple[Reach, ...]
    is_absent: bool
    cover_id: int | None


@dataclass(slots=True)
class Pools:
    """The candidates by town and role as of ``now``; holds plain values, so that it outlives a transaction."""

    now: dt.datetime
    _members: dict[tuple[int, Role], list[_Member]] = field(default_factory=dict)
    _officers: dict[int, dict[int, int]] = field(default_factory=dict)
    work: dict[int, Work] = field(default_factory=dict)

    def candidates(self, of: Case) -> list[Candidate]:
        """Everybody around who holds the role that the case waits for, with the work in hand."""
        key = (of.town_id, Role(of.holder))
        if key not in self._members:
            self._members[key] = _members(of, self.now)
            self._read_work(m.person_id for m in self._members[key])
        return [self._candidate(m) for m in self._members[key]]

    def _candidate(self, member: _Member) -> Candidate:
        work = self.work[member.person_id]
        return Candidate(
            person_id=member.person_id,
            posts=member.posts,
            reaches=member.reaches,
            is_absent=member.is_absent,
            cover_id=member.cover_id,
            load=work.load,
            open_cases=work.open_cases,
            lately=work.lately,
        )

    def _read_work(self, person_ids: Iterable[int]) -> None:
        missing = [i for i in person_ids if i not in self.work]
        if missing:
            self.work |= {i: Work() for i in missing} | work_of(missing, self.now)

    def officer(self, of: Case) -> int | None:
        """The named officer of the case's building."""
        if of.building_id is None:
            return None
        if of.town_id not in self._officers:
            self._officers[of.town_id] = _officers(of.town_id, shanghai_day(self.now))
        return self._officers[of.town_id].get(of.building_id)

    def task(self, of: Case, conflicted: frozenset[int]) -> Task:
        """What the rules look at in the case."""
        because = of.assigned_because or {}
        gave_back = because.get("by") if because.get("how") == "released" else None
        return Task(
            role=Role(of.holder),
            area_ids=of.area_ids,
            bureau=of.bureau,
            zone_id=of.zone_id,
            building_id=of.building_id,
            sector=of.sector,
            handled_by=(of.handled_by or {}).get(of.holder),
            officer=self.officer(of),
            conflicted=conflicted,
            declined=frozenset({gave_back} if isinstance(gave_back, int) else ()),
        )

    def count(self, of: Case, before: int | None, person_id: int) -> None:
        """Keep up with an assignment that was just made."""
        tenths = weight(of.holder, of.due_at, self.now)
        if before is not None and before in self.work:
            self.work[before].load -= tenths
            self.work[before].open_cases -= 1
        work = self.work.setdefault(person_id, Work())
        work.load += tenths
        work.open_cases += 1
        work.lately += 1


def _members(of: Case, now: dt.datetime) -> list[_Member]:
    """Who holds the role in the case's town, above or inside it, with an account that works."""
    today = shanghai_day(now)
    inside = select(Area.id).where(Area.town_id == of.town_id)
    held = PersonAppointment
    query = select(held.person_id, held.area_id, held.bureau).where(
        held.role == of.holder,
        or_(held.area_id.in_([of.town_id, of.county_id, of.city_id]), held.area_id.in_(inside)),
        organisation.running(held.starts_on, held.ends_on, today),
        held.person_id.in_(select(Account.person_id).where(Account.is_active == true())),
    )
    posts: dict[int, set[Post]] = {}
    for person_id, area_id, bureau in db.session.execute(query):
        posts.setdefault(person_id, set()).add(Post(area_id, bureau))
    reaches, absences = _reaches(posts, today), organisation.absences_of(posts, today)
    return [
        _Member(
            person_id,
            frozenset(found),
            tuple(reaches.get(person_id, ())),
            person_id in absences,
            absences[person_id].cover_id if person_id in absences else None,
        )
        for person_id, found in sorted(posts.items())
    ]


def _reaches(person_ids: Iterable[int], today: dt.date) -> dict[int, list[Reach]]:
    """What the teams of each person cover: the areas set for them and their own."""
    query = (
        select(TeamMember.person_id, Team.id, Team.area_id, Team.sectors, TeamArea.area_id)
        .join(Team, Team.id == TeamMember.team_id)
        .outerjoin(TeamArea, TeamArea.team_id == Team.id)
        .where(
            TeamMember.person_id.in_(list(person_ids)),
            organisation.running(TeamMember.starts_on, TeamMember.ends_on, today),
            Team.closed_on.is_(None),
        )
        .order_by(Team.id)
    )
    areas: dict[tuple[int, int], set[int]] = {}
    sectors: dict[int, frozenset[str]] = {}
    for person_id, team_id, own, served, covered in db.session.execute(query):
        areas.setdefault((person_id, team_id), {own}).update({covered} - {None})
        sectors[team_id] = frozenset(served or ())
    found: dict[int, list[Reach]] = {}
    for (person_id, team_id), ids in areas.items():
        found.setdefault(person_id, []).append(Reach(frozenset(ids), sectors[team_id]))
    return found


def _officers(town_id: int, today: dt.date) -> dict[int, int]:
    """The named officers of a town's buildings, by building."""
    query = (
        select(BuildingOfficer.area_id, BuildingOfficer.person_id)
        .join(Area, Area.id == BuildingOfficer.area_id)
        .where(Area.town_id == town_id, organisation.running(BuildingOfficer.starts_on, BuildingOfficer.ends_on, today))
        .order_by(BuildingOfficer.id)
    )
    return {row.area_id: row.person_id for row in db.session.execute(query)}


def _number(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return cast(func.sum(case((condition, 1), else_=0)), Integer)


def work_of(person_ids: Sequence[int], now: dt.datetime) -> dict[int, Work]:
    """What each of the people has in hand; people with nothing are left out."""
    query = (
        select(
            Case.assignee_id,
            Case.holder,
            func.count(),
            _number(Case.due_at <= now),
            _number((Case.due_at > now) & (Case.due_at <= now + DUE_SOON)),
            _number(Case.assigned_at >= now - LATELY),
        )
        .where(Case.assignee_id.in_(person_ids), Case.is_open == true())
        .group_by(Case.assignee_id, Case.holder)
    )
    found: dict[int, Work] = {}
    for person_id, holder, number, late, soon, lately in db.session.execute(query):
        work = found.setdefault(int(person_id or 0), Work())
        late_weight = weight(holder, now, now)
        soon_weight = weight(holder, now + DUE_SOON, now)
        usual = weight(holder, now + 2 * DUE_SOON, now)
        work.load += late * late_weight + soon * soon_weight + (number - late - soon) * usual
        work.open_cases += number
        work.lately += lately
    return found


def keeping_away(of: Sequence[Case], now: dt.datetime) -> dict[int, frozenset[int]]:
    """By case, who must not be given it: the company's people, those with an interest in it, and where the step is
    closed to those who inspected, the inspectors."""
    close = organisation.close_to_each({c.enterprise_id for c in of}, shanghai_day(now))
    separate = [c.id for c in of if _closed_to_inspectors(c)]
    inspectors: dict[int, frozenset[int]] = {}
    if separate:
        query = select(Inspection.case_id, Inspection.lead_id, Inspection.second_id)
        for case_id, lead, second in db.session.execute(
            query.where(Inspection.case_id.in_(separate), Inspection.status != "cancelled")
        ):
            inspectors[case_id] = inspectors.get(case_id, frozenset()) | {lead, second}
    return {c.id: close.get(c.enterprise_id, frozenset()) | inspectors.get(c.id, frozenset()) for c in of}


def _closed_to_inspectors(of: Case) -> bool:
    """Whether every step that the case waits for is closed to those who inspected it."""
    steps = [s for s in of.flow.steps_from(of.state) if s.role.value == of.holder]
    return bool(steps) and all("not_the_inspector" in s.guards for s in steps)
