"""Bad input on the company's pages: said at the field, nothing typed is lost, never a 500."""

from __future__ import annotations

import datetime as dt
import zipfile
from io import BytesIO

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from tests.builders import PASSWORD, World, png, uscc
from tests.web.company_browser import JSON, Browser, apart, error_at, living, present, revision_of, text_of
from workflow.core.times import shanghai_day
from workflow.data.applications import Application
from workflow.data.idempotency import IdempotencyKey
from workflow.data.materials import MaterialFile
from workflow.data.passes import VehiclePass
from workflow.extensions import db
from workflow.services import applications as application_service

NASTY = "<script>alert(1)</script> {{7*7}} <img src=file:///etc/passwd>"
GOOD = {
    "uscc": uscc(901),
    "company_name": "宁波海曙试验有限公司",
    "contact_name": "吴联络",
    "mobile": "13800138009",
    "password": PASSWORD,
}


@pytest.fixture
def browser(client: FlaskClient, app: Flask) -> Browser:
    return Browser(client, app)


@pytest.fixture
def draft(browser: Browser, world: World) -> str:
    """The address of a draft of the company that is signed in: all answers, no files yet."""
    clerk = living(world).company()
    actor = world.actor(clerk)
    application = application_service.start(actor, next(iter(actor.enterprise_ids)), world.now)
    answers = world.answers(resume_on=(shanghai_day(present()) + dt.timedelta(days=3)).isoformat())
    application_service.save_answers(actor, application.id, answers, revision=None, now=world.now)
    db.session.commit()
    path = f"/applications/{application.id}"
    browser.enter(clerk.login)
    return path


BAD_REGISTRATIONS = [
    ("uscc", uscc(901)[:-1] + ("0" if uscc(901)[-1] != "0" else "1"), "校验不符"),
    ("uscc", "9133020", "应为 18 位，现为 7 位"),
    ("uscc", "I" * 18, "不含字母"),
    ("uscc", "", "请填写统一社会信用代码"),
    ("company_name", "字" * 201, "最多 200 个字，现为 201 个字"),
    ("company_name", "  ", "此项必填"),
    ("company_name", "", "请填写企业名称"),
    ("contact_name", "", "请填写经办人姓名"),
    ("mobile", "0574-87654321", "11 位手机号"),
    ("mobile", "123", "电话号码"),
    ("password", "short", "至少 10 个字符"),
    ("password", "1111111111", "太容易猜到"),
]


def test_registering_says_what_is_wrong(browser: Browser) -> None:
    for field, typed, words in BAD_REGISTRATIONS:
        answer = browser.post("/register", {**GOOD, field: typed})
        assert answer.status_code == 422
        assert words in error_at(answer, field)
        page = answer.get_data(as_text=True)
        assert all(f'value="{v}"' in page for k, v in GOOD.items() if k not in (field, "password"))


def test_a_code_is_taken_in_any_width_and_case_once(browser: Browser) -> None:
    wide = "".join(chr(ord(c) + 0xFEE0) for c in GOOD["uscc"].lower())
    assert browser.post("/register", {**GOOD, "uscc": wide}).status_code == 303
    other = Browser(browser.app.test_client(), browser.app)
    twice = other.post("/register", {**GOOD, "mobile": "13800138008"})
    assert "已注册" in error_at(twice, "uscc")
    assert "已注册" in error_at(other.post("/register", {**GOOD, "uscc": uscc(902)}), "mobile")


BAD_ANSWERS = [
    ("staffing", "resuming_count", "87", "不能多于企业总人数（86 人）"),
    ("staffing", "resuming_count", "0", "至少为 1 人"),
    ("staffing", "head_count", "八十六", "整数"),
    ("staffing", "head_count", "1e99", "整数"),
    ("staffing", "key_area_count", "-1", "整数"),
    ("staffing", "resume_on", "2020-02-09", "不能早于"),
    ("staffing", "resume_on", "2026-02-30", "存在的日期"),
    ("staffing", "resume_on", "9999-12-31", "一年之后"),
    ("staffing", "reason", "字" * 1001, "最多 1000 个字，现为 1001 个字"),
    ("staffing", "priority_class", "vip", "列表中的一项"),
    ("people", "contact_mobile", "0574-87654321", "11 位手机号"),
    ("people", "hotline", "110", "电话号码"),
    ("enterprise", "name", "名" * 201, "最多 200 个字"),
    ("enterprise", "industry", "ZZ", "列表中的一项"),
    ("enterprise", "size", "", "请填写“企业规模”"),
    ("place", "town", "999999999", "列表中的一项"),
    ("place", "address", "\u202e \u200b", "请填写“详细地址”"),
]


