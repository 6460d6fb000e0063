"""Notices to people, and how each person wants to hear of what."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import (
    JSON,
    CheckConstraint,
    ForeignKey,
    Index,
    Select,
    String,
    Time,
    UniqueConstraint,
    func,
    select,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from workflow.core.notices import COMPANY_EVENT, Digest, Group
from workflow.data.enterprises import EnterpriseMember
from workflow.extensions import HasId, Id, Model, UtcDateTime, db

MOST_COUNTED = 100
"""Unread notices are counted up to here; a badge says 99+ then."""
_UNREAD = text("read_at IS NULL")
_WAITING = text("mail = 'waiting'")


class Notice(HasId, Model):
    """One notice to one person; unique by outbox item and person, so that what is delivered twice exists once.

    ``mail``: empty (none wanted), ``waiting`` (for the digest), ``planned`` (handed to the outbox), ``sent``.
    """

    __tablename__ = "notices"
    __table_args__ = (
        UniqueConstraint("outbox_id", "person_id"),
        CheckConstraint("mail IN ('','waiting','planned','sent')", name="mail"),
        Index("ix_notices_inbox", "person_id", "id"),
        Index("ix_notices_unread", "person_id", "id", sqlite_where=_UNREAD, postgresql_where=_UNREAD),
        Index("ix_notices_waiting", "person_id", "id", sqlite_where=_WAITING, postgresql_where=_WAITING),
    )

    person_id: Mapped[int] = mapped_column(Id, ForeignKey("people.id"))
    case_id: Mapped[int | None] = mapped_column(Id, ForeignKey("cases.id"), index=True)
    outbox_id: Mapped[int] = mapped_column(Id)
    event: Mapped[str] = mapped_column(String(40))
    details: Mapped[dict[str, Any]] = mapped_column(JSON, comment="labels in both languages, no personal data")
    created_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    read_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    mail: Mapped[str] = mapped_column(String(10), default="")


class NoticeChoice(Model):
    """How a person wants to hear of things; without a row: in the inbox alone.

    ``channels`` holds the groups for which mail is wanted. ``digest_at`` is when the collected notices are mailed next,
    None while nothing waits. ``quiet_from`` and ``quiet_until`` are Shanghai's clock.
    """

    __tablename__ = "notice_choices"
    __table_args__ = (
        CheckConstraint("digest IN ('none','hourly','daily')", name="digest"),
        CheckConstraint("language IN ('zh','en')", name="language"),
        Index(
            "ix_notice_choices_digest",
            "digest_at",
            sqlite_where=text("digest_at IS NOT NULL"),
            postgresql_where=text("digest_at IS NOT NULL"),
        ),
    )

    person_id: Mapped[int] = mapped_column(Id, ForeignKey("people.id"), primary_key=True, autoincrement=False)
    email: Mapped[str] = mapped_column(String(200), default="")
    channels: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    language: Mapped[str] = mapped_column(String(2), default="zh")
    digest: Mapped[str] = mapped_column(String(10), default=Digest.NONE.value)
    quiet_from: Mapped[dt.time | None] = mapped_column(Time)
    quiet_until: Mapped[dt.time | None] = mapped_column(Time)
    digest_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    digested_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)

    def mails(self, group: Group) -> bool:
        """Whether the person wants mail about this group, and can get it."""
        return bool(self.email) and "mail" in self.channels.get(group.value, ())


def inbox(person_id: int, *, unread: bool = False, before: int | None = None) -> Select[Notice]:
    """A person's notices, newest first, from ``before`` (an id) backwards."""
    query = select(Notice).where(Notice.person_id == person_id, Notice.event != COMPANY_EVENT)
    query = query.order_by(Notice.id.desc())
    if unread:
        query = query.where(Notice.read_at.is_(None))
    return query if before is None else query.where(Notice.id < before)


def unread_count(person_id: int) -> int:
    """How many notices the person has not read, counted up to :data:`MOST_COUNTED`."""
    some = inbox(person_id, unread=True).with_only_columns(Notice.id).order_by(None).limit(MOST_COUNTED)
    return db.session.scalar(select(func.count()).select_from(some.subquery())) or 0


def choice_of(person_id: int) -> NoticeChoice | None:
    """The person's choices, when any were made."""
    return db.session.get(NoticeChoice, person_id)


def choices_of(person_ids: list[int]) -> dict[int, NoticeChoice]:
    """The choices of those who made any, by person, locked: a digest is planned with them."""
    query = select(NoticeChoice).where(NoticeChoice.person_id.in_(person_ids)).order_by(NoticeChoice.person_id)
    return {c.person_id: c for c in db.session.scalars(query.with_for_update())}


def choices_in_company(enterprise_id: int) -> list[NoticeChoice]:
    """The choices of a company's people, locked."""
    members = select(EnterpriseMember.person_id).where(EnterpriseMember.enterprise_id == enterprise_id)
    query = select(NoticeChoice).where(NoticeChoice.person_id.in_(members)).order_by(NoticeChoice.person_id)
    return list(db.session.scalars(query.with_for_update()))


def told_already(outbox_id: int) -> set[int]:
    """Who has been told by this outbox item."""
    return set(db.session.scalars(select(Notice.person_id).where(Notice.outbox_id == outbox_id)))


def lock_due_choice(now: dt.datetime) -> NoticeChoice | None:
    """The choice whose digest has been due longest, locked; what another worker holds is passed over."""
    query = (
        select(NoticeChoice)
        .where(NoticeChoice.digest_at <= now)
        .order_by(NoticeChoice.digest_at, NoticeChoice.person_id)
        .limit(1)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    )
    return db.session.scalar(query)
