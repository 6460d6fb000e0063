"""Bulk jobs: one act for many cases or passes, row by row, with what became of each. Seen by their maker alone."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    JSON,
    CheckConstraint,
    ForeignKey,
    Index,
    Select,
    String,
    Text,
    case,
    select,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from workflow.core.actors import Actor
from workflow.extensions import HasId, Id, Model, UtcDateTime, db


class JobStatus(StrEnum):
    """Where a job stands; only ``waiting`` and ``running`` ones go on by themselves."""

    WAITING = "waiting"
    RUNNING = "running"
    PAUSED = "paused"
    DONE = "done"
    CANCELLED = "cancelled"


GOING = (JobStatus.WAITING.value, JobStatus.RUNNING.value)


class BulkJob(HasId, Model):
    """One act for many cases: ``action`` and ``params`` (keys, numbers and instants), and how far it is.

    ``run`` counts the times it was set going, so that what was queued before a pause finds out that it is over.
    ``rights`` are the appointments it was started with; without one of them it stops. ``why`` is the source text of
    what stopped it. ``moved_at`` is when it last got on.
    """

    __tablename__ = "bulk_jobs"
    __table_args__ = (
        CheckConstraint(f"status IN ({', '.join(repr(s.value) for s in JobStatus)})", name="status"),
        Index("ix_bulk_jobs_mine", "person_id", "id"),
    )

    action: Mapped[str] = mapped_column(String(40))
    params: Mapped[dict[str, Any]] = mapped_column(JSON)
    person_id: Mapped[int] = mapped_column(Id, ForeignKey("people.id"))
    account_id: Mapped[int] = mapped_column(Id, ForeignKey("accounts.id"))
    rights: Mapped[list[Any]] = mapped_column(JSON)
    total: Mapped[int]
    done: Mapped[int] = mapped_column(default=0)
    refused: Mapped[int] = mapped_column(default=0)
    status: Mapped[str] = mapped_column(String(10), default=JobStatus.WAITING.value)
    run: Mapped[int] = mapped_column(default=1)
    why: Mapped[str] = mapped_column(String(200), default="")
    created_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    moved_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    started_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    finished_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)

    @property
    def is_going(self) -> bool:
        """Whether it goes on by itself."""
        return self.status in GOING

    @property
    def left(self) -> int:
        """How many rows nothing has become of yet."""
        return self.total - self.done - self.refused


def _once(name: str, column: str, when: str) -> Index:
    """That a job has each of its cases, or each of its passes, once."""
    return Index(name, "job_id", column, unique=True, sqlite_where=text(when), postgresql_where=text(when))


class BulkRow(HasId, Model):
    """One case of a job at ``place``, with the ``version`` that its preview was drawn from and its own ``words``.

    In a job for passes it is one pass of the case, and ``version`` says nothing. ``refusal`` keeps why it was refused
    as message and parameters; ``words`` are forgotten once they are an opinion, or the pass's own.
    """

    __tablename__ = "bulk_rows"
    __table_args__ = (
        CheckConstraint("status IN ('waiting', 'done', 'refused')", name="status"),
        _once("uq_bulk_rows_case", "case_id", "pass_id IS NULL"),
        _once("uq_bulk_rows_pass", "pass_id", "pass_id IS NOT NULL"),
        Index("ix_bulk_rows_next", "job_id", "status", "place"),
    )

    job_id: Mapped[int] = mapped_column(Id, ForeignKey("bulk_jobs.id"))
    place: Mapped[int]
    case_id: Mapped[int] = mapped_column(Id, ForeignKey("cases.id"))
    pass_id: Mapped[int | None] = mapped_column(Id, ForeignKey("passes.id"))
    version: Mapped[int]
    words: Mapped[str] = mapped_column(Text, default="")
    status: Mapped[str] = mapped_column(String(10), default="waiting")
    refusal: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)

    @property
    def subject_id(self) -> int:
        """What the act is done with: the pass, or else the case."""
        return self.case_id if self.pass_id is None else self.pass_id


def of(actor: Actor) -> Select[BulkJob]:
    """The actor's own jobs: nobody sees another's."""
    return select(BulkJob).where(BulkJob.person_id == actor.person_id)


def lock(job_id: int) -> BulkJob | None:
    """The job, locked until the transaction ends and read anew."""
    query = select(BulkJob).where(BulkJob.id == job_id).with_for_update()
    return db.session.scalar(query.execution_options(populate_existing=True))


def next_rows(job_id: int, limit: int) -> Sequence[BulkRow]:
    """The next rows that nothing has become of, in their order."""
    query = select(BulkRow).where(BulkRow.job_id == job_id, BulkRow.status == "waiting")
    return db.session.scalars(query.order_by(BulkRow.place).limit(limit)).all()


def latest_rows(job_id: int, limit: int) -> Sequence[BulkRow]:
    """What was refused first, then what was done last, and what comes next: for whoever watches."""
    order = case((BulkRow.status == "refused", 0), (BulkRow.status == "done", 1), else_=2)
    query = select(BulkRow).where(BulkRow.job_id == job_id)
    return db.session.scalars(query.order_by(order, BulkRow.at.desc(), BulkRow.place).limit(limit)).all()


def all_rows(job_id: int) -> Sequence[BulkRow]:
    """Every row: what was refused first, then in their order."""
    query = select(BulkRow).where(BulkRow.job_id == job_id)
    return db.session.scalars(query.order_by(case((BulkRow.status == "refused", 0), else_=1), BulkRow.place)).all()
