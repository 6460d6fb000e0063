"""The public look-up of a case's progress: reference number and contact's mobile, nothing of either in any address."""

from __future__ import annotations

import hashlib
from typing import Any

from flask import Blueprint, make_response, render_template, request
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from workflow.core.actors import ROLE_LABELS, Role
from workflow.core.errors import DomainError, Invalid, NotFound
from workflow.data.cases import Case
from workflow.extensions import limiter
from workflow.services import progress
from workflow.web.access import public
from workflow.web.boundary import writes_nothing
from workflow.web.cases import place_of_role, tone_of
from workflow.web.clock import now
from workflow.web.forms.progress import ProgressForm

bp = Blueprint("progress", __name__)


def _asked_for() -> str:
    """One case's bucket: its contact can't be guessed from many addresses; only a digest of what was typed is kept."""
    return hashlib.sha256(progress.clean_reference(request.form.get("reference", "")).encode()).hexdigest()


def _holder(case: Case) -> str:
    """Whose turn it is: authority and role, never a name of a person, and of the company only that it is."""
    if not case.holder:
        return ""
    role = Role(case.holder)
    return _("企业") if role is Role.FILER else f"{place_of_role(case, role)} · {_(ROLE_LABELS[role])}"


def _page(status: int, words: dict[str, Any]) -> Response:
    response = make_response(render_template("public/progress.html", at=now(), **words), status)
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    response.headers["Cache-Control"] = "no-store"
    return response


@bp.get("/progress")
@public
def ask() -> Response:
    """The form."""
    return _page(200, {"form": ProgressForm(formdata=None)})


@bp.post("/progress")
@public
@writes_nothing
@limiter.limit("10/minute")
@limiter.limit("60/hour", key_func=_asked_for)
def look_up() -> Response:
    """How far the case is; one answer for an unknown reference and for a number that is not its contact's."""
    form = ProgressForm()
    try:
        found = progress.look_up(form.reference.data or "", form.mobile.data or "")
    except (Invalid, NotFound) as error:
        return _refused(form, error)
    case = found.case
    state = case.flow.state(case.state)
    shown = {"state": state, "tone": tone_of(case, state), "holder": _holder(case), "done": found.done}
    return _page(200, {"form": ProgressForm(formdata=None), "case": case, **shown})


def _refused(form: ProgressForm, error: DomainError) -> Response:
    form.refuse(error)
    return _page(422, {"form": form})
