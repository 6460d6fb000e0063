"""The company's answer to an on-site check: what it did about every item that failed, in words and photos."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from flask import Blueprint, current_app, flash, jsonify, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from workflow.core.actors import Permission
from workflow.core.engine import OpenStep
from workflow.core.errors import N_, DomainError, Invalid, NotFound, Stale, StepClosed
from workflow.core.times import shanghai_day
from workflow.data.cases import Case
from workflow.data.inspections import Inspection
from workflow.documents.uploads import FileKind
from workflow.extensions import db, settings
from workflow.i18n import say
from workflow.services import cases as case_service
from workflow.services import checklists, item_deadlines
from workflow.services import inspections as inspection_service
from workflow.services import rectifications as service
from workflow.web import intake
from workflow.web.access import actor, requires, wants_json
from workflow.web.boundary import after_commit
from workflow.web.cases import version_field
from workflow.web.clock import now
from workflow.web.sheets import read_json, revision_of

bp = Blueprint("rectifications", __name__)
filer = requires(Permission.FILE_APPLICATION)
PREFIX = "remedy_"
Refused = tuple[str, int]


def _own_case(case_id: int) -> Case:
    case = case_service.get(actor(), case_id)
    if case.enterprise_id not in actor().enterprise_ids:
        raise NotFound()
    return case


def _step(case: Case) -> OpenStep:
    """The step that reports the rectification; :class:`StepClosed` when it is not the company's turn for it."""
    steps = case_service.open_steps(actor(), case, now())
    found = next((s for s in steps if s.step.form == "rectify"), None)
    if found is None:
        raise StepClosed(N_("案件当前不在整改中，请查看最新进展。"))
    return found


def _remedies(fields: Mapping[str, str]) -> dict[str, str]:
    return {k.removeprefix(PREFIX): v for k, v in fields.items() if k.startswith(PREFIX)}


def _rows(visit: Inspection, typed: Mapping[str, str], error: DomainError | None) -> list[dict[str, Any]]:
    """What the page shows of each failed item: the finding, its photos, and the company's answer so far."""
    checklist, rows = checklists.of_visit(visit), []
    for item in item_deadlines.failed(visit):
        field = f"{PREFIX}{item.code}"
        wrong = say(error) if error and getattr(error, "field", None) == field else ""
        rows.append(
            {
                "item": item,
                "entry": checklist.item(item.code),
                "field": field,
                "due_on": item_deadlines.due_on(visit, item),
                "remedy": typed.get(field, item.remedy),
                "error": wrong,
                "photos": service.photos_of(visit, item.code),
                "seen": [p for p in visit.photos if p.code == item.code and not p.by_company],
            }
        )
    return rows


def _page(case: Case, typed: Mapping[str, str], error: DomainError | None = None) -> str:
    visit = inspection_service.last_concluded(case)
    items = _rows(visit, typed, error) if visit else []
    return render_template(
        "rectifications/form.html",
        case=case,
        visit=visit,
        items=items,
        error=say(error) if error and not any(i["error"] for i in items) else "",
        step=_step(case).step,
        today=shanghai_day(now()),
        most_photos=service.MOST_PHOTOS,
        max_bytes=settings().max_upload_mb << 20,
    )


@bp.get("/cases/<int:case_id>/rectification")
@filer
def show(case_id: int) -> str:
    """The failed items with the inspectors' notes, and a text and photos for each."""
    return _page(_own_case(case_id), {})


@bp.post("/cases/<int:case_id>/rectification/draft")
@filer
def save_draft(case_id: int) -> Response:
    """Keep what is typed (the contract of static/js/autosave.js): 200 {revision}, or 409 {revision, fields}."""
    fields, revision = read_json(request.get_json(silent=True))
    try:
        visit = service.save_draft(actor(), case_id, _remedies(fields), revision=revision, now=now())
    except Stale:
        db.session.rollback()
        fresh = inspection_service.last_concluded(_own_case(case_id))
        stored = {f"{PREFIX}{i.code}": i.remedy for i in item_deadlines.failed(fresh)} if fresh else {}
        answer = jsonify(revision=fresh.revision if fresh else 0, fields=stored)
        answer.status_code = 409
        return answer
    return jsonify(revision=visit.revision)


def _keep_words(case_id: int) -> None:
    """Without JavaScript the words come along with a photo: keep them, unless another window has newer ones."""
    words = _remedies(request.form)
    if words:
        with suppress(Stale, Invalid):
            service.save_draft(actor(), case_id, words, revision=revision_of(request.form.get("revision")), now=now())


def _back(case_id: int, code: str) -> Response:
    return redirect(url_for("rectifications.show", case_id=case_id, _anchor=f"proof-{code}"), 303)


@bp.post("/cases/<int:case_id>/rectification/<code>/photos")
@filer
@intake.takes(lambda case_id, code: (FileKind.JPEG, FileKind.PNG, FileKind.HEIC))
def add_photo(case_id: int, code: str) -> Response | Refused:
    """Add photos to one failed item; a refusal is said at the item."""
    _keep_words(case_id)
    try:
        for received in intake.received("file" if "file" in request.files else f"photo_{code}"):
            service.add_photo(actor(), case_id, code, received, caption="", now=now())
    except Invalid as error:
        if wants_json():
            raise
        db.session.rollback()
        error.field = f"{PREFIX}{code}"
        return _page(_own_case(case_id), request.form, error), error.status
    if not wants_json():
        return _back(case_id, code)
    visit = inspection_service.last_concluded(_own_case(case_id))
    photos = service.photos_of(visit, code) if visit else []
    page = {"case_id": case_id, "code": code, "photos": photos, "most": service.MOST_PHOTOS}
    return jsonify(html=render_template("rectifications/_photos.html", **page))


@bp.post("/cases/<int:case_id>/rectification/photos/<int:photo_id>/remove")
@filer
def remove_photo(case_id: int, photo_id: int) -> Response:
    """Take one of the company's own photos back before reporting; it stays in the record."""
    _own_case(case_id)
    _keep_words(case_id)
    photo = service.take_photo_back(actor(), photo_id, now())
    return _back(case_id, photo.code)


@bp.post("/cases/<int:case_id>/rectification")
@filer
def save(case_id: int) -> Response | Refused:
    """Report the rectification; the case goes on to the recheck."""
    case = _own_case(case_id)
    action, version = _step(case).step.action, version_field()
    remedies = _remedies(request.form)
    try:
        inspection_service.report_rectified(actor(), case_id, action, remedies, version=version, now=now())
    except Invalid as error:
        db.session.rollback()
        return _page(case, request.form, error), error.status
    after_commit(current_app.extensions["wake_worker"])
    flash(_("整改情况已提交，核查员会预约复查。"), "success")
    return redirect(url_for("cases.show", case_id=case_id), 303)
