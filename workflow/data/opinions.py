"""Opinions of other departments on a case, asked in parallel: child requests, answered, reminded or taken back."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from sqlalchemy import (
    CheckConstraint,
    ColumnElement,
    ForeignKey,
    Index,
    Select,
    String,
    Text,
    and_,
    false,
    or_,
    select,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from workflow.core.actors import Actor, AreaKind, Role
from workflow.extensions import HasId, Id, Model, UtcDateTime, db

STANCES = ("agree", "agree_if", "against")


class OpinionRequest(HasId, Model):
    """A department asked for its opinion on a case; ``department`` is a code, ``county_id`` whose department it is.

    ``status`` is ``open``, ``answered`` or ``withdrawn``; ``reminders`` counts how often it was reminded.
    """

    __tablename__ = "opinion_requests"
    __table_args__ = (
        CheckConstraint("status IN ('open','answered','withdrawn')", name="status"),
        CheckConstraint("stance IN ('','agree','agree_if','against')", name="stance"),
        CheckConstraint("(status = 'answered') = (stance <> '')", name="answer"),
        Index("ix_opinion_requests_inbox", "department", "status", "county_id", "due_at", "id"),
        Index(
            "uq_opinion_requests_open",
            "case_id",
            "department",
            unique=True,
            sqlite_where=text("status = 'open'"),
            postgresql_where=text("status = 'open'"),
        ),
        Index(
            "ix_opinion_requests_clock",
            "clock_at",
            sqlite_where=text("clock_at IS NOT NULL"),
            postgresql_where=text("clock_at IS NOT NULL"),
        ),
    )

    case_id: Mapped[int] = mapped_column(Id, ForeignKey("cases.id"), index=True)
    cycle: Mapped[int]
    department: Mapped[str] = mapped_column(String(20))
    county_id: Mapped[int] = mapped_column(Id, ForeignKey("areas.id"))
    question: Mapped[str] = mapped_column(Text, default="")
    asked_by: Mapped[int] = mapped_column(Id, comment="person; 0 is the system")
    asked_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    due_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    clock_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    status: Mapped[str] = mapped_column(String(10), default="open")
    stance: Mapped[str] = mapped_column(String(10), default="")
    words: Mapped[str] = mapped_column(Text, default="")
    answered_by: Mapped[int | None] = mapped_column(Id, ForeignKey("people.id"))
    answered_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    reminders: Mapped[int] = mapped_column(default=0)
    reminded_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)


def of_case(case_id: int) -> list[OpinionRequest]:
    """Every request on a case, oldest first."""
    return list(
        db.session.scalars(select(OpinionRequest).where(OpinionRequest.case_id == case_id).order_by(OpinionRequest.id))
    )


def tally(requests: Iterable[OpinionRequest], cycle: int) -> tuple[int, int]:
    """How many requests are unanswered, and in how many departments the newest word of this cycle is against.

    ``requests`` come oldest first; those taken back don't count.
    """
    known = list(requests)
    newest = {r.department: r.stance for r in known if r.status == "answered" and r.cycle == cycle}
    return sum(r.status == "open" for r in known), sum(s == "against" for s in newest.values())


def _held(actor: Actor) -> ColumnElement[bool]:
    """That a request is put to a department for which the actor speaks: by its code, in its own county."""
    held = [a for a in actor.appointments if a.role is Role.DEPARTMENT and a.area_kind is AreaKind.COUNTY]
    clauses = [
        and_(OpinionRequest.department == a.bureau, OpinionRequest.county_id == a.area_id) for a in held if a.bureau
    ]
    return or_(*clauses) if clauses else false()


def visible_to(actor: Actor) -> Select[OpinionRequest]:
    """The requests put to the actor's departments: the only way for a department to fetch any."""
    return select(OpinionRequest).where(_held(actor))


def lock(request_id: int) -> OpinionRequest:
    """The request, locked until the transaction ends and read anew; for callers who hold its case's lock."""
    query = select(OpinionRequest).where(OpinionRequest.id == request_id).with_for_update()
    return db.session.scalars(query.execution_options(populate_existing=True)).one()
