"""The organisation's pages and a case's assignment through the browser's requests."""

from __future__ import annotations

import datetime as dt

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from tests.builders import NOW, TOWN
from tests.conftest import building, sign_in
from workflow.core.actors import SYSTEM, Role
from workflow.data import areas, organisation
from workflow.data.cases import Case
from workflow.data.enterprises import Enterprise
from workflow.data.organisation import BuildingOfficer, Team, TeamKind, TeamMember
from workflow.extensions import db
from workflow.services import assignment
from workflow.services import organisation as organisation_service
from workflow.services.organisation import TeamValues


@pytest.fixture(autouse=True)
def _then(monkeypatch: pytest.MonkeyPatch) -> None:
    """The pages' clock stands at the builders' time."""
    for name in ("organisation", "organisation_people", "organisation_import", "assignment"):
        monkeypatch.setattr(f"workflow.web.{name}.now", lambda: NOW)


class Town:
    """A town with a leader, two reviewers and a team, and requests in their names."""

    def __init__(self, client: FlaskClient) -> None:
        self.client, self.count = client, 0
        self.app = client.application
        with building(self.app) as world:
            self.leader = world.officer(Role.LEADER).login
            first, second = world.new_officer(Role.REVIEWER), world.new_officer(Role.REVIEWER)
            self.reviewers = [(a.login, a.person_id) for a in (first, second)]
            self.stranger = world.officer(Role.LEADER, "330203009").login
            self.area = _area(TOWN)
            self.zone = _area(f"{TOWN}-Z1")
            self.building = _area(f"{TOWN}-Z1-B01")
            values = TeamValues("天一专班", TeamKind.TEAM, self.area, area_ids=[self.zone])
            self.team = organisation_service.create_team(SYSTEM, values, world.now).id
            db.session.commit()

    def as_(self, login: str) -> Town:
        """Be somebody."""
        self.client.post("/logout", data={"idempotency_key": f"logout-{self.number()}"})
        sign_in(self.client, login)
        return self

    def number(self) -> int:
        """A running number."""
        self.count += 1
        return self.count

    def post(self, url: str, code: int = 303, **data: object) -> str:
        """Send a form; returns the page that follows or that says what is wrong."""
        answer = self.client.post(url, data={"idempotency_key": f"key-{self.number():08d}", **data})
        assert answer.status_code == code, answer.get_data(as_text=True)[:3000]
        return self.get(answer.headers["Location"]) if code == 303 else answer.get_data(as_text=True)

    def get(self, url: str, code: int = 200) -> str:
        """Read a page."""
        answer = self.client.get(url)
        assert answer.status_code == code, url
        return answer.get_data(as_text=True)


def _area(code: str) -> int:
    found = areas.by_code(code)
    assert found is not None
    return found.id


@pytest.fixture
def town(client: FlaskClient) -> Town:
    """The town, its leader signed in."""
    made = Town(client)
    return made.as_(made.leader)


def test_the_chart_shows_who_holds_what_and_what_is_missing(town: Town) -> None:
    page = town.get("/organisation")
    assert "天一专班" in page
    for words in ("楼宇没有专员", "片区没有专班", "组织没有负责人", "缺负责人 1 名", "缺成员 3 名"):
        assert words in page
    town.post(f"/organisation/teams/{town.team}/members", person=town.reviewers[0][1], duty="leader")
    page = town.post(f"/organisation/places/{town.building}/officer", person=town.reviewers[0][1])
    assert "移交给" in page
    assert "组织没有负责人" not in town.get("/organisation")


def test_a_second_leader_and_a_second_officer_are_refused(town: Town) -> None:
    (_l1, one), (_l2, two) = town.reviewers
    members, officer = f"/organisation/teams/{town.team}/members", f"/organisation/places/{town.building}/officer"
    town.post(members, person=one, duty="leader")
    assert "一个组织只有一名负责人" in town.post(members, 422, person=two, duty="leader")
    town.post(officer, person=one)
    assert "请改用“移交”" in town.post(officer, 422, person=two)
    town.post(officer, person=two, hand_on="1")
    with building(town.app):
        rows = db.session.scalars(select(BuildingOfficer).order_by(BuildingOfficer.id)).all()
        assert [(r.person_id, r.ends_on is None) for r in rows] == [(one, False), (two, True)]
    assert "曾任" in town.get(f"/organisation/places/{town.building}")
    assert "请选择人员" in town.post(members, 422, person="", duty="member")
    assert "请选择职责" in town.post(members, 422, person=two, duty="king")


def test_teams_are_made_changed_and_dissolved(town: Town) -> None:
    url = f"/organisation/areas/{town.area}/teams"
    assert "此项必填" in town.post(url, 422, name=" ", kind="team")
    assert "类别" in town.post(url, 422, name="一队", kind="army")
    assert "同名" in town.post(url, 422, name="天一专班", kind="team")
    assert "之内" in town.post(url, 422, name="一队", kind="squad", covers=str(_elsewhere(town)))
    town.post(url, name="一队", kind="squad", group_name="园区组", parent=str(town.team), covers=str(town.building))
    with building(town.app):
        squad = db.session.scalars(select(Team).where(Team.name == "一队")).one()
        assert (squad.parent_id, squad.group_name) == (town.team, "园区组")
        squad_id = squad.id
    change = f"/organisation/teams/{town.team}"
    assert "成环" in town.post(change, 422, name="天一专班", kind="team", parent=str(squad_id))
    assert "请先调整" in town.post(f"{change}/close", 422)
    town.post(f"/organisation/teams/{squad_id}/members", new_person="王志愿", duty="support")
    town.post(f"/organisation/teams/{squad_id}/close")
    with building(town.app):
        assert all(m.ends_on for m in db.session.scalars(select(TeamMember)))
    town.post(change, name="天一片区专班", kind="team", covers=str(town.zone))
    assert "天一片区专班" in town.get("/organisation")


