"""The company's page of passes: what the rules allow, asking, renewing, another plate, loss, and a long list."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.builders import World
from tests.web.company_browser import Browser, living, present, statements, text_of
from workflow.core.actors import Role
from workflow.core.times import shanghai_day
from workflow.data import passes
from workflow.data.cases import Case
from workflow.data.passes import VehiclePass
from workflow.data.people import Account
from workflow.extensions import db
from workflow.services import passes as service

DAY = dt.timedelta(days=1)


@pytest.fixture
def browser(client: FlaskClient, app: Flask) -> Browser:
    """The company's browser."""
    return Browser(client, app)


@pytest.fixture
def backend() -> str:
    """The pages read the same on both databases; what they do is tested on both below the pages."""
    return "sqlite"


def approved(world: World) -> tuple[Account, Case]:
    """A clerk of today and an approved case."""
    clerk = living(world).company()
    return clerk, world.approved(clerk)


def typed(world: World, **changes: str) -> dict[str, Any]:
    """What the form sends."""
    today = shanghai_day(present())
    return {
        "plate": "浙B12345",
        "vehicle_type": "中型货车",
        "purpose": "goods",
        "route": "海曙区 → 北仑港",
        "drivers": "郑师傅",
        "schedule": "daytime",
        "valid_from_on": today.isoformat(),
        "valid_until_on": (today + 3 * DAY).isoformat(),
        **changes,
    }


def test_asking_says_what_became_of_it_and_a_refusal_keeps_what_was_typed(browser: Browser, world: World) -> None:
    clerk, case = approved(world)
    path, case_id = f"/cases/{case.id}/passes", case.id
    browser.enter(clerk.login)
    page = text_of(browser.get(path))
    assert "同时最多 22 张，已用 0 张" in page
    assert "由镇街专班核发" in page
    answer = browser.post(path, **typed(world, plate="浙BI2345", route="从仓库到港口"))
    assert answer.status_code == 422
    assert "号牌不使用字母 I 和 O" in text_of(answer)
    assert "从仓库到港口" in answer.text
    assert browser.post(path, **typed(world, schedule="never")).status_code == 422
    answer = browser.post(path, **typed(world))
    assert answer.status_code == 303
    page = text_of(browser.get(path))
    assert "已提交 浙B·12345 的通行证申请" in page
    assert "每天 6:00–22:00" in page
    assert [p.schedule for p in passes.of_case(case_id)] == ["daytime"]


def test_what_the_rule_grants_can_be_printed_at_once(browser: Browser, world: World) -> None:
    living(world)
    world.publish_rules("filing")
    clerk = world.company()
    case = world.approved(clerk)
    path = f"/cases/{case.id}/passes"
    browser.enter(clerk.login)
    assert browser.post(path, **typed(world)).status_code == 303
    answer = browser.get(path)
    assert "已自动发放 浙B·12345 的通行证" in text_of(answer)
    assert "提交后自动发放" in text_of(answer)
    assert ".pdf" in answer.text


def _granted(world: World, clerk: Account, case: Case, plate: str, days: int) -> VehiclePass:
    today = shanghai_day(world.now)
    request = world.pass_request(plate, valid_from_on=today, valid_until_on=today + days * DAY)
    asked = service.request_pass(world.actor(clerk), case.id, request, world.now)
    return service.grant(world.actor(world.officer(Role.REVIEWER)), asked.id, world.now)


def near_and_far(world: World) -> tuple[Account, Case, int, int]:
    """A clerk, a case, and two of its passes: one that ends soon, one that doesn't."""
    clerk, case = approved(world)
    near = _granted(world, clerk, case, "浙B10001", 3).id
    far = _granted(world, clerk, case, "浙B20002", 12).id
    db.session.commit()
    return clerk, case, near, far


