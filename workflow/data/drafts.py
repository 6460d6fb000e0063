"""Drafts of flows, rulebooks and checklists on their way to publication: edited by one, approved by another."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import CheckConstraint, Date, ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from workflow.data.areas import Area
from workflow.extensions import HasId, Id, Model, UtcDateTime

KINDS = ("flow", "rules", "checklist")


class Draft(HasId, Model):
    """A text being prepared; ``revision`` counts saves, so that a second writer is noticed.

    ``status``: ``editing`` → ``proposed`` → ``published``, or back to ``editing`` if not approved; ``discarded``.
    ``based_on_id`` is the flow version or rulebook it was copied from; ``version_id`` what it became.
    """

    __tablename__ = "drafts"
    __table_args__ = (
        CheckConstraint("kind IN ('flow','rules','checklist')", name="kind"),
        CheckConstraint("status IN ('editing','proposed','published','discarded')", name="status"),
        CheckConstraint("status <> 'published' OR approved_by <> proposed_by", name="two_people"),
    )

    kind: Mapped[str] = mapped_column(String(10))
    name: Mapped[str] = mapped_column(String(80))
    text: Mapped[str] = mapped_column(Text)
    area_id: Mapped[int] = mapped_column(Id, ForeignKey("areas.id"), index=True)
    effective_on: Mapped[dt.date | None] = mapped_column(Date)
    status: Mapped[str] = mapped_column(String(10), default="editing", index=True)
    revision: Mapped[int] = mapped_column(default=1)
    based_on_id: Mapped[int | None] = mapped_column(Id)
    version_id: Mapped[int | None] = mapped_column(Id)
    created_by: Mapped[int] = mapped_column(Id, ForeignKey("people.id"))
    created_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    updated_by: Mapped[int] = mapped_column(Id, ForeignKey("people.id"))
    updated_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    proposed_by: Mapped[int | None] = mapped_column(Id, ForeignKey("people.id"))
    proposed_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    approved_by: Mapped[int | None] = mapped_column(Id, ForeignKey("people.id"))
    approved_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    words: Mapped[str] = mapped_column(Text, default="", comment="why it was sent back")

    area: Mapped[Area] = relationship()
