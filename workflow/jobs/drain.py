"""Draining the outbox: at least once, with one effect, through crashes at any point.

An item is leased in a transaction of its own. Its handler then prepares without a lock (rendering a PDF) and finishes
in one transaction that also marks the item done; a crash in between brings the item back when the lease ends.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import structlog
from sqlalchemy import select

from workflow.channels.failure import ChannelFailure
from workflow.core.errors import NotFound
from workflow.core.times import shanghai_day
from workflow.data import counters, idempotency, outbox
from workflow.data.issued import IssuedDocument
from workflow.data.messages import Message
from workflow.extensions import db
from workflow.jobs import chunks, notifying
from workflow.jobs.notifying import Later
from workflow.jobs.writing import Writing as _Writing
from workflow.services import clocks, issuing, item_deadlines, notices, pass_reminders

log = structlog.get_logger()
Finish = Callable[[dt.datetime], None]
Handler = Callable[[int, Mapping[str, Any]], Finish]


@dataclass(frozen=True, slots=True)
class TimedHandler:
    """A handler whose preparing depends on the time, or is committed step by step."""

    prepare: Callable[[int, Mapping[str, Any], Callable[[], dt.datetime]], Finish]


def _message(item_id: int, payload: Mapping[str, Any]) -> Finish:
    """Put a message into a company's inbox."""

    def finish(now: dt.datetime) -> None:
        if db.session.scalar(select(Message.id).where(Message.outbox_id == item_id)) is None:
            db.session.add(
                Message(
                    enterprise_id=payload["enterprise_id"],
                    case_id=payload["case_id"],
                    outbox_id=item_id,
                    event=payload["event"],
                    details=payload["details"],
                    created_at=now,
                )
            )
            notices.tell_company_people(item_id, payload, now)

    return finish


def _render(item_id: int, payload: Mapping[str, Any]) -> Finish:
    """Render an issued document and keep the PDF in the file store."""
    document = db.session.get(IssuedDocument, payload["document_id"])
    if document is None:
        raise NotFound()
    content = None if document.file_id else issuing.render_pdf(document)

    def finish(now: dt.datetime) -> None:
        fresh = db.session.get_one(IssuedDocument, payload["document_id"], populate_existing=True)
        if content is not None and fresh.file_id is None:
            fresh.file = issuing.keep_bytes(content, "application/pdf", "pdf", now)

    return finish


HANDLERS: Mapping[str, Handler | TimedHandler] = {
    "message": _message,
    "render": _render,
    "notice": notifying.deliver_notice,
    "letter": TimedHandler(notifying.send_letter),
    "robot": TimedHandler(notifying.send_robot),
    "bulk": TimedHandler(chunks.bulk_chunk),
    "export": TimedHandler(chunks.export_chunk),
    "print": TimedHandler(chunks.print_passes),
}
"""Every kind of outbox item has a handler."""


def _prepare(item_id: int, kind: str, payload: Mapping[str, Any], clock: Callable[[], dt.datetime]) -> Finish:
    handler = HANDLERS[kind]
    if isinstance(handler, TimedHandler):
        return handler.prepare(item_id, payload, clock)
    return handler(item_id, payload)


def _named(error: Exception) -> str:
    """The error's class, of a channel's also which and the number; never the words of a message."""
    return str(error) if isinstance(error, ChannelFailure) else type(error).__name__


def drain(clock: Callable[[], dt.datetime], limit: int = 1000) -> int:
    """Do up to ``limit`` ready items; returns how many were done. Errors of one item don't stop the others."""
    done = 0
    for _ in range(limit):
        with _Writing():
            item = outbox.take(clock())
            taken = (item.id, item.kind, dict(item.payload)) if item else None
        if taken is None:
            break
        item_id, kind, payload = taken
        try:
            finish = _prepare(item_id, kind, payload, clock)
            with _Writing():
                if outbox.mark_done(item_id, clock()):
                    finish(clock())
            done += 1
        except Later as wait:
            with _Writing():
                outbox.postpone(item_id, wait.at)
        except Exception as error:  # a broken item must not stop the rest; it is tried again and told
            log.warning("outbox_item_failed", item=item_id, kind=kind, error=_named(error))
            with _Writing():
                outbox.mark_failed(item_id, clock(), _named(error))
    return done


def run_clocks(clock: Callable[[], dt.datetime], limit: int = 5000) -> int:
    """Let the clocks of cases and opinion requests do what is due, each in a commit of its own; returns how many."""
    done = 0
    remind = (clocks.remind_one, item_deadlines.remind_one, pass_reminders.remind_one)
    for run in (clocks.run_one, *remind, notices.collect_one):
        for _ in range(limit):
            with _Writing():
                found = run(clock())
            if found is None:
                break
            done += 1
    return done


def forget_old_keys(clock: Callable[[], dt.datetime]) -> int:
    """Delete idempotency keys that are older than any retry, and counters of past days that are at nothing."""
    with _Writing():
        counters.sweep(shanghai_day(clock()))
        return idempotency.forget_old(clock())
