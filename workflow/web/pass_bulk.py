"""Deciding on many passes: what the act would do with each, the reason, and the job that does it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from workflow.core.actors import Permission
from workflow.core.errors import Invalid
from workflow.core.times import shanghai_day
from workflow.data import pass_desk
from workflow.data.passes import VehiclePass
from workflow.extensions import db
from workflow.i18n import say
from workflow.services import bulk, pass_acts, phrases
from workflow.web import pass_address
from workflow.web.access import actor, requires
from workflow.web.boundary import after_commit, writes_nothing
from workflow.web.clock import now
from workflow.web.pass_desk import lines

bp = Blueprint("pass_bulk", __name__)


def view_asked() -> dict[str, Any]:
    """The parameters of the desk's address that came with the request."""
    return {name: request.values[name][:80] for name in pass_address.NAMES if request.values.get(name)}


def _chosen() -> list[int]:
    """The ticked passes; with ``all=1`` every pass that answers to the desk's filters, up to the most of a job."""
    if request.form.get("all") == "1":
        filters = pass_address.read(view_asked(), {t.code: t.id for t in pass_desk.towns_of(actor())})
        return pass_desk.ids(actor(), filters, shanghai_day(now()), pass_acts.MOST + 1)
    listed = chain(request.form.getlist("pass"), request.form.get("passes", "").split(","))
    return [n for n in map(pass_address.number, listed) if n is not None]


def _to_desk(error: Invalid) -> Response:
    flash(say(error), "warning")
    return redirect(url_for("pass_desk.desk", **view_asked()), 303)


def _page(action: str, found: Sequence[VehiclePass], error: Invalid | None) -> tuple[str, int]:
    """The preview; with ``error`` what was typed stays, and it says what is wrong."""
    shut = {p.id: why for p in found if (why := pass_acts.reasons(p, action, now()))}
    rows = pass_desk.some(actor(), [p.id for p in found])
    shown = lines([rows[p.id] for p in found if p.id in rows])
    topic = f"{phrases.PASS}.{action.removeprefix(pass_acts.PREFIX)}"
    body = render_template(
        "passes/desk_bulk.html",
        action=action,
        act=pass_acts.ACTS[action],
        needs_words=action in pass_acts.NEEDS_WORDS,
        lines=shown,
        ready=[line for line in shown if line.row.id not in shut],
        shut=[(line, shut[line.row.id]) for line in shown if line.row.id in shut],
        ids=",".join(str(p.id) for p in found),
        topic=topic,
        offered=phrases.suggestions(actor(), topic, None) if action in pass_acts.NEEDS_WORDS else [],
        words=request.form.get("words", ""),
        error=say(error) if error else "",
        field=error.field if error else "",
        asked=view_asked(),
    )
    return body, 422 if error else 200


@bp.post("/passes/bulk")
@requires(Permission.DECIDE_PASS)
@writes_nothing
def preview() -> Response | tuple[str, int]:
    """What the act would do with each of the chosen passes, before anything is done."""
    action = request.form.get("action", "")
    pass_acts.act_of(actor(), action)
    try:
        found = pass_acts.seen(actor(), _chosen())
    except Invalid as error:
        return _to_desk(error)
    return _page(action, found, None)


@bp.post("/passes/bulk/start")
@requires(Permission.DECIDE_PASS)
def start() -> Response | tuple[str, int]:
    """Make the job of what is still ticked; a refusal comes on the preview, with everything that was typed."""
    action, words = request.form.get("action", ""), request.form.get("words", "")
    pass_acts.act_of(actor(), action)
    ticked = [n for n in map(pass_address.number, request.form.getlist("row")) if n is not None]
    try:
        job = bulk.start_passes(actor(), action, ticked, words, now())
    except Invalid as error:
        db.session.rollback()
        ids = _chosen() or ticked
        return _page(action, pass_acts.seen(actor(), ids), error) if ids else _to_desk(error)
    if action in pass_acts.NEEDS_WORDS:
        phrases.count_use(actor(), f"{phrases.PASS}.{action.removeprefix(pass_acts.PREFIX)}", words, None)
    after_commit(current_app.extensions["wake_worker"])
    return redirect(url_for("bulk.show", job_id=job.id), 303)
