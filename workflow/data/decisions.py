"""Opinions and decisions on cases, in the words given, one for each move that decides."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint, select, text
from sqlalchemy.orm import Mapped, mapped_column

from workflow.extensions import HasId, Id, Model, UtcDateTime, db


class Opinion(HasId, Model):
    """The words given with a step; ``is_decision`` marks the formal opinions (审定)."""

    __tablename__ = "opinions"
    __table_args__ = (
        UniqueConstraint("case_id", "move", name="uq_opinions_case_move"),
        Index(
            "uq_opinions_approval",
            "case_id",
            "cycle",
            unique=True,
            sqlite_where=text("action = 'approve'"),
            postgresql_where=text("action = 'approve'"),
        ),
    )

    case_id: Mapped[int] = mapped_column(Id, ForeignKey("cases.id"), index=True)
    cycle: Mapped[int]
    move: Mapped[int] = mapped_column(comment="the case's move number this opinion belongs to")
    action: Mapped[str] = mapped_column(String(40))
    state: Mapped[str] = mapped_column(String(40), comment="the state it was given in")
    is_decision: Mapped[bool]
    words: Mapped[str] = mapped_column(Text)
    person_id: Mapped[int] = mapped_column(Id, ForeignKey("people.id"))
    role: Mapped[str] = mapped_column(String(20))
    at: Mapped[dt.datetime] = mapped_column(UtcDateTime)


def of_case(case_id: int) -> list[Opinion]:
    """All opinions on a case, oldest first."""
    return list(db.session.scalars(select(Opinion).where(Opinion.case_id == case_id).order_by(Opinion.id)))
