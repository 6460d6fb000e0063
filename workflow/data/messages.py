"""Messages to companies: what moved on their case, read in the inbox; written only by the outbox."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, Select, String, false, func, select
from sqlalchemy.orm import Mapped, mapped_column

from workflow.core.actors import Actor
from workflow.extensions import HasId, Id, Model, UtcDateTime, db


class Message(HasId, Model):
    """One message; ``outbox_id`` is unique, so that a message delivered twice exists once."""

    __tablename__ = "messages"
    __table_args__ = (Index("ix_messages_inbox", "enterprise_id", "read_at", "id"),)

    enterprise_id: Mapped[int] = mapped_column(Id, ForeignKey("enterprises.id"))
    case_id: Mapped[int] = mapped_column(Id, ForeignKey("cases.id"), index=True)
    outbox_id: Mapped[int] = mapped_column(Id, unique=True)
    event: Mapped[str] = mapped_column(String(40))
    details: Mapped[dict[str, Any]] = mapped_column(JSON, comment="labels in both languages, no personal data")
    created_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    read_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)


def visible_to(actor: Actor) -> Select[Message]:
    """Messages to the actor's companies, newest first."""
    if not actor.enterprise_ids:
        return select(Message).where(false())
    return select(Message).where(Message.enterprise_id.in_(actor.enterprise_ids)).order_by(Message.id.desc())


def unread_count(actor: Actor) -> int:
    """How many messages the actor's companies have not read."""
    if not actor.enterprise_ids:
        return 0
    query = (
        select(func.count())
        .select_from(Message)
        .where(Message.enterprise_id.in_(actor.enterprise_ids), Message.read_at.is_(None))
    )
    return db.session.scalar(query) or 0
