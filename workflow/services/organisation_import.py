"""Taking the organisation from a table: everything is checked first, then all of it is applied or nothing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from sqlalchemy import select

from workflow.core.actors import Actor, AreaKind
from workflow.core.errors import N_, Invalid
from workflow.core.organisation_table import DUTIES, KINDS, OFFICER, Row, day_of, read
from workflow.core.times import shanghai_day
from workflow.data import organisation
from workflow.data.areas import Area
from workflow.data.enterprises import EnterpriseMember
from workflow.data.organisation import BuildingOfficer, Duty, Team, TeamMember
from workflow.data.people import Account, Person
from workflow.extensions import db
from workflow.services import organisation as organisation_service
from workflow.services.organisation import TeamValues


@dataclass(slots=True)
class _TeamPlan:
    """A team as the table wants it; ``team`` when it is there already."""

    name: str
    area: Area
    row: Row
    kind: str = ""
    parent: str = ""
    group: str = ""
    covers: dict[int, Area] = field(default_factory=dict)
    team: Team | None = None
    leader: int | str | None = None


@dataclass(slots=True)
class Step:
    """What one row does: ``person`` is an id, or the name of somebody to be registered; ``is_new`` when it changes."""

    row: Row
    team: _TeamPlan | None
    place: Area | None = None
    person: int | str | None = None
    starts_on: dt.date | None = None
    is_new: bool = False


@dataclass(slots=True)
class Plan:
    """The whole table: its steps in order, and whether all of it can be applied."""

    rows: list[Row]
    steps: list[Step] = field(default_factory=list)
    teams: dict[tuple[str, int], _TeamPlan] = field(default_factory=dict)
    new_teams_made: int = 0

    @property
    def errors(self) -> int:
        """How many rows have something wrong."""
        return sum(bool(r.problems) for r in self.rows)

    @property
    def new_teams(self) -> int:
        """How many teams are to be made."""
        return sum(t.team is None for t in self.teams.values())

    @property
    def new_duties(self) -> int:
        """How many people get a duty that they don't have."""
        return sum(s.is_new for s in self.steps)


class _Known:
    """What is there already, read once for the table."""

    def __init__(self, rows: Sequence[Row], now: dt.datetime) -> None:
        self.today = shanghai_day(now)
        self.areas = list(db.session.scalars(select(Area).order_by(Area.code)))
        self.by_code = {a.code: a for a in self.areas}
        self.by_id = {a.id: a for a in self.areas}
        self.by_name: dict[str, list[Area]] = {}
        for area in self.areas:
            self.by_name.setdefault(area.name, []).append(area)
        self.teams: dict[tuple[str, int], Team] = {}
        for team in db.session.scalars(select(Team).where(Team.closed_on.is_(None)).order_by(Team.id)):
            self.teams[(team.name, _top(self.by_id[team.area_id]))] = team
        logins = {r["账号"].lower() for r in rows if r["账号"]}
        found = select(Account.login, Person.id, Person.name).join(Person, Person.id == Account.person_id)
        self.logins = {
            login: (person_id, name)
            for login, person_id, name in db.session.execute(found.where(Account.login.in_(logins)))
        }
        self.names: dict[str, list[int]] = {}
        clerks = select(EnterpriseMember.person_id)
        named = select(Person.id, Person.name).where(Person.name.in_({r["姓名"] for r in rows}))
        for person_id, name in db.session.execute(named.where(Person.id.not_in(clerks)).order_by(Person.id)):
            self.names.setdefault(name, []).append(person_id)
        running = organisation.running(TeamMember.starts_on, TeamMember.ends_on, self.today)
        self.duties: dict[tuple[int, int], str] = {}
        self.leaders: dict[int, int] = {}
        query = select(TeamMember.team_id, TeamMember.person_id, TeamMember.duty).where(running)
        for team_id, person_id, duty in db.session.execute(query):
            self.duties[(team_id, person_id)] = duty
            if duty == Duty.LEADER:
                self.leaders[team_id] = person_id
        open_ended = select(BuildingOfficer.area_id, BuildingOfficer.person_id).where(BuildingOfficer.ends_on.is_(None))
        self.officers = {area_id: person_id for area_id, person_id in db.session.execute(open_ended)}  # noqa: C416