def test_an_answer_that_is_wrong_is_kept_and_named(browser: Browser, draft: str) -> None:
    application = db.session.get_one(Application, int(draft.rsplit("/", 1)[1]))
    good = dict(application.answers)
    for topic, field, typed, words in BAD_ANSWERS:
        fields = {**good, field: typed}
        page = browser.get(f"{draft}/{topic}")
        answer = browser.post(f"{draft}/{topic}", fields, revision=revision_of(page), then="next")
        assert answer.status_code == 422, (field, typed)
        assert words in error_at(answer, field), (field, typed)
        assert "data-error-summary" in answer.get_data(as_text=True)
        db.session.refresh(application)
        assert application.answers[field] == typed
        again = browser.post(f"{draft}/{topic}", fields, revision=revision_of(answer), then="list")
        assert again.status_code == 303


def test_a_zone_of_another_town_is_left_behind(browser: Browser, draft: str) -> None:
    path = f"{draft}/place"
    fields = {"town": "330203002", "zone": "330203002-Z1", "address": "试验路 1 号"}
    assert browser.post(path, fields, revision=revision_of(browser.get(path))).status_code == 303
    assert "330203002-Z1" in browser.get("/areas/330203002/below").get_data(as_text=True)
    moved = browser.post(path, {**fields, "town": "330203003"}, revision=revision_of(browser.get(path)))
    assert moved.status_code == 303
    application = db.session.get_one(Application, int(draft.rsplit("/", 1)[1]))
    assert application.answers["town"] == "330203003"
    assert application.answers["zone"] == ""


def test_a_stale_form_keeps_what_was_typed_and_shows_the_other(browser: Browser, draft: str) -> None:
    path = f"{draft}/staffing"
    revision = revision_of(browser.get(path))
    application = db.session.get_one(Application, int(draft.rsplit("/", 1)[1]))
    answers = dict(application.answers)
    first = browser.post(path, {**answers, "reason": "另一窗口写的"}, revision=revision, then="next")
    assert first.status_code == 303
    second = browser.post(path, {**answers, "reason": "我刚写的"}, revision=revision, then="next")
    assert second.status_code == 409
    words = text_of(second)
    assert "我刚写的" in words
    assert "另一窗口写的" in words
    kept = browser.post(path, {**answers, "reason": "我刚写的"}, revision=revision_of(second), then="next")
    assert kept.status_code == 303
    db.session.refresh(application)
    assert application.answers["reason"] == "我刚写的"


def test_autosave_answers_conflicts_and_repeats(browser: Browser, draft: str) -> None:
    path = f"{draft}/autosave"
    application = db.session.get_one(Application, int(draft.rsplit("/", 1)[1]))
    revision = application.revision
    body = {"revision": revision, "fields": {"reason": "改过"}}
    first = browser.autosave(path, body, key="one-autosave-key")
    assert first.json is not None
    assert first.json["revision"] == revision + 1
    assert len(first.json["saved_at"]) == 5
    lost = browser.autosave(path, body, key="one-autosave-key")
    assert lost.json == first.json
    same = browser.autosave(path, {**body, "revision": revision + 1})
    assert same.json is not None
    assert same.json["revision"] == revision + 1
    stale = browser.autosave(path, {"revision": revision, "fields": {"reason": "再改"}})
    assert stale.status_code == 409
    assert stale.json == {"revision": revision + 1, "fields": {"reason": "改过"}}


NO_FORMS = [
    None,
    [],
    "x",
    {},
    {"revision": "1", "fields": {}},
    {"revision": True, "fields": {}},
    {"revision": 1, "fields": []},
    {"revision": 1, "fields": {"no_such": "x"}},
    {"revision": 1, "fields": {"reason": 5}},
    {"revision": 1, "fields": {"reason": None}},
    {"revision": 1, "fields": {"reason": "字" * 20_001}},
]


def test_autosave_refuses_what_is_no_form(browser: Browser, draft: str) -> None:
    for body in NO_FORMS:
        answer = browser.autosave(f"{draft}/autosave", body)
        assert answer.status_code == 422
        assert answer.json is not None
        assert answer.json["error"]


def _zip() -> bytes:
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a.txt", "x")
    return buffer.getvalue()


BAD_FILES = [
    (b"", "空.pdf"),
    (b"MZ\x90\x00" + b"\0" * 200, "表.xlsx"),
    (b"<html><script>alert(1)</script></html>", "网页.pdf"),
    (png(1) + _zip(), "两用.docx"),
    (_zip(), "压缩.docx"),
    (b"%PDF-1.7\n" + b"\0" * 50, "坏.pdf"),
    (b"GIF89a" + b"\0" * 50, "动图.gif"),
]


