"""The company's and the public pages: whose they are, what they cost, and what they say."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import insert, select

from tests.builders import World, png
from tests.web.company_browser import Browser, living, present, statements, text_of
from workflow.core.actors import Role
from workflow.core.times import shanghai_day
from workflow.data import applications, catalogue, issued
from workflow.data.cases import Case
from workflow.data.issued import DocumentKind
from workflow.data.materials import Material, MaterialFile
from workflow.data.messages import Message
from workflow.data.people import Account
from workflow.documents import storage
from workflow.extensions import db, settings
from workflow.jobs import drain
from workflow.services import passes as pass_service

MOST_STATEMENTS = 15


@pytest.fixture
def browser(client: FlaskClient, app: Flask) -> Browser:
    return Browser(client, app)


def rectifying(world: World, clerk: Account) -> Case:
    """A case whose company has two items to put right."""
    case = world.scheduled(clerk)
    visit = world.fill_sheet(case)
    codes = [i.code for i in visit.items if not i.is_veto][:2]
    return world.conclude(case, "order_rectification", *codes)


def test_another_companys_ids_do_not_exist(browser: Browser, world: World) -> None:
    owner, other = living(world).company(), world.company()
    draft = world.draft(world.company())
    case = rectifying(world, owner)
    approved = world.approved(owner)
    asked = pass_service.request_pass(world.actor(owner), approved.id, world.pass_request(), world.now)
    pass_service.grant(world.actor(world.officer(Role.LEADER)), asked.id, world.now)
    db.session.commit()
    application = applications.of_case(case.id)
    file = db.session.scalars(select(MaterialFile.id).join(Material).where(Material.application_id == draft.id)).first()
    path, cases, rev = f"/applications/{draft.id}", f"/cases/{case.id}", draft.revision
    reads = [path, f"{path}/place", f"{path}/check", f"{path}/materials", f"{path}/submitted", cases]
    reads += [f"{cases}/rectification", f"{cases}/passes", f"{cases}/corrections", f"/passes/{asked.id}.pdf"]
    reads += [f"/documents/{d.id}.pdf" for d in issued.of_case(case.id)]
    reads += [f"/applications/{application.id}/{page}" for page in ("check", "materials", "submitted")]
    writes = [f"{path}/discard", f"{path}/submit", f"{path}/place", f"{path}/materials/files/{file}/remove"]
    writes += [f"{cases}/rectification", f"{cases}/passes", f"{cases}/steps/withdraw"]
    enterprise_id = draft.enterprise_id
    browser.enter(other.login)
    for address in reads:
        assert browser.get(address).status_code == 404, address
    for address in writes:
        answer = browser.post(address, revision=rev, version=1, committed="yes", then="next")
        assert answer.status_code == 404, address
    assert browser.upload(f"{path}/materials/M02", (png(1), "a.png")).status_code == 404
    assert browser.autosave(f"{path}/autosave", {"revision": rev, "fields": {}}).status_code == 404
    assert browser.post("/applications", enterprise_id=enterprise_id).status_code == 404


def test_a_file_is_removed_only_through_its_own_application(browser: Browser, world: World) -> None:
    clerk = living(world).company()
    world.submitted(clerk)
    old = db.session.scalars(select(MaterialFile.id)).first()
    draft = world.draft(clerk)
    path = f"/applications/{draft.id}"
    browser.enter(clerk.login)
    assert browser.post(f"{path}/materials/files/{old}/remove").status_code == 404


def test_no_page_of_the_main_line_costs_more_than_it_may(browser: Browser, world: World, app: Flask) -> None:
    clerk = living(world).company()
    reviewer = world.officer(Role.REVIEWER)
    cases = [world.submitted(clerk) for _ in range(8)]
    world.step(reviewer, cases[1], "accept")
    world.judge_all(cases[1], M01="请改", licence="模糊")
    world.step(reviewer, cases[1], "return_for_correction")
    case = rectifying(world, clerk)
    approved = world.approved(clerk, size="above")
    for number in range(12):
        request = world.pass_request(f"浙B1234{number}" if number < 10 else f"浙B123{number}")
        pass_service.request_pass(world.actor(clerk), approved.id, request, world.now)
    db.session.commit()
    application = applications.of_case(cases[1].id)
    draft = world.draft(clerk)
    path, sent = f"/applications/{draft.id}", f"/applications/{application.id}"
    topics = ("enterprise", "place", "people", "staffing", "conditions", "materials", "check")
    pages = ["/company", path, *(f"{path}/{t}" for t in topics), "/messages", "/areas/330203002/below"]
    pages += [f"{sent}/materials", f"{sent}/check", f"{sent}/submitted", f"{sent}/staffing"]
    pages += [f"/cases/{c.id}" for c in (cases[0], cases[1], case, approved)]
    pages += [f"/cases/{case.id}/rectification", f"/cases/{approved.id}/passes"]
    login = clerk.login
    drain.drain(present)
    browser.enter(login)
    costs = {}
    for page in pages:
        with statements(app) as seen:
            assert browser.get(page).status_code == 200, page
        costs[page] = len(seen)
    assert {page: n for page, n in costs.items() if n > MOST_STATEMENTS} == {}


def test_messages_are_paged_and_marked(browser: Browser, world: World) -> None:
    clerk = living(world).company()
    case = world.submitted(clerk)
    label = {"zh": "专班受理了申请", "en": "Accepted"}
    rows = [
        {
            "enterprise_id": case.enterprise_id,
            "case_id": case.id,
            "outbox_id": 1000 + n,
            "event": "accept",
            "details": {"done": label, "state": label, "your_turn": n == 0},
            "created_at": world.now,
        }
        for n in range(45)
    ]
    db.session.execute(insert(Message), rows)
    db.session.commit()
    ids = list(db.session.scalars(select(Message.id).order_by(Message.id.desc())))
    reference = case.reference
    browser.enter(clerk.login)
    seen: list[int] = []
    path = "/messages"
    while path:
        page = browser.get(path).get_data(as_text=True)
        seen += [int(n) for n in re.findall(r'name="message" value="(\d+)"', page)]
        older = re.search(r'href="(/messages\?before=\d+)"[^>]*rel="next"', page)
        path = older.group(1) if older else ""
    assert seen == ids
    assert "45 条未读" in text_of(browser.get("/messages"))
    assert reference in text_of(browser.get("/messages"))
    one = browser.post("/messages/read", message=ids[0])
    assert one.headers["Location"] == f"/cases/{case.id}"
    assert "44 条未读" in text_of(browser.get("/messages"))
    assert browser.post("/messages/read").status_code == 303
    assert "没有未读消息" in text_of(browser.get("/messages"))


def test_the_public_check_says_each_status_in_words(browser: Browser, world: World) -> None:
    clerk = living(world).company()
    case = world.approved(clerk)
    today = shanghai_day(present())
    lead, tokens = world.officer(Role.LEADER), {}
    spans = {
        "有效": (today - dt.timedelta(days=1), today + dt.timedelta(days=2)),
        "已过期": (today - dt.timedelta(days=1), today - dt.timedelta(days=1)),
        "未到生效日期": (today + dt.timedelta(days=2), today + dt.timedelta(days=3)),
        "已撤销": (today, today + dt.timedelta(days=1)),
    }
    world.now = present() - dt.timedelta(days=2)
    for number, (word, (first, last)) in enumerate(spans.items()):
        request = world.pass_request(f"浙B5432{number}", valid_from_on=first, valid_until_on=last)
        asked = pass_service.request_pass(world.actor(clerk), case.id, request, world.now)
        pass_service.grant(world.actor(lead), asked.id, world.now)
        tokens[word] = (asked.token or "", asked.plate)
        if word == "已撤销":
            pass_service.revoke(world.actor(lead), asked.id, "车辆转让", world.now)
    db.session.commit()
    notice = next(d for d in issued.of_case(case.id) if d.kind == DocumentKind.NOTICE)
    paper, number = notice.token, notice.number
    for word, (token, plate) in tokens.items():
        answer = browser.get(f"/c/{token}")
        words = text_of(answer)
        assert word in words
        assert plate[2:] in words
        assert ("不能放行" in words) == (word in ("已过期", "已撤销"))
        assert "noindex" in answer.headers["X-Robots-Tag"]
        for private in ("郑师傅", "13800", "经办"):
            assert private not in words
    genuine = tokens["有效"][0]
    changed = ("A" if genuine[-9] != "A" else "B").join((genuine[:-9], genuine[-8:]))
    for token in (changed, "x", "%00", "😀", "A" * 3000, genuine[:-3]):
        assert "伪造或损坏" in text_of(browser.get(f"/c/{token}")), token
    assert number in text_of(browser.get(f"/C/{paper}"))
    for code in ("ABC", "'; DROP TABLE passes", "字" * 500, "%"):
        assert "查无此证" in text_of(browser.get(f"/check?code={code}"))
    assert "核验码" in text_of(browser.get("/check?code="))


def test_a_paper_says_the_same_before_and_after_it_is_stored(browser: Browser, world: World) -> None:
    clerk = living(world).company()
    case = world.submitted(clerk)
    receipt = issued.of_case(case.id)[0].id
    browser.enter(clerk.login)
    made = browser.get(f"/documents/{receipt}.pdf")
    drain.drain(present)
    db.session.rollback()
    document = db.session.get_one(issued.IssuedDocument, receipt, populate_existing=True)
    assert document.file is not None
    assert storage.read_bytes(storage.open_store(settings().files_url), document.file.key) == made.data
    assert browser.get(f"/documents/{receipt}.pdf?download=1").data == made.data


def test_blank_forms_can_be_fetched_by_everybody(browser: Browser, world: World) -> None:
    guide = browser.get("/guide").get_data(as_text=True)
    addresses = sorted(set(re.findall(r'href="(/blank-forms/[\w-]+)"', guide)))
    assert len(addresses) >= 6
    for address in addresses:
        answer = browser.get(address)
        assert answer.data.startswith(b"PK")
        assert answer.headers["Content-Disposition"].startswith("attachment")


def test_the_guide_tells_every_flow(browser: Browser) -> None:
    page = browser.get("/guide")
    words = text_of(page)
    assert "规下（限下）企业复工审核" in words
    assert "规上（限上）企业复工审核" in words
    assert "合计（不含补正和整改） 7 个工作日" in words
    led_to = {rule.flow for rule in catalogue.shipped_rules().all_rules}
    assert page.get_data(as_text=True).count('<svg class="fg-flow__svg"') == len(led_to)


def test_demo_people_are_offered_in_demo_mode_only(browser: Browser, world: World) -> None:
    clerk = living(world).company()
    clerk.is_demo = True
    db.session.commit()
    login = clerk.login
    page = browser.get("/login").get_data(as_text=True)
    assert f'name="login" value="{login}"' in page
    assert browser.post("/login/demo", login=login).status_code == 303
    assert "我的申请" in text_of(browser.get("/company"))


def test_a_new_version_of_the_same_name_is_numbered(browser: Browser, world: World) -> None:
    clerk = living(world).company()
    path = f"/applications/{world.draft(clerk).id}/materials"
    browser.enter(clerk.login)
    page = browser.upload(f"{path}/M04", (png(77), "扫描件.png"), script=True)
    assert page.json is not None
    assert "第 2 版" in page.json["html"]


def test_the_case_page_offers_only_what_the_flow_offers(browser: Browser, world: World) -> None:
    clerk = living(world).company()
    case = world.submitted(clerk)
    path = f"/cases/{case.id}"
    browser.enter(clerk.login)
    page = browser.get(path).get_data(as_text=True)
    assert re.findall(r"/steps/(\w+)", page) == ["withdraw"]
    assert "专班科员" in page
    home = text_of(browser.get("/company"))
    assert "现由 江厦街道 · 专班科员 办理" in home
    assert "等您办理" not in home