def test_a_renewal_is_offered_near_the_end(browser: Browser, world: World) -> None:
    clerk, case, near, far = near_and_far(world)
    path = f"/cases/{case.id}/passes"
    browser.enter(clerk.login)
    page = browser.get(path).text
    assert f"/passes/{near}/renew" in page
    assert f"/passes/{far}/renew" not in page
    form = browser.get(f"/passes/{near}/renew")
    assert 'value="浙B10001"' in form.text
    today = shanghai_day(present())
    days = {"valid_from_on": (today + 4 * DAY).isoformat(), "valid_until_on": (today + 7 * DAY).isoformat()}
    assert browser.post(f"/passes/{near}/renew", **typed(world, plate="浙B10001", **days)).status_code == 303
    assert browser.post(f"/passes/{near}/renew", **typed(world, plate="浙B10001", **days)).status_code == 422
    assert browser.post(f"/passes/{far}/renew", **typed(world, plate="浙B20002", **days)).status_code == 422
    assert browser.post(f"/passes/{near}/lost").status_code == 422, "its renewal is under way"


def test_another_plate_withdrawal_and_loss_have_their_own_ways(browser: Browser, world: World) -> None:
    clerk, case, _near, far = near_and_far(world)
    path, case_id = f"/cases/{case.id}/passes", case.id
    browser.enter(clerk.login)
    form = browser.get(f"/passes/{far}/plate")
    assert "新证发放时，原证立即作废" in text_of(form)
    assert "valid_from_on" not in form.text
    bad = browser.post(f"/passes/{far}/plate", **typed(world, plate="13800138000", route="改走高架"))
    assert (bad.status_code, "改走高架" in bad.text) == (422, True)
    assert browser.post(f"/passes/{far}/plate", **typed(world, plate="浙B30003")).status_code == 303
    asked = {p.plate: p for p in passes.of_case(case_id)}
    assert asked["浙B30003"].replaces_id == far
    db.session.rollback()
    changed = asked["浙B30003"].id
    assert browser.post(f"/passes/{changed}/withdraw").status_code == 303
    assert browser.post(f"/passes/{changed}/withdraw").status_code == 409
    assert browser.post(f"/passes/{far}/lost").status_code == 303
    page = text_of(browser.get(path))
    assert "已报告遗失，原证停用。" in page
    assert "补发" in page


def test_other_companies_and_officers_reach_none_of_it(browser: Browser, world: World) -> None:
    clerk, case = approved(world)
    found = _granted(world, clerk, case, "浙B10001", 3).id
    stranger = world.company().login
    db.session.commit()
    browser.enter(stranger)
    for path in ("renew", "plate"):
        assert browser.get(f"/passes/{found}/{path}").status_code == 404
        assert browser.post(f"/passes/{found}/{path}", **typed(world)).status_code == 404
    for path in ("lost", "withdraw"):
        assert browser.post(f"/passes/{found}/{path}").status_code == 404


def test_two_hundred_passes_are_paged_and_found_by_plate(app: Flask, browser: Browser, world: World) -> None:
    clerk, case = approved(world)
    today = shanghai_day(world.now)
    for n in range(200):
        asked = world.pass_request(f"浙B{n:05d}", valid_from_on=today, valid_until_on=today + 3 * DAY)
        row = VehiclePass(
            case=case,
            town_id=case.town_id,
            plate=asked.plate,
            plate_kind="ordinary",
            vehicle_type="中型货车",
            purpose="goods",
            route=asked.route,
            drivers=["郑师傅"],
            valid_from_on=today,
            valid_until_on=today + 3 * DAY,
            requested_by=clerk.person_id,
            requested_at=world.now,
        )
        db.session.add(row)
    db.session.commit()
    path = f"/cases/{case.id}/passes"
    browser.enter(clerk.login)
    with statements(app) as seen:
        answer = browser.get(path)
    assert len(seen) <= 15, seen
    assert len(answer.data) < 120_000
    assert answer.text.count('<article class="fg-entry"') == 30
    assert "浙B·00199" in text_of(answer)
    last = browser.get(f"{path}?page=7")
    assert last.text.count('<article class="fg-entry"') == 20
    one = browser.get(f"{path}?plate=b00042")
    assert one.text.count('<article class="fg-entry"') == 1
    for odd in ("?page=0", "?page=-1", "?page=x", "?page=99999999999", "?plate=%25", "?plate=" + "浙" * 500):
        assert browser.get(f"{path}{odd}").status_code == 200