def test_a_file_that_will_not_do_is_refused_at_its_slot(browser: Browser, draft: str) -> None:
    for content, name in BAD_FILES:
        before = db.session.scalars(select(MaterialFile.id)).all()
        answer = browser.upload(f"{draft}/materials/M02", (content, name))
        assert answer.status_code == 422
        assert error_at(answer, "slot-M02")
        script = browser.upload(f"{draft}/materials/M02", (content, name), script=True)
        assert script.status_code == 422
        assert script.json is not None
        assert script.json["error"]
        assert db.session.scalars(select(MaterialFile.id)).all() == before


def test_a_file_that_is_too_big_is_refused_at_its_slot(browser: Browser, draft: str) -> None:
    big = browser.upload(f"{draft}/materials/M02", (b"%PDF-1.7\n" + b"0" * (21 * 1024 * 1024), "大.pdf"))
    assert big.status_code == 422
    assert "MB" in error_at(big, "slot-M02")
    far = browser.upload(f"{draft}/materials/M02", (b"0" * (82 * 1024 * 1024), "更大.pdf"), script=True)
    assert far.status_code == 413


def test_names_of_files_are_made_safe(browser: Browser, draft: str) -> None:
    for name in ("../../etc/密.png", "C:\\windows\\图.png", "😀家.png", "a\u202egnp.png", "名" * 300 + ".png"):
        answer = browser.upload(f"{draft}/materials/other", (png(9), name), script=True)
        assert answer.status_code == 200, name
        stored = db.session.scalars(select(MaterialFile).order_by(MaterialFile.id.desc())).first()
        assert stored is not None
        assert not {"/", "\\", "\u202e"} & set(stored.name)
        assert len(stored.name) <= 150


def test_too_many_files_and_none_at_all(browser: Browser, draft: str) -> None:
    for number in range(3):
        assert browser.upload(f"{draft}/materials/licence", (png(number), f"{number}.png")).status_code == 303
    full = browser.upload(f"{draft}/materials/licence", (png(7), "第四.png"), script=True)
    assert full.status_code == 422
    none = browser.post(f"{draft}/materials/licence")
    assert "请先选择文件" in error_at(none, "slot-licence")
    assert browser.upload(f"{draft}/materials/M01", (png(8), "甲.png")).status_code == 404
    assert browser.upload(f"{draft}/materials/none", (png(8), "甲.png")).status_code == 404


def test_submitting_a_draft_that_is_not_ready(browser: Browser, world: World) -> None:
    clerk = living(world).company()
    path, revision = f"/applications/{world.draft(clerk, resume_on='2020-02-01').id}", 2
    browser.enter(clerk.login)
    page = browser.get(f"{path}/check")
    assert "还不能提交" in text_of(page)
    answer = browser.post(f"{path}/submit", revision=revision, committed="yes")
    assert answer.status_code == 422
    assert "还有 1 处没有填好" in text_of(answer)
    stale = browser.post(f"{path}/submit", revision=99, committed="yes")
    assert stale.status_code == 409
    assert "重新核对" in text_of(stale)


@pytest.fixture
def passes_path(browser: Browser, world: World) -> str:
    clerk = living(world).company()
    path = f"/cases/{world.approved(clerk).id}/passes"
    browser.enter(clerk.login)
    return path


def _pass(**changes: str) -> dict[str, str]:
    today = shanghai_day(present())
    fields = {
        "plate": "浙B12345",
        "vehicle_type": "中型货车",
        "purpose": "goods",
        "route": "厂区 → 北仑港",
        "drivers": "郑师傅",
        "valid_from_on": today.isoformat(),
        "valid_until_on": (today + dt.timedelta(days=6)).isoformat(),
    }
    return {**fields, **changes}


BAD_REQUESTS = [
    ("plate", "B12345", "省份简称"),
    ("plate", "浙BI2345", "不使用字母 I 和 O"),
    ("plate", "浙B1234567", "应为 7 位"),
    ("plate", "", "请填写车牌号"),
    ("vehicle_type", "车" * 41, "最多 40 个字"),
    ("purpose", "racing", "请选择用途"),
    ("purpose", "", "请选择用途"),
    ("route", "路" * 201, "最多 200 个字"),
    ("drivers", "\n".join("一二三四五六"), "1 至 5 名"),
    ("drivers", "名" * 61, "最多 60 个字"),
    ("valid_from_on", "2020-02-30", "起始日期"),
    ("valid_from_on", "2020-02-15", "不能早于今天"),
    ("valid_until_on", "2020-02-15", "不能早于起始日期"),
    ("valid_until_on", "9999-12-31", "一次最多 14 天"),
]


def test_asking_for_a_pass_says_what_is_wrong(browser: Browser, passes_path: str) -> None:
    for field, typed, words in BAD_REQUESTS:
        answer = browser.post(passes_path, _pass(**{field: typed}))
        assert answer.status_code == 422
        assert words in error_at(answer, field) + text_of(answer)
        page = answer.get_data(as_text=True)
        kept = {k: v for k, v in _pass().items() if k not in (field, "purpose", "drivers")}
        assert all(f'value="{v}"' in page for v in kept.values())
        assert field == "purpose" or typed.split("\n")[0] in page
        assert db.session.scalar(select(VehiclePass.id)) is None


