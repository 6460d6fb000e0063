"""All standing passes of a case in one file: in each layout, as a zip, for those who see the case only."""

from __future__ import annotations

import datetime as dt
import io
import zipfile

import pypdfium2
import pytest
from flask import Flask

from tests.builders import World
from tests.web.company_browser import Browser, text_of
from workflow.core.actors import Role
from workflow.data.cases import Case
from workflow.data.people import Account
from workflow.extensions import db
from workflow.jobs import drain
from workflow.services import passes as pass_service
from workflow.services import printing


@pytest.fixture
def fleet(world: World, app: Flask) -> tuple[Case, Account]:
    """An approved case with nine standing passes and one that was revoked."""
    app.config["WTF_CSRF_ENABLED"] = False
    world.now = dt.datetime.now(dt.UTC) - dt.timedelta(days=6)
    clerk = world.company()
    case = world.approved(clerk)
    world.now = dt.datetime.now(dt.UTC)
    reviewer, leader = world.actor(world.officer(Role.REVIEWER)), world.actor(world.officer(Role.LEADER))
    for number in range(10):
        asked = pass_service.request_pass(
            world.actor(clerk), case.id, world.pass_request(f"浙B1234{number}"), world.now
        )
        pass_service.grant(reviewer, asked.id, world.now)
    pass_service.revoke(leader, asked.id, "车辆已出售", world.now)
    db.session.commit()
    return case, clerk


@pytest.mark.parametrize(("layout", "pages"), [("windscreen", 9), ("half", 5), ("card", 2)])
def test_one_pdf_with_every_standing_pass(fleet: tuple[Case, Account], app: Flask, layout: str, pages: int) -> None:
    case, clerk = fleet
    answer = Browser(app.test_client(), app).enter(clerk).get(f"/cases/{case.id}/passes.pdf?layout={layout}")
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert len(pypdfium2.PdfDocument(answer.data)) == pages


def test_a_zip_with_a_file_for_each_vehicle_and_links_on_both_pages(
    fleet: tuple[Case, Account], app: Flask, world: World
) -> None:
    case, clerk = fleet
    path = f"/cases/{case.id}/passes.zip"
    browser = Browser(app.test_client(), app).enter(clerk)
    names = zipfile.ZipFile(io.BytesIO(browser.get(path).data)).namelist()
    assert len(names) == len(set(names)) == 9
    assert "一次打印全部 9 张" in text_of(browser.get(f"/cases/{case.id}/passes"))
    officer = Browser(app.test_client(), app).enter(world.officer(Role.REVIEWER))
    assert "一次打印全部 9 张" in text_of(officer.get(f"/cases/{case.id}"))
    assert officer.get(path).status_code == 200


def test_others_and_odd_requests_are_told_apart(fleet: tuple[Case, Account], app: Flask, world: World) -> None:
    case, clerk = fleet
    stranger = Browser(app.test_client(), app).enter(world.company())
    assert stranger.get(f"/cases/{case.id}/passes.pdf").status_code == 404
    browser = Browser(app.test_client(), app).enter(clerk)
    for odd in ("passes.pdf?layout=poster", "passes.docx"):
        assert browser.get(f"/cases/{case.id}/{odd}").status_code == 404
    empty = world.submitted(clerk)
    assert browser.get(f"/cases/{empty.id}/passes.pdf").status_code == 409


def test_a_file_is_ordered_watched_and_fetched_by_whoever_ordered_it(
    fleet: tuple[Case, Account], app: Flask, world: World
) -> None:
    case, clerk = fleet
    browser = Browser(app.test_client(), app).enter(clerk)
    answer = browser.post("/passes/prints", {"case_id": str(case.id), "layout": "card", "format": "pdf"})
    assert answer.status_code == 303
    assert "等待生成" in text_of(browser.get("/passes/prints"))
    assert "已印 0 / 9 张" in text_of(browser.get("/passes/prints/rows"))
    assert browser.get("/passes/prints/1/file").status_code == 404
    drain.drain(lambda: dt.datetime.now(dt.UTC))
    assert "可下载" in text_of(browser.get("/passes/prints"))
    answer = browser.get("/passes/prints/1/file")
    assert len(pypdfium2.PdfDocument(answer.data)) == 2
    assert answer.headers["Cache-Control"] == "private, no-store"
    officer = Browser(app.test_client(), app).enter(world.officer(Role.REVIEWER))
    assert officer.get("/passes/prints/1/file").status_code == 404
    assert "还没有生成过文件" in text_of(officer.get("/passes/prints"))
    assert browser.post("/passes/prints/1/cancel", {}).status_code == 409
    assert browser.post("/passes/prints", {"case_id": str(case.id), "layout": "poster"}).status_code == 422


def test_more_than_fifty_at_once_are_printed_by_the_worker(
    fleet: tuple[Case, Account], app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    case, clerk = fleet
    monkeypatch.setattr(printing, "AT_ONCE", 8)
    answer = Browser(app.test_client(), app).enter(clerk).get(f"/cases/{case.id}/passes.pdf")
    assert answer.status_code == 409
    assert "生成文件" in text_of(answer)
