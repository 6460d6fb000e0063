"""The officers' pass desk: what is asked for, stands, is suspended or has ended, and deciding on a single pass."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from workflow.core.actors import Permission
from workflow.core.errors import DomainError, Invalid, StepClosed
from workflow.core.identifiers import show_plate
from workflow.core.times import shanghai_day
from workflow.data import pass_desk
from workflow.data.pass_desk import DeskPage, DeskPass, PassFilters, Tab
from workflow.data.passes import PURPOSES, VehiclePass
from workflow.extensions import db
from workflow.services import cases as case_service
from workflow.services import pass_acts
from workflow.services import passes as pass_service
from workflow.services.passes import Offer
from workflow.services.printing import LAYOUT_LABELS
from workflow.web import pass_address, pass_words
from workflow.web.access import actor, requires
from workflow.web.boundary import after_commit
from workflow.web.cases import refused_page
from workflow.web.clock import now
from workflow.web.rule_words import PLATE_KINDS

bp = Blueprint("pass_desk", __name__)
decides = requires(Permission.DECIDE_PASS)
SOON = 3
"""Passes that end within so many days are marked."""


@dataclass(frozen=True, slots=True)
class DeskLine:
    """A row with its words; ``held`` is how many live passes its company has, ``left`` the days until it ends."""

    row: DeskPass
    status: str
    tone: str
    kind: str
    schedule: str
    reason: str
    held: int
    left: int


def lines(rows: list[DeskPass]) -> list[DeskLine]:
    """The rows in words, with what each company's quota counts already."""
    today = shanghai_day(now())
    held = pass_desk.live_of({r.enterprise_id for r in rows}, today)
    found = []
    for row in rows:
        status, tone = pass_words.status_of(row.status, row.valid_until_on, today)
        reason = _(pass_words.REASONS[row.reason]) if row.reason != "new" else ""
        kind, schedule = pass_words.kind_of(row.purpose), pass_words.schedule_of(row.schedule)
        left = (row.valid_until_on - today).days
        found.append(DeskLine(row, status, tone, kind, schedule, reason, held.get(row.enterprise_id, 0), left))
    return found


def _pages(filters: PassFilters, page: DeskPage, towns: dict[str, int]) -> tuple[str, str]:
    if not page.rows:
        return "", ""
    asked: dict[str, Any] = {**pass_address.asked_of(filters, towns)}
    before = url_for("pass_desk.desk", **asked, before=page.rows[0].id) if page.has_before else ""
    return before, url_for("pass_desk.desk", **asked, after=page.rows[-1].id) if page.has_after else ""


def _tabs(filters: PassFilters, counts: dict[Tab, int], towns: dict[str, int]) -> list[dict[str, Any]]:
    kept: dict[str, Any] = {**pass_address.asked_of(filters, towns)}
    return [
        {
            "key": tab.value,
            "label": _(pass_words.TABS[tab]),
            "url": url_for("pass_desk.desk", **(kept | {"tab": tab.value})),
            "here": tab is filters.tab,
            "count": f"{counts[tab]:,}",
        }
        for tab in Tab
    ]


def _offer(filters: PassFilters) -> Offer | None:
    """What the rules allow the company, when the passes of one case are looked at."""
    if filters.case_id is None:
        return None
    return pass_service.offer(actor(), case_service.get(actor(), filters.case_id), now())


