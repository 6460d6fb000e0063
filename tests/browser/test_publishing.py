"""Changing a rule in real Chromium: one commander moves a bound and tries it, another publishes, a case obeys."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable

import pytest
from flask import Flask
from playwright.sync_api import expect

from tests.browsing import Person
from tests.builders import PASSWORD
from tests.conftest import building
from workflow.core.actors import Role
from workflow.core.times import SHANGHAI
from workflow.extensions import db

pytestmark = [pytest.mark.browser, pytest.mark.journey]

YINZHOU = "330212013"


@pytest.fixture
def logins(app: Flask) -> tuple[str, str]:
    """Two commanders of the city, and a case of an enterprise of Yinzhou with 150 people."""
    with building(app) as world:
        world.now = dt.datetime.now(dt.UTC)
        first, second = world.officer(Role.COMMANDER, "3302"), world.new_officer(Role.COMMANDER, "3302")
        case = world.submitted(town=YINZHOU, head_count="150")
        assert case.flow.key == "yinzhou-bureau"
        return first.login, second.login


def _edit(who: Person) -> None:
    """Copy the rulebook in force and move the bound of both rules that name it, in the form."""
    page = who.go("/publishing")
    expect(page.locator("#start-source option:checked")).to_contain_text("宁波市复工规则：审批制")
    page.fill("#start-name", "鄞州以 200 人为界")
    who.press("建立草稿")
    for text in ("不超过 100", "多于 100"):
        entry = page.locator(".fg-entry", has_text=text).first
        entry.locator("summary").click()
        entry.locator(".fg-cond", has_text="企业总人数").locator("input.fg-cond__value").fill("200")
    who.press("保存")
    expect(page.locator("#check [data-problems='0']")).to_be_visible()
    expect(page.locator("[data-text]")).to_have_value(re.compile(r"head_count = \{ ?le = 200 ?\}"))


def _try_a_mistake(who: Person) -> None:
    """A typing error is named while it is typed, with its line; taken back, it is gone."""
    page = who.page
    good = page.locator("[data-text]").input_value()
    page.locator("[data-text]").fill(good.replace("notice_days", "notice_dayz"))
    button = page.locator("#check [data-line]", has_text=re.compile("第 8 行"))
    expect(button).to_be_visible()
    button.click()
    expect(page.locator("[data-text]")).to_be_focused()
    page.locator("[data-text]").fill(good)
    expect(page.locator("#check [data-problems='0']")).to_be_visible()


def test_a_bound_is_moved_tried_published_and_obeyed(
    app: Flask, logins: tuple[str, str], arrive: Callable[[], Person]
) -> None:
    first, second = arrive(), arrive()
    first.sign_in(logins[0], PASSWORD)
    _edit(first)
    _try_a_mistake(first)

    page = first.press("保存并试算")
    expect(page.locator("[data-trial]")).to_contain_text("试了 1 件在办案件")
    expect(page.locator(".fg-figures div", has_text="在办案件会走别的流程").locator("dd")).to_have_text("1")
    first.follow("返回草稿")
    page.fill("[name=effective_on]", dt.datetime.now(SHANGHAI).date().isoformat())
    first.press("保存并提交审批")
    expect(page.get_by_role("button", name="批准并发布")).to_have_count(0)

    second.sign_in(logins[1], PASSWORD)
    page = second.go("/publishing")
    second.follow("鄞州以 200 人为界")
    second.press("批准并发布")
    expect(page.locator("main")).to_contain_text("施行中")

    with building(app) as world:
        world.now, world.count = dt.datetime.now(dt.UTC), 100
        case = world.submitted(town=YINZHOU, head_count="150")
        assert case.flow.key == "yinzhou-town"
        db.session.remove()
