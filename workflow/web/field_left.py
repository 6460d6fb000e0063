"""What another inspector's phone sent too late: listed for the visit's inspectors, who may take it over."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from workflow.core.actors import Permission
from workflow.core.errors import Invalid
from workflow.data import people
from workflow.extensions import db
from workflow.i18n import say
from workflow.services import checklists, field_sheets
from workflow.services.field_sheets import REFUSALS
from workflow.web import sheets
from workflow.web.access import actor, requires
from workflow.web.clock import now

bp = Blueprint("field_left", __name__, url_prefix="/field")


def _page(inspection_id: int, error: str = "", code: int = 200) -> tuple[str, int]:
    visit, left = field_sheets.left_over(actor(), inspection_id)
    checklist = checklists.of_visit(visit)
    asked = {row.code: checklist.item(row.code) for row in visit.items}
    shown = render_template(
        "inspections/left.html",
        visit=visit,
        left=[(op, asked.get(op.code)) for op in left],
        rows={row.code: row for row in visit.items},
        names=people.names_of({op.person_id for op in left}),
        labels=sheets.RESULT_LABELS,
        reasons=REFUSALS,
        error=error,
    )
    return shown, code


@bp.get("/<int:inspection_id>/left")
@requires(Permission.INSPECT)
def show(inspection_id: int) -> tuple[str, int]:
    """The marks that others left behind on this visit, beside what its items carry now."""
    return _page(inspection_id)


@bp.post("/<int:inspection_id>/left")
@requires(Permission.INSPECT)
def take_over(inspection_id: int) -> Response | tuple[str, int]:
    """Take chosen marks over as one's own."""
    chosen = {int(v) for v in request.form.getlist("operation") if v.isascii() and v.isdigit() and len(v) < 19}
    try:
        codes = field_sheets.take_over(actor(), inspection_id, chosen, now())
    except Invalid as error:
        db.session.rollback()
        return _page(inspection_id, say(error), 422)
    if not codes:
        return _page(inspection_id, _("请先勾选要接手的记录。"), 422)
    flash(_("已接手 %(n)s 项，请在核查表中核对。", n=len(codes)), "success")
    return redirect(url_for("inspections.sheet", inspection_id=inspection_id), 303)
