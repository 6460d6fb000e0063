"""What a company typed outlives a dead network, a lost reply, an expired sign-in, a second tab, another language."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from playwright.sync_api import BrowserContext, Page, Route, expect
from sqlalchemy import func, select

from tests.browsing import PHONE, Person
from tests.builders import PASSWORD, World
from tests.web.company_browser import living
from workflow.data.passes import VehiclePass
from workflow.data.people import Account
from workflow.extensions import db

pytestmark = pytest.mark.browser
NOTE = "[data-kept-note]"
STATE = "[data-autosave-state]"


@pytest.fixture
def viewport() -> dict[str, int]:
    """A phone's screen: these things happen on the way."""
    return PHONE


@pytest.fixture
def clerk(world: World) -> Account:
    return living(world).company()


@pytest.fixture
def login(clerk: Account) -> str:
    return clerk.login


@pytest.fixture
def filer(arrive: Callable[[], Person]) -> Iterator[Person]:
    """Somebody at a phone; answers that refuse are what these tests are about, so they are no complaints."""
    person = arrive()
    yield person
    person.complaints = [c for c in person.complaints if "Failed to load resource" not in c]


@pytest.fixture
def people_topic(world: World, clerk: Account, login: str, filer: Person) -> str:
    """The address of a topic of a draft whose clerk is signed in."""
    path = f"/applications/{world.draft(clerk).id}/people"
    db.session.remove()
    filer.sign_in(login, PASSWORD)
    return path


@pytest.fixture
def passes(world: World, clerk: Account, login: str, filer: Person) -> str:
    """The address of the passes of an approved case whose clerk is signed in."""
    path = f"/cases/{world.approved(clerk).id}/passes"
    db.session.remove()
    filer.sign_in(login, PASSWORD)
    return path


def _save(page: Page) -> None:
    page.get_by_role("button", name="保存并继续").click()


def _fill_pass(page: Page) -> None:
    for field, words in {
        "plate": "浙B66666",
        "vehicle_type": "中型货车",
        "route": "厂区到港口",
        "drivers": "郑师傅\n王师傅",
    }.items():
        page.locator(f"#{field}").fill(words)
    page.locator("input[name=purpose]").first.check()


def _send(page: Page) -> None:
    page.get_by_role("button", name="提交申请").click()


def _second_tab(context: BrowserContext, address: str, field: str, words: str) -> None:
    """Save one field in another tab."""
    tab = context.new_page()
    tab.goto(address)
    tab.locator(field).fill(words)
    expect(tab.locator(STATE)).to_contain_text("已保存")
    tab.close()


def test_a_reload_while_typing_loses_nothing_and_is_no_conflict(filer: Person, people_topic: str) -> None:
    page = filer.go(people_topic)
    page.locator("#hotline").fill("13711112222")
    page.reload()
    expect(page.locator("#hotline")).to_have_value("13711112222")
    expect(page.locator(STATE)).not_to_contain_text("另一窗口")
    page.wait_for_load_state("networkidle")
    page.reload()
    expect(page.locator("#hotline")).to_have_value("13711112222")
    expect(page.locator("[data-autosave-choice]")).to_have_count(0)


def test_two_tabs_are_joined_and_only_one_field_changed_twice_is_asked_about(filer: Person, people_topic: str) -> None:
    page, address = filer.go(people_topic), filer.base + people_topic
    _second_tab(page.context, address, "#contact_name", "二窗")
    page.locator("#head_name").fill("一窗")
    expect(page.locator(STATE)).to_contain_text("已保存")
    expect(page.locator("#contact_name")).to_have_value("二窗")
    _second_tab(page.context, address, "#head_name", "别人")
    page.locator("#head_name").fill("自己")
    page.locator("[data-autosave-choice=mine]").click()
    expect(page.locator(STATE)).to_contain_text("已保存")
    page.reload()
    expect(page.locator("#head_name")).to_have_value("自己")
    expect(page.locator("#contact_name")).to_have_value("二窗")


def test_a_stale_form_that_was_left_asks_again(filer: Person, people_topic: str) -> None:
    page, address = filer.go(people_topic), filer.base + people_topic
    _second_tab(page.context, address, "#head_name", "别人")
    page.locator("#head_name").fill("自己")
    _save(page)
    expect(page.locator(".fg-stored")).to_contain_text("别人")
    page.once("dialog", lambda dialog: dialog.accept())
    page.goto(address)
    expect(page.locator("#head_name")).to_have_value("自己")
    page.locator("[data-autosave-choice=theirs]").click()
    expect(page.locator("#head_name")).to_have_value("别人")


