"""A reviewer clears twenty prepared cases of the queue by keyboard alone: no click, no pointer, from case to case."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browsing import WIDE, Person
from tests.builders import PASSWORD, World
from tests.web.company_browser import living
from workflow.core.actors import Role
from workflow.data import applications, materials
from workflow.data.cases import Case
from workflow.extensions import db
from workflow.services import materials as material_service
from workflow.services import phrases

pytestmark = pytest.mark.browser

CASES, WITH_DEFECT = 20, {4, 11, 17}


def _prepare(world: World, case: Case) -> None:
    """Accept a case and judge all but two of its materials."""
    reviewer = world.officer(Role.REVIEWER)
    world.step(reviewer, case, "accept")
    due = [m for m in materials.of_application(applications.of_case(case.id).id) if m.is_due]
    for material in due[:-2]:
        seen = {"seen_rev": material.content_rev, "late_reason": "", "now": world.now}
        material_service.judge(world.actor(reviewer), case.id, material.id, verdict="ok", words="", **seen)
    db.session.commit()


@pytest.fixture
def login(world: World) -> str:
    """Twenty accepted cases of one reviewer, each with two materials to judge, and a phrase for what is wrong."""
    living(world)
    for _ in range(CASES):
        _prepare(world, world.submitted())
    reviewer = world.officer(Role.REVIEWER)
    phrases.add(world.actor(reviewer), "verdict.wrong", "请加盖公章后重新上传", None, world.now)
    db.session.commit()
    found = reviewer.login
    db.session.remove()
    return found


@pytest.fixture
def reviewer(chromium: Browser, live: str, login: str) -> Iterator[Person]:
    """The reviewer at a browser, signed in; no page may complain."""
    person = Person.arrive(chromium, live, WIDE)
    person.sign_in(login, PASSWORD)
    yield person
    person.page.context.close()
    person.content()


def _press(page: Page, key: str) -> None:
    """Press a key that leads to another page."""
    with page.expect_navigation(wait_until="load"):
        page.keyboard.press(key)


def _send(page: Page) -> None:
    """Send the form that has the focus: with Ctrl+Enter out of a text, with Enter on a button."""
    typing = page.evaluate("document.activeElement.tagName") == "TEXTAREA"
    _press(page, "Control+Enter" if typing else "Enter")


def _judge(page: Page, *, wrong: bool) -> None:
    """Judge the material that is shown; a wrong one gets its words from the standard phrases."""
    page.keyboard.press("2" if wrong else "1")
    if wrong:
        expect(page.locator("#words")).to_be_focused()
        page.keyboard.press("Alt+1")
        expect(page.locator("#words")).to_have_value("请加盖公章后重新上传")
        _press(page, "Control+Enter")
    else:
        _press(page, "Enter")


def _clear(page: Page, *, wrong: bool) -> str:
    """Review the open case to its end; gives its reference."""
    reference = page.locator("main .fg-ref").first.inner_text()
    _press(page, "m")
    _judge(page, wrong=wrong)
    _judge(page, wrong=False)
    expect(page).to_have_url(re.compile("/materials/summary"))
    steps = page.locator("[data-step]")
    wanted = steps.filter(has_text="退回补正" if wrong else "材料审核通过").first
    page.keyboard.press(wanted.get_attribute("data-step") or "1")
    _send(page)
    expect(page.locator(".fg-flash").first).to_contain_text("已办理")
    return reference


def test_twenty_cases_by_keyboard_alone(reviewer: Person) -> None:
    page = reviewer.page
    page.add_init_script("addEventListener('pointerdown', () => { window.name = 'pointer'; }, true)")
    reviewer.go("/desk?tab=mine")
    expect(page.locator("[data-row]")).to_have_count(CASES)
    page.keyboard.press("j")
    _press(page, "Enter")
    reviewer.look()
    done = []
    for number in range(CASES):
        done.append(_clear(page, wrong=number in WITH_DEFECT))
        if number < CASES - 1:
            _press(page, "n")
    assert len(set(done)) == CASES, "no case came twice"
    reviewer.look()
    _press(page, "n")
    expect(page).to_have_url(re.compile(r"/desk\?tab=mine"))
    expect(page.locator("[data-row]")).to_have_count(0)
    assert page.evaluate("window.name") != "pointer", "no pointer was used"


def test_the_keys_can_be_switched_off(reviewer: Person) -> None:
    page = reviewer.go("/desk?tab=mine")
    page.keyboard.press("?")
    expect(page.locator("#fg-shortcuts")).to_contain_text("案件页：下一件")
    page.locator("[data-shortcut-toggle]").uncheck()
    page.locator("[data-dialog-close]").click()
    with page.expect_navigation():
        page.locator("[data-row-link]").first.click()
    address = page.url
    for key in ("m", "n", "1"):
        page.keyboard.press(key)
    assert page.evaluate("document.activeElement === document.body")
    assert page.url == address