def _top(area: Area) -> int:
    return area.town_id or area.id


def plan(actor: Actor, text: str, now: dt.datetime) -> Plan:
    """What the table would do, with every problem at its row; :class:`Invalid` when it is no table at all."""
    rows = read(text)
    made, known = Plan(rows), _Known(rows, now)
    for row in rows:
        places = _places(actor, row, known)
        if row.duty == OFFICER:
            _plan_officer(row, places, made, known)
        else:
            _plan_row(row, places, made, known)
    _check_parents(made, known)
    return made


def _places(actor: Actor, row: Row, known: _Known) -> list[Area]:
    """The areas of a row, those that can't be used noted as problems."""
    found = []
    for word in row.areas:
        matches = [known.by_code[word]] if word in known.by_code else known.by_name.get(word, [])
        mine = [a for a in matches if organisation_service.manages(actor, a)]
        if not matches:
            row.refuse(N_("没有“%(word)s”这个区域，请填区域代码或全名。"), word=word)
        elif not mine:
            row.refuse(N_("“%(word)s”不在您管理的区域内。"), word=word)
        elif len(mine) > 1:
            codes = "、".join(a.code for a in mine[:4])
            row.refuse(N_("“%(word)s”有多处同名，请改填代码：%(codes)s。"), word=word, codes=codes)
        else:
            found.append(mine[0])
    return found


def _person(row: Row, team: _TeamPlan | None, known: _Known) -> int | str | None:
    login, name = row["账号"].lower(), row["姓名"]
    if login:
        found = known.logins.get(login)
        if found is None:
            row.refuse(N_("没有账号“%(word)s”，请核对，或先在“账号管理”中建立。"), word=row["账号"])
            return None
        if name and name != found[1]:
            row.refuse(N_("账号“%(word)s”的姓名是%(name)s，与表中不同。"), word=row["账号"], name=found[1])
        return found[0]
    ids = known.names.get(name, [])
    if len(ids) > 1 and team is not None and team.team is not None:
        here = [i for i in ids if (team.team.id, i) in known.duties]
        ids = here if len(here) == 1 else ids
    if len(ids) > 1:
        row.refuse(N_("“%(word)s”有多人同名，请填写账号。"), word=name)
        return None
    if ids:
        return ids[0]
    if row.duty == Duty.SUPPORT:
        return name
    row.refuse(N_("没有叫“%(word)s”的人员，请填写账号，或先在“账号管理”中建立；支援人员可以不建账号。"), word=name)
    return None


def _plan_officer(row: Row, places: list[Area], made: Plan, known: _Known) -> None:
    person = _person(row, None, known) if row.has_person else None
    if len(places) != 1:
        return
    place = places[0]
    if place.area_kind is not AreaKind.BUILDING:
        row.refuse(N_("“%(word)s”不是楼宇、园区或商圈，不能指定专员。"), word=place.name)
        return
    present = known.officers.get(place.id)
    if present is not None and person is not None and present != person:
        row.refuse(N_("一楼一员：“%(word)s”已有专员，请在其页面上“移交”。"), word=place.name)
    elif person is not None:
        known.officers[place.id] = person if isinstance(person, int) else 0
        made.steps.append(Step(row, None, place, person, day_of(row["起始日期"]), present is None))


def _plan_row(row: Row, places: list[Area], made: Plan, known: _Known) -> None:
    team = _team(row, places, made, known)
    person = _person(row, team, known) if row.has_person and row.duty else None
    if team is None or person is None:
        return
    _check_duty(row, team, person, made, known)
    before = known.duties.get((team.team.id, person)) if team.team and isinstance(person, int) else None
    made.steps.append(Step(row, team, None, person, day_of(row["起始日期"]), before != row.duty))


