"""The organisation's use cases: teams, their members and areas, and the one named officer of each building."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import delete, func, or_, select
from sqlalchemy.exc import IntegrityError

from workflow.core.actors import ROLE_PERMISSIONS, SYSTEM, Actor, AreaKind, Permission
from workflow.core.errors import N_, Invalid, NotFound, NotPermitted
from workflow.core.texts import clean_text, required_line
from workflow.core.times import shanghai_day
from workflow.data import areas, audit, organisation
from workflow.data.areas import Area
from workflow.data.audit import Event
from workflow.data.organisation import BuildingOfficer, Duty, Team, TeamArea, TeamKind, TeamMember
from workflow.data.people import Person
from workflow.extensions import db

FORMULA = {Duty.LEADER: 1, Duty.DEPUTY: 2, Duty.MEMBER: 3}
"""«123+N»: how many of each duty a team is to have."""
KIND_LABELS = {
    TeamKind.HEADQUARTERS: N_("指挥部"),
    TeamKind.TEAM: N_("专班"),
    TeamKind.SQUAD: N_("小分队"),
}
DUTY_LABELS = {
    Duty.LEADER: N_("负责人"),
    Duty.DEPUTY: N_("副职"),
    Duty.MEMBER: N_("成员"),
    Duty.SUPPORT: N_("支援"),
}


@dataclass(frozen=True, slots=True)
class TeamValues:
    """What a team is made of, as typed; ``parent_id`` is empty for none, ``area_ids`` are those it covers."""

    name: str
    kind: str
    area_id: int
    parent_id: int | None = None
    group_name: str = ""
    area_ids: Sequence[int] = ()
    sectors: Sequence[str] = ()


def chain_of(area: Area) -> str:
    """The chain of history that what happens to the organisation of ``area`` is kept in."""
    return f"area:{area.town_id or area.id}"


def manages(actor: Actor, area: Area) -> bool:
    """Whether the actor may change the organisation of ``area``: by an appointment there or above."""
    if actor is SYSTEM:
        return True
    return any(
        Permission.MANAGE_ORGANISATION in ROLE_PERMISSIONS[a.role] and a.area_id in area.lineage_ids
        for a in actor.appointments
    )


def reads(actor: Actor, area: Area) -> bool:
    """Whether the actor may read the organisation of ``area``: the own area, what lies in it, and the own town."""
    if manages(actor, area):
        return True
    desk = [a for a in actor.appointments if Permission.SEE_DESK in ROLE_PERMISSIONS[a.role]]
    if any(a.area_id in area.lineage_ids for a in desk):
        return True
    if area.area_kind is not AreaKind.TOWN:
        return False
    below = select(Area.id).where(Area.town_id == area.id, Area.id.in_([a.area_id for a in desk])).limit(1)
    return db.session.scalar(below) is not None


def get_area(actor: Actor, area_id: int, *, to_change: bool = False) -> Area:
    """The area, when the actor may read (or change) its organisation; :class:`NotFound` otherwise."""
    area = db.session.get(Area, area_id)
    if area is None or not reads(actor, area):
        raise NotFound(N_("没有找到这个区域，或您无权查看。"))
    if to_change and not manages(actor, area):
        raise NotPermitted(N_("您没有调整这个区域组织架构的权限。"))
    return area


def get_team(actor: Actor, team_id: int, *, to_change: bool = False) -> Team:
    """The team, when the actor may read (or change) it; on changes it is locked until the transaction ends."""
    query = select(Team).where(Team.id == team_id)
    team = db.session.scalar(query.with_for_update(of=Team) if to_change else query)
    if team is None or not reads(actor, team.area):
        raise NotFound(N_("没有找到这个组织，或您无权查看。"))
    if to_change and not manages(actor, team.area):
        raise NotPermitted(N_("您没有调整这个区域组织架构的权限。"))
    return team


def record(event: Event, area: Area, actor: Actor, now: dt.datetime, **after: object) -> None:
    """Write what happened to the organisation of ``area`` into its chain: keys and ids only."""
    audit.record(event, chain=chain_of(area), actor=actor, at=now, after=after)


def create_team(actor: Actor, values: TeamValues, now: dt.datetime) -> Team:
    """Make a team; raises :class:`Invalid` for a taken name, a wrong kind, area or parent."""
    area = get_area(actor, values.area_id, to_change=True)
    team = Team(code=_next_code(area), area_id=area.id, created_at=now, name="", kind="", group_name="", sectors=[])
    team.area = area
    _fill(team, values, area)
    db.session.add(team)
    _flush_new(N_("刚有人建立了同样的组织，请刷新后再试。"), "name")
    _cover(team, values.area_ids, area)
    record(audit.TEAM_CHANGED, area, actor, now, team=team.id, kind=team.kind, what="created")
    return team


def change_team(actor: Actor, team_id: int, values: TeamValues, now: dt.datetime) -> Team:
    """Change what a team is called, where it stands, what is above it and what it covers."""
    team = get_team(actor, team_id, to_change=True)
    area = get_area(actor, values.area_id, to_change=True)
    _fill(team, values, area)
    team.area_id, team.area = area.id, area
    _cover(team, values.area_ids, area)
    db.session.flush()
    record(audit.TEAM_CHANGED, area, actor, now, team=team.id, kind=team.kind, what="changed")
    return team


def close_team(actor: Actor, team_id: int, now: dt.datetime) -> Team:
    """Dissolve a team: its memberships end; :class:`Invalid` while teams stand below it."""
    team, today = get_team(actor, team_id, to_change=True), shanghai_day(now)
    below = select(func.count()).select_from(Team).where(Team.parent_id == team.id, Team.closed_on.is_(None))
    if db.session.scalar(below):
        raise Invalid(N_("它下面还有组织，请先调整或撤销下级。"))
    for member in organisation.members_of([team.id], today):
        member.ends_on = max(today, member.starts_on)
    team.closed_on = today
    record(audit.TEAM_CHANGED, team.area, actor, now, team=team.id, kind=team.kind, what="closed")
    return team


def _next_code(area: Area) -> str:
    prefix = f"{area.code}-T"
    number = int(db.session.scalar(select(func.count()).select_from(Team).where(Team.code.startswith(prefix))) or 0)
    while organisation.by_code(f"{prefix}{number + 1:02d}") is not None:
        number += 1
    return f"{prefix}{number + 1:02d}"


def _flush_new(message: str, field: str) -> None:
    """Flush; what somebody else took a moment ago is said as the check before would have."""
    try:
        db.session.flush()
    except IntegrityError as error:
        raise Invalid(message, field=field) from error


def _fill(team: Team, values: TeamValues, area: Area) -> None:
    name = required_line(values.name, "name", 80)
    if values.kind not in set(TeamKind):
        raise Invalid(N_("请选择组织的类别。"), field="kind")
    if same_name(name, area, but=team.id) is not None:
        raise Invalid(N_("本区域已有同名的组织，请换一个名称。"), field="name")
    team.parent_id = _checked_parent(team, values.parent_id, area)
    team.name, team.kind = name, values.kind
    group = clean_text(values.group_name)
    team.group_name = group[:40] if values.kind == TeamKind.SQUAD else ""
    team.sectors = sorted(set(values.sectors))


def same_name(name: str, area: Area, but: int | None = None) -> Team | None:
    """The team that goes by this name in the same town (for a county or city: in the area itself)."""
    top = area.town_id or area.id
    query = (
        select(Team)
        .join(Area, Area.id == Team.area_id)
        .where(Team.name == name, Team.closed_on.is_(None), or_(Area.id == top, Area.town_id == top))
    )
    return db.session.scalar(query.where(Team.id != but) if but else query)


def _checked_parent(team: Team, parent_id: int | None, area: Area) -> int | None:
    """The team above, which must stand in the area or above it, and not below ``team`` itself."""
    if parent_id is None:
        return None
    parent = db.session.get(Team, parent_id)
    if parent is None or parent.closed_on is not None or not _related(parent.area, area):
        raise Invalid(N_("请在本区域或上级区域的组织中选择上级。"), field="parent")
    here: Team | None = parent
    while here is not None:
        if here is team:
            raise Invalid(N_("上级不能是它自己或它的下级，否则会成环。"), field="parent")
        here = db.session.get(Team, here.parent_id) if here.parent_id else None
    return parent.id


def _related(one: Area, other: Area) -> bool:
    """Whether a team of ``one`` may stand above a team of ``other``: the same town, or an area above."""
    top = one.town_id or one.id
    return top in other.lineage_ids


def _cover(team: Team, area_ids: Sequence[int], area: Area) -> None:
    """Set what the team covers: places of its own town (for a county's team: of the county)."""
    wanted = set(area_ids)
    found = {a.id: a for a in db.session.scalars(select(Area).where(Area.id.in_(wanted)))} if wanted else {}
    top = area.town_id or area.id
    if any(i not in found or top not in found[i].lineage_ids for i in wanted):
        raise Invalid(N_("覆盖的区域必须在本组织所在的镇街（区县）之内。"), field="areas")
    db.session.execute(delete(TeamArea).where(TeamArea.team_id == team.id, TeamArea.area_id.not_in(wanted)))
    there = set(db.session.scalars(select(TeamArea.area_id).where(TeamArea.team_id == team.id)))
    db.session.add_all(TeamArea(team_id=team.id, area_id=i) for i in sorted(wanted - there))


def new_person(actor: Actor, name: str, area: Area, now: dt.datetime) -> Person:
    """Register somebody without an account: a volunteer, a grid worker."""
    if not manages(actor, area):
        raise NotPermitted()
    person = Person(name=required_line(name, "person", 60), mobile=None, created_at=now)
    db.session.add(person)
    db.session.flush()
    return person


def add_member(
    actor: Actor, team_id: int, person_id: int, duty: str, now: dt.datetime, starts_on: dt.date | None = None
) -> TeamMember:
    """Give a person a duty in a team; another duty held there ends with it. A team has one leader."""
    team = get_team(actor, team_id, to_change=True)
    begin = starts_on or shanghai_day(now)
    if duty not in set(Duty):
        raise Invalid(N_("请选择职责。"), field="duty")
    if db.session.get(Person, person_id) is None:
        raise Invalid(N_("请选择人员。"), field="person")
    _refuse_second_leader(team, person_id, duty)
    for old in _running(team.id, person_id):
        if old.duty == duty:
            return old
        _end(old, max(begin, old.starts_on))
    db.session.flush()
    member = TeamMember(team_id=team.id, person_id=person_id, duty=duty, starts_on=begin)
    db.session.add(member)
    _flush_new(N_("此人刚被安排到这个组织，请刷新后查看。"), "person")
    record(audit.MEMBER_JOINED, team.area, actor, now, team=team.id, person=person_id, duty=duty, member=member.id)
    return member


def _refuse_second_leader(team: Team, person_id: int, duty: str) -> None:
    if duty != Duty.LEADER:
        return
    query = select(TeamMember).where(
        TeamMember.team_id == team.id, TeamMember.duty == Duty.LEADER.value, TeamMember.ends_on.is_(None)
    )
    leader = db.session.scalar(query)
    if leader is not None and leader.person_id != person_id:
        raise Invalid(
            N_("一个组织只有一名负责人，现为%(name)s；请先结束其职责。"), field="duty", name=leader.person.name
        )


def _running(team_id: int, person_id: int) -> list[TeamMember]:
    query = select(TeamMember).where(
        TeamMember.team_id == team_id, TeamMember.person_id == person_id, TeamMember.ends_on.is_(None)
    )
    return list(db.session.scalars(query))


def _end(member: TeamMember, on: dt.date) -> None:
    member.ends_on = on


def end_member(actor: Actor, member_id: int, now: dt.datetime) -> TeamMember:
    """End a duty in a team today; who ended already stays as is."""
    member = db.session.get(TeamMember, member_id)
    if member is None:
        raise NotFound()
    team = get_team(actor, member.team_id, to_change=True)
    today = shanghai_day(now)
    if member.ends_on is None or member.ends_on > today:
        _end(member, max(today, member.starts_on))
        record(audit.MEMBER_LEFT, team.area, actor, now, team=team.id, person=member.person_id, member=member.id)
    return member


def name_officer(
    actor: Actor,
    area_id: int,
    person_id: int,
    now: dt.datetime,
    *,
    hand_on: bool = False,
    starts_on: dt.date | None = None,
) -> BuildingOfficer:
    """Make a person the one named officer of a building (一楼一员).

    A second one is refused unless ``hand_on``: then the present one ends and the new one begins in the same act.
    """
    area = get_area(actor, area_id, to_change=True)
    if area.area_kind is not AreaKind.BUILDING:
        raise Invalid(N_("只有楼宇、园区、商圈可以指定专员。"), field="area")
    if db.session.get(Person, person_id) is None:
        raise Invalid(N_("请选择人员。"), field="person")
    begin = starts_on or shanghai_day(now)
    present = _officer_now(area.id)
    if present is not None and present.person_id == person_id:
        return present
    if present is not None and not hand_on:
        raise Invalid(N_("一楼一员：此处已有专员%(name)s，请改用“移交”。"), field="person", name=present.person.name)
    if present is not None:
        present.ends_on = max(begin, present.starts_on)
        db.session.flush()
    officer = BuildingOfficer(area_id=area.id, person_id=person_id, starts_on=begin)
    db.session.add(officer)
    _flush_new(N_("一楼一员：刚有人指定了此处的专员，请刷新后查看。"), "person")
    before = present.person_id if present else None
    record(audit.OFFICER_NAMED, area, actor, now, place=area.code, person=person_id, before=before)
    return officer


def _officer_now(area_id: int) -> BuildingOfficer | None:
    query = select(BuildingOfficer).where(BuildingOfficer.area_id == area_id, BuildingOfficer.ends_on.is_(None))
    return db.session.scalar(query.with_for_update(of=BuildingOfficer))


def end_officer(actor: Actor, area_id: int, now: dt.datetime) -> None:
    """Leave a building without an officer from today; the chart marks the gap."""
    area = get_area(actor, area_id, to_change=True)
    present = _officer_now(area.id)
    if present is None:
        return
    present.ends_on = max(shanghai_day(now), present.starts_on)
    record(audit.OFFICER_ENDED, area, actor, now, place=area.code, person=present.person_id)


def places_of(area: Area) -> list[Area]:
    """What a team of ``area`` can cover: the zones and buildings of its town, or the towns of its county."""
    if area.town_id or area.area_kind is AreaKind.TOWN:
        return areas.places_below(area.town_id or area.id)
    if area.area_kind is AreaKind.COUNTY:
        return list(db.session.scalars(areas.of_kind(AreaKind.TOWN, area.id)))
    return list(db.session.scalars(areas.of_kind(AreaKind.COUNTY)))
