"""Exports: files of cases made for one person, who alone may fetch them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, Select, String, select
from sqlalchemy.orm import Mapped, mapped_column, relationship

from workflow.core.actors import Actor
from workflow.data.files import StoredFile
from workflow.extensions import HasId, Id, Model, UtcDateTime, db

STATUSES = ("waiting", "running", "done", "failed", "cancelled", "expired")


class Export(HasId, Model):
    """One file in the making or made: ``filters`` as the view's address keeps them, or the ids of ticked cases.

    ``rows`` of ``total`` cases are written (``total`` is 0 when they are too many to count beforehand), the last one
    is at ``mark``; ``offset`` is the length in bytes of what is certainly in the unfinished file. ``rights`` are the
    appointments it was asked for with. ``file`` is gone once the export has expired.
    """

    __tablename__ = "exports"
    __table_args__ = (
        CheckConstraint(f"status IN ({', '.join(repr(s) for s in STATUSES)})", name="status"),
        CheckConstraint("format IN ('xlsx', 'csv')", name="format"),
        Index("ix_exports_mine", "person_id", "id"),
        Index("ix_exports_expiry", "status", "expires_at"),
    )

    person_id: Mapped[int] = mapped_column(Id, ForeignKey("people.id"))
    account_id: Mapped[int] = mapped_column(Id, ForeignKey("accounts.id"))
    rights: Mapped[list[Any]] = mapped_column(JSON)
    filters: Mapped[dict[str, Any]] = mapped_column(JSON)
    format: Mapped[str] = mapped_column(String(4))
    unmasked: Mapped[bool] = mapped_column(default=False)
    reason: Mapped[str] = mapped_column(String(200), default="")
    status: Mapped[str] = mapped_column(String(10), default="waiting")
    rows: Mapped[int] = mapped_column(default=0)
    total: Mapped[int] = mapped_column(default=0)
    mark: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    offset: Mapped[int] = mapped_column(Id, default=0)
    file_id: Mapped[int | None] = mapped_column(Id, ForeignKey("files.id"))
    digest: Mapped[str] = mapped_column(String(64), default="")
    error: Mapped[str] = mapped_column(String(200), default="")
    created_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    started_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    finished_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    expires_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)

    file: Mapped[StoredFile | None] = relationship()

    @property
    def is_going(self) -> bool:
        """Whether the worker is to get on with it."""
        return self.status in ("waiting", "running")


def of(actor: Actor) -> Select[Export]:
    """The actor's own exports: nobody else may fetch them."""
    return select(Export).where(Export.person_id == actor.person_id)


def lock(export_id: int) -> Export | None:
    """The export, locked until the transaction ends and read anew."""
    query = select(Export).where(Export.id == export_id).with_for_update()
    return db.session.scalar(query.execution_options(populate_existing=True))


def expired(now: dt.datetime, limit: int) -> Sequence[Export]:
    """Finished exports whose time is over."""
    query = select(Export).where(Export.status == "done", Export.expires_at <= now).order_by(Export.id).limit(limit)
    return db.session.scalars(query.with_for_update(skip_locked=True)).all()


def is_used(file: StoredFile, but: int) -> bool:
    """Whether any other export or row of files keeps the same content as this export's file."""
    same = select(StoredFile.id).where(StoredFile.key == file.key, StoredFile.id != file.id).limit(1)
    shared = select(Export.id).where(Export.file_id == file.id, Export.id != but).limit(1)
    return db.session.scalar(same) is not None or db.session.scalar(shared) is not None