def _elsewhere(town: Town) -> int:
    with building(town.app):
        return _area("330203009")


def test_who_is_not_responsible_reads_at_most(town: Town) -> None:
    town.as_(town.reviewers[0][0])
    assert "天一专班" in town.get("/organisation")
    town.get(f"/organisation/teams/{town.team}")
    town.post(f"/organisation/teams/{town.team}/members", 403, person=1, duty="member")
    town.as_(town.stranger)
    town.get(f"/organisation/teams/{town.team}", 404)
    town.get(f"/organisation?area={TOWN}", 404)
    town.get(f"/organisation/people/{town.reviewers[0][1]}", 404)
    town.post(f"/organisation/places/{town.building}/officer", 404, person=town.reviewers[0][1])


def test_leave_and_interests_on_the_own_page(town: Town) -> None:
    (login, one), (_l, two) = town.reviewers
    with building(town.app) as world:
        case = world.submitted()
        uscc = db.session.get_one(Enterprise, case.enterprise_id).uscc
    town.as_(login)
    assert "登记请假" in town.get("/organisation/me")
    url = f"/organisation/people/{one}"
    assert "请填写日期" in town.post(f"{url}/leave", 422, starts_on="明天", last_on="2020-02-17")
    page = town.post(f"{url}/leave", starts_on="2020-02-15", last_on="2020-02-17", cover=two, hands_over="1")
    assert "2020-02-15 – 2020-02-17" in page
    with building(town.app):
        absence = organisation.absences_of([one], dt.date(2020, 2, 15))[one].id
    assert "销假" in page
    assert "请假已结束" in town.post(f"/organisation/leave/{absence}/end")
    assert "校验" in town.post(f"{url}/interests", 422, uscc="91330201MA0000001X", relation="own")
    assert "亲属的企业" in town.post(f"{url}/interests", uscc=uscc, relation="relative")
    other = f"/organisation/people/{two}"
    town.post(f"{other}/leave", 403, starts_on="2020-02-15", last_on="2020-02-17")
    with building(town.app):
        interest = organisation.interests_of(one, dt.date(2020, 2, 15))[0].id
    town.post(f"/organisation/interests/{interest}/withdraw", 403)
    town.as_(town.leader)
    assert "申报已撤销" in town.post(f"/organisation/interests/{interest}/withdraw")


def test_a_case_is_claimed_taken_over_given_and_released_on_its_page(town: Town) -> None:
    (first, one), (second, _two) = town.reviewers
    with building(town.app) as world:
        case = world.submitted()
        case_id, version = case.id, case.version
    url = f"/cases/{case_id}"
    town.as_(first)
    page = town.get(url)
    assert "待分派" in page
    assert "认领" in page
    assert "我经办" in town.post(f"{url}/assignee/claim", version=version)
    town.as_(second)
    page = town.post(f"{url}/assignee/claim", 409, version=version)
    assert "干部" in page
    fresh = _version(town, case_id)
    assert "理由" in town.post(f"{url}/assignee/take-over", 422, version=fresh, note="")
    assert "已商定" in town.post(f"{url}/assignee/take-over", version=fresh, note="已商定")
    town.post(f"{url}/assignee/give", 403, version=fresh, person=one)
    town.as_(town.leader)
    assert "由" in town.post(f"{url}/assignee/give", version=_version(town, case_id), person=one, note="请跟进")
    assert "请选择人员" in town.post(f"{url}/assignee/give", 422, version=_version(town, case_id), person="")
    page = town.post(f"{url}/assignee/choose", version=_version(town, case_id))
    assert "按辖区人员自动分派" in page
    assert "待分派" in town.post(f"{url}/assignee/release", version=_version(town, case_id))
    town.as_(town.stranger)
    town.post(f"{url}/assignee/choose", 404, version=1)


def _version(town: Town, case_id: int) -> int:
    with building(town.app):
        return db.session.get_one(Case, case_id).version


def test_cases_are_handed_over_on_the_persons_page(town: Town) -> None:
    (_first, one), (_second, two) = town.reviewers
    with building(town.app) as world:
        ids = [world.submitted().id for _ in range(3)]
        assignment.assign_many(SYSTEM, ids, world.now, person_id=one)
        db.session.commit()
    url = f"/organisation/people/{one}"
    page = town.get(url)
    assert "转交在办案件" in page
    assert "3 件" in page
    assert "刚有变化" in town.post(f"{url}/hand-over", 422, to="rules", expected=2)
    page = town.post(f"{url}/hand-over", to=two, expected=3)
    assert "已转交 3 件" in page
    with building(town.app):
        assert {c.assignee_id for c in db.session.scalars(select(Case))} == {two}


def test_a_long_name_is_shown_whole(town: Town) -> None:
    with building(town.app) as world:
        long_name = (
            "江厦街道复工复产服务保障与疫情防控督导联合工作专班（含物业、园区与商圈协同小组）第一分队暨综合协调组办公室"
        )
        values = TeamValues(long_name, TeamKind.SQUAD, town.area, area_ids=[town.building])
        organisation_service.create_team(SYSTEM, values, world.now)
        db.session.commit()
    assert long_name in town.get("/organisation")
