"""The guard's page when something is odd: no signal for long, the clock turned back, an old list, other codes."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from playwright.sync_api import Browser, Route, expect
from sqlalchemy import select

from tests.browser.gate import Guard, Shift, photo_of, shift
from tests.browser.phone import LosesReplies, Site
from tests.browsing import PHONE, WIDE, Person
from tests.builders import World
from tests.services import gates_at_work
from workflow.core.times import shanghai_day
from workflow.data.gates import GateEntry
from workflow.extensions import db
from workflow.services import issuing

pytestmark = pytest.mark.browser

Arrive = Callable[[dict[str, int]], Guard]
SIDEWAYS = {"width": 844, "height": 390}


@pytest.fixture
def site(app: Flask) -> Iterator[Site]:
    """The site, up."""
    made = Site(app)
    made.start()
    yield made
    made.stop()


@pytest.fixture
def guards(chromium: Browser, site: Site) -> Iterator[Arrive]:
    """A maker of guards' phones; at the end none of their pages may have complained."""
    made: list[Guard] = []

    def arrive(viewport: dict[str, int] = PHONE) -> Guard:
        made.append(Guard(Person.arrive(chromium, site.address, viewport)))
        return made[-1]

    yield arrive
    for guard in made:
        guard.page.context.close()
        guard.content()


def _entry() -> GateEntry:
    db.session.rollback()
    found = db.session.scalars(select(GateEntry)).one()
    db.session.expunge_all()
    db.session.rollback()
    return found


def _text(at: Shift, plate: str = "浙B12345") -> str:
    text = at.text_of(at.granted(plate))
    at.done()
    return text


def _hours_on(guard: Guard, hours: float) -> None:
    guard.page.clock.set_fixed_time(dt.datetime.now() + dt.timedelta(hours=hours))  # noqa: DTZ005 - the phone's clock
    guard.page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")


def test_the_age_of_the_list_and_what_comes_of_it(world: World, guards: Arrive) -> None:
    at = shift(world)
    text = _text(at)
    guard = guards(PHONE)
    guard.enrol(at.code)
    guard.signal(False)
    _hours_on(guard, 5)
    expect(guard.strip).to_have_attribute("data-tone", "amber")
    guard.look()
    guard.show(photo_of(text))
    guard.verdict("green")
    guard.press("不登记，返回")
    _hours_on(guard, 25)
    expect(guard.strip).to_have_attribute("data-tone", "red")
    guard.show(photo_of(text))
    guard.verdict("amber", "名单太旧")
    guard.look()
    guard.press("不登记，返回")
    _hours_on(guard, 73)
    expect(guard.strip).to_have_attribute("data-tone", "none")
    expect(guard.page.locator("#alerts")).to_contain_text("本机不能核验")
    guard.show(photo_of(text))
    guard.verdict("amber", "请联网")
    names = guard.page.evaluate("import('/static/gate/store.js').then((s) => s.settings()).then((s) => Object.keys(s))")
    assert not {"list", "jwks"} & set(names)
    guard.press("不登记，返回")


def test_a_clock_that_was_turned_back_is_noticed(world: World, guards: Arrive) -> None:
    at = shift(world)
    text = _text(at)
    guard = guards(PHONE)
    guard.enrol(at.code)
    guard.signal(False)
    _hours_on(guard, -48)
    expect(guard.page.locator("#alerts")).to_contain_text("手机时间被调回过")
    guard.look()
    guard.show(photo_of(text))
    guard.verdict("amber", "时间不准")
    guard.press("车牌一致")
    guard.press("放行")
    guard.press("已电话核实")
    guard.ready("scan")
    (row,) = guard.rows()
    assert row["body"]["words"] == "已电话核实；手机时间被调回"
    guard.signal(True)
    guard.push()
    expect(guard.page.locator("#alerts")).to_contain_text("手机时间与服务器相差")
    assert "clock" in _entry().alarms
    assert "overridden" not in _entry().alarms


def test_an_older_list_is_refused_and_said(world: World, guards: Arrive) -> None:
    at = shift(world)
    guard = guards(PHONE)
    context = guard.page.context
    bundles: list[bytes] = []

    def listen(route: Route) -> None:
        answer = route.fetch()
        bundles.append(answer.body())
        route.fulfill(response=answer)

    context.route("**/gate/bundle*", listen)
    guard.enrol(at.code)
    world.now = dt.datetime.now(dt.UTC)
    gates_at_work.settle(world, at.granted("浙B67890"), "revoked")
    at.done()
    guard.push()
    expect(guard.strip).to_contain_text("共 1 个")
    context.unroute("**/gate/bundle*")
    context.route("**/gate/bundle*", lambda route: route.fulfill(body=bundles[0], content_type="application/json"))
    guard.push()
    expect(guard.page.locator("#alerts")).to_contain_text("比本机的旧")
    expect(guard.strip).to_contain_text("共 1 个")
    guard.look()


def test_codes_that_are_no_passes_are_named_and_not_kept(world: World, guards: Arrive) -> None:
    at = shift(world)
    good = _text(at)
    guard = guards(PHONE)
    guard.enrol(at.code)
    guard.signal(False)
    told = {
        "HC1:6BFOXN%TS3DH0YOJ58S S-W5HDC *M0II5XHC9B5G2+$N IOP-IA%NFQGRJPC": "健康证明",
        "https://www.example.com/s?id=1": "这是一个网址",
        good + good: "重复拼接",
        good[:-30]: "不完整",
        good[:-20] + "A" * 20: "签名不符",
    }
    for number, (text, words) in enumerate(told.items()):
        guard.show(photo_of(text, number))
        guard.verdict("red", words)
        guard.look()
        guard.press("不登记，返回")
    guard.show(photo_of("HC1:6BFOXN%TS3DH0YOJ58S S-W5HDC", 9))
    guard.press("填车牌")
    guard.keys("浙B99999")
    guard.decide("turn_back")
    (row,) = guard.rows()
    assert (row["body"]["token"], row["body"]["verdict"], row["body"]["plate"]) == ("", "unknown", "浙B99999")


