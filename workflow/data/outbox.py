"""The outbox: work that follows from a change, written with it and drained after it, at least once with one effect."""

from __future__ import annotations

import datetime as dt
from typing import Any, cast

from sqlalchemy import JSON, CursorResult, Index, String, Text, or_, select, text, update
from sqlalchemy.orm import Mapped, mapped_column

from workflow.extensions import HasId, Model, UtcDateTime, db

LEASE = dt.timedelta(minutes=2)
MAX_ATTEMPTS = 8


class OutboxItem(HasId, Model):
    """One thing to do; ``kind`` names the handler, ``payload`` holds ids only."""

    __tablename__ = "outbox"
    __table_args__ = (
        Index(
            "ix_outbox_ready",
            "available_at",
            "id",
            sqlite_where=text("done_at IS NULL AND dead_at IS NULL"),
            postgresql_where=text("done_at IS NULL AND dead_at IS NULL"),
        ),
    )

    kind: Mapped[str] = mapped_column(String(40))
    payload: Mapped[dict[str, Any]] = mapped_column(JSON)
    created_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    available_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    attempts: Mapped[int] = mapped_column(default=0)
    done_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    dead_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    error: Mapped[str] = mapped_column(Text, default="", comment="class of the last failure, no data")


def put(kind: str, payload: dict[str, Any], at: dt.datetime) -> OutboxItem:
    """Add an item in the present transaction."""
    item = OutboxItem(kind=kind, payload=payload, created_at=at, available_at=at)
    db.session.add(item)
    return item


def take(now: dt.datetime) -> OutboxItem | None:
    """Lease the oldest ready item until ``now + LEASE``; after a crash it comes up again by itself.

    An item whose last lease ended without a word took the worker down each time: it is dead then.
    """
    ready = OutboxItem.done_at.is_(None) & OutboxItem.dead_at.is_(None) & (OutboxItem.available_at <= now)
    db.session.execute(
        update(OutboxItem)
        .where(ready, OutboxItem.attempts >= MAX_ATTEMPTS)
        .values(dead_at=now, error="Crashed")
        .execution_options(synchronize_session=False)
    )
    query = (
        select(OutboxItem)
        .where(ready)
        .order_by(OutboxItem.available_at, OutboxItem.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    item = db.session.scalar(query)
    if item is not None:
        item.attempts += 1
        item.available_at = now + LEASE
    return item


def mark_done(item_id: int, now: dt.datetime) -> bool:
    """Mark an item done unless it is already; the caller's effect belongs to the same transaction."""
    result = cast(
        "CursorResult[Any]",
        db.session.execute(
            update(OutboxItem)
            .where(OutboxItem.id == item_id, OutboxItem.done_at.is_(None))
            .values(done_at=now, error="")
            .execution_options(synchronize_session=False)
        ),
    )
    return bool(result.rowcount)


def mark_failed(item_id: int, now: dt.datetime, error: str) -> None:
    """Plan another try with back-off (doubling from 5 seconds), or give up after :data:`MAX_ATTEMPTS`."""
    item = db.session.get_one(OutboxItem, item_id, populate_existing=True, with_for_update=True)
    if item.done_at is not None:
        return  # another worker did it after this one's lease had ended
    item.error = error
    if item.attempts >= MAX_ATTEMPTS:
        item.dead_at = now
    else:
        item.available_at = now + dt.timedelta(seconds=5 * 2 ** (item.attempts - 1))


def renew(item_id: int, now: dt.datetime) -> None:
    """Lease an item anew until ``now + LEASE``, for what takes longer; nothing when it is done meanwhile."""
    db.session.execute(
        update(OutboxItem)
        .where(OutboxItem.id == item_id, OutboxItem.done_at.is_(None))
        .values(available_at=now + LEASE)
        .execution_options(synchronize_session=False)
    )


def postpone(item_id: int, until: dt.datetime) -> None:
    """Give a leased item back until ``until``; it was not tried, so that no attempt is counted."""
    item = db.session.get_one(OutboxItem, item_id, populate_existing=True, with_for_update=True)
    if item.done_at is None:
        item.attempts = max(0, item.attempts - 1)
        item.available_at = until


def waiting(now: dt.datetime) -> dict[str, int]:
    """How many items are ready, planned for later, and dead: for /readyz and operations."""
    rows = db.session.execute(
        select(OutboxItem.available_at, OutboxItem.dead_at).where(
            or_(OutboxItem.done_at.is_(None), OutboxItem.dead_at.is_not(None))
        )
    ).all()
    dead = sum(r.dead_at is not None for r in rows)
    ready = sum(r.dead_at is None and r.available_at <= now for r in rows)
    return {"ready": ready, "later": len(rows) - ready - dead, "dead": dead}
