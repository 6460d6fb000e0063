"""The off-line inspection sheet in real Chromium: no signal, lost replies, broken uploads, two phones, signed out."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Browser, expect
from sqlalchemy import select

from tests.browser.phone import Breaks, LosesReplies, Phone, Site, arranged, picture, seen
from tests.browsing import PHONE, Person
from tests.builders import PASSWORD, World
from workflow.core.actors import Role
from workflow.data import audit
from workflow.data.field import FieldOperation
from workflow.data.inspections import Inspection
from workflow.documents import storage
from workflow.extensions import db, settings

pytestmark = pytest.mark.browser

Arrive = Callable[[int], Phone]


@pytest.fixture
def site(app: Flask) -> Iterator[Site]:
    """The site, up."""
    made = Site(app)
    made.start()
    yield made
    made.stop()


@pytest.fixture
def phones(chromium: Browser, site: Site) -> Iterator[Arrive]:
    """A maker of phones for a visit; at the end none of their pages may have complained."""
    made: list[Phone] = []

    def arrive(visit: int) -> Phone:
        made.append(Phone(Person.arrive(chromium, site.address, PHONE), visit))
        return made[-1]

    yield arrive
    for phone in made:
        phone.page.context.close()
        phone.content()


def _marks(visit_id: int) -> dict[str, str | None]:
    with seen(visit_id) as visit:
        return {item.code: item.result for item in visit.items}


def _operations(visit_id: int) -> int:
    with seen(visit_id):
        query = select(FieldOperation).where(FieldOperation.inspection_id == visit_id, FieldOperation.kind == "mark")
        return len(list(db.session.scalars(query)))


def _same_photos(phone: Phone, visit_id: int, count: int) -> None:
    """What the phone hashed when a photo was taken is what the server keeps, in the row and on the disk."""
    taken = {row["client_id"]: row["sha256"] for row in phone.rows("photos")}
    store = storage.open_store(settings().files_url)
    with seen(visit_id) as visit:
        assert len(visit.photos) == count
        assert {p.client_id: p.sha256 for p in visit.photos} == taken
        for photo in visit.photos:
            assert photo.original is not None
            assert hashlib.sha256(storage.read_bytes(store, photo.original.key)).hexdigest() == photo.sha256


def _fill_in(phone: Phone, codes: list[str]) -> None:
    """The whole sheet with 12 photos; the page is loaded anew in the middle."""
    for number, code in enumerate(codes):
        phone.mark(code)
        if number < 12:
            phone.photograph(code, picture(number))
        if number == len(codes) // 2:
            phone.page.reload()
            phone.page.wait_for_selector("#view[data-ready=visit]")


def _finish(phone: Phone) -> None:
    """Look the photos over, sign, and prepare the conclusion."""
    phone.tab("photos")
    phone.look()
    phone.tab("finish")
    phone.sign()
    phone.look()
    phone.conclude("核查通过", "现场与方案一致。")
    expect(phone.page.locator("main")).to_contain_text("结论已存本机")


def test_a_whole_visit_in_a_basement(world: World, site: Site, phones: Arrive) -> None:
    visit, codes, (login, _second) = arranged(world)
    assert len(codes) >= 74
    phone = phones(visit)
    phone.take_along(login)
    phone.signal(False)
    site.stop()
    phone.open()
    phone.look()
    _fill_in(phone, codes)
    _finish(phone)
    phone.close_and_open("finish")
    expect(phone.page.locator("main")).to_contain_text("结论已存本机")
    expect(phone.state).to_contain_text("项待上传")
    with seen(visit) as found:
        assert found.status == "planned"
    assert len(phone.rows("ops")) == len(codes)

    site.start()
    phone.signal(True)
    phone.all_sent()
    expect(phone.page.locator("main")).to_contain_text("这次核查已经办结")
    phone.look()
    with seen(visit) as found:
        assert (found.status, found.outcome) == ("concluded", "pass")
        assert [v.id for v in db.session.scalars(select(Inspection))] == [visit]
        assert list(audit.verify()) == []
    assert _marks(visit) == dict.fromkeys(codes, "conform")
    assert _operations(visit) == len(codes)
    _same_photos(phone, visit, 12)
    assert phone.rows("bytes") == []


def test_replies_are_lost_and_uploads_break(world: World, phones: Arrive) -> None:
    visit, codes, (login, _second) = arranged(world)
    phone = phones(visit)
    phone.take_along(login)
    context = phone.page.context
    phone.signal(False)
    phone.open()
    for number, code in enumerate(codes):
        phone.mark(code)
        if number < 12:
            phone.photograph(code, picture(number))
    context.route("**/field/sync", LosesReplies(2))
    context.route("**/photos/*", Breaks(3))
    phone.signal(True)
    for _time in range(2):  # the marks arrive, what the server says of them does not
        expect(phone.page.locator("#alerts")).to_contain_text("没有信号")
        phone.state.click()
    for _time in range(2):  # and then three photos are cut off on their way
        expect(phone.page.locator("#alerts")).to_contain_text("没有信号")
        phone.state.click()
    expect(phone.page.locator("#alerts")).to_contain_text("没有信号")
    context.unroute("**/photos/*")
    context.route("**/photos/*", LosesReplies(2))
    phone.state.click()  # two more arrive, but the phone is not told
    expect(phone.page.locator("#alerts")).to_contain_text("没有信号")
    phone.push()

    assert _operations(visit) == len(codes)
    assert _marks(visit) == dict.fromkeys(codes, "conform")
    _same_photos(phone, visit, 12)
    times = Counter(line for line in phone.sent if "/photos/" in line)
    assert len(times) == 12
    assert sum(times.values()) <= 15  # only those that were cut off went again; those that had arrived did not
    assert phone.rows("ops") == []


def test_two_phones_merge_item_by_item(world: World, phones: Arrive) -> None:
    visit, codes, logins = arranged(world)
    one, two = phones(visit), phones(visit)
    for phone, login in zip((one, two), logins, strict=True):
        phone.take_along(login)
        phone.signal(False)
        phone.open()
    both, *rest = codes
    half = len(rest) // 2
    for code in rest[:half]:
        one.mark(code)
    for code in rest[half:]:
        two.mark(code, "na")
    one.mark(both, "fail", "名单没有手机号")
    two.mark(both, "na")
    one.signal(True)
    one.push()
    two.signal(True)
    expect(two.item(both).locator(".conflict")).to_contain_text("名单没有手机号")
    expect(two.page.locator("main")).to_contain_text("1 项两人填得不一样")
    two.look()
    assert _marks(visit)[both] == "fail"
    two.item(both).get_by_role("button", name="用我的", exact=True).click()
    expect(two.item(both).locator(".conflict")).to_have_count(0)
    two.push()
    assert _marks(visit) == dict.fromkeys(rest[:half], "conform") | dict.fromkeys(rest[half:], "na") | {both: "na"}
    one.push()
    expect(one.item(both).locator("[data-result=na]")).to_have_attribute("aria-pressed", "true")
    one.tab("finish")
    one.confirm()
    one.push()
    expect(one.page.locator("main")).to_contain_text("已签字")


def test_the_other_ones_answer_may_stand(world: World, phones: Arrive) -> None:
    visit, codes, logins = arranged(world)
    one, two = phones(visit), phones(visit)
    for phone, login, result in zip((one, two), logins, ("conform", "na"), strict=True):
        phone.take_along(login)
        phone.signal(False)
        phone.open()
        phone.mark(codes[1], result)
    one.signal(True)
    one.push()
    two.signal(True)
    two.item(codes[1]).get_by_role("button", name="用对方的", exact=True).click()
    expect(two.item(codes[1]).locator("[data-result=conform]")).to_have_attribute("aria-pressed", "true")
    two.push()
    assert two.rows("ops") == []
    assert _marks(visit)[codes[1]] == "conform"


def test_the_sign_in_expires_meanwhile(world: World, phones: Arrive) -> None:
    visit, codes, (login, _second) = arranged(world)
    phone = phones(visit)
    phone.take_along(login)
    phone.open()
    phone.page.context.clear_cookies()
    phone.mark(codes[0], "fail", "现场未落实")
    expect(phone.page.locator("#alerts")).to_contain_text("登录已过期，内容都在本机")
    phone.look()
    phone.page.get_by_role("link", name="去登录", exact=True).click()
    phone.page.get_by_label("登录名").fill(login)
    phone.page.get_by_label("密码", exact=False).first.fill(PASSWORD)
    phone.page.locator("form[action='/login'] button[type=submit]").click()
    phone.page.wait_for_selector("#view[data-ready]")
    phone.all_sent()
    with seen(visit) as found:
        assert [(i.result, i.note) for i in found.items if i.code == codes[0]] == [("fail", "现场未落实")]


def test_another_person_on_the_same_phone(world: World, phones: Arrive) -> None:
    visit, codes, (login, _second) = arranged(world)
    stranger = world.new_officer(Role.INSPECTOR, "330203001").login
    db.session.remove()
    phone = phones(visit)
    phone.take_along(login)
    phone.signal(False)
    phone.open()
    phone.mark(codes[0], "na")
    phone.page.context.clear_cookies()
    phone.signal(True)
    phone.person.sign_in(stranger, PASSWORD)
    phone.page.goto(f"{phone.person.base}/field/")
    expect(phone.page.locator("main")).to_contain_text("1 项未上传")
    expect(phone.page.locator(".visit")).to_have_count(0)
    assert len(phone.rows("ops")) == 1
    assert _operations(visit) == 0


def test_limits_are_said_at_once(world: World, phones: Arrive) -> None:
    visit, codes, (login, _second) = arranged(world)
    phone = phones(visit)
    phone.take_along(login)
    phone.open()
    row = phone.page.locator(".item:has([data-part=measured])").first
    row.locator("[data-part=measured]").fill("-1")
    row.locator("[data-part=measured]").blur()
    expect(row.locator("[data-part=problem]")).to_contain_text("应判为不符合")
    row.locator("[data-result=conform]").click()
    expect(row.locator("[data-part=problem]")).to_contain_text("不能判为符合")
    phone.all_sent()  # and the row was drawn again: the reason is still there
    expect(row.locator("[data-part=problem]")).to_contain_text("不能判为符合")
    expect(row.locator("button[data-result=conform]")).to_have_attribute("aria-pressed", "false")
    row.locator("button[data-result=fail]").click()
    expect(row.locator("[data-part=problem]")).to_contain_text("请写明情况")
    assert codes


def test_a_refused_conclusion_says_why(world: World, phones: Arrive) -> None:
    visit, codes, (login, _second) = arranged(world)
    phone = phones(visit)
    phone.take_along(login)
    phone.open()
    for code in codes[1:]:
        phone.mark(code, "na")
    phone.mark(codes[0], "fail", "没有成立领导小组")
    phone.tab("finish")
    phone.conclude("核查通过", "现场与方案一致。")
    expect(phone.page.locator("#conclude .note--danger")).to_be_visible()
    expect(phone.page.locator("#conclusion-words")).to_have_value("现场与方案一致。")
    phone.look()
    with seen(visit) as found:
        assert found.status == "planned"


def test_a_visit_given_to_somebody_else_stays_on_the_phone(world: World, phones: Arrive) -> None:
    visit, codes, (login, _second) = arranged(world)
    other = world.new_officer(Role.INSPECTOR).person_id
    db.session.remove()
    phone = phones(visit)
    phone.take_along(login)
    phone.signal(False)
    phone.open()
    phone.mark(codes[0], "fail", "现场未落实")
    db.session.get_one(Inspection, visit).lead_id = other
    db.session.commit()
    phone.signal(True)
    expect(phone.item(codes[0]).locator("[data-part=problem]")).to_contain_text("已改由他人办理")
    phone.page.goto(f"{phone.person.base}/field/#/")
    expect(phone.page.locator("main")).to_contain_text("已不由您核查")
    phone.look()
    with phone.page.expect_download() as coming:
        phone.page.get_by_role("button", name="导出本机内容", exact=True).click()
    content = json.loads(Path(coming.value.path()).read_text())
    assert [(mark["code"], mark["note"]) for mark in content["marks"]] == [(codes[0], "现场未落实")]
    assert _marks(visit)[codes[0]] is None
