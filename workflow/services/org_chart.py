"""Who holds what in an area: teams, zones, buildings and officers with their work in hand, and where somebody lacks."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select

from workflow.core.actors import ROLE_PERMISSIONS, Actor, AreaKind, Permission
from workflow.core.errors import N_
from workflow.core.times import shanghai_day
from workflow.data import areas, candidates, organisation, people
from workflow.data.areas import Area
from workflow.data.candidates import Work
from workflow.data.organisation import Absence, BuildingOfficer, Duty, Team, TeamKind, TeamMember
from workflow.extensions import db
from workflow.services.organisation import FORMULA, places_of


class Gap(StrEnum):
    """What is missing somewhere."""

    ZONE_WITHOUT_TEAM = "zone_without_team"
    PLACE_WITHOUT_OFFICER = "place_without_officer"
    TEAM_WITHOUT_LEADER = "team_without_leader"
    AWAY_WITHOUT_COVER = "away_without_cover"


GAP_LABELS = {
    Gap.ZONE_WITHOUT_TEAM: N_("片区没有专班"),
    Gap.PLACE_WITHOUT_OFFICER: N_("楼宇没有专员"),
    Gap.TEAM_WITHOUT_LEADER: N_("组织没有负责人"),
    Gap.AWAY_WITHOUT_COVER: N_("请假无人代办"),
}


@dataclass(frozen=True, slots=True)
class PersonNode:
    """A person in a place of the chart; ``cover`` is the name of who stands in while ``is_away``."""

    person_id: int
    name: str
    duty: str
    member_id: int | None
    work: Work
    is_away: bool
    cover: str


@dataclass(frozen=True, slots=True)
class TeamNode:
    """A team with its people; ``lacking`` says how many of a duty are missing to 1-2-3."""

    team: Team
    people: list[PersonNode]
    covers: list[Area]
    lacking: list[tuple[Duty, int]]
    support: int

    @property
    def leader(self) -> PersonNode | None:
        """Who leads the team."""
        return next((p for p in self.people if p.duty == Duty.LEADER), None)

    @property
    def others(self) -> list[PersonNode]:
        """Everybody but the leader."""
        return [p for p in self.people if p.duty != Duty.LEADER]


@dataclass(frozen=True, slots=True)
class PlaceNode:
    """A building, park or business circle with its one officer and the squads that cover it."""

    area: Area
    officer: PersonNode | None
    teams: list[TeamNode]


@dataclass(frozen=True, slots=True)
class ZoneNode:
    """A zone with the teams that cover it and its places."""

    area: Area
    teams: list[TeamNode]
    places: list[PlaceNode]


@dataclass(frozen=True, slots=True)
class Chart:
    """An area's organisation; ``gaps`` name what is missing where."""

    area: Area
    headquarters: list[TeamNode]
    teams: list[TeamNode]
    zones: list[ZoneNode]
    gaps: list[tuple[Gap, str]]
    people: int
    open_cases: int


@dataclass(frozen=True, slots=True)
class AreaLine:
    """A county or town in an overview."""

    area: Area
    teams: int
    members: int
    places: int
    officers: int


@dataclass(slots=True)
class _Reader:
    """What the nodes are made from, read once."""

    names: Mapping[int, str]
    work: Mapping[int, Work]
    away: Mapping[int, Absence]
    gaps: list[tuple[Gap, str]] = field(default_factory=list)

    def person(self, person_id: int, duty: str = "", member_id: int | None = None) -> PersonNode:
        """A person in a place; leave without a cover is noted as a gap."""
        absence = self.away.get(person_id)
        cover = self.names.get(absence.cover_id or 0, "") if absence else ""
        node = PersonNode(
            person_id,
            self.names.get(person_id, ""),
            duty,
            member_id,
            self.work.get(person_id, Work()),
            absence is not None,
            cover,
        )
        gap = (Gap.AWAY_WITHOUT_COVER, node.name)
        if absence is not None and absence.cover_id is None and gap not in self.gaps:
            self.gaps.append(gap)
        return node

    def team(self, team: Team, members: Sequence[TeamMember], covers: list[Area]) -> TeamNode:
        """A team with its people; a missing leader is noted as a gap."""
        found = [self.person(m.person_id, m.duty, m.id) for m in members]
        numbers = {duty: sum(p.duty == duty for p in found) for duty in Duty}
        lacking = [(duty, wanted - numbers[duty]) for duty, wanted in FORMULA.items() if numbers[duty] < wanted]
        if not numbers[Duty.LEADER]:
            self.gaps.append((Gap.TEAM_WITHOUT_LEADER, team.name))
        lacking = lacking if team.kind == TeamKind.TEAM else [x for x in lacking if x[0] is Duty.LEADER]
        return TeamNode(team, found, covers, lacking, numbers[Duty.SUPPORT])


