"""The demo's task forces: Jiangxia's zones, Shounan's 36 squads in three groups, headquarters above, all invented."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, field

from sqlalchemy import select

from workflow.cli.demo.cast import CENTRE, CENTRE_STAFF, PASSWORD, invented_names
from workflow.core.actors import SYSTEM, Role
from workflow.core.times import shanghai_day
from workflow.data import areas, audit, organisation, people
from workflow.data.areas import Area
from workflow.data.organisation import Absence, BuildingOfficer, Duty, Team, TeamArea, TeamKind, TeamMember
from workflow.data.people import Account, Person, PersonAppointment
from workflow.extensions import db
from workflow.services import accounts, assignment
from workflow.services.organisation import chain_of

SQUADS_TOWN = "330212006"
"""Shounan sub-district of Yinzhou."""
_GROUP_WORDS = {"Z1": "园区", "Z2": "楼宇", "Z3": "商圈"}
_VACANT = frozenset({"330203002-Z2-B04", "330203002-Z5-B02", "330212006-Z1-B12", "330212006-Z3-B10"})
"""Buildings without an officer, so that the chart has gaps to mark."""


@dataclass(slots=True)
class _Builder:
    """Collects rows; people are written in one go, before what refers to them."""

    now: dt.datetime
    since: dt.date
    password_hash: str
    names: Iterator[str]
    teams: list[Team] = field(default_factory=list)
    logins: int = 0

    def people(self, number: int) -> list[Person]:
        """So many invented people."""
        made = [Person(name=next(self.names), mobile=None, created_at=self.now) for _ in range(number)]
        db.session.add_all(made)
        db.session.flush()
        return made

    def sign_up(self, person: Person, login: str, role: Role, area: Area) -> None:
        """Give a person an account and an appointment."""
        db.session.add(
            Account(
                login=login,
                person_id=person.id,
                password_hash=self.password_hash,
                is_demo=True,
                created_at=self.now,
            )
        )
        db.session.add(PersonAppointment(person_id=person.id, role=role, area_id=area.id, starts_on=self.since))
        self.logins += 1

    def team(self, area: Area, name: str, kind: TeamKind, parent: Team | None, group: str = "") -> Team:
        """A team with its row of history."""
        number = 1 + sum(t.area_id == area.id for t in self.teams)
        team = Team(
            code=f"{area.code}-T{number:02d}",
            name=name,
            kind=kind,
            area_id=area.id,
            parent_id=parent.id if parent else None,
            group_name=group,
            sectors=[],
            created_at=self.now,
        )
        db.session.add(team)
        db.session.flush()
        self.teams.append(team)
        after = {"team": team.id, "kind": team.kind, "what": "created"}
        audit.record(audit.TEAM_CHANGED, chain=chain_of(area), actor=SYSTEM, at=self.now, after=after)
        return team

    def join(self, team: Team, duty: Duty, *members: Person) -> None:
        """Give people a duty in a team."""
        db.session.add_all(
            TeamMember(team_id=team.id, person_id=p.id, duty=duty, starts_on=self.since) for p in members
        )

    def officer(self, place: Area, person: Person) -> None:
        """Name the officer of a building, except where the demo leaves a gap."""
        if place.code not in _VACANT:
            db.session.add(BuildingOfficer(area_id=place.id, person_id=person.id, starts_on=self.since))


def _area(code: str) -> Area:
    found = areas.by_code(code)
    if found is None:
        raise LookupError(f"the area {code} is missing: run flask areas sync first")
    return found


def _official(login: str) -> Person:
    account = people.account_by_login(login)
    if account is None:
        raise LookupError(f"the demo's official {login} is missing")
    return account.person


def _headquarters(builder: _Builder, code: str, leader: Person, parent: Team | None) -> Team:
    area = _area(code)
    words = "复工复产指挥部" if len(code) == 6 else "复工指挥部"
    team = builder.team(area, f"{area.name}{words}", TeamKind.HEADQUARTERS, parent)
    found = builder.people(5)
    builder.join(team, Duty.LEADER, leader)
    builder.join(team, Duty.DEPUTY, *found[:2])
    builder.join(team, Duty.MEMBER, *found[2:])
    return team


def _zones(builder: _Builder, above: Team) -> None:
    """Jiangxia: a team of 1-2-3-N for each zone; its first member reviews there, its second inspects."""
    places = areas.places_below(_area(CENTRE).id)
    for number, zone in enumerate((p for p in places if p.kind == "zone"), 1):
        team = builder.team(_area(CENTRE), f"{zone.name}专班", TeamKind.TEAM, above)
        db.session.add(TeamArea(team_id=team.id, area_id=zone.id))
        leader, first, second, *rest = builder.people(8 + number % 3)
        builder.join(team, Duty.LEADER, leader)
        builder.join(team, Duty.DEPUTY, *([first, second] if number != 4 else [first]))
        builder.join(team, Duty.MEMBER, *rest[:3])
        builder.join(team, Duty.SUPPORT, *rest[3:])
        builder.sign_up(rest[0], f"zone{number}-reviewer", Role.REVIEWER, zone)
        builder.sign_up(rest[1], f"zone{number}-inspector", Role.INSPECTOR, zone)
        for place, building in enumerate(p for p in places if p.parent_id == zone.id):
            builder.officer(building, rest[place % 3])
        _leave(builder, number, rest)


def _leave(builder: _Builder, number: int, rest: list[Person]) -> None:
    """In one zone somebody is away with a cover, in another without."""
    if number not in (3, 6):
        return
    cover = _official("reviewer").id if number == 3 else None
    today = shanghai_day(builder.now)
    ends_on = today + dt.timedelta(days=4)
    db.session.add(Absence(person_id=rest[0].id, cover_id=cover, starts_on=today, ends_on=ends_on))


def _squads(builder: _Builder, above: Team) -> None:
    """Shounan: a squad for each park, building and business circle, in three groups; its leader is the officer."""
    town = _area(SQUADS_TOWN)
    places = areas.places_below(town.id)
    for zone in (p for p in places if p.kind == "zone"):
        words = _GROUP_WORDS[zone.code.rpartition("-")[2]]
        for place in (p for p in places if p.parent_id == zone.id):
            team = builder.team(town, f"{place.name}服务小分队", TeamKind.SQUAD, above, f"{words}组")
            db.session.add(TeamArea(team_id=team.id, area_id=place.id))
            leader, *rest = builder.people(3)
            builder.join(team, Duty.LEADER, leader)
            builder.join(team, Duty.MEMBER, *rest)
            builder.sign_up(leader, f"squad-{place.code.partition('-')[2].lower()}", Role.REVIEWER, place)
            builder.officer(place, leader)


def _town_staff(builder: _Builder) -> Person:
    """Shounan's own officials; returns its leader."""
    town = _area(SQUADS_TOWN)
    reviewer, first, second, leader = builder.people(4)
    builder.sign_up(reviewer, f"reviewer-{SQUADS_TOWN}", Role.REVIEWER, town)
    builder.sign_up(first, f"inspector-{SQUADS_TOWN}", Role.INSPECTOR, town)
    builder.sign_up(second, f"inspector2-{SQUADS_TOWN}", Role.INSPECTOR, town)
    builder.sign_up(leader, f"leader-{SQUADS_TOWN}", Role.LEADER, town)
    return leader


def build(now: dt.datetime) -> int:
    """Set up the task forces and assign the demo's cases; returns how many teams there are."""
    taken = {o.name for o in CENTRE_STAFF} | set(db.session.scalars(select(Person.name)))
    builder = _Builder(
        now=now,
        since=shanghai_day(now) - dt.timedelta(days=21),
        password_hash=accounts.hash_password(PASSWORD),
        names=(name for name in invented_names() if name not in taken),
    )
    haishu = _headquarters(builder, "330203", _official("group"), None)
    yinzhou = _headquarters(builder, "330212", _official("group-330212"), None)
    _zones(builder, _headquarters(builder, CENTRE, _official("leader"), haishu))
    _squads(builder, _headquarters(builder, SQUADS_TOWN, _town_staff(builder), yinzhou))
    own = next(t for t in builder.teams if t.name.startswith("天一"))
    builder.join(own, Duty.SUPPORT, _official("reviewer"), _official("inspector"))
    db.session.flush()
    while assignment.assign_due(now) is not None:
        continue
    return len(organisation.teams_in([t.area_id for t in builder.teams]))
