"""Deciding on vehicle passes: an officer of the case's area grants, refuses or revokes."""

from __future__ import annotations

from flask import Blueprint, current_app, flash, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from workflow.core.actors import Permission
from workflow.core.errors import DomainError, Invalid, StepClosed
from workflow.core.identifiers import show_plate
from workflow.data.passes import VehiclePass
from workflow.extensions import db
from workflow.services import passes as pass_service
from workflow.web.access import actor, requires
from workflow.web.boundary import after_commit
from workflow.web.cases import refused_page
from workflow.web.clock import now

bp = Blueprint("pass_desk", __name__)


def _back(decided: VehiclePass, words: str) -> Response:
    after_commit(current_app.extensions["wake_worker"])
    flash(words, "success")
    return redirect(url_for("cases.show", case_id=decided.case_id, _anchor="passes"), 303)


def _refused(pass_id: int, error: DomainError, act: str, words: str) -> tuple[str, int]:
    """The case page with the refusal and the words that were typed."""
    db.session.rollback()
    return refused_page(pass_service.get(actor(), pass_id).case_id, error, f"{act}-{pass_id}", words)


@bp.post("/passes/<int:pass_id>/grant")
@requires(Permission.DECIDE_PASS)
def grant(pass_id: int) -> Response:
    """Grant a requested pass."""
    decided = pass_service.grant(actor(), pass_id, now())
    return _back(decided, _("已发放 %(plate)s 的通行证。", plate=show_plate(decided.plate)))


@bp.post("/passes/<int:pass_id>/refuse")
@requires(Permission.DECIDE_PASS)
def refuse(pass_id: int) -> Response | tuple[str, int]:
    """Refuse a requested pass with a reason."""
    words = request.form.get("words", "")
    try:
        decided = pass_service.refuse(actor(), pass_id, words, now())
    except (Invalid, StepClosed) as error:
        return _refused(pass_id, error, "refuse", words)
    return _back(decided, _("已回复不同意 %(plate)s 的通行证申请。", plate=show_plate(decided.plate)))


@bp.post("/passes/<int:pass_id>/revoke")
@requires(Permission.DECIDE_PASS)
def revoke(pass_id: int) -> Response | tuple[str, int]:
    """Revoke a granted pass with a reason; the next check says so."""
    words = request.form.get("words", "")
    try:
        decided = pass_service.revoke(actor(), pass_id, words, now())
    except (Invalid, StepClosed) as error:
        return _refused(pass_id, error, "revoke", words)
    return _back(decided, _("已撤销 %(plate)s 的通行证，核验页立即显示。", plate=show_plate(decided.plate)))