def test_an_expired_form_says_so_and_loses_nothing(browser: Browser, draft: str) -> None:
    application = db.session.get_one(Application, int(draft.rsplit("/", 1)[1]))
    before = application.revision
    browser.app.config["WTF_CSRF_ENABLED"] = True
    answer = browser.post(f"{draft}/staffing", reason="写了很多", revision=before)
    assert answer.status_code == 400
    assert "已失效" in text_of(answer)
    db.session.refresh(application)
    assert application.revision == before


def test_a_form_without_a_good_key_is_refused(browser: Browser, draft: str) -> None:
    for key in ("short", "x" * 65, "键键键键键键键键键", "a b c d e f g"):
        assert browser.post(f"{draft}/discard", key=key).status_code == 422, key
        assert db.session.scalar(select(IdempotencyKey.key).where(IdempotencyKey.key == key)) is None


def test_a_key_used_for_another_body_is_refused(browser: Browser, draft: str) -> None:
    path, key = f"{draft}/place", "the-same-key-twice"
    revision = revision_of(browser.get(path))
    fields = {"town": "330203002", "address": "试验路 1 号"}
    assert browser.post(path, fields, key=key, revision=revision).status_code == 303
    assert browser.post(path, {**fields, "address": "别处"}, key=key, revision=revision).status_code == 422


def test_nasty_text_is_shown_as_text_everywhere(browser: Browser, world: World) -> None:
    clerk = living(world).company(NASTY)
    application = world.draft(clerk, name=NASTY, reason=NASTY, address=NASTY, legal_person=NASTY[:50])
    path, revision = f"/applications/{application.id}", application.revision
    browser.enter(clerk.login)
    pages = ["/company", path, f"{path}/check", f"{path}/materials", f"{path}/enterprise", f"{path}/staffing"]
    assert browser.post(f"{path}/submit", revision=revision, committed="yes").status_code == 303
    case_id = db.session.get_one(Application, application.id, populate_existing=True).case_id
    pages = [f"{path}/check", f"{path}/materials", f"{path}/submitted", f"/cases/{case_id}", "/company", "/messages"]
    for page in pages:
        body = browser.get(page).get_data(as_text=True)
        assert "<script>alert" not in body, page
        assert "<img src=file" not in body, page
        assert " 49 " not in body, page
    assert NASTY in text_of(browser.get(f"{path}/check"))


def test_ids_and_paths_that_are_none(browser: Browser, draft: str) -> None:
    odd = ["/applications/0", "/applications/99999999999999999999", f"{draft}/nothing", "/areas/x/below"]
    odd += ["/documents/0.pdf", "/passes/0.pdf", "/blank-forms/..%2f", "/blank-forms/none", "/cases/0"]
    odd += ["/cases/0/passes", "/cases/9223372036854775808", "/areas/330203/below"]
    for path in odd:
        assert browser.get(path).status_code == 404, path
    for company in ("", "x", "1" * 30, "-1"):
        assert browser.post("/applications", enterprise_id=company).status_code == 404
    for before in ("x", "-1", "1" * 30):
        assert browser.get(f"/messages?before={before}").status_code == 200
    for message in ("999999", "1"):
        assert browser.post("/messages/read", message=message).status_code == 404


def test_a_stranger_with_a_script_is_told_so(browser: Browser) -> None:
    answer = apart(browser.client.post, "/applications/1/autosave", json={}, headers=JSON)
    assert answer.status_code == 401
    assert answer.json is not None


def test_an_expired_sign_in_is_told_from_an_expired_form(browser: Browser, draft: str) -> None:
    browser.app.config["WTF_CSRF_ENABLED"] = True
    stranger = Browser(browser.app.test_client(), browser.app)
    page = f"http://localhost{draft}/staffing"
    answer = apart(stranger.client.post, f"{draft}/staffing", data={"reason": "写了很多"}, headers={"Referer": page})
    assert answer.status_code == 401
    assert 'href="/login"' in answer.get_data(as_text=True)
    with stranger.client.session_transaction() as kept:
        assert kept["next"] == f"{draft}/staffing"
    assert stranger.autosave(f"{draft}/autosave", {"revision": 1, "fields": {}}).status_code == 401
    elsewhere = {"Referer": "https://elsewhere.example/applications/1"}
    other = browser.app.test_client()
    assert apart(other.post, f"{draft}/staffing", data={}, headers=elsewhere).status_code == 401
    with other.session_transaction() as kept:
        assert "next" not in kept
    assert stranger.post("/login", login="x", password="y").status_code == 400