def test_by_hand_with_signal(world: World, guards: Arrive) -> None:
    at = shift(world)
    found = at.granted("浙B12345")
    code, wrong = str(found.short_code), str(found.short_code)[::-1]
    at.done()
    guard = guards(PHONE)
    guard.enrol(at.code)
    guard.press("输核验码")
    for letter in wrong:
        guard.page.locator(".keys").get_by_role("button", name=letter, exact=True).click()
    if wrong != code:
        expect(guard.page.locator("dialog.sheet")).to_contain_text(re.compile("核验码有误|没有输错"))
    guard.look()
    guard.keys(code)
    guard.ready("check")
    guard.verdict("green", "已联网核对")
    expect(guard.page.locator(".plate")).to_have_text("浙B·12345")
    guard.pass_through()
    guard.push()
    assert _entry().checked == "valid"


def test_by_hand_without_signal_nothing_is_said_to_be_valid(world: World, guards: Arrive) -> None:
    at = shift(world)
    code = str(at.granted("浙B12345").short_code)
    at.done()
    guard = guards(PHONE)
    guard.enrol(at.code)
    guard.signal(False)
    guard.press("输核验码")
    guard.keys(code)
    guard.ready("check")
    guard.verdict("amber", "无法离线核验")
    guard.press("不登记，返回")
    guard.press("输车牌")
    guard.keys("浙B12345")
    guard.ready("check")
    guard.verdict("amber", "只凭车牌无法离线核验")
    guard.decide("hand_over")
    guard.signal(True)
    guard.press("没有通行证，登记车辆")
    guard.keys("沪A12345")
    guard.ready("check")
    guard.verdict("amber", "没有通行证")
    guard.press("加一人")
    guard.decide("turn_back")
    guard.push()
    db.session.rollback()
    assert sorted((e.way, e.verdict, e.heads) for e in db.session.scalars(select(GateEntry))) == [
        ("none", "none", 2),
        ("plate", "unknown", 1),
    ]


def test_a_code_of_enrolment_is_good_once(world: World, guards: Arrive) -> None:
    at = shift(world)
    at.done()
    guard, late = guards(PHONE), guards(PHONE)
    context = guard.page.context
    guard.page.goto(f"{guard.person.base}/gate/#enrol=short")
    guard.ready("enrol")
    guard.enrol(at.code)
    guard.page.goto(f"{guard.person.base}/gate/#enrol={at.code}")
    expect(guard.view).to_contain_text("已经是“东门卡口”的设备")
    assert at.code not in guard.page.url
    guard.look()
    late.page.goto(f"{late.person.base}/gate/#enrol={at.code}")
    late.press("设为卡口设备")
    expect(late.view).to_contain_text("登记码已使用、已过期或不存在")
    expect(late.page.get_by_role("button", name="设为卡口设备")).to_be_disabled()
    late.look()
    other = guards(PHONE)
    other.page.context.route("**/gate/enrol", LosesReplies(1))
    other.page.goto(f"{other.person.base}/gate/#enrol={'x' * 43}")
    other.press("设为卡口设备")
    expect(other.view).to_contain_text("没有收到服务器的答复")
    assert context.pages


def test_it_fits_every_screen_and_speaks_both_languages(world: World, guards: Arrive) -> None:
    at = shift(world)
    text = _text(at, "浙BD12345")
    guard = guards(PHONE)
    guard.enrol(at.code)
    for viewport, theme, size, language in (
        (SIDEWAYS, "dark", "normal", "zh_Hans"),
        (WIDE, "light", "normal", "en"),
        (PHONE, "dark", "large", "en"),
        ({"width": 360, "height": 640}, "light", "large", "zh_Hans"),
    ):
        guard.page.set_viewport_size(viewport)  # type: ignore[arg-type]
        kept = {"gate.theme": theme, "gate.size": size, "gate.language": language}
        guard.page.evaluate("(kept) => Object.entries(kept).forEach(([k, v]) => localStorage.setItem(k, v))", kept)
        guard.open()
        guard.look()
        guard.show(photo_of(text))
        guard.look()
        guard.page.locator(".pair .button--go").click()
        guard.look()
        for decision in ("pass", "turn_back", "hand_over"):
            box = guard.page.locator(f"[data-decision={decision}]").bounding_box()
            assert box is not None
            assert box["height"] >= 56
            assert box["y"] + box["height"] <= viewport["height"]
        guard.page.locator(".act > .button--quiet").click()
        for view in ("settings", "log"):
            guard.page.evaluate(f"location.hash = '#/{view}'")
            guard.ready(view)
            guard.look()
        guard.page.evaluate("location.hash = '#/'")
        guard.ready("scan")


def test_a_paper_is_no_pass(world: World, guards: Arrive) -> None:
    at = shift(world)
    today = shanghai_day(at.world.now)
    token = issuing.document_token("notice", "ABCDEFGH2", "-", "330203", today, today + dt.timedelta(days=30))
    at.done()
    guard = guards(PHONE)
    guard.enrol(at.code)
    guard.show(photo_of(issuing.check_url(token)))
    guard.verdict("amber", "不是通行证")
    guard.press("不登记，返回")