def _check_duty(row: Row, team: _TeamPlan, person: int | str, made: Plan, known: _Known) -> None:
    same = next((s for s in made.steps if s.team is team and s.person == person), None)
    if same is not None:
        row.refuse(N_("此人在这个组织已写在第 %(n)s 行，一人只写一行。"), n=same.row.line)
    if row.duty != Duty.LEADER:
        return
    leader = team.leader
    if leader is None and team.team is not None:
        leader = known.leaders.get(team.team.id)
    if leader is not None and leader != person:
        row.refuse(N_("“%(word)s”已有负责人，一个组织只有一名。"), word=team.name)
    team.leader = person


def _team(row: Row, places: list[Area], made: Plan, known: _Known) -> _TeamPlan | None:
    """The team of a row: as planned by a row before, as it is there, or a new one."""
    name = row["组织"]
    if not name:
        return None
    tops = {_top(p) for p in places}
    if len(tops) > 1:
        row.refuse(N_("一个组织的区域须在同一镇街（区县）之内。"))
        return None
    fitting = [k for k in (*made.teams, *known.teams) if k[0] == name and (not tops or k[1] in tops)]
    if not places and not fitting and not row.areas:
        row.refuse(N_("新的组织请填写区域代码或名称。"))
    if not places and len(set(fitting)) != 1:
        return None
    key = (name, tops.pop()) if tops else fitting[0]
    if key not in made.teams:
        own = places[0] if len(places) == 1 else known.by_id[key[1]]
        there = known.teams.get(key)
        own = known.by_id[there.area_id] if there is not None and not places else own
        made.teams[key] = _TeamPlan(name, own, row, team=there, kind=there.kind if there else "")
    team = made.teams[key]
    _merge(row, team, places)
    return team


def _merge(row: Row, team: _TeamPlan, places: list[Area]) -> None:
    for column, attribute, value in (
        ("类别", "kind", row.kind),
        ("上级", "parent", row["上级"]),
        ("组别", "group", row["组别"]),
    ):
        before = getattr(team, attribute)
        if value and before and value != before and team.row is row:
            row.refuse(N_("“%(column)s”与现有的组织不一致，请在其页面上修改。"), column=column)
        elif value and before and value != before:
            row.refuse(N_("“%(column)s”与第 %(n)s 行不一致。"), column=column, n=team.row.line)
        elif value:
            setattr(team, attribute, value)
    if not team.kind:
        row.refuse(N_("新的组织请填写类别：%(known)s。"), known="、".join(KINDS))
    team.covers |= {p.id: p for p in places if p.area_kind in (AreaKind.ZONE, AreaKind.BUILDING)}


def _above(team: _TeamPlan, made: Plan, known: _Known) -> _TeamPlan | Team | None:
    """What stands above a team: in the table, or there already, in its own town or above it."""
    for top in (_top(team.area), team.area.county_id, team.area.city_id):
        if top is not None:
            found = made.teams.get((team.parent, top)) or known.teams.get((team.parent, top))
            if found is not None:
                return found
    return None


def _check_parents(made: Plan, known: _Known) -> None:
    for team in made.teams.values():
        if not team.parent:
            continue
        if _above(team, made, known) is None:
            team.row.refuse(N_("没有叫“%(word)s”的上级组织。"), word=team.parent)
            continue
        seen, here = [team.name], _above(team, made, known)
        while isinstance(here, _TeamPlan) and here.parent:
            if here.name in seen:
                team.row.refuse(N_("上级成环：%(names)s，请改正其中一处。"), names=" → ".join([*seen, here.name]))
                break
            seen.append(here.name)
            here = _above(here, made, known)


def apply(actor: Actor, text: str, now: dt.datetime) -> Plan:
    """Apply the table as a whole; :class:`Invalid` when any row has something wrong: then nothing has changed."""
    made = plan(actor, text, now)
    if made.errors:
        raise Invalid(N_("有 %(n)s 行需要改正，整张表都没有导入。"), field="file", n=made.errors)
    known, made.new_teams_made = _Known(made.rows, now), made.new_teams
    for team in _in_order(made, known):
        _make_team(actor, team, made, known, now)
    registered: dict[tuple[str, int], int] = {}
    for step in made.steps:
        if step.is_new:
            _take(actor, step, registered, now)
    db.session.flush()
    return made


