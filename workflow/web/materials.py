"""The company's material slots: what is wanted, blank forms, uploading, and replacing what was flagged."""

from __future__ import annotations

import io
from typing import Any

from flask import Blueprint, get_template_attribute, jsonify, redirect, render_template, send_file, url_for
from werkzeug.wrappers import Response

from workflow.core.actors import Permission
from workflow.core.errors import DomainError, NotFound
from workflow.data import applications, catalogue, enterprises, materials
from workflow.data.applications import Application
from workflow.documents import material_templates
from workflow.documents.uploads import FileKind
from workflow.extensions import db
from workflow.i18n import say
from workflow.services import applications as application_service
from workflow.services import cases as case_service
from workflow.services import materials as service
from workflow.web import filing, intake
from workflow.web.access import actor, present_actor, public, requires, wants_json
from workflow.web.clock import now

bp = Blueprint("materials", __name__)
filer = requires(Permission.FILE_APPLICATION)


def slot_views(application: Application, refusals: dict[str, str] | None = None) -> list[dict[str, Any]]:
    """Every slot of an application as the page shows it; ``refusals`` are words to show at a slot."""
    if application.status == "draft":
        reading = application_service.read(application, now())
        wanted = application_service.planned_materials(application, reading, now())
        rows = [(rule.slot, rule.required, row) for rule, row in wanted]
    else:
        rows = [(m.slot, m.required, m) for m in materials.of_application(application.id)]
    correcting = filing.is_correcting(application)
    said = refusals or {}
    return [
        filing.slot_view(application, key, row, required=need, correcting=correcting, error=said.get(key, ""))
        for key, need, row in rows
    ]


def _page(application: Application, refusals: dict[str, str] | None = None) -> str:
    views = slot_views(application, refusals)
    correcting = filing.is_correcting(application)
    if correcting:
        views.sort(key=lambda v: not v["flag"])  # what waits for the company stands first
    return render_template(
        "materials/slots.html",
        application=application,
        slots=views,
        correcting=correcting,
        form_editable=correcting and any(v["form"] and v["flag"] for v in views),
    )


@bp.get("/applications/<int:application_id>/materials")
@filer
def slots(application_id: int) -> str:
    """Every slot with its files; in a case under correction only the flagged ones can be changed."""
    application = application_service.get_own(actor(), application_id)
    if application.status == "discarded":
        raise NotFound()
    return _page(application)


@bp.get("/cases/<int:case_id>/corrections")
@filer
def corrections(case_id: int) -> Response:
    """The way from a case to the slots of its application."""
    case = case_service.get(actor(), case_id)
    application = application_service.get_own(actor(), applications.of_case(case.id).id)
    return redirect(url_for("materials.slots", application_id=application.id))


def _fragment(application: Application, slot: str) -> str:
    """The slot drawn anew, for the upload script."""
    view = next((v for v in slot_views(application) if v["key"] == slot), None)
    if view is None:
        raise NotFound()
    draw = get_template_attribute("macros/file_slot.html", "file_slot")
    return str(draw(view, upload_url=view["upload_url"], level=2))


def _slot_kinds(application_id: int, slot: str) -> tuple[FileKind, ...]:
    entry = catalogue.material_slots().get(slot)
    return tuple(FileKind(k) for k in entry.kinds) if entry else tuple(FileKind)


@bp.post("/applications/<int:application_id>/materials/<slot>")
@filer
@intake.takes(_slot_kinds)
def upload(application_id: int, slot: str) -> Response | tuple[str, int]:
    """Put the received files into a slot; a refusal is said at the slot."""
    application = application_service.get_own(actor(), application_id)
    try:
        for received in intake.received("file"):
            service.add_file(actor(), application_id, slot, received, now())
    except DomainError as error:
        if wants_json() or error.status == 404:
            raise
        db.session.rollback()
        return _page(application, {slot: say(error)}), error.status
    if wants_json():
        return jsonify(html=_fragment(application, slot))
    return redirect(url_for("materials.slots", application_id=application_id, _anchor=f"slot-{slot}"), 303)


@bp.post("/applications/<int:application_id>/materials/files/<int:file_id>/remove")
@filer
def remove(application_id: int, file_id: int) -> Response:
    """Take a file out of its slot; the version stays in the record."""
    if service.get_file(actor(), file_id).material.application_id != application_id:
        raise NotFound()
    material = service.remove_file(actor(), file_id, now())
    return redirect(url_for("materials.slots", application_id=application_id, _anchor=f"slot-{material.slot}"), 303)


@bp.get("/blank-forms/<code>")
@public
def template(code: str) -> Response:
    """A blank form to fill in, with the company's name when it is known who asks."""
    if code not in material_templates.available():
        raise NotFound()
    who = present_actor()
    companies = list(db.session.scalars(enterprises.visible_to(who).limit(2))) if who and who.is_company else []
    file = material_templates.build(code, companies[0].name if len(companies) == 1 else "")
    return send_file(
        io.BytesIO(file.content), mimetype=file.media_type, as_attachment=True, download_name=file.name, max_age=0
    )
