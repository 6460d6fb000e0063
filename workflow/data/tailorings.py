"""Tailorings (一企一策): what an officer proposed to do differently for one case, and what a leader said to it."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, Text, select, text
from sqlalchemy.orm import Mapped, mapped_column

from workflow.extensions import HasId, Id, Model, UtcDateTime, db


class TailoringProposal(HasId, Model):
    """A proposal; ``changes`` is a :class:`~workflow.core.tailoring.Tailoring` as JSON. Decided by somebody else."""

    __tablename__ = "tailoring_proposals"
    __table_args__ = (
        CheckConstraint("status IN ('proposed','approved','refused','withdrawn')", name="status"),
        CheckConstraint("status <> 'approved' OR decided_by <> proposed_by", name="two_people"),
        Index(
            "uq_tailoring_proposals_pending",
            "case_id",
            unique=True,
            sqlite_where=text("status = 'proposed'"),
            postgresql_where=text("status = 'proposed'"),
        ),
    )

    case_id: Mapped[int] = mapped_column(Id, ForeignKey("cases.id"), index=True)
    changes: Mapped[dict[str, Any]] = mapped_column(JSON)
    reason: Mapped[str] = mapped_column(Text)
    status: Mapped[str] = mapped_column(String(10), default="proposed")
    proposed_by: Mapped[int] = mapped_column(Id, ForeignKey("people.id"))
    proposed_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    decided_by: Mapped[int | None] = mapped_column(Id, ForeignKey("people.id"))
    decided_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    words: Mapped[str] = mapped_column(Text, default="")


def of_case(case_id: int) -> list[TailoringProposal]:
    """Every proposal on a case, oldest first."""
    query = select(TailoringProposal).where(TailoringProposal.case_id == case_id).order_by(TailoringProposal.id)
    return list(db.session.scalars(query))


def pending(case_id: int) -> TailoringProposal | None:
    """The proposal on a case that waits for a leader, if one does."""
    query = select(TailoringProposal).where(
        TailoringProposal.case_id == case_id, TailoringProposal.status == "proposed"
    )
    return db.session.scalar(query)


def lock(proposal_id: int) -> TailoringProposal:
    """The proposal, locked until the transaction ends and read anew; for callers who hold its case's lock."""
    query = select(TailoringProposal).where(TailoringProposal.id == proposal_id).with_for_update()
    return db.session.scalars(query.execution_options(populate_existing=True)).one()
