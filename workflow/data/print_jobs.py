"""Jobs that print many passes into one file, and how an area's passes looked when one was granted."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, Select, String, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, mapped_column, relationship

from workflow.core.actors import Actor
from workflow.data.files import StoredFile
from workflow.extensions import HasId, Id, Model, UtcDateTime, db

STATUSES = ("waiting", "running", "done", "failed", "cancelled", "expired")
FORMATS = ("pdf", "zip")


class PassLookKept(Model):
    """The look of an area's passes, by the digest of its content; kept once for all passes that have it."""

    __tablename__ = "pass_looks"

    digest: Mapped[str] = mapped_column(String(32), primary_key=True)
    content: Mapped[dict[str, Any]] = mapped_column(JSON)


class PrintJob(HasId, Model):
    """One file with many passes: ``pass_ids`` in the order of printing; ``printed`` of ``total`` are done.

    ``case_id`` when it was asked for all of a case. ``file`` is gone once the job has expired.
    """

    __tablename__ = "print_jobs"
    __table_args__ = (
        CheckConstraint(f"status IN ({', '.join(repr(s) for s in STATUSES)})", name="status"),
        CheckConstraint("format IN ('pdf', 'zip')", name="format"),
        Index("ix_print_jobs_mine", "person_id", "id"),
        Index("ix_print_jobs_expiry", "status", "expires_at"),
    )

    person_id: Mapped[int] = mapped_column(Id, ForeignKey("people.id"))
    account_id: Mapped[int] = mapped_column(Id, ForeignKey("accounts.id"))
    case_id: Mapped[int | None] = mapped_column(Id, ForeignKey("cases.id"))
    pass_ids: Mapped[list[Any]] = mapped_column(JSON)
    layout: Mapped[str] = mapped_column(String(20))
    format: Mapped[str] = mapped_column(String(3))
    status: Mapped[str] = mapped_column(String(10), default="waiting")
    printed: Mapped[int] = mapped_column(default=0)
    total: Mapped[int] = mapped_column(default=0)
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


def of(actor: Actor) -> Select[PrintJob]:
    """The actor's own jobs: nobody else may fetch them."""
    return select(PrintJob).where(PrintJob.person_id == actor.person_id)


def lock(job_id: int) -> PrintJob | None:
    """The job, locked until the transaction ends and read anew."""
    query = select(PrintJob).where(PrintJob.id == job_id).with_for_update(of=PrintJob)
    return db.session.scalar(query.execution_options(populate_existing=True))


def expired(now: dt.datetime, limit: int) -> Sequence[PrintJob]:
    """Finished jobs whose time is over."""
    query = select(PrintJob).where(PrintJob.status == "done", PrintJob.expires_at <= now).order_by(PrintJob.id)
    return db.session.scalars(query.limit(limit).with_for_update(skip_locked=True, of=PrintJob)).all()


def is_used(file: StoredFile, but: int) -> bool:
    """Whether any other job or row of files keeps the same content as this job's file."""
    same = select(StoredFile.id).where(StoredFile.key == file.key, StoredFile.id != file.id).limit(1)
    shared = select(PrintJob.id).where(PrintJob.file_id == file.id, PrintJob.id != but).limit(1)
    return db.session.scalar(same) is not None or db.session.scalar(shared) is not None


def keep_look(digest: str, content: Mapping[str, Any]) -> None:
    """Keep a look unless it is kept; of many passes in one transaction only the first one asks the database.

    Nothing else is written meanwhile: a pass that has its number and not yet its status could not be.
    """
    known: dict[str, object] = db.session.info.setdefault("pass_looks", {})
    if _innermost() is not None and known.get(digest) is _innermost():
        return
    insert = postgresql.insert if db.session.get_bind().dialect.name == "postgresql" else sqlite.insert
    row = insert(PassLookKept).values(digest=digest, content=dict(content)).on_conflict_do_nothing()
    with db.session.no_autoflush:
        db.session.execute(row)
    known[digest] = _innermost()


def _innermost() -> object:
    """The savepoint or transaction that is open: what was written in it may be gone when it is over."""
    session = db.session()
    return session.get_nested_transaction() or session.get_transaction()


def look_kept(digest: str) -> Mapping[str, Any] | None:
    """The content of a look that was kept."""
    row = db.session.get(PassLookKept, digest)
    return row.content if row is not None else None
