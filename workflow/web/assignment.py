"""Assigning one case on its page: claim, give back, take over, give to somebody, let the rules choose."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from workflow.core.actors import Permission
from workflow.core.assignment import RUNG_LABELS, Rung
from workflow.core.errors import Invalid, NotPermitted, Stale, StepClosed
from workflow.data.cases import Case
from workflow.services import assignment as assignment_service
from workflow.services import cases as case_service
from workflow.web.access import actor, requires
from workflow.web.assignment_words import assignment_of, tenths
from workflow.web.boundary import after_commit
from workflow.web.cases import refused_page, version_field
from workflow.web.clock import now

bp = Blueprint("assignment", __name__)

Answer = Response | tuple[str, int]


@bp.app_template_global("assignment_of")
def _assignment_of(case: Case) -> object:
    """What the case page shows of who handles the case, for the reader."""
    return assignment_of(case, actor())


@bp.app_template_global("rung_words")
def _rung_words(rung: Rung) -> str:
    """Why somebody would be asked, in the reader's language."""
    return _(RUNG_LABELS[rung])


bp.add_app_template_global(tenths, "load_words")


def _done(case_id: int, act: Callable[[], Case], words: str) -> Answer:
    """Do it and go back to the case; a refusal comes on the case page with what was typed."""
    try:
        act()
    except (Invalid, Stale, StepClosed) as error:
        return refused_page(case_id, error, "assignment", request.form.get("note", ""))
    after_commit(current_app.extensions["wake_worker"])
    flash(words, "success")
    return redirect(url_for("cases.show", case_id=case_id) + "#assignee", 303)


def _person() -> int:
    value = request.form.get("person", "")
    if not value.isascii() or not value.isdigit() or len(value) > 18:
        raise Invalid(_("请选择人员。"), field="person")
    return int(value)


@bp.post("/cases/<int:case_id>/assignee/claim")
@requires(Permission.ACT_ON_CASE)
def claim(case_id: int) -> Answer:
    """Take a case that nobody has."""
    version = version_field()
    return _done(
        case_id, lambda: assignment_service.claim(actor(), case_id, version, now()), _("已认领，案件由您办理。")
    )


@bp.post("/cases/<int:case_id>/assignee/take-over")
@requires(Permission.ACT_ON_CASE)
def take_over(case_id: int) -> Answer:
    """Take a case from whoever has it, with a reason."""
    version, note = version_field(), request.form.get("note", "")
    return _done(
        case_id,
        lambda: assignment_service.take_over(actor(), case_id, version, now(), note),
        _("已接手，案件由您办理。"),
    )


@bp.post("/cases/<int:case_id>/assignee/release")
@requires(Permission.ACT_ON_CASE, Permission.ASSIGN_CASES)
def release(case_id: int) -> Answer:
    """Give a case back to be assigned anew."""
    version = version_field()
    words = _("已退回待分派；半小时内无人认领的，由系统自动分派。")
    return _done(case_id, lambda: assignment_service.release(actor(), case_id, version, now()), words)


@bp.get("/cases/<int:case_id>/assignee/give")
@requires(Permission.ASSIGN_CASES)
def offer(case_id: int) -> str:
    """Whom the case can be given to; read on a page of its own, since it asks much that the case page need not know."""
    case = case_service.get(actor(), case_id)
    if not assignment_service.may_assign(actor(), case):
        raise NotPermitted()
    return render_template("desk/give.html", case=case, offered=assignment_service.candidates_for(case, now()))


@bp.post("/cases/<int:case_id>/assignee/give")
@requires(Permission.ASSIGN_CASES)
def give(case_id: int) -> Answer:
    """Give the case to a person."""
    version, note = version_field(), request.form.get("note", "")
    return _done(
        case_id,
        lambda: assignment_service.assign_to(actor(), case_id, _person(), version, now(), note),
        _("已转交。"),
    )


@bp.post("/cases/<int:case_id>/assignee/choose")
@requires(Permission.ASSIGN_CASES)
def choose(case_id: int) -> Answer:
    """Let the rules choose anew."""
    version = version_field()
    return _done(
        case_id,
        lambda: assignment_service.assign_automatically(actor(), case_id, version, now()),
        _("已按规则分派。"),
    )
