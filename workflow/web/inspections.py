"""On-site inspections: an inspector's days, arranging visits, the sheet on the phone, photos and the result."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from flask import Blueprint, current_app, flash, jsonify, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from workflow.core.actors import Permission
from workflow.core.errors import DomainError, Invalid, Stale, StepClosed
from workflow.core.times import shanghai_day
from workflow.data import visits
from workflow.data.cases import Case
from workflow.data.inspections import Inspection
from workflow.documents.uploads import FileKind
from workflow.extensions import db, settings
from workflow.i18n import mark, say
from workflow.services import appointments
from workflow.services import cases as case_service
from workflow.services import inspections as inspection_service
from workflow.services.inspections import ItemEntry
from workflow.web import intake, sheets
from workflow.web.access import actor, requires, wants_json
from workflow.web.boundary import after_commit
from workflow.web.cases import version_field
from workflow.web.clock import now
from workflow.web.forms.inspections import ScheduleForm

bp = Blueprint("inspections", __name__)

Refused = tuple[str, int]


def _wake() -> None:
    after_commit(current_app.extensions["wake_worker"])


def _by_day(visits: list[Inspection]) -> dict[dt.date, list[Inspection]]:
    days: dict[dt.date, list[Inspection]] = {}
    for visit in visits:
        days.setdefault(shanghai_day(visit.visit_at), []).append(visit)
    return days


def _arrange_actions(cases: list[Case]) -> list[tuple[Case, str]]:
    """Each case with the action that arranges its visit, as its flow names it."""
    found = []
    for case in cases:
        steps = case.flow.steps_from(case.state)
        found.append((case, next((s.action for s in steps if s.form == "schedule"), "")))
    return found


@bp.get("/inspections")
@requires(Permission.INSPECT)
def mine() -> str:
    """My visits by day, and what has to be arranged in my areas."""
    ahead = visits.planned_visits(actor())
    return render_template(
        "inspections/mine.html",
        days=_by_day(ahead),
        progress=visits.marked(ahead),
        waiting=_arrange_actions(visits.to_arrange(actor())),
        today=shanghai_day(now()),
    )


def schedule_page(case: Case, action: str, form: ScheduleForm, code: int = 200) -> Refused:
    """The form of an appointment, for the step ``action`` of the case's flow."""
    form.offer(inspection_service.candidates(case, now()))
    open_step = next((s for s in case_service.open_steps(actor(), case, now()) if s.step.action == action), None)
    if open_step is None or open_step.step.form != "schedule":
        raise StepClosed(_("案件当前状态不能办理此步骤，请查看最新进展。"))
    if not open_step.is_open:
        raise StepClosed(_("现在还不能办理此步骤。"), reasons=open_step.reasons)
    page = {"case": case, "form": form, "step": open_step.step, "visit": inspection_service.planned(case)}
    return render_template("inspections/schedule.html", **page), code


def flash_remarks(visit: Inspection | None) -> None:
    """Say what speaks against the time that was just arranged."""
    for remark in appointments.remarks(visit) if visit is not None else ():
        flash(say(remark), "warning")


@bp.get("/cases/<int:case_id>/inspections/<action>")
@requires(Permission.PLAN_INSPECTION)
def schedule(case_id: int, action: str) -> Refused:
    """The form that arranges a visit or changes its appointment."""
    case = case_service.get(actor(), case_id)
    as_wished = request.args.get("wish") == "1"
    return schedule_page(case, action, ScheduleForm.of(inspection_service.planned(case), as_wished=as_wished))


@bp.post("/cases/<int:case_id>/inspections/<action>")
@requires(Permission.PLAN_INSPECTION)
def arrange(case_id: int, action: str) -> Response | Refused:
    """Arrange the visit with two different inspectors."""
    case, form = case_service.get(actor(), case_id), ScheduleForm()
    form.offer(inspection_service.candidates(case, now()))
    if form.validate():
        try:
            appointment, version = form.appointment(), version_field()
            inspection_service.schedule(actor(), case_id, action, appointment, version=version, now=now())
            flash_remarks(inspection_service.planned(case))
        except (Invalid, Stale) as error:
            db.session.rollback()
            form.refuse(error)
            return schedule_page(case_service.get(actor(), case_id), action, form, error.status)
        else:
            _wake()
            flash(_("核查已预约，企业会收到通知。"), "success")
            return redirect(url_for("cases.show", case_id=case_id), 303)
    return schedule_page(case_service.get(actor(), case_id), action, form, 422)


def _sheet_page(visit: Inspection, code: int = 200, **more: Any) -> Refused:
    view = sheets.view(actor(), visit, now(), **more)
    return render_template("inspections/sheet.html", view=view, max_bytes=settings().max_upload_mb << 20), code


@bp.get("/inspections/<int:inspection_id>")
@requires(Permission.SEE_DESK)
def sheet(inspection_id: int) -> Refused:
    """The sheet of a visit: to fill in for its two inspectors while it is planned, to read for the others."""
    return _sheet_page(inspection_service.get(actor(), inspection_id))