def chart_of(area: Area, now: dt.datetime) -> Chart:
    """The chart of a town (or of what stands in a county or the city itself); the caller has asked who may read it."""
    today, town = shanghai_day(now), area.area_kind is AreaKind.TOWN
    places = places_of(area) if town else []
    teams = organisation.teams_in([area.id, *(p.id for p in places)])
    team_ids = [t.id for t in teams]
    members, covered = organisation.members_of(team_ids, today), organisation.areas_of(team_ids)
    officers = organisation.officers_of([p.id for p in places if p.kind == AreaKind.BUILDING], today)
    ids = {m.person_id for m in members} | {o.person_id for o in officers.values()}
    reader = _reader(ids, now)
    by_team: dict[int, list[TeamMember]] = {}
    for member in members:
        by_team.setdefault(member.team_id, []).append(member)
    nodes = [reader.team(t, by_team.get(t.id, []), covered.get(t.id, [])) for t in teams]
    zones = _zones(places, nodes, officers, reader)
    shown = {n.team.id for z in zones for n in (*z.teams, *(t for p in z.places for t in p.teams))}
    rest = [n for n in nodes if n.team.id not in shown]
    return Chart(
        area=area,
        headquarters=[n for n in rest if n.team.kind == TeamKind.HEADQUARTERS],
        teams=[n for n in rest if n.team.kind != TeamKind.HEADQUARTERS],
        zones=zones,
        gaps=sorted(reader.gaps, key=lambda gap: list(Gap).index(gap[0])),
        people=len(ids),
        open_cases=sum(w.open_cases for w in reader.work.values()),
    )


def team_node(team: Team, now: dt.datetime) -> TeamNode:
    """One team with its people and what it covers."""
    members = organisation.members_of([team.id], shanghai_day(now))
    reader = _reader({m.person_id for m in members}, now)
    return reader.team(team, members, organisation.areas_of([team.id]).get(team.id, []))


def _reader(ids: set[int], now: dt.datetime) -> _Reader:
    away = organisation.absences_of(ids, shanghai_day(now))
    names = people.names_of(ids | {a.cover_id for a in away.values() if a.cover_id})
    return _Reader(names, candidates.work_of(sorted(ids), now) if ids else {}, away)


def _zones(
    places: Sequence[Area], nodes: Sequence[TeamNode], officers: Mapping[int, BuildingOfficer], reader: _Reader
) -> list[ZoneNode]:
    covering: dict[int, list[TeamNode]] = {}
    for node in nodes:
        for area_id in {a.id for a in node.covers} | {node.team.area_id}:
            covering.setdefault(area_id, []).append(node)
    zones = []
    for zone in (p for p in places if p.kind == AreaKind.ZONE):
        found = [_place(p, officers, covering, reader) for p in places if p.parent_id == zone.id]
        teams = covering.get(zone.id, [])
        if not teams and not (found and all(p.teams for p in found)):
            reader.gaps.append((Gap.ZONE_WITHOUT_TEAM, zone.name))
        zones.append(ZoneNode(zone, teams, found))
    return zones


def _place(
    area: Area,
    officers: Mapping[int, BuildingOfficer],
    covering: Mapping[int, list[TeamNode]],
    reader: _Reader,
) -> PlaceNode:
    officer = officers.get(area.id)
    if officer is None:
        reader.gaps.append((Gap.PLACE_WITHOUT_OFFICER, area.name))
    return PlaceNode(area, reader.person(officer.person_id) if officer else None, covering.get(area.id, []))


def readable(actor: Actor) -> list[Area]:
    """The counties and towns whose organisation the actor may read, by code."""
    wanted = (Permission.SEE_DESK, Permission.MANAGE_ORGANISATION)
    ids = {a.area_id for a in actor.appointments if any(p in ROLE_PERMISSIONS[a.role] for p in wanted)}
    own = set(db.session.scalars(select(Area.town_id).where(Area.id.in_(ids), Area.town_id.is_not(None))))
    return [a for a in areas.counties_and_towns() if a.id in own or ids & a.lineage_ids]


def overview(below: Sequence[Area], now: dt.datetime) -> list[AreaLine]:
    """How the organisation stands in each of the towns or counties."""
    today = shanghai_day(now)
    kind = AreaKind(below[0].kind) if below else AreaKind.TOWN
    level = Area.county_id if kind is AreaKind.COUNTY else Area.town_id
    key = func.coalesce(level, Area.id)
    teams = _numbers(
        select(key, func.count(Team.id)).join(Area, Area.id == Team.area_id), key, Team.closed_on.is_(None)
    )
    running = organisation.running(TeamMember.starts_on, TeamMember.ends_on, today)
    joined = select(key, func.count(TeamMember.person_id.distinct())).join(Team, Team.id == TeamMember.team_id)
    members = _numbers(joined.join(Area, Area.id == Team.area_id), key, running)
    places = _numbers(select(key, func.count(Area.id)), key, Area.kind == AreaKind.BUILDING.value)
    named = select(key, func.count(BuildingOfficer.id)).join(Area, Area.id == BuildingOfficer.area_id)
    officers = _numbers(named, key, organisation.running(BuildingOfficer.starts_on, BuildingOfficer.ends_on, today))
    return [
        AreaLine(a, teams.get(a.id, 0), members.get(a.id, 0), places.get(a.id, 0), officers.get(a.id, 0)) for a in below
    ]


def _numbers(
    query: Select[*tuple[Any, ...]], key: ColumnElement[Any], condition: ColumnElement[bool]
) -> dict[int, int]:
    return {int(area_id): int(n) for area_id, n in db.session.execute(query.where(condition).group_by(key)) if area_id}
