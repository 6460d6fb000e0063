"""The company's main line over HTTP: from registering to a printed pass, with the office's steps taken by services."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from tests.builders import PASSWORD, World, png, uscc
from tests.web.company_browser import Browser, error_at, living, present, revision_of, text_of
from workflow.core.actors import Role
from workflow.core.questions import topics_for
from workflow.core.times import shanghai_day
from workflow.data import passes
from workflow.data.applications import Application
from workflow.data.cases import Case
from workflow.data.enterprises import Enterprise
from workflow.data.materials import Material, MaterialFile
from workflow.data.people import Account
from workflow.extensions import db
from workflow.services import passes as pass_service


@pytest.fixture
def browser(client: FlaskClient, app: Flask) -> Browser:
    return Browser(client, app)


def register(browser: Browser) -> str:
    answer = browser.post(
        "/register",
        uscc=f" {uscc(7).lower()} ",
        company_name="宁波海曙试验精密机械制造有限公司",
        contact_name="吴联络",
        mobile="13800138000",
        password=PASSWORD,
    )
    assert answer.status_code == 303, text_of(answer)
    return str(answer.headers["Location"])


def one(entity: type[object]) -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(entity)) or 0


def topics(browser: Browser, application_id: int, answers: dict[str, str]) -> None:
    for topic in topics_for(answers):
        path = f"/applications/{application_id}/{topic.key}"
        page = browser.get(path)
        fields = {q.key: answers[q.key] for q in topic.questions if q.key in answers}
        saved = browser.post(path, fields, revision=revision_of(page), then="next")
        assert saved.status_code == 303, text_of(saved)


def test_from_registering_to_a_pass(browser: Browser, world: World) -> None:
    living(world)
    assert register(browser) == "/company"
    assert "还没有申请" in text_of(browser.get("/company"))
    path = fill_in(browser, world)
    upload(browser, path)
    submitted = submit_twice(browser, path)
    case = confirm(browser, submitted)
    correct(browser, world, case)
    approve(world, case)
    ask_for_a_pass(browser, world, case)


def fill_in(browser: Browser, world: World) -> str:
    """Start a draft and answer every topic; gives its address."""
    enterprise = db.session.scalar(select(Enterprise))
    assert enterprise is not None
    started = browser.post("/applications", enterprise_id=enterprise.id)
    path = str(started.headers["Location"])
    draft = int(path.rsplit("/", 1)[1])
    assert "暂不可填" in text_of(browser.get(path))

    saved = browser.autosave(f"{path}/autosave", {"revision": 1, "fields": {"legal_person": "周试验"}})
    assert saved.json is not None
    assert saved.json["revision"] == 2
    assert "周试验" in browser.get(f"{path}/enterprise").get_data(as_text=True)

    answers = {**world.answers(), "resume_on": (shanghai_day(present()) + dt.timedelta(days=3)).isoformat()}
    topics(browser, draft, answers)
    tasks = text_of(browser.get(path))
    assert "规下（限下）企业复工审核" in tasks
    assert "所在镇街受理并审定" in tasks
    return path


def upload(browser: Browser, path: str) -> None:
    """Put files into every slot, as a form and as the script does."""
    page = browser.get(f"{path}/materials").get_data(as_text=True)
    slots = re.findall(r'data-upload-slot="(\w+)"', page)
    assert slots == ["M02", "M04", "commitment", "licence", "supplies", "other"]
    for slot in slots:
        sent = browser.upload(f"{path}/materials/{slot}", (png(1), "甲.png"), (png(2), "乙😀.png"))
        assert sent.status_code == 303, text_of(sent)
    drawn = browser.upload(f"{path}/materials/M02", (png(3), "丙.png"), script=True)
    assert drawn.json is not None
    assert "丙.png" in drawn.json["html"]
    assert 'id="slot-M02"' in drawn.json["html"]


def submit_twice(browser: Browser, path: str) -> str:
    """Submit without ticking, twice with one key, and once more; one case comes of it."""
    check = browser.get(f"{path}/check")
    revision = revision_of(check)
    unticked = browser.post(f"{path}/submit", revision=revision)
    assert unticked.status_code == 422
    assert "请先阅读并确认承诺书" in text_of(unticked)
    key = "submit-key-1"
    sent = [browser.post(f"{path}/submit", revision=revision, committed="yes", key=key) for _ in range(2)]
    assert [s.status_code for s in sent] == [303, 303]
    assert sent[1].headers["Idempotency-Replayed"] == "true"
    again = browser.post(f"{path}/submit", revision=revision, committed="yes")
    assert again.headers["Location"] == sent[0].headers["Location"]
    assert one(Case) == 1
    return str(again.headers["Location"])


def confirm(browser: Browser, submitted: str) -> Case:
    """The confirmation names the case and leads to its receipt."""
    confirmation = browser.get(submitted)
    words = text_of(confirmation)
    case = db.session.scalar(select(Case))
    assert case is not None
    assert case.reference in words
    receipt = re.search(r'href="(/documents/\d+\.pdf)', confirmation.get_data(as_text=True))
    assert receipt
    pdf = browser.get(receipt.group(1))
    assert pdf.data.startswith(b"%PDF")
    assert "filename*=UTF-8''" in pdf.headers["Content-Disposition"]
    assert "no-store" in pdf.headers["Cache-Control"]

    return db.session.get_one(Case, case.id)


def correct(browser: Browser, world: World, case: Case) -> None:
    """The reviewer returns two items; the company replaces them and nothing else."""
    reviewer = world.officer(Role.REVIEWER)
    world.step(reviewer, case, "accept")
    world.judge_all(case, M01="理由请写具体", licence="照片模糊")
    world.step(reviewer, case, "return_for_correction", "请一次改齐")
    case_path, case_id = f"/cases/{case.id}", case.id
    page = text_of(browser.get(case_path))
    assert "照片模糊" in page
    assert "还有 2 项材料未补正" in page
    slots = browser.get(f"{case_path}/corrections").headers["Location"]
    application_path = slots.removesuffix("/materials")
    shown = browser.get(slots)
    assert re.findall(r'data-upload-url="[^"]*/materials/(\w+)"', shown.get_data(as_text=True)) == ["licence"] * 2
    assert "照片模糊" in text_of(shown)
    refused = browser.upload(f"{slots}/M04", (png(5), "乱换.png"))
    assert refused.status_code == 409
    assert "只能补正被指出问题的材料" in text_of(refused)
    file = db.session.scalar(
        select(MaterialFile.id).join(Material).where(Material.slot == "licence").order_by(MaterialFile.id)
    )
    assert browser.post(f"{slots}/files/{file}/remove").status_code == 303
    assert browser.upload(f"{slots}/licence", (png(6), "执照.png")).status_code == 303
    assert re.search("已更正.*查看 1 个旧版文件", text_of(browser.get(slots)))
    form = browser.get(f"{application_path}/staffing")
    assert 'name="head_count"' not in form.get_data(as_text=True)
    fields = {"resuming_count": "60", "resume_on": (shanghai_day(present()) + dt.timedelta(days=3)).isoformat()}
    saved = browser.post(
        f"{application_path}/staffing", fields, reason="出口订单 3 月 1 日交付", revision=revision_of(form)
    )
    assert saved.status_code == 303, text_of(saved)
    version = db.session.get_one(Case, case_id).version
    assert browser.post(f"{case_path}/steps/resubmit", version=version).status_code == 303
    db.session.refresh(case)
    assert case.state == "reviewing"


def approve(world: World, case: Case) -> None:
    world.judge_all(case)
    world.step(world.officer(Role.REVIEWER), case, "pass_materials")
    world.conclude(world.schedule(case))
    world.step(world.officer(Role.LEADER), case, "approve", "同意复工")


def ask_for_a_pass(browser: Browser, world: World, case: Case) -> None:
    path, case_id = f"/cases/{case.id}/passes", case.id
    today = shanghai_day(present())
    page = browser.get(path).get_data(as_text=True)
    assert f'value="{today.isoformat()}"' in page
    assert f'value="{(today + dt.timedelta(days=13)).isoformat()}"' in page
    fields = {
        "plate": " 浙b·d1 2345",
        "vehicle_type": "轻型厢式货车",
        "purpose": "goods",
        "route": "厂区 → 北仑港",
        "drivers": "郑师傅\n钱师傅\n",
        "valid_from_on": today.isoformat(),
        "valid_until_on": (today + dt.timedelta(days=13)).isoformat(),
    }
    key = "pass-key-1"
    assert [browser.post(path, fields, key=key).status_code for _ in range(2)] == [303, 303]
    (asked,) = passes.of_case(case_id)
    assert asked.plate == "浙BD12345"
    assert asked.drivers == ["郑师傅", "钱师傅"]
    assert browser.get(f"/passes/{asked.id}.pdf").status_code == 409
    twice = browser.post(path, fields)
    assert twice.status_code == 422
    assert "已有申请或有效的通行证" in error_at(twice, "plate")
    asked = passes.of_case(case_id)[0]
    granted = pass_service.grant(world.actor(world.officer(Role.LEADER)), asked.id, present())
    db.session.commit()
    token, code, pass_id = granted.token, granted.short_code, granted.id
    assert browser.get(f"/passes/{pass_id}.pdf").data.startswith(b"%PDF")
    stranger = Browser(browser.app.test_client(), browser.app)
    for address in (f"/c/{token}", f"/C/{token}", f"/check?code={code}"):
        words = text_of(stranger.get(address))
        assert "有效" in words
        assert "浙B·D12345" in words
        assert "郑师傅" not in words


def test_the_second_application_starts_from_the_first(browser: Browser, world: World) -> None:
    clerk = living(world).company()
    case = world.submitted(clerk, reason="第一次的理由")
    enterprise_id, login = case.enterprise_id, clerk.login
    browser.enter(login)
    started = browser.post("/applications", enterprise_id=enterprise_id)
    assert "已按上次填报带入" in text_of(browser.get(started.headers["Location"]))
    assert "第一次的理由" in text_of(browser.get(started.headers["Location"] + "/staffing"))
    again = browser.post("/applications", enterprise_id=enterprise_id)
    assert again.headers["Location"] == started.headers["Location"]


def test_a_discarded_draft_is_gone_from_the_pages(browser: Browser, world: World) -> None:
    clerk = living(world).company()
    path = f"/applications/{world.draft(clerk).id}"
    browser.enter(clerk.login)
    assert browser.post(f"{path}/discard").status_code == 303
    assert browser.get(path).status_code == 404
    assert "还没有申请" in text_of(browser.get("/company"))


def test_rectification_is_answered_item_by_item(browser: Browser, world: World) -> None:
    clerk = living(world).company()
    case = world.scheduled(clerk)
    visit = world.fill_sheet(case)
    codes = [i.code for i in visit.items if not i.is_veto][:2]
    world.conclude(case, "order_rectification", *codes)
    path, version = f"/cases/{case.id}/rectification", case.version
    browser.enter(clerk.login)
    assert "报告整改完成" in text_of(browser.get(f"/cases/{case.id}"))
    assert "现场未落实" in text_of(browser.get(path))
    half = browser.post(path, {f"remedy_{codes[0]}": "已补做记录"}, version=version)
    assert half.status_code == 422
    assert error_at(half, f"remedy_{codes[1]}")
    assert "已补做记录" in text_of(half)
    long = browser.post(path, {f"remedy_{code}": "改" * 2001 for code in codes}, version=version)
    assert "最多 2000 个字" in error_at(long, f"remedy_{codes[0]}")
    assert "改" * 2001 in text_of(long)
    both = {f"remedy_{code}": f"{code} 已整改" for code in codes}
    assert browser.post(path, both, version=version).status_code == 303
    db.session.refresh(case)
    assert case.state == "awaiting_recheck"
    assert browser.post(path, both, version=case.version).status_code == 409


def test_withdrawing_asks_nobody_else(browser: Browser, world: World) -> None:
    clerk = living(world).company()
    case = world.submitted(clerk)
    path, version = f"/cases/{case.id}", case.version
    browser.enter(clerk.login)
    assert "撤回申请" in text_of(browser.get(path))
    assert browser.post(f"{path}/steps/withdraw", version=version, note="不办了").status_code == 303
    stale = browser.post(f"{path}/steps/withdraw", version=version)
    assert stale.status_code == 409
    assert "已撤回" in text_of(browser.get(path))
    assert db.session.scalar(select(func.count()).select_from(Application)) == 1
    assert db.session.scalar(select(func.count()).select_from(Account)) == 1