@bp.post("/inspections/<int:inspection_id>/save")
@requires(Permission.INSPECT)
def save(inspection_id: int) -> Response | Refused:
    """Keep what is marked so far; a script sends JSON and gets the new revision back."""
    if request.is_json:
        return _autosave(inspection_id)
    visit = inspection_service.get(actor(), inspection_id)
    entries, revision = sheets.entries(visit, request.form), sheets.revision_of(request.form.get("revision"))
    try:
        inspection_service.save_sheet(actor(), inspection_id, entries, revision=revision, now=now())
    except (Invalid, Stale) as error:
        db.session.rollback()
        fresh = inspection_service.get(actor(), inspection_id)
        entries = sheets.touched(fresh, entries, revision)
        errors = {getattr(error, "field", None) or "": say(error)}
        if isinstance(error, Stale):
            errors |= _differing(fresh, entries)
        return _sheet_page(fresh, error.status, entries=entries, errors=errors)
    flash(_("核查记录已保存。"), "success")
    return redirect(url_for("inspections.sheet", inspection_id=inspection_id, _anchor="conclude"), 303)


def _differing(visit: Inspection, entries: Mapping[str, ItemEntry]) -> dict[str, str]:
    """By item that differs from what was just sent: what the other inspector has stored there."""
    found = {}
    for row in visit.items:
        stored = (row.result or "", row.measured, row.note)
        sent = entries.get(row.code)
        if sent is not None and stored != (sent.result, sent.measured, sent.note.strip()):
            parts = [_(sheets.RESULT_LABELS[row.result]) if row.result else _("未填"), row.measured, row.note]
            found[row.code] = _("已保存的是：%(stored)s", stored=mark("；").join(p for p in parts if p))
    return found


def _autosave(inspection_id: int) -> Response:
    """The contract of static/js/autosave.js: 200 {revision}, or 409 {revision, fields} when somebody was first."""
    visit = inspection_service.get(actor(), inspection_id)
    fields, revision = sheets.read_json(request.get_json(silent=True))
    try:
        entries = sheets.entries(visit, fields)
        saved = inspection_service.save_sheet(actor(), inspection_id, entries, revision=revision, now=now(), whole=True)
    except Stale:
        db.session.rollback()
        fresh = inspection_service.get(actor(), inspection_id)
        answer = jsonify(revision=fresh.revision, fields=sheets.fields_of(fresh))
        answer.status_code = 409
        return answer
    return jsonify(revision=saved.revision)


@bp.post("/inspections/<int:inspection_id>/photos")
@requires(Permission.INSPECT)
@intake.takes(lambda inspection_id: (FileKind.JPEG, FileKind.PNG, FileKind.HEIC))
def add_photo(inspection_id: int) -> Response | Refused:
    """Add one or more photos of an item or of the place."""
    code, caption = request.values.get("code", ""), request.form.get("caption", "")
    try:
        field = "file" if "file" in request.files else "photo"
        for received in intake.received(field):
            inspection_service.add_photo(actor(), inspection_id, received, code=code, caption=caption, now=now())
    except Invalid as error:
        if wants_json():
            raise
        db.session.rollback()
        visit = inspection_service.get(actor(), inspection_id)
        return _sheet_page(visit, 422, errors={"photo": say(error)})
    if wants_json():
        visit = inspection_service.get(actor(), inspection_id)
        db.session.refresh(visit, ["photos"])
        return jsonify(html=render_template("inspections/_photo_slot.html", **sheets.slot(visit, code)))
    flash(_("照片已保存。"), "success")
    return redirect(url_for("inspections.sheet", inspection_id=inspection_id, _anchor="photos"), 303)


def _date(text: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(text) if text else None
    except ValueError as error:
        raise Invalid(_("请填写存在的日期，如 2020-02-20。"), field="rectify_by_on") from error


@bp.post("/inspections/<int:inspection_id>/conclude")
@requires(Permission.INSPECT)
def conclude(inspection_id: int) -> Response | Refused:
    """Conclude the visit with a step of the flow: pass, rectify or fail."""
    form = request.form
    try:
        inspection_service.conclude(
            actor(),
            inspection_id,
            form.get("action", ""),
            version=version_field(),
            words=form.get("words", ""),
            rectify_by_on=_date(form.get("rectify_by_on", "")),
            now=now(),
        )
    except (Invalid, Stale, StepClosed) as error:
        return _refused(inspection_id, error)
    _wake()
    flash(_("核查已办结，《实地勘定表》已生成。"), "success")
    return redirect(url_for("inspections.sheet", inspection_id=inspection_id), 303)


def _refused(inspection_id: int, error: DomainError) -> Refused:
    """The sheet again, with the typed conclusion kept and the reason at its place."""
    db.session.rollback()
    visit = inspection_service.get(actor(), inspection_id)
    field = getattr(error, "field", None) or "conclude"
    at = field if field in {i.code for i in visit.items} else "conclude"
    return _sheet_page(visit, error.status, errors={at: say(error)}, typed=request.form)
