"""The pages of notices: the inbox, choices, a team's robots, and what other people may not do with them."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import replace
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from tests.web.desk_fixtures import Site, counted, page, site  # noqa: F401 - a fixture
from workflow.core.actors import Role
from workflow.data.cases import Case
from workflow.data.notices import Notice, NoticeChoice
from workflow.data.organisation import Team
from workflow.data.outbox import OutboxItem
from workflow.data.people import Account
from workflow.data.robots import Robot
from workflow.extensions import db
from workflow.jobs.drain import drain
from workflow.services import notices

ADDRESS = "https://oapi.dingtalk.com/robot/send?access_token=abcdef0123"


def tell(site: Site, login: str, event: str, case_id: int | None = None, number: int = 1, **details: Any) -> None:  # noqa: F811
    """Tell somebody of an event, and deliver it."""
    with site.building() as world:
        account = db.session.scalars(select(Account).where(Account.login == login)).one()
        case = db.session.get(Case, case_id) if case_id is not None else None
        for _ in range(number):
            notices.tell_people([account.person_id], event, case, details, world.now)
        db.session.commit()
        drain(lambda: world.now)


def newest(site: Site) -> int:  # noqa: F811
    """The id of the newest notice."""
    with site.app.app_context():
        return db.session.scalars(select(Notice.id).order_by(Notice.id.desc())).first() or 0


def add_robot(site: Site, client: FlaskClient, **form: Any) -> TestResponse:  # noqa: F811
    """Send the form of a new robot."""
    site.keys += 1
    usual = {"kind": "dingtalk", "name": "专班群", "url": ADDRESS, "secret": "SEC1", "events": ["overdue"]}
    key = {"idempotency_key": f"robot-test-{site.keys:06d}"}
    return client.post("/notices/robots", data={**usual, **key, **form})


def team_id(site: Site, town: str = "330203002") -> int:  # noqa: F811
    """A team in the town."""
    with site.building() as world:
        area = world.officer(Role.LEADER, town)
        place = next(a.area_id for a in world.actor(area).appointments)
        team = Team(code=f"T-{town}", name="江厦街道复工专班", kind="team", area_id=place, created_at=world.now)
        db.session.add(team)
        db.session.commit()
        return team.id


@pytest.fixture
def reviewer(site: Site) -> tuple[str, FlaskClient]:  # noqa: F811
    """The town's reviewer, signed in."""
    login = site.login(Role.REVIEWER)
    return login, site.browser(login)


def test_the_inbox_shows_what_happened_and_counts_it(site: Site, reviewer: tuple[str, FlaskClient]) -> None:  # noqa: F811
    login, client = reviewer
    assert "还没有通知" in page(client.get("/notices"))
    case_id = site.case()
    tell(site, login, "assigned", case_id)
    tell(site, login, "export_done", about={"zh": "超期案件", "en": "Late cases"}, url="/desk")
    body = page(client.get("/notices"))
    assert "2 条未读" in body
    assert "案件交由您办理" in body
    assert "导出文件已生成：超期案件" in body
    assert "复工-海曙-" in body
    assert re.search(r'通知<span class="fg-nav__count">2</span>', body)


def test_opening_marks_read_and_leads_there(site: Site, reviewer: tuple[str, FlaskClient]) -> None:  # noqa: F811
    login, client = reviewer
    case_id = site.case()
    tell(site, login, "assigned", case_id)
    answer = site.post(client, "/notices/read", notice=newest(site))
    assert (answer.status_code, answer.location) == (303, f"/cases/{case_id}")
    assert "没有未读通知" in page(client.get("/notices?show=unread"))
    tell(site, login, "export_done", url="/desk?tab=open")
    assert site.post(client, "/notices/read", notice=newest(site)).location == "/desk?tab=open"


