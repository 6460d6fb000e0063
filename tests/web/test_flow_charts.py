"""Charts where people see them: the company's page, the desk, the guide and the receipt."""

from __future__ import annotations

import io
import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from pypdf import PdfReader

from tests.builders import World
from tests.web.company_browser import Browser, living
from workflow.core.actors import Role
from workflow.data import issued
from workflow.data.issued import DocumentKind, IssuedDocument
from workflow.extensions import db
from workflow.services import issuing


@pytest.fixture
def browser(client: FlaskClient, app: Flask) -> Browser:
    return Browser(client, app)


def charts(page: str) -> list[str]:
    """The drawings of a page."""
    return re.findall(r'<svg class="fg-flow__svg".*?</svg>', page, re.DOTALL)


def flag(drawing: str) -> list[str]:
    """What the flag over the case's state says."""
    return re.findall(r'<g class="fg-flow__here">.*?<text[^>]*>([^<]*)</text>', drawing)


def receipt_of(case_id: int) -> IssuedDocument:
    """The receipt of a case."""
    return next(d for d in issued.of_case(case_id) if d.kind == DocumentKind.RECEIPT)


def test_the_company_reads_that_it_is_here_and_staff_where_the_case_is(
    browser: Browser, client: FlaskClient, app: Flask, world: World
) -> None:
    clerk = living(world).company()
    case = world.submitted(clerk)
    reviewer = world.officer(Role.REVIEWER).login
    browser.enter(clerk.login)
    (drawn,) = charts(browser.get(f"/cases/{case.id}").get_data(as_text=True))
    assert flag(drawn) == ["您在这里"]
    assert "专班科员 · 2 个工作日" in drawn
    assert "可退回：材料审核中" in drawn
    staff = Browser(app.test_client(), app).enter(reviewer)
    (drawn,) = charts(staff.get(f"/cases/{case.id}").get_data(as_text=True))
    assert flag(drawn) == ["当前"]


def test_the_guide_draws_every_flow_under_an_id_of_its_own(browser: Browser) -> None:
    drawn = charts(browser.get("/guide").get_data(as_text=True))
    assert len(drawn) > 1
    ids = [i for each in drawn for i in re.findall(r' id="([^"]+)"', each)]
    assert len(set(ids)) == len(ids) == 2 * len(drawn)
    assert [flag(each) for each in drawn] == [[]] * len(drawn)


def words_of(document: IssuedDocument) -> str:
    """What a document says on paper."""
    pages = PdfReader(io.BytesIO(issuing.render_pdf(document))).pages
    return "".join("".join(page.extract_text() for page in pages).split())


def test_a_receipt_keeps_the_flow_it_was_issued_under(world: World) -> None:
    case = world.submitted(living(world).company())
    receipt = receipt_of(case.id)
    kept = receipt.facts["chart"]
    assert kept["flow_version"] == case.flow_version_id
    assert kept["state"] == case.state
    before = words_of(receipt)
    assert "审核工作流程图" in before
    assert "您在这里" in before


def test_a_receipt_from_before_charts_still_prints(world: World) -> None:
    receipt = receipt_of(world.submitted(living(world).company()).id)
    receipt.facts = {k: v for k, v in receipt.facts.items() if k != "chart"}
    db.session.flush()
    text = words_of(receipt)
    assert "复工申请受理回执" in text
    assert "审核工作流程图" not in text
