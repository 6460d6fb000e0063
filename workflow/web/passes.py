"""The company's vehicle passes on an approved case: asking for one, and what became of each."""

from __future__ import annotations

import datetime as dt

from flask import Blueprint, flash, redirect, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from workflow.core.actors import Permission
from workflow.core.errors import N_, Invalid, NotFound, StepClosed
from workflow.core.times import shanghai_day
from workflow.data import passes
from workflow.data.cases import Case
from workflow.extensions import db, settings
from workflow.services import cases as case_service
from workflow.services import passes as service
from workflow.services import printing
from workflow.web.access import actor, requires
from workflow.web.clock import now
from workflow.web.forms.passes import PassForm

bp = Blueprint("passes", __name__)
company = requires(Permission.REQUEST_PASS)

STATUSES = {
    "requested": (N_("待发放"), "progress"),
    "granted": (N_("已发放"), "success"),
    "refused": (N_("未同意"), "danger"),
    "suspended": (N_("已暂停"), "warning"),
    "revoked": (N_("已撤销"), "danger"),
    "replaced": (N_("已换新证"), "neutral"),
    "withdrawn": (N_("已撤回"), "neutral"),
}
"""Source text and tone of each status."""


def _own_case(case_id: int) -> Case:
    case = case_service.get(actor(), case_id)
    if case.enterprise_id not in actor().enterprise_ids:
        raise NotFound()
    return case


def _page(case: Case, form: PassForm) -> str:
    form.offer_purposes()
    today = shanghai_day(now())
    asked = list(reversed(passes.of_case(case.id)))
    approved = case.permits
    page = {"case": case, "form": form, "asked": asked, "approved": approved, "today": today}
    page |= {"standing": len(printing.printable(asked, today)), "layouts": printing.LAYOUT_LABELS}
    return render_template("passes/index.html", statuses=STATUSES, longest=settings().pass_max_days, **page)


@bp.get("/cases/<int:case_id>/passes")
@company
def index(case_id: int) -> str:
    """The form for one more pass, and the list of all."""
    today = shanghai_day(now())
    last = today + dt.timedelta(days=settings().pass_max_days - 1)
    dates = {"valid_from_on": today.isoformat(), "valid_until_on": last.isoformat()}
    return _page(_own_case(case_id), PassForm(formdata=None, data=dates))


@bp.post("/cases/<int:case_id>/passes")
@company
def ask(case_id: int) -> Response | tuple[str, int]:
    """Ask for a pass; a refusal is said at its field and nothing typed is lost."""
    case, form = _own_case(case_id), PassForm()
    form.offer_purposes()
    if not form.validate():
        return _page(case, form), 422
    try:
        asked = service.request_pass(actor(), case_id, form.as_request(), now())
    except (Invalid, StepClosed) as error:
        db.session.rollback()
        form.refuse(error)
        return _page(case, form), error.status
    flash(_("已提交 %(plate)s 的通行证申请。", plate=asked.plate), "success")
    return redirect(url_for("passes.index", case_id=case_id, _anchor="asked"), 303)
