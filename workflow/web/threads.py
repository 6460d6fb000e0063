"""The thread between a company and its task force: its own page for both sides, writing, and marking as read."""

from __future__ import annotations

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from workflow.core.actors import ROLE_LABELS, Permission, Role
from workflow.core.errors import Invalid, StepClosed
from workflow.data.casework import COMPANY, TalkLine
from workflow.services import cases as case_service
from workflow.services import phrases, threads
from workflow.services.threads import Thread
from workflow.web.access import actor, requires
from workflow.web.boundary import after_commit
from workflow.web.cases import CasePage, place_of_role, refused_page
from workflow.web.clock import now
from workflow.web.queue_way import way

bp = Blueprint("threads", __name__)
either = requires(Permission.SEE_CASE, Permission.FILE_APPLICATION)


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) <= 18 else None


@bp.app_template_global("thread_of")
def thread_of(page: CasePage) -> Thread | None:
    """The newest page of the thread of a case page; None for readers who have no part in it."""
    return threads.read(actor(), page.case, None, page.record.talk) if threads.side_of(actor(), page.case) else None


@bp.app_template_global("writer_words")
def writer_words(thread: Thread, message: TalkLine) -> str:
    """Who wrote a message: the company reads authority and role, officers read each other's names too."""
    if message.from_company:
        return message.name
    role = Role(message.role)
    place = place_of_role(thread.case, role)
    if thread.side == COMPANY:
        return f"{place} · {_(ROLE_LABELS[role])}"
    return f"{message.name} · {_(ROLE_LABELS[role])}"


@bp.get("/cases/<int:case_id>/thread")
@either
def show(case_id: int) -> str:
    """The whole thread, a page at a time, from ``before`` (an id) backwards."""
    case = case_service.get(actor(), case_id)
    before = _number(request.args.get("before"))
    thread = threads.read(actor(), case, before)
    return render_template("cases/thread.html", thread=thread, case=case, before=before)


def _back(case_id: int, anchor: str) -> Response:
    whole = request.form.get("on") == "thread"
    page = "threads.show" if whole else "cases.show"
    return redirect(url_for(page, case_id=case_id, **way(), _anchor=anchor), 303)


@bp.post("/cases/<int:case_id>/thread")
@either
def write(case_id: int) -> Response | tuple[str, int]:
    """Write a message to the other side."""
    words = request.form.get("words", "")
    try:
        threads.write(actor(), case_id, words, now())
    except (Invalid, StepClosed) as error:
        if actor().is_company:
            raise
        return refused_page(case_id, error, "thread", words)
    if not actor().is_company:
        phrases.count_use(actor(), phrases.THREAD, words, None)
    after_commit(current_app.extensions["wake_worker"])
    flash(_("留言已发出。"), "success")
    return _back(case_id, "thread")


@bp.post("/cases/<int:case_id>/thread/read")
@either
def read(case_id: int) -> Response:
    """Mark the thread as read by the reader's side, up to the message that the page showed last."""
    threads.mark_read(actor(), case_id, _number(request.form.get("up_to")) or 0, now())
    return _back(case_id, "thread")
