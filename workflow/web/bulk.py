"""Bulk work: what an act would do with many cases, one by one; the job that does it, its progress and every result."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from typing import Any

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from workflow.core.actors import Permission
from workflow.core.errors import N_, Invalid, NotFound, StepClosed
from workflow.core.tables import Label
from workflow.data import bulk as data
from workflow.data import pass_desk, queue
from workflow.data.bulk import BulkJob, BulkRow, JobStatus
from workflow.data.cases import Case
from workflow.extensions import db
from workflow.i18n import mark, reader_locale, say
from workflow.services import bulk, pass_acts, refusals
from workflow.services.bulk import ANY_ACT, Wanted
from workflow.services.bulk_acts import act_of, slot
from workflow.services.filters import PARAMETERS, filters_of
from workflow.web import bulk_forms, exports
from workflow.web.access import actor, requires
from workflow.web.boundary import after_commit, writes_nothing
from workflow.web.clock import now
from workflow.web.context import datetime_sh

bp = Blueprint("bulk", __name__)
STATUS_WORDS = {
    JobStatus.WAITING: (N_("等待办理"), "info"),
    JobStatus.RUNNING: (N_("办理中"), "progress"),
    JobStatus.PAUSED: (N_("已暂停"), "warning"),
    JobStatus.DONE: (N_("已完成"), "success"),
    JobStatus.CANCELLED: (N_("已取消"), "neutral"),
}
SHOWN_WHILE_GOING = 60
JOBS_SHOWN = 50
MOVES = {"pause": bulk.pause, "resume": bulk.resume, "cancel": bulk.cancel}


@dataclass(frozen=True, slots=True)
class Line:
    """A row of a job in words; ``case`` is None when the reader may not see it any more; ``plate`` is the pass's."""

    row: BulkRow
    case: Case | None
    words: str
    plate: str = ""


def numbers(texts: Iterable[str]) -> list[int]:
    """The ids among ``texts``."""
    return [int(t) for t in texts if t.isascii() and t.isdigit() and len(t) <= 18]


def view_asked() -> dict[str, Any]:
    """The parameters of the queue's address that came with the request."""
    return {name: request.values[name] for name in PARAMETERS if request.values.get(name)}


def chosen_ids(most: int) -> list[int]:
    """The ticked cases; with ``all=1`` every case that answers to the queue's filters, up to ``most``."""
    if request.values.get("all") == "1":
        filters = filters_of(view_asked(), actor(), now())
        return [row.id for row in islice(queue.stream(actor(), filters, now()), most + 1)]
    listed = request.form.get("cases", "").split(",")
    return numbers([*request.form.getlist("case"), *listed])


def _to_queue(error: Invalid) -> Response:
    """Back to the queue, with what has to be chosen otherwise."""
    flash(say(error), "warning")
    return redirect(url_for("desk.queue", **view_asked()), 303)


@bp.post("/desk/bulk")
@requires(Permission.SEE_DESK)
@writes_nothing
def preview() -> Response | tuple[str, int]:
    """What the act would do with each of the chosen cases, before anything is done."""
    action = request.form.get("action", "")
    if action == "export":
        return exports.ask_for(chosen_ids(bulk.MAX_CASES) if request.values.get("all") != "1" else [], view_asked())
    act = act_of(actor(), action)
    try:
        found = bulk.seen(actor(), chosen_ids(act.most), act.most)
    except Invalid as error:
        return _to_queue(error)
    return bulk_forms.page(action, found, None)


def _wanted() -> list[Wanted]:
    """The cases that are still ticked, with the versions that the preview was drawn from, and the words on each."""
    found = []
    for text in request.form.getlist("row"):
        pair = numbers(text.split("-"))
        if len(pair) != 2:
            raise Invalid(N_("这份表单已失效，请刷新页面后再提交；您填的内容请先复制保存。"))
        words = request.form.get(f"words_{pair[0]}", "")
        found.append(Wanted(pair[0], pair[1], words, request.form.get(f"checked_{pair[0]}") == "1"))
    return found


