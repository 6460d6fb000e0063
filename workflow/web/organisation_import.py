"""Taking the organisation from a CSV table: looked through first, then applied as a whole; and giving it out again."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from workflow.core import organisation_table
from workflow.core.actors import Permission
from workflow.core.errors import DomainError, Invalid
from workflow.core.organisation_table import COLUMNS, MAX_BYTES
from workflow.extensions import db
from workflow.services import organisation as organisation_service
from workflow.services import organisation_import
from workflow.services.organisation_import import Plan
from workflow.web.access import actor, requires
from workflow.web.boundary import writes_nothing
from workflow.web.clock import now
from workflow.web.organisation import WHOLE_DESK

bp = Blueprint("organisation_import", __name__)

MOST_SHOWN = 300
Answer = Response | tuple[str, int]


@dataclass(frozen=True, slots=True)
class Looked:
    """A table that was looked through: its text, what it would do, or why it is no table."""

    text: str
    plan: Plan | None
    error: DomainError | None


def _page(looked: Looked | None, code: int = 200) -> tuple[str, int]:
    rows = looked.plan.rows if looked and looked.plan else []
    first = sorted(rows, key=lambda r: not r.problems)[:MOST_SHOWN]
    page = render_template(
        "organisation/import.html",
        columns=COLUMNS,
        looked=looked,
        shown=sorted(first, key=lambda r: r.line),
        hidden=len(rows) - len(first),
        new={s.row.line for s in looked.plan.steps if s.is_new} if looked and looked.plan else set(),
    )
    return page, code


def _text() -> str:
    """The table's text: of the file when one was chosen, else what stands in the field."""
    file = request.files.get("file")
    if file is not None and file.filename:
        return organisation_table.decode(file.stream.read(MAX_BYTES + 1))
    text = request.form.get("text", "")
    if not text.strip():
        raise Invalid(_("请选择文件，或把表格贴进来。"), field="file")
    return text


@bp.get("/organisation/import")
@requires(Permission.MANAGE_ORGANISATION)
def form() -> tuple[str, int]:
    """Where a table is chosen."""
    return _page(None)


@bp.post("/organisation/import/look")
@requires(Permission.MANAGE_ORGANISATION)
@writes_nothing
def look() -> tuple[str, int]:
    """Look the table through: what each row would do, and every problem at its row."""
    text = request.form.get("text", "")
    try:
        text = _text()
        plan = organisation_import.plan(actor(), text, now())
    except Invalid as error:
        return _page(Looked(text, None, error), 422)
    return _page(Looked(text, plan, None), 422 if plan.errors else 200)


@bp.post("/organisation/import")
@requires(Permission.MANAGE_ORGANISATION)
def apply() -> Answer:
    """Apply a table as a whole, or show it again with what is wrong."""
    text = request.form.get("text", "")
    try:
        plan = organisation_import.apply(actor(), text, now())
    except Invalid as error:
        db.session.rollback()
        return _refused(text, error)
    flash(
        _("已导入：新建组织 %(teams)s 个，安排职责 %(n)s 项。", teams=plan.new_teams_made, n=plan.new_duties), "success"
    )
    return redirect(url_for("organisation.chart"), 303)


def _refused(text: str, error: DomainError) -> tuple[str, int]:
    try:
        return _page(Looked(text, organisation_import.plan(actor(), text, now()), error), 422)
    except Invalid:
        return _page(Looked(text, None, error), 422)


@bp.get("/organisation/areas/<int:area_id>/organisation.csv")
@requires(*WHOLE_DESK)
def export(area_id: int) -> Response:
    """The organisation of an area as the same table, for Excel (UTF-8 with a mark)."""
    area = organisation_service.get_area(actor(), area_id)
    text = organisation_table.write(organisation_import.export(area, now()))
    name = quote(f"组织架构-{area.name}.csv")
    headers = {"Content-Disposition": f"attachment; filename=organisation.csv; filename*=UTF-8''{name}"}
    return Response("\ufeff" + text, content_type="text/csv; charset=utf-8", headers=headers)
