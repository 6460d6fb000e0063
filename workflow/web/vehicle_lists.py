"""Asking for passes by a list of vehicles: the blank workbook, uploading, looking through, correcting, handing in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from workflow.core.actors import Permission
from workflow.core.errors import DomainError, Invalid, StepClosed
from workflow.core.vehicle_table import COLUMNS, VehicleRow
from workflow.data import vehicle_lists as data
from workflow.data.passes import PURPOSES
from workflow.documents import vehicle_sheets
from workflow.extensions import db
from workflow.i18n import mark, say
from workflow.services import vehicle_lists as service
from workflow.web import intake
from workflow.web.access import actor, requires
from workflow.web.boundary import after_commit
from workflow.web.clock import now
from workflow.web.files import disposition
from workflow.web.rule_words import PLATE_KINDS

bp = Blueprint("vehicle_lists", __name__)
company = requires(Permission.REQUEST_PASS)
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
PAGE = 100
"""Rows of a kind on a page."""


def _workbook(content: bytes, name: str) -> Response:
    response: Response = current_app.response_class(content, mimetype=XLSX)
    response.headers["Content-Disposition"] = disposition(name)
    response.headers["Cache-Control"] = "private, no-store"
    return response


def _choose(case_id: int, error: DomainError | None = None) -> tuple[str, int]:
    case = service.own_case(actor(), case_id)
    body = render_template(
        "passes/list.html",
        case=case,
        lists=data.latest(actor(), case_id),
        error=say(error) if error else "",
    )
    return body, error.status if error else 200


@bp.get("/cases/<int:case_id>/passes/list")
@company
def choose(case_id: int) -> tuple[str, int]:
    """Where the blank workbook is fetched and a list is uploaded, and the lists that are kept."""
    return _choose(case_id)


@bp.get("/cases/<int:case_id>/passes/list/blank.xlsx")
@company
def blank(case_id: int) -> Response:
    """The workbook to fill in."""
    service.own_case(actor(), case_id)
    return _workbook(service.blank(now()), "车辆通行证申请表.xlsx")


@bp.post("/cases/<int:case_id>/passes/list")
@company
@intake.takes(lambda case_id: service.KINDS)
def upload(case_id: int) -> Response | tuple[str, int]:
    """Take a list and show what is in it."""
    try:
        (file, *_more) = intake.received("file")
        kept = service.keep(actor(), case_id, file, now())
    except (Invalid, StepClosed) as error:
        db.session.rollback()
        return _choose(case_id, error)
    return redirect(url_for("vehicle_lists.look", case_id=case_id, list_id=kept.id), 303)


def words_of(row: VehicleRow) -> str:
    """All that is wrong with a row, in one line."""
    return mark("；").join(say(p).rstrip("。.") for p in row.problems)


def _part(rows: Sequence[VehicleRow], asked: str) -> dict[str, Any]:
    """A page of rows with the numbers of pages before and after it."""
    text = request.args.get(asked, "1")
    last = max(1, -(-len(rows) // PAGE))
    number = min(max(1, int(text)), last) if text.isascii() and text.isdigit() and len(text) < 6 else 1
    shown = rows[(number - 1) * PAGE : number * PAGE]
    return {"rows": shown, "number": number, "last": last, "all": len(rows)}


@bp.get("/cases/<int:case_id>/passes/list/<int:list_id>")
@company
def look(case_id: int, list_id: int) -> tuple[str, int]:
    """What is wrong with which row, and which vehicles can be handed in."""
    return _look(case_id, list_id)


def _look(case_id: int, list_id: int, error: DomainError | None = None) -> tuple[str, int]:
    looked = service.look(actor(), case_id, list_id, now())
    body = render_template(
        "passes/list_look.html",
        case=service.own_case(actor(), case_id),
        looked=looked,
        kept=looked.kept,
        columns=COLUMNS,
        bad=_part(looked.bad, "bad"),
        good=_part(looked.good, "good"),
        words_of=words_of,
        purposes=PURPOSES,
        plate_kinds=PLATE_KINDS,
        error=say(error) if error else "",
    )
    return body, error.status if error else 200


@bp.get("/cases/<int:case_id>/passes/list/<int:list_id>/correct.xlsx")
@company
def to_correct(case_id: int, list_id: int) -> Response:
    """The rows that have to be corrected, as a workbook to upload again."""
    looked = service.look(actor(), case_id, list_id, now())
    rows = [([row[column] for column in COLUMNS], words_of(row)) for row in looked.bad]
    return _workbook(vehicle_sheets.to_correct(rows, *service.offered()), "需要改正的车辆.xlsx")


@bp.post("/cases/<int:case_id>/passes/list/<int:list_id>/submit")
@company
def submit(case_id: int, list_id: int) -> Response | tuple[str, int]:
    """Ask for every good vehicle of the list."""
    try:
        asked, left = service.submit(actor(), case_id, list_id, now())
    except (Invalid, StepClosed) as error:
        db.session.rollback()
        return _look(case_id, list_id, error)
    after_commit(current_app.extensions["wake_worker"])
    flash(_("已提交 %(n)s 辆车的通行证申请。", n=f"{asked:,}"), "success")
    if left:
        flash(_("还有 %(n)s 辆没有提交，请下载改正后再传。", n=f"{left:,}"), "warning")
        return redirect(url_for("vehicle_lists.look", case_id=case_id, list_id=list_id), 303)
    return redirect(url_for("passes.index", case_id=case_id, _anchor="asked"), 303)


@bp.post("/cases/<int:case_id>/passes/list/<int:list_id>/discard")
@company
def discard(case_id: int, list_id: int) -> Response:
    """Throw a list away."""
    service.discard(actor(), case_id, list_id)
    flash(_("这张表已删去。"), "success")
    return redirect(url_for("vehicle_lists.choose", case_id=case_id), 303)
