"""The company's answer to an on-site check: what it did about every item that failed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from workflow.core.actors import Permission
from workflow.core.engine import OpenStep
from workflow.core.errors import N_, Invalid, NotFound, StepClosed
from workflow.data import catalogue
from workflow.data.cases import Case
from workflow.extensions import db
from workflow.i18n import say
from workflow.services import cases as case_service
from workflow.services import inspections as service
from workflow.web.access import actor, requires
from workflow.web.boundary import after_commit
from workflow.web.cases import version_field
from workflow.web.clock import now

bp = Blueprint("rectifications", __name__)
filer = requires(Permission.FILE_APPLICATION)


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


def _page(case: Case, typed: Mapping[str, str], error: Invalid | None = None) -> str:
    visit = service.last_concluded(case)
    items: list[dict[str, Any]] = []
    for item in visit.items if visit else []:
        if item.result == "fail":
            entry = catalogue.checklist(visit.checklist if visit else "general").item(item.code)
            field = f"remedy_{item.code}"
            wrong = say(error) if error and error.field == field else ""
            remedy = typed.get(field, item.remedy)
            items.append({"item": item, "entry": entry, "field": field, "remedy": remedy, "error": wrong})
    general = say(error) if error and not any(i["error"] for i in items) else ""
    page = {"case": case, "visit": visit, "items": items, "error": general, "step": _step(case).step}
    return render_template("rectifications/form.html", **page)


@bp.get("/cases/<int:case_id>/rectification")
@filer
def show(case_id: int) -> str:
    """The failed items with the inspectors' notes, and a text for each."""
    return _page(_own_case(case_id), {})


@bp.post("/cases/<int:case_id>/rectification")
@filer
def save(case_id: int) -> Response | tuple[str, int]:
    """Report the rectification; the case goes on to the recheck."""
    case = _own_case(case_id)
    action, version = _step(case).step.action, version_field()
    prefix = "remedy_"
    remedies = {k.removeprefix(prefix): v for k, v in request.form.items() if k.startswith(prefix)}
    try:
        service.report_rectified(actor(), case_id, action, remedies, version=version, now=now())
    except Invalid as error:
        db.session.rollback()
        return _page(case, request.form, error), error.status
    after_commit(current_app.extensions["wake_worker"])
    flash(_("整改情况已提交，核查员会预约复查。"), "success")
    return redirect(url_for("cases.show", case_id=case_id), 303)