@bp.post("/bulk")
@requires(Permission.SEE_DESK)
def start() -> Response | tuple[str, int]:
    """Make the job of what is still ticked; a refusal comes on the preview, with everything that was typed."""
    action, act = request.form.get("action", ""), act_of(actor(), request.form.get("action", ""))
    wanted = _wanted()
    try:
        params = bulk_forms.params_of(action, len(wanted))
        job = bulk.start(actor(), action, params, wanted, now())
    except Invalid as error:
        db.session.rollback()
        ids = chosen_ids(act.most) or [w.case_id for w in wanted]
        return bulk_forms.page(action, bulk.seen(actor(), ids, act.most), error) if ids else _to_queue(error)
    after_commit(current_app.extensions["wake_worker"])
    return redirect(url_for("bulk.show", job_id=job.id), 303)


def _status(job: BulkJob) -> tuple[str, str]:
    words, tone = STATUS_WORDS[JobStatus(job.status)]
    return _(words), tone


@bp.get("/bulk")
@requires(Permission.SEE_DESK)
def mine() -> str:
    """The reader's jobs, newest first."""
    query = data.of(actor()).order_by(BulkJob.id.desc()).limit(JOBS_SHOWN)
    jobs = [(job, _(ANY_ACT[job.action].label), *_status(job)) for job in db.session.scalars(query)]
    return render_template("bulk/mine.html", jobs=jobs)


def refusal_words(kept: dict[str, Any]) -> str:
    """Why a row was refused, and what had changed."""
    found = refusals.read(kept)
    words = say(found.main)
    if found.reasons:
        words = f"{words.rstrip('。.')}{mark('：')}{mark('；').join(say(r) for r in found.reasons)}"
    if found.change:
        what = found.change.what
        done = what.text(reader_locale()) if isinstance(what, Label) else _(what)
        state = found.change.state.text(reader_locale())
        told = _("%(time)s %(what)s，现为“%(state)s”。", time=datetime_sh(found.change.at), what=done, state=state)
        words = f"{words}{mark('')}{told}"
    return words


def _lines(job: BulkJob) -> list[Line]:
    """The rows with what became of them; while the job goes on, what was refused and what was done last."""
    found = data.latest_rows(job.id, SHOWN_WHILE_GOING) if job.is_going else data.all_rows(job.id)
    seen = queue.some(actor(), list({row.case_id for row in found}))
    plates = pass_desk.plates([row.pass_id for row in found if row.pass_id is not None and row.case_id in seen])
    made = []
    for row in found:
        words = refusal_words(row.refusal) if row.refusal else ""
        made.append(Line(row, seen.get(row.case_id), words, plates.get(row.pass_id or 0, "")))
    return made


def _shown(job_id: int) -> dict[str, Any]:
    job = bulk.get(actor(), job_id)
    act, (status, tone) = ANY_ACT[job.action], _status(job)
    lines = _lines(job)
    return {
        "job": job,
        "act": act,
        "lines": lines,
        "status": status,
        "tone": tone,
        "stalled": bulk.is_stalled(job, now()),
        "slot": slot,
        "of_passes": job.action in pass_acts.ACTS,
        "again": [line.row.subject_id for line in lines if line.row.status != "done" and line.case is not None],
    }


@bp.get("/bulk/<int:job_id>")
@requires(Permission.SEE_DESK)
def show(job_id: int) -> str:
    """The job with its progress and its rows; can be left and found again."""
    return render_template("bulk/job.html", **_shown(job_id))


@bp.get("/bulk/<int:job_id>/rows")
@requires(Permission.SEE_DESK)
def rows(job_id: int) -> str:
    """The part of the job's page that changes while it goes on."""
    return render_template("bulk/_rows.html", **_shown(job_id))


@bp.post("/bulk/<int:job_id>/<move>")
@requires(Permission.SEE_DESK)
def steer(job_id: int, move: str) -> Response:
    """Pause, resume or cancel the reader's own job."""
    if move not in MOVES:
        raise NotFound()
    try:
        MOVES[move](actor(), job_id, now())
    except StepClosed as error:
        flash(say(error), "warning")
    after_commit(current_app.extensions["wake_worker"])
    return redirect(url_for("bulk.show", job_id=job_id), 303)