@bp.get("/passes")
@decides
def desk() -> str:
    """The passes of the reader's areas, a tab at a time."""
    today, towns = shanghai_day(now()), pass_desk.towns_of(actor())
    codes = {t.code: t.id for t in towns}
    filters = pass_address.read(request.args, codes)
    counts = pass_desk.numbers(actor(), filters, today)
    after, before = (pass_address.number(request.args.get(n)) for n in ("after", "before"))
    page = pass_desk.page(actor(), filters, today, after=after, before=before)
    if not page.rows and (after or before):
        page = pass_desk.page(actor(), filters, today)
    back, on = _pages(filters, page, codes)
    shown: dict[str, Any] = {"kinds": pass_words.kinds(), "reasons": pass_words.REASONS, "days": pass_address.DAYS}
    shown |= {"tabs": _tabs(filters, counts, codes), "found": counts[filters.tab], "soon": SOON, "towns": towns}
    shown |= {"acts": [(key, pass_acts.ACTS[key].label) for key in pass_acts.OF_TAB[filters.tab]]}
    shown |= {"asked": pass_address.asked_of(filters, codes), "offer": _offer(filters)}
    shown |= {"purposes": PURPOSES, "plate_kinds": PLATE_KINDS, "layouts": LAYOUT_LABELS}
    ours = lines(list(page.rows))
    return render_template("passes/desk.html", filters=filters, lines=ours, prev_url=back, next_url=on, **shown)


def _back(decided: VehiclePass, words: str) -> Response:
    after_commit(current_app.extensions["wake_worker"])
    flash(words, "success")
    return redirect(url_for("cases.show", case_id=decided.case_id, _anchor="passes"), 303)


def _refused(pass_id: int, error: DomainError, act: str, words: str) -> tuple[str, int]:
    """The case page with the refusal and the words that were typed."""
    db.session.rollback()
    return refused_page(pass_service.get(actor(), pass_id).case_id, error, f"{act}-{pass_id}", words)


@bp.post("/passes/<int:pass_id>/grant")
@decides
def grant(pass_id: int) -> Response | tuple[str, int]:
    """Grant a requested pass."""
    try:
        decided = pass_service.grant(actor(), pass_id, now())
    except (Invalid, StepClosed) as error:
        return _refused(pass_id, error, "grant", "")
    return _back(decided, _("已发放 %(plate)s 的通行证。", plate=show_plate(decided.plate)))


@bp.post("/passes/<int:pass_id>/refuse")
@decides
def refuse(pass_id: int) -> Response | tuple[str, int]:
    """Refuse a requested pass with a reason."""
    words = request.form.get("words", "")
    try:
        decided = pass_service.refuse(actor(), pass_id, words, now())
    except (Invalid, StepClosed) as error:
        return _refused(pass_id, error, "refuse", words)
    return _back(decided, _("已回复不同意 %(plate)s 的通行证申请。", plate=show_plate(decided.plate)))


@bp.post("/passes/<int:pass_id>/suspend")
@decides
def suspend(pass_id: int) -> Response | tuple[str, int]:
    """Suspend a granted pass with a reason; every gate refuses it from then on."""
    words = request.form.get("words", "")
    try:
        decided = pass_service.suspend(actor(), pass_id, words, now())
    except (Invalid, StepClosed) as error:
        return _refused(pass_id, error, "suspend", words)
    return _back(decided, _("已暂停 %(plate)s 的通行证，核验页立即显示。", plate=show_plate(decided.plate)))


@bp.post("/passes/<int:pass_id>/resume")
@decides
def resume(pass_id: int) -> Response | tuple[str, int]:
    """Make a suspended pass good again, with a reason."""
    words = request.form.get("words", "")
    try:
        decided = pass_service.resume(actor(), pass_id, words, now())
    except (Invalid, StepClosed) as error:
        return _refused(pass_id, error, "resume", words)
    return _back(decided, _("已恢复 %(plate)s 的通行证。", plate=show_plate(decided.plate)))


@bp.post("/passes/<int:pass_id>/revoke")
@decides
def revoke(pass_id: int) -> Response | tuple[str, int]:
    """Revoke a granted pass with a reason; the next check says so."""
    words = request.form.get("words", "")
    try:
        decided = pass_service.revoke(actor(), pass_id, words, now())
    except (Invalid, StepClosed) as error:
        return _refused(pass_id, error, "revoke", words)
    return _back(decided, _("已撤销 %(plate)s 的通行证，核验页立即显示。", plate=show_plate(decided.plate)))
