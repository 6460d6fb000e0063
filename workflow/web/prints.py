"""Files with many passes: ordering one, its progress, and fetching it for a week."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from workflow.core.actors import Permission
from workflow.core.errors import N_
from workflow.core.times import shanghai_time
from workflow.data import print_jobs as data
from workflow.data.print_jobs import PrintJob
from workflow.documents import storage
from workflow.extensions import db, settings
from workflow.services import print_jobs
from workflow.services.print_jobs import PrintAsking
from workflow.services.printing import LAYOUT_LABELS
from workflow.web.access import actor, requires
from workflow.web.boundary import after_commit
from workflow.web.clock import now
from workflow.web.files import disposition

bp = Blueprint("prints", __name__)
STATUS_WORDS = {
    "waiting": (N_("等待生成"), "info"),
    "running": (N_("正在生成"), "progress"),
    "done": (N_("可下载"), "success"),
    "failed": (N_("没有完成"), "danger"),
    "cancelled": (N_("已取消"), "neutral"),
    "expired": (N_("已过期"), "neutral"),
}
SHOWN = 30


def _ids(texts: list[str]) -> tuple[int, ...]:
    """The numbers among texts of a form, each once; ``1,2,3`` counts as three."""
    parts = (part.strip() for text in texts for part in text.split(","))
    return tuple(dict.fromkeys(int(p) for p in parts if p.isascii() and p.isdigit() and len(p) <= 18))


@bp.post("/passes/prints")
@requires(Permission.SEE_CASE)
def create() -> Response:
    """Order a file: ``case_id`` for all standing passes of a case, or ``pass`` for each that was ticked."""
    case, ticked = _ids(request.form.getlist("case_id")), _ids(request.form.getlist("pass"))
    if not case and not ticked:
        flash(_("请先勾选通行证。"), "warning")
        at_desk = actor().may(Permission.DECIDE_PASS)
        return redirect(url_for("pass_desk.desk", tab="standing") if at_desk else url_for("prints.index"), 303)
    asking = PrintAsking(
        case_id=case[0] if case else None,
        pass_ids=ticked,
        layout=request.form.get("layout", "windscreen"),
        format=request.form.get("format", "pdf"),
    )
    print_jobs.start(actor(), asking, now())
    after_commit(current_app.extensions["wake_worker"])
    return redirect(url_for("prints.index"), 303)


def _shown() -> dict[str, Any]:
    found = db.session.scalars(data.of(actor()).order_by(PrintJob.id.desc()).limit(SHOWN)).all()
    lines = [(j, _(STATUS_WORDS[j.status][0]), STATUS_WORDS[j.status][1]) for j in found]
    return {"lines": lines, "going": any(j.is_going for j in found), "layouts": LAYOUT_LABELS}


@bp.get("/passes/prints")
@requires(Permission.SEE_CASE)
def index() -> str:
    """The reader's files of passes, newest first."""
    return render_template("passes/prints.html", **_shown())


@bp.get("/passes/prints/rows")
@requires(Permission.SEE_CASE)
def rows() -> str:
    """The part of the page that changes while something is printed."""
    return render_template("passes/_prints.html", **_shown())


@bp.post("/passes/prints/<int:job_id>/cancel")
@requires(Permission.SEE_CASE)
def cancel(job_id: int) -> Response:
    """Stop a job in the making."""
    print_jobs.cancel(actor(), job_id, now())
    return redirect(url_for("prints.index"), 303)


@bp.get("/passes/prints/<int:job_id>/file")
@requires(Permission.SEE_CASE)
def download(job_id: int) -> Response:
    """The finished file, for whoever ordered it alone."""
    file = print_jobs.file_of(actor(), job_id, now())
    name = f"通行证-{shanghai_time(file.created_at):%Y%m%d-%H%M}-{job_id}.{file.kind}"
    response: Response = current_app.response_class(
        storage.read_stream(storage.open_store(settings().files_url), file.key), mimetype=file.media_type
    )
    response.headers["Content-Disposition"] = disposition(name)
    response.headers["Content-Length"] = str(file.size)
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cache-Control"] = "private, no-store"
    response.headers["X-Robots-Tag"] = "noindex"
    return response
