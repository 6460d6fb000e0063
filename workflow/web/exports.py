"""Exports: ordering a view of the queue as a file, its progress, and fetching it for a week."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import Blueprint, current_app, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from workflow.core.actors import Permission
from workflow.core.errors import N_, Invalid
from workflow.core.times import shanghai_time
from workflow.data import exports as data
from workflow.data import queue
from workflow.data.exports import Export
from workflow.documents import storage
from workflow.extensions import db, settings
from workflow.i18n import say
from workflow.services import exports
from workflow.services.exports import Asking
from workflow.services.filters import PARAMETERS, filters_of
from workflow.web.access import actor, requires
from workflow.web.boundary import after_commit
from workflow.web.clock import now
from workflow.web.files import disposition

bp = Blueprint("exports", __name__)
STATUS_WORDS = {
    "waiting": (N_("等待导出"), "info"),
    "running": (N_("正在导出"), "progress"),
    "done": (N_("可下载"), "success"),
    "failed": (N_("没有完成"), "danger"),
    "cancelled": (N_("已取消"), "neutral"),
    "expired": (N_("已过期"), "neutral"),
}
SHOWN = 30


def _view(values: Mapping[str, str]) -> dict[str, str]:
    return {name: values[name][:400] for name in PARAMETERS if values.get(name)}


def ask_for(case_ids: Sequence[int], view: Mapping[str, str], error: Invalid | None = None) -> tuple[str, int]:
    """The form that orders an export of these cases, or of all that answer to the view."""
    found = len(case_ids) or queue.count(actor(), filters_of(view, actor(), now()), now())
    body = render_template(
        "exports/new.html",
        ids=",".join(str(i) for i in case_ids),
        view=view,
        found=f"{queue.COUNT_CAP:,}+" if found > queue.COUNT_CAP else f"{found:,}",
        may_unmask=actor().may(Permission.EXPORT_PERSONAL),
        error=say(error) if error else "",
        field=error.field if error else "",
    )
    return body, 422 if error else 200


@bp.get("/exports/new")
@requires(Permission.SEE_DESK)
def new() -> tuple[str, int]:
    """The form that orders an export of the view in the address."""
    return ask_for([], _view(request.args))


@bp.post("/exports")
@requires(Permission.SEE_DESK)
def create() -> Response | tuple[str, int]:
    """Order the export; the worker writes it."""
    ids = [int(t) for t in request.form.get("cases", "").split(",") if t.isascii() and t.isdigit() and len(t) <= 18]
    asking = Asking(
        view=_view(request.form),
        case_ids=tuple(dict.fromkeys(ids)),
        format=request.form.get("format", ""),
        unmasked=request.form.get("unmasked") == "1",
        reason=request.form.get("reason", ""),
    )
    try:
        exports.start(actor(), asking, now())
    except Invalid as error:
        db.session.rollback()
        return ask_for(asking.case_ids, asking.view, error)
    after_commit(current_app.extensions["wake_worker"])
    return redirect(url_for("exports.index"), 303)


def _shown() -> dict[str, Any]:
    found = db.session.scalars(data.of(actor()).order_by(Export.id.desc()).limit(SHOWN)).all()
    lines = [(e, _(STATUS_WORDS[e.status][0]), STATUS_WORDS[e.status][1]) for e in found]
    return {"lines": lines, "going": any(e.is_going for e in found)}


@bp.get("/exports")
@requires(Permission.SEE_DESK)
def index() -> str:
    """The reader's exports, newest first."""
    return render_template("exports/index.html", **_shown())


@bp.get("/exports/rows")
@requires(Permission.SEE_DESK)
def rows() -> str:
    """The part of the page that changes while something is exported."""
    return render_template("exports/_rows.html", **_shown())


@bp.post("/exports/<int:export_id>/cancel")
@requires(Permission.SEE_DESK)
def cancel(export_id: int) -> Response:
    """Stop an export in the making."""
    exports.cancel(actor(), export_id, now())
    return redirect(url_for("exports.index"), 303)


@bp.get("/exports/<int:export_id>/file")
@requires(Permission.SEE_DESK)
def download(export_id: int) -> Response:
    """The finished file, for its maker alone."""
    file = exports.file_of(actor(), export_id, now())
    made = shanghai_time(file.created_at)
    name = f"案件导出-{made:%Y%m%d-%H%M}-{export_id}.{file.kind}"
    response: Response = current_app.response_class(
        storage.read_stream(storage.open_store(settings().files_url), file.key), mimetype=file.media_type
    )
    response.headers["Content-Disposition"] = disposition(name)
    response.headers["Content-Length"] = str(file.size)
    response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cache-Control"] = "private, no-store"
    return response
