"""The pass desk, a list of vehicles and the gate log in Chromium: nothing overflows, axe finds nothing, keys work."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Browser, expect

from tests.browsing import PHONE, WIDE, Person
from tests.builders import PASSWORD
from tests.conftest import building
from tests.services import gate_rows
from tests.web.test_vehicle_lists import vehicle, workbook
from workflow.core.actors import Role
from workflow.core.times import shanghai_day, start_of_day
from workflow.extensions import db
from workflow.services import passes as pass_service
from workflow.web.clock import now as real_now

LONG = "宁波海曙东方之星国际物流供应链管理有限公司第一分公司"


@pytest.fixture
def logins(app: Flask) -> dict[str, str]:
    """A company with a dozen passes asked for, its officers, and a gate with a day behind it."""
    with building(app) as world:
        world.now = real_now() - dt.timedelta(days=3)
        clerk = world.company(LONG)
        case = world.approved(clerk, name=LONG)
        world.now = real_now()
        for n in range(12):
            request = world.pass_request(f"浙B1234{n}" if n < 10 else f"浙BD1234{n - 10}", route="路" * 60)
            pass_service.request_pass(world.actor(clerk), case.id, request, world.now)
        at_gate, at = (
            gate_rows.gate(world, "长春路与药行街交叉口东侧临时卡口", inside=7),
            start_of_day(shanghai_day(world.now)),
        )
        gate_rows.count(at_gate[0], at, vehicles_in=2, people_in=5, alarms=1, turned_back=1)
        alarms = "overridden fever clock"
        late = gate_rows.entry(
            at_gate, at, verdict="expired", alarms=alarms, temperatures=[37.9], words="司机称去送医用物资"
        )
        gate_rows.keep(
            [gate_rows.entry(at_gate, at), late, gate_rows.entry(at_gate, at, decision="turn_back", plate="")]
        )
        gate_rows.gate(world, "南门卡口")
        found = {"clerk": clerk.login, "leader": world.officer(Role.LEADER).login, "case": str(case.id)}
        db.session.commit()
        return found


@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])
def test_a_list_the_desk_and_the_log(
    chromium: Browser, live: str, logins: dict[str, str], size: dict[str, int], tmp_path: Path
) -> None:
    file = tmp_path / "车辆.xlsx"
    file.write_bytes(workbook([vehicle("浙B20001"), vehicle("浙BO0002"), vehicle("", 用途="观光")]))
    clerk = Person.arrive(chromium, live, size)
    clerk.sign_in(logins["clerk"], PASSWORD)
    clerk.go(f"/cases/{logins['case']}/passes")
    page = clerk.follow("用 Excel 表批量申请")
    page.get_by_label("车辆表").set_input_files(file)
    clerk.press("上传并检查")
    expect(page.get_by_text("需要改正的 2 辆")).to_be_visible()
    clerk.press("提交 1 辆")
    expect(page.get_by_text("已提交 1 辆车的通行证申请")).to_be_visible()
    clerk.content()
    leader = Person.arrive(chromium, live, size)
    leader.sign_in(logins["leader"], PASSWORD)
    page = leader.go("/passes")
    page.locator("input[name=pass]").nth(0).check()
    page.locator("input[name=pass]").nth(1).check()
    leader.press("批量不同意通行证申请")
    page.get_by_label("理由").fill("行驶路线没有写清楚，请写明途经道路")
    leader.press("对所选申请回复不同意")
    expect(page.get_by_text("共 2 张，已回复 2 张，未成 0 张")).to_be_visible()
    leader.go(f"/cases/{logins['case']}")
    expect(page.get_by_role("link", name="全部 13 张，可一起办理")).to_be_visible()
    leader.go("/gates/log")
    expect(page.get_by_text("仍然放行")).to_be_visible()
    leader.go("/gates/log/export")
    leader.go("/board")
    leader.content()
