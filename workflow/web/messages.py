"""The company's inbox: what moved on its cases, newest first."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from flask import Blueprint, redirect, render_template, request, url_for
from sqlalchemy import update
from werkzeug.wrappers import Response

from workflow.core.actors import Permission
from workflow.core.errors import NotFound
from workflow.data import messages
from workflow.data.cases import Case
from workflow.data.cases import visible_to as visible_cases
from workflow.data.messages import Message
from workflow.extensions import db
from workflow.i18n import reader_locale
from workflow.web.access import actor, requires
from workflow.web.clock import now
from workflow.web.notices import by_day, number

bp = Blueprint("messages", __name__)
filer = requires(Permission.FILE_APPLICATION)
PAGE = 20


@dataclass(frozen=True, slots=True)
class Letter:
    """A message with its words; ``case`` is None when the reader may not see it any more."""

    message: Message
    case: Case | None
    done: str
    state: str

    @property
    def at(self) -> dt.datetime:
        """When it came."""
        return self.message.created_at


def _words(message: Message, part: str) -> str:
    """A label of the details in the reader's language; empty when there is none."""
    label = message.details.get(part)
    return str(label.get("en" if reader_locale() == "en" else "zh", "")) if isinstance(label, dict) else ""


@bp.get("/messages")
@filer
def inbox() -> str:
    """Twenty messages from ``before`` (an id) backwards."""
    before = number(request.args.get("before"))
    query = messages.visible_to(actor())
    if before is not None:
        query = query.where(Message.id < before)
    found = list(db.session.scalars(query.limit(PAGE + 1)))
    page, more = found[:PAGE], len(found) > PAGE
    ids = {m.case_id for m in page}
    cases = {c.id: c for c in db.session.scalars(visible_cases(actor()).where(Case.id.in_(ids)))} if ids else {}
    rows = [Letter(m, cases.get(m.case_id), _words(m, "done"), _words(m, "state")) for m in page]
    return render_template(
        "messages/inbox.html",
        days=by_day(rows),
        many_companies=len(actor().enterprise_ids) > 1,
        unread=messages.unread_count(actor()),
        newest_url=url_for("messages.inbox") if before is not None else "",
        older_url=url_for("messages.inbox", before=page[-1].id) if more else "",
    )


@bp.post("/messages/read")
@filer
def read() -> Response:
    """Mark one message read, and go to what it is about, its case or the case's passes; or all of them."""
    chosen = number(request.form.get("message"))
    own = messages.visible_to(actor())
    if chosen is None:
        ids = own.with_only_columns(Message.id).where(Message.read_at.is_(None)).order_by(None)
        db.session.execute(update(Message).where(Message.id.in_(ids)).values(read_at=now()))
        return redirect(url_for("messages.inbox"), 303)
    message = db.session.scalar(own.where(Message.id == chosen))
    if message is None:
        raise NotFound()
    message.read_at = message.read_at or now()
    about = "passes.index" if message.event.startswith("pass_") else "cases.show"
    return redirect(url_for(about, case_id=message.case_id), 303)