def test_giving_up_a_stale_form_takes_what_is_stored(filer: Person, people_topic: str) -> None:
    page, address = filer.go(people_topic), filer.base + people_topic
    _second_tab(page.context, address, "#head_name", "别人")
    page.locator("#head_name").fill("自己")
    _save(page)
    page.get_by_role("link", name="放弃我填的").click()
    expect(page.locator("#head_name")).to_have_value("别人")
    expect(page.locator("[data-autosave-choice]")).to_have_count(0)


def test_a_form_is_not_sent_into_a_dead_network(filer: Person, people_topic: str) -> None:
    page = filer.go(people_topic)
    page.context.set_offline(True)
    page.locator("#head_name").fill("断网甲")
    _save(page)
    expect(page.locator(STATE)).to_contain_text("没有提交")
    expect(page.locator(STATE)).to_be_in_viewport()
    page.context.set_offline(False)
    expect(page.locator(STATE)).to_contain_text("已保存")
    page.reload()
    expect(page.locator("#head_name")).to_have_value("断网甲")


def test_the_copy_on_the_device_goes_when_the_server_has_the_form(filer: Person, people_topic: str) -> None:
    page = filer.go(people_topic)
    page.locator("#head_name").fill("交了")
    _save(page)
    page.wait_for_url("**/staffing")
    assert page.evaluate("localStorage.length + sessionStorage.length") == 0


def test_an_expired_sign_in_says_so_and_gives_the_form_back(filer: Person, passes: str, login: str) -> None:
    page = filer.go(passes)
    page.context.clear_cookies()
    _fill_pass(page)
    _send(page)
    expect(page.get_by_role("heading", name="请先登录")).to_be_visible()
    filer.look()
    page.locator("main").get_by_role("link", name="登录").click()
    page.locator("#login").fill(login)
    page.locator("#password").fill(PASSWORD)
    page.locator("form[action='/login'] button[type=submit]").click()
    page.wait_for_url(f"**{passes}")
    expect(page.locator(NOTE)).to_be_visible()
    expect(page.locator("#plate")).to_have_value("浙B66666")
    expect(page.locator("#drivers")).to_have_value("郑师傅\n王师傅")
    _send(page)
    expect(page.locator(".fg-flash")).to_contain_text("浙B·66666")


def test_autosave_says_that_the_sign_in_has_expired(filer: Person, people_topic: str) -> None:
    page = filer.go(people_topic)
    page.context.clear_cookies()
    page.locator("#head_name").fill("过期")
    expect(page.locator(STATE)).to_contain_text("登录已过期")


def test_a_change_of_language_keeps_what_is_being_typed(filer: Person, passes: str) -> None:
    page = filer.go(passes)
    _fill_pass(page)
    page.locator(".fg-menu-button").click()
    page.get_by_role("button", name="English").click()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    expect(page.locator("#route")).to_have_value("厂区到港口")
    expect(page.locator("input[name=purpose]").first).to_be_checked()


@pytest.mark.parametrize("arrives", [True, False], ids=["reply-lost", "request-lost"])
def test_a_form_without_an_answer_has_one_effect(app: Flask, filer: Person, passes: str, arrives: bool) -> None:
    page = filer.go(passes)
    _fill_pass(page)

    def lose(route: Route) -> None:
        if route.request.method != "POST":
            route.continue_()
            return
        if arrives:
            route.fetch(max_redirects=0)
        route.abort()

    page.route(f"**{passes}", lose)
    with page.expect_event("requestfailed"):
        _send(page)
    page.unroute(f"**{passes}")
    page.wait_for_url("chrome-error://**")
    page.go_back()
    page.goto(filer.base + passes)
    expect(page.locator("#plate")).to_have_value("浙B66666")
    _send(page)
    expect(page.locator(".fg-flash")).to_contain_text("浙B·66666")
    with app.app_context():
        assert db.session.scalar(select(func.count()).select_from(VehiclePass)) == 1


def test_the_guide_fits_a_phone_in_english_and_large(filer: Person) -> None:
    page = filer.go("/guide")
    for button in ("button[name=locale]", "button[name=text_size]"):
        page.locator(".fg-menu-button").click()
        with page.expect_navigation():
            page.locator(button).click()
    filer.checked.clear()
    filer.look()
    filer.content()  # asserts that no page complained
    assert filer.checked
