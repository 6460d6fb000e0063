"""An officer asks a department, the department answers at a phone, and only then the leader may decide."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.browsing import PHONE, WIDE, Person
from tests.builders import PASSWORD, World
from tests.services.asking import department, publish_asking, request_to
from tests.web.company_browser import living
from workflow.core.actors import Role
from workflow.extensions import db
from workflow.services import opinions as opinion_service

pytestmark = pytest.mark.browser


@pytest.fixture
def logins(world: World) -> dict[str, str]:
    """A case that waits for its leader: the emergency bureau has answered, the health bureau has not."""
    living(world)
    publish_asking(world)
    clerk = world.company()
    case = world.reviewed(clerk)
    emergency = world.actor(department(world, "yingji"))
    opinion_service.answer(emergency, request_to(case, "yingji").id, "agree", "", world.now)
    health, market = department(world), department(world, "shichang")
    leader = world.officer(Role.LEADER)
    case = world.conclude(world.schedule(case))
    found = {
        "case": f"/cases/{case.id}",
        "clerk": clerk.login,
        "health": health.login,
        "market": market.login,
        "leader": leader.login,
        "reviewer": world.officer(Role.REVIEWER).login,
    }
    db.session.commit()
    db.session.remove()
    return found


@pytest.fixture
def people(chromium: Browser, live: str, logins: dict[str, str]) -> Iterator[dict[str, Person]]:
    """Everybody at a browser of their own, departments and the company at phones; no page may complain."""
    found = {}
    for name, size in (("leader", WIDE), ("reviewer", WIDE), ("health", PHONE), ("market", PHONE), ("clerk", PHONE)):
        found[name] = Person.arrive(chromium, live, size)
        found[name].sign_in(logins[name], PASSWORD)
    yield found
    for person in found.values():
        person.page.context.close()
        person.content()


def _answer(person: Person, stance: str, words: str) -> None:
    """Open the first request of the inbox and answer it."""
    page = person.go("/opinions")
    with page.expect_navigation():
        page.locator(".fg-row a").first.click()
    person.look()
    page.get_by_label(stance, exact=True).check()
    page.locator("#words").fill(words)
    person.press("答复")
    expect(page).to_have_url(re.compile("/opinions$"))
    expect(page.locator(".fg-flash")).to_contain_text("部门意见已送达")


def test_a_leader_decides_when_every_department_has_answered(logins: dict[str, str], people: dict[str, Person]) -> None:
    case, leader = logins["case"], people["leader"]
    desk = leader.go(case)
    expect(desk.locator("#act")).to_contain_text("还有 1 个部门未答复意见")
    desk.locator("#departments summary", has_text="征求其他部门意见").click()
    desk.select_option("#ask-department", "shichang")
    desk.fill("#ask-question", "冷链仓库能否开工？")
    leader.press("征求意见")
    expect(desk.locator("#act")).to_contain_text("还有 2 个部门未答复意见")
    company = people["clerk"].go(case)
    expect(company.locator("main")).to_contain_text("正在征求：卫生健康局、市场监督管理局意见（2 个工作日内）")

    _answer(people["health"], "同意", "")
    _answer(people["market"], "有条件同意", "冷链货物先做核酸检测。")

    desk = leader.go(case)
    expect(desk.locator("#departments")).to_contain_text("冷链货物先做核酸检测。")
    leader.checked.clear()
    desk.reload()
    leader.look()
    expect(desk.locator("#act")).not_to_contain_text("未答复意见")
    desk.fill("#note-approve", "同意复工")
    leader.press("同意复工")
    expect(desk.locator(".fg-verdictline").first).to_contain_text("已同意复工")
    company = people["clerk"].go(case)
    expect(company.locator("main")).to_contain_text("冷链货物先做核酸检测。")


def test_one_policy_for_one_company_is_previewed_proposed_and_approved(
    logins: dict[str, str], people: dict[str, Person]
) -> None:
    case, reviewer, leader = logins["case"], people["reviewer"], people["leader"]
    page = reviewer.go(case)
    reviewer.follow("提出调整")
    page.select_option("#state", "awaiting_decision")
    page.fill("#more_days", "2")
    reviewer.press("预览调整")
    reviewer.checked.clear()
    reviewer.look()
    expect(page.locator("main")).to_contain_text("延长时限：“待镇街审定”多给 2 个工作日")
    expect(page.locator(".fg-flow svg")).to_contain_text("3 个工作日")
    page.fill("#reason", "等卫健局现场看过再定。")
    reviewer.press("提出调整建议")
    expect(page.locator("main")).to_contain_text("等待审定的调整")

    desk = leader.go(case)
    leader.follow("查看并审定")
    expect(desk.locator("main")).to_contain_text("等卫健局现场看过再定。")
    leader.press("同意调整")
    expect(desk.locator("main")).to_contain_text("本企业适用一企一策：")
    company = people["clerk"].go(case)
    expect(company.locator("main")).to_contain_text("延长时限：“待镇街审定”多给 2 个工作日")
    expect(company.locator("main")).not_to_contain_text("等卫健局现场看过再定。")
