"""Idempotency keys: one answer for one key, kept with the change it belongs to."""

from __future__ import annotations

import datetime as dt
from typing import Any, cast

from sqlalchemy import JSON, CursorResult, String, Text, delete
from sqlalchemy.orm import Mapped, mapped_column

from workflow.extensions import Model, UtcDateTime, db

KEEP = dt.timedelta(days=3)


class IdempotencyKey(Model):
    """The answer given to a key of one owner; ``digest`` is of the request's path and body."""

    __tablename__ = "idempotency_keys"

    owner: Mapped[str] = mapped_column(String(60), primary_key=True)
    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    digest: Mapped[str] = mapped_column(String(64))
    status: Mapped[int] = mapped_column(default=0)
    location: Mapped[str] = mapped_column(Text, default="")
    body: Mapped[str] = mapped_column(Text, default="")
    flashes: Mapped[list[Any]] = mapped_column(JSON, default=list)
    created_at: Mapped[dt.datetime] = mapped_column(UtcDateTime, index=True)


def find(owner: str, key: str) -> IdempotencyKey | None:
    """The stored answer, read anew."""
    return db.session.get(IdempotencyKey, (owner, key), populate_existing=True)


def forget_old(now: dt.datetime) -> int:
    """Delete keys older than :data:`KEEP`; returns how many."""
    result = db.session.execute(delete(IdempotencyKey).where(IdempotencyKey.created_at < now - KEEP))
    return cast("CursorResult[Any]", result).rowcount