@pytest.mark.parametrize("url", ["//evil.example/", "https://evil.example/", "/\\evil.example", "javascript:x", ""])
def test_a_notice_leads_nowhere_else(site: Site, reviewer: tuple[str, FlaskClient], url: str) -> None:  # noqa: F811
    login, client = reviewer
    tell(site, login, "export_done", url=url)
    assert site.post(client, "/notices/read", notice=newest(site)).location == "/notices"


def test_a_notice_of_somebody_else_is_not_found(site: Site, reviewer: tuple[str, FlaskClient]) -> None:  # noqa: F811
    login, _client = reviewer
    tell(site, login, "assigned", site.case())
    leader = site.officer(Role.LEADER)
    assert site.post(leader, "/notices/read", notice=newest(site)).status_code == 404
    assert "案件交由您办理" not in page(leader.get("/notices"))


def test_all_that_the_page_showed_is_marked_read(site: Site, reviewer: tuple[str, FlaskClient]) -> None:  # noqa: F811
    login, client = reviewer
    case_id = site.case()
    tell(site, login, "assigned", case_id)
    shown = newest(site)
    tell(site, login, "overdue", case_id)
    assert site.post(client, "/notices/read", newest=shown).status_code == 303
    body = page(client.get("/notices?show=unread"))
    assert "已超过办理时限" in body
    assert "案件交由您办理" not in body


def test_many_are_paged_in_few_statements_and_counted_as_99_and_more(
    site: Site,  # noqa: F811
    reviewer: tuple[str, FlaskClient],
) -> None:
    login, client = reviewer
    tell(site, login, "assigned", site.case(), number=130)
    client.get("/notices")
    with counted(site.app) as statements:
        body = page(client.get("/notices"))
    assert len(statements) <= 15
    assert "超过 99 条未读" in body
    assert body.count("fg-inbox__item--new") == 30
    older = re.search(r'href="(/notices\?before=\d+)" rel="next"', body)
    assert older is not None
    assert page(client.get(older[1])).count("fg-inbox__item--new") == 30


@pytest.mark.parametrize("before", ["x", "-1", "9" * 30, "１２", "%00"])
def test_a_strange_address_shows_the_inbox(site: Site, reviewer: tuple[str, FlaskClient], before: str) -> None:  # noqa: F811
    assert "还没有通知" in page(reviewer[1].get(f"/notices?before={before}&show=nothing"))


def choices(**values: Any) -> dict[str, Any]:
    """The form of choices as the page sends it."""
    return {
        "email": "zhang@town.example",
        "mailed": ["mine", "deadline"],
        "digest": "daily",
        "quiet_from": "22:00",
        "quiet_until": "07:00",
        "language": "zh",
        **values,
    }


def test_choices_are_kept_and_shown_again(site: Site, reviewer: tuple[str, FlaskClient]) -> None:  # noqa: F811
    _login, client = reviewer
    assert "系统尚未配置发信服务" in page(client.get("/notices/choices"))
    assert site.post(client, "/notices/choices", **choices()).status_code == 303
    body = page(client.get("/notices/choices"))
    assert 'value="zhang@town.example"' in body
    assert 'value="22:00"' in body
    assert body.count("checked") == 4, "two groups, the digest and the language"
    with site.app.app_context():
        kept = db.session.scalars(select(NoticeChoice)).one()
        assert kept.channels == {"mine": ["mail"], "deadline": ["mail"]}
        assert (kept.quiet_from, kept.quiet_until) == (dt.time(22, 0), dt.time(7, 0))


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"email": "zhang"}, "请填写正确的邮箱地址"),
        ({"email": ""}, "请填写邮箱地址"),
        ({"quiet_from": "25:00"}, "请按 22:00 的格式填写时间"),
        ({"quiet_from": ""}, "请同时填写开始和结束时间"),
        ({"digest": "weekly"}, "请选择列表中的一项"),
    ],
)
def test_wrong_choices_are_shown_at_their_field(
    site: Site,  # noqa: F811
    reviewer: tuple[str, FlaskClient],
    values: dict[str, str],
    words: str,
) -> None:
    answer = site.post(reviewer[1], "/notices/choices", **choices(**values))
    body = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert words in body
    assert "data-error-summary" in body