def _in_order(made: Plan, known: _Known) -> Iterator[_TeamPlan]:
    """The teams of the table, each after the one above it."""
    done: set[int] = set()

    def follow(team: _TeamPlan) -> Iterator[_TeamPlan]:
        if id(team) in done:
            return
        done.add(id(team))
        above = _above(team, made, known) if team.parent else None
        if isinstance(above, _TeamPlan):
            yield from follow(above)
        yield team

    for team in made.teams.values():
        yield from follow(team)


def _make_team(actor: Actor, team: _TeamPlan, made: Plan, known: _Known, now: dt.datetime) -> None:
    above = _above(team, made, known) if team.parent else None
    parent = above.team if isinstance(above, _TeamPlan) else above
    there = team.team
    covered = {a.id for a in organisation.areas_of([there.id]).get(there.id, [])} if there else set()
    values = TeamValues(
        name=team.name,
        kind=team.kind,
        area_id=there.area_id if there else team.area.id,
        parent_id=parent.id if parent else there.parent_id if there else None,
        group_name=team.group or (there.group_name if there else ""),
        area_ids=sorted(team.covers) or sorted(covered),
        sectors=there.sectors if there else (),
    )
    if there is None:
        team.team = organisation_service.create_team(actor, values, now)
    elif (values.parent_id, values.group_name, set(values.area_ids)) != (there.parent_id, there.group_name, covered):
        organisation_service.change_team(actor, there.id, values, now)


def _take(actor: Actor, step: Step, registered: dict[tuple[str, int], int], now: dt.datetime) -> None:
    area = step.place or (step.team.area if step.team else None)
    if area is None or step.person is None:
        return
    person = step.person
    if isinstance(person, str):
        key = (person, _top(area))
        registered.setdefault(key, 0)
        registered[key] = registered[key] or organisation_service.new_person(actor, person, area, now).id
        person = registered[key]
    if step.place is not None:
        organisation_service.name_officer(actor, step.place.id, person, now, starts_on=step.starts_on)
    elif step.team is not None and step.team.team is not None:
        organisation_service.add_member(actor, step.team.team.id, person, step.row.duty, now, step.starts_on)


def export(area: Area, now: dt.datetime) -> list[dict[str, str]]:
    """The organisation of an area as rows of the same table."""
    today, places = shanghai_day(now), organisation_service.places_of(area)
    teams = organisation.teams_in([area.id, *(p.id for p in places)])
    names, covers = {t.id: t.name for t in teams}, organisation.areas_of([t.id for t in teams])
    members = organisation.members_of([t.id for t in teams], today)
    officers = organisation.officers_of([p.id for p in places], today)
    ids = {m.person_id for m in members} | {o.person_id for o in officers.values()}
    logins = dict(db.session.execute(select(Account.person_id, Account.login).where(Account.person_id.in_(ids))).all())
    kinds = {key: word for word, key in KINDS.items()}
    duties: dict[str, str] = {}
    for word, key in DUTIES.items():
        duties.setdefault(key, word)
    rows = []
    for team in teams:
        head = {
            "组织": team.name,
            "上级": names.get(team.parent_id or 0, ""),
            "类别": kinds[team.kind],
            "组别": team.group_name,
            "区域代码或名称": "、".join(a.code for a in covers.get(team.id, [])) or team.area.code,
        }
        own = [m for m in members if m.team_id == team.id]
        rows += [{**head, **_who(m, duties[m.duty], logins)} for m in own] or [{**head, **_NOBODY}]
    for place in places:
        if place.id in officers:
            head = {"组织": "", "上级": "", "类别": "", "组别": "", "区域代码或名称": place.code}
            rows.append({**head, **_who(officers[place.id], duties[OFFICER], logins)})
    return rows


_NOBODY = {"姓名": "", "账号": "", "职责": "", "起始日期": ""}


def _who(held: TeamMember | BuildingOfficer, duty: str, logins: dict[int, str]) -> dict[str, str]:
    login = logins.get(held.person_id, "")
    return {"姓名": held.person.name, "账号": login, "职责": duty, "起始日期": held.starts_on.isoformat()}
