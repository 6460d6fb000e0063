"""The guard's page in real Chromium: a shift without signal, synced once, and everything that a pass can have wrong."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from playwright.sync_api import Browser, expect
from sqlalchemy import select

from tests.browser.gate import Guard, Shift, photo_of, shift
from tests.browser.phone import Breaks, LosesReplies, Site
from tests.browsing import PHONE, Person
from tests.builders import World
from tests.services import gates_at_work
from workflow.core.actors import Role
from workflow.data.gates import GateEntry
from workflow.data.passes import VehiclePass
from workflow.extensions import db
from workflow.services import gates

pytestmark = pytest.mark.browser

Arrive = Callable[[], Guard]


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

    def arrive() -> Guard:
        made.append(Guard(Person.arrive(chromium, site.address, PHONE)))
        return made[-1]

    yield arrive
    for guard in made:
        guard.page.context.close()
        guard.content()


def _entries() -> list[GateEntry]:
    db.session.rollback()
    found = list(db.session.scalars(select(GateEntry).order_by(GateEntry.at, GateEntry.id)))
    db.session.expunge_all()  # what was read can be looked at without another transaction
    db.session.rollback()
    return found


def _settle(at: Shift, found: VehiclePass, status: str) -> None:
    at.world.now = dt.datetime.now(dt.UTC)
    gates_at_work.settle(at.world, db.session.get_one(VehiclePass, found.id), status)
    at.done()


def test_a_whole_shift_without_signal(world: World, site: Site, guards: Arrive) -> None:
    at = shift(world)
    good, dead = at.granted("浙B12345"), at.granted("浙B67890")
    _settle(at, dead, "revoked")
    texts = [at.text_of(found) for found in (good, dead)]
    at.done()
    guard = guards()
    guard.enrol(at.code)
    assert "enrol" not in guard.page.url
    guard.look()
    guard.signal(False)
    site.stop()
    guard.open()
    guard.ready("scan")
    expect(guard.strip).to_contain_text("作废名单")

    _three_vehicles(guard, texts)
    assert len(guard.rows()) == 3
    guard.open()
    expect(guard.strip).to_contain_text("3 条待上传")

    site.start()
    guard.signal(True)
    guard.push()
    expect(guard.strip).not_to_contain_text("待上传")
    assert guard.rows() == []
    found = _entries()
    assert [(e.decision, e.verdict, e.checked, e.plate, e.is_offline) for e in found] == [
        ("pass", "valid", "valid", "浙B12345", True),
        ("turn_back", "revoked", "revoked", "浙B67890", True),
        ("hand_over", "valid", "valid", "浙B12346", True),
    ]
    assert "fever" in found[2].alarms
    assert "mismatch" in found[2].alarms
    guard.page.locator("a[href='#/log']").click()
    guard.ready("log")
    guard.look()


def _three_vehicles(guard: Guard, texts: list[str]) -> None:
    """One that is let through, one whose pass is dead, one with another plate and a fever."""
    guard.show(photo_of(texts[0]))
    guard.verdict("green", "放行")
    expect(guard.page.locator(".plate")).to_have_text("浙B·12345")
    expect(guard.page.locator(".face")).to_contain_text("未联网核对")
    guard.look()
    guard.pass_through()
    guard.show(photo_of(texts[1], 2))
    guard.verdict("red", "证件已作废")
    guard.look()
    guard.decide("turn_back")
    guard.show(photo_of(texts[0], 3))
    guard.press("不一致")
    guard.keys("浙B12346")
    guard.verdict("red", "车牌不一致")
    guard.press("测体温")
    for digit in "375":
        guard.page.locator(".keys--digits").get_by_role("button", name=digit, exact=True).click()
    guard.press("记下")
    expect(guard.page.locator("dialog.sheet")).to_contain_text("发热")
    guard.look()
    guard.press("完成")
    expect(guard.page.locator("[data-decision=hand_over]")).to_have_class("button button--amber button--tall")
    guard.look()
    guard.decide("hand_over")


def test_replies_are_lost_and_requests_break(world: World, guards: Arrive) -> None:
    at = shift(world)
    text = at.text_of(at.granted("浙B12345"))
    at.done()
    guard = guards()
    guard.enrol(at.code)
    guard.signal(False)
    for number in range(3):
        guard.show(photo_of(text, number))
        guard.pass_through()
    made = guard.page.evaluate(_MANY, 600)
    assert made == 603
    context = guard.page.context
    context.route("**/gate/sync", LosesReplies(2))
    guard.signal(True)
    for _time in range(2):
        expect(guard.strip).to_contain_text("待上传")
        guard.strip.click()
    context.unroute("**/gate/sync")
    context.route("**/gate/sync", Breaks(1))
    guard.strip.click()
    guard.push()
    expect(guard.strip).not_to_contain_text("待上传", timeout=60_000)
    found = _entries()
    assert len(found) == 603
    assert len({e.client_id for e in found}) == 603
    assert guard.rows() == []


_MANY = """async (n) => {
  const store = await import('/static/gate/store.js');
  const { without } = await import('/static/gate/passage.js');
  for (let i = 0; i < n; i += 1) await store.keepEntry(without(`浙B${10000 + i}`).entry('turn_back', ''), null);
  return store.waitingCount();
}"""


def test_a_pass_dies_and_the_phone_knows_at_the_next_contact(world: World, guards: Arrive) -> None:
    at = shift(world)
    found = at.granted("浙B12345")
    text = at.text_of(found)
    at.done()
    guard = guards()
    guard.enrol(at.code)
    guard.show(photo_of(text))
    guard.verdict("green", "已联网核对")
    expect(guard.page.locator(".face")).to_contain_text("有限公司")
    guard.press("不登记，返回")
    guard.ready("scan")
    _settle(at, found, "suspended")
    guard.page.context.route("**/gate/bundle*", lambda route: route.abort())
    guard.show(photo_of(text))  # the list does not know it yet, the server does
    guard.verdict("red", "证件已作废")
    guard.press("不登记，返回")
    guard.page.context.unroute("**/gate/bundle*")
    guard.push()
    expect(guard.strip).to_contain_text("共 1 个")
    guard.signal(False)
    guard.show(photo_of(text))
    guard.verdict("red", "证件已作废")
    guard.press("不登记，返回")
    guard.signal(True)
    _settle(at, found, "granted")
    guard.push()
    expect(guard.strip).to_contain_text("共 0 个")


def test_a_revoked_phone_forgets_everything(world: World, guards: Arrive) -> None:
    at = shift(world)
    text = at.text_of(at.granted("浙B12345"))
    at.done()
    guard = guards()
    guard.enrol(at.code)
    guard.signal(False)
    guard.show(photo_of(text))
    guard.pass_through()
    gates.revoke(at.world.actor(at.world.officer(Role.LEADER)), at.device_id, dt.datetime.now(dt.UTC))
    at.done()
    guard.signal(True)
    guard.ready("enrol")
    expect(guard.view).to_contain_text("已被停用")
    expect(guard.view).to_contain_text("1 条记录没有上传")
    guard.look()
    assert guard.rows() == []
    assert "secret" not in str(guard.rows("settings"))
    assert _entries() == []