def test_a_test_mail_goes_to_the_outbox(site: Site, reviewer: tuple[str, FlaskClient]) -> None:  # noqa: F811
    _login, client = reviewer
    assert site.post(client, "/notices/choices/test").status_code == 409
    site.app.config["SETTINGS"] = replace(
        site.app.config["SETTINGS"], mail_url="smtp://127.0.0.1:9", mail_from="a@b.example"
    )
    assert site.post(client, "/notices/choices/test").status_code == 422
    site.post(client, "/notices/choices", **choices())
    assert "发送测试邮件" in page(client.get("/notices/choices"))
    assert site.post(client, "/notices/choices/test").status_code == 303
    with site.app.app_context():
        assert db.session.scalars(select(OutboxItem.kind)).all() == ["letter"]


def test_people_of_a_company_choose_for_their_cases_alone(site: Site) -> None:  # noqa: F811
    with site.building() as world:
        login = world.company().login
    client = site.browser(login)
    body = page(client.get("/notices/choices"))
    assert "本企业案件的进展" in body
    assert "交给我办理" not in body
    site.post(client, "/notices/choices", **choices(mailed=["company", "mine"]))
    with site.app.app_context():
        assert db.session.scalars(select(NoticeChoice)).one().channels == {"company": ["mail"]}


def test_a_robot_is_added_tried_switched_and_deleted(site: Site) -> None:  # noqa: F811
    team, leader = team_id(site), site.officer(Role.LEADER)
    assert "还没有群机器人" in page(leader.get("/notices/robots"))
    assert add_robot(site, leader, team=team).status_code == 303
    body = page(leader.get("/notices/robots"))
    assert "oapi.dingtalk.com/…0123" in body
    assert "abcdef" not in body
    assert "SEC1" not in body
    with site.app.app_context():
        robot_id = db.session.scalars(select(Robot.id)).one()
    assert site.post(leader, f"/notices/robots/{robot_id}/test").status_code == 303
    assert site.post(leader, f"/notices/robots/{robot_id}/switch", active="0").status_code == 303
    assert "已停用" in page(leader.get("/notices/robots"))
    assert site.post(leader, f"/notices/robots/{robot_id}/delete").status_code == 303
    assert "还没有群机器人" in page(leader.get("/notices/robots"))


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"url": "http://127.0.0.1:8080/robot/send"}, "不在允许的主机之列"),
        ({"url": ""}, "请粘贴机器人的完整地址"),
        ({"events": []}, "请至少选择一类"),
        ({"name": ""}, "请填写群名称"),
        ({"kind": "telegram"}, "请选择列表中的一项"),
    ],
)
def test_a_wrong_robot_is_refused_with_words(site: Site, values: dict[str, Any], words: str) -> None:  # noqa: F811
    answer = add_robot(site, site.officer(Role.LEADER), team=team_id(site), **values)
    assert answer.status_code == 422
    assert words in answer.get_data(as_text=True)


def test_robots_of_another_town_are_not_there(site: Site) -> None:  # noqa: F811
    team = team_id(site)
    assert add_robot(site, site.officer(Role.LEADER), team=team).status_code == 303
    with site.app.app_context():
        robot_id = db.session.scalars(select(Robot.id)).one()
    other = site.officer(Role.LEADER, "330206004")
    assert "0123" not in page(other.get("/notices/robots"))
    assert add_robot(site, other, team=team).status_code == 404
    for act in ("test", "switch", "delete"):
        assert site.post(other, f"/notices/robots/{robot_id}/{act}").status_code == 404
    assert site.officer(Role.REVIEWER).get("/notices/robots").status_code == 403
