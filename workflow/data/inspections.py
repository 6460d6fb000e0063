"""On-site inspections: appointments, checklist items with results, and photos."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import CheckConstraint, Date, ForeignKey, Select, String, Text, UniqueConstraint, select
from sqlalchemy.orm import Mapped, mapped_column, relationship

from workflow.core.actors import Actor
from workflow.data.cases import Case
from workflow.data.cases import visible_to as visible_cases
from workflow.data.files import StoredFile
from workflow.data.people import Person
from workflow.extensions import HasId, Id, Model, UtcDateTime, db


class Inspection(HasId, Model):
    """One visit by two inspectors; ``number`` counts visits of the case (2 and more are rechecks)."""

    __tablename__ = "inspections"
    __table_args__ = (
        UniqueConstraint("case_id", "number"),
        CheckConstraint("lead_id <> second_id", name="two_people"),
        CheckConstraint("status IN ('planned','concluded','cancelled')", name="status"),
        CheckConstraint("outcome IN ('pass','rectify','fail')", name="outcome"),
    )

    case_id: Mapped[int] = mapped_column(Id, ForeignKey("cases.id"), index=True)
    cycle: Mapped[int] = mapped_column(default=1)
    number: Mapped[int]
    is_recheck: Mapped[bool] = mapped_column(default=False)
    visit_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    meeting_point: Mapped[str] = mapped_column(String(200), default="")
    lead_id: Mapped[int] = mapped_column(Id, ForeignKey("people.id"), index=True)
    second_id: Mapped[int] = mapped_column(Id, ForeignKey("people.id"), index=True)
    checklist: Mapped[str] = mapped_column(String(40))
    status: Mapped[str] = mapped_column(String(10), default="planned")
    outcome: Mapped[str | None] = mapped_column(String(10))
    words: Mapped[str] = mapped_column(Text, default="")
    rectify_by_on: Mapped[dt.date | None] = mapped_column(Date)
    concluded_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    revision: Mapped[int] = mapped_column(default=1)

    case: Mapped[Case] = relationship()
    lead: Mapped[Person] = relationship(foreign_keys=[lead_id])
    second: Mapped[Person] = relationship(foreign_keys=[second_id])
    items: Mapped[list[InspectionItem]] = relationship(order_by="InspectionItem.position")
    photos: Mapped[list[InspectionPhoto]] = relationship(order_by="InspectionPhoto.id")


class InspectionItem(HasId, Model):
    """One item of the checklist on one visit; ``result`` is empty until marked; ``remedy`` is the company's answer."""

    __tablename__ = "inspection_items"
    __table_args__ = (
        UniqueConstraint("inspection_id", "code"),
        CheckConstraint("result IN ('conform','fail','na')", name="result"),
    )

    inspection_id: Mapped[int] = mapped_column(Id, ForeignKey("inspections.id"), index=True)
    position: Mapped[int]
    code: Mapped[str] = mapped_column(String(20))
    is_veto: Mapped[bool] = mapped_column(default=False)
    result: Mapped[str | None] = mapped_column(String(10))
    measured: Mapped[str] = mapped_column(String(40), default="")
    note: Mapped[str] = mapped_column(Text, default="")
    remedy: Mapped[str] = mapped_column(Text, default="")


class InspectionPhoto(HasId, Model):
    """A photo taken on a visit, of an item or of the place as a whole (``code`` empty)."""

    __tablename__ = "inspection_photos"

    inspection_id: Mapped[int] = mapped_column(Id, ForeignKey("inspections.id"), index=True)
    code: Mapped[str] = mapped_column(String(20), default="")
    caption: Mapped[str] = mapped_column(String(200), default="")
    file_id: Mapped[int] = mapped_column(Id, ForeignKey("files.id"))
    added_by: Mapped[int] = mapped_column(Id, ForeignKey("people.id"))
    added_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)

    file: Mapped[StoredFile] = relationship(lazy="joined")


def of_case(case_id: int) -> list[Inspection]:
    """Every visit of a case, first to last."""
    return list(db.session.scalars(select(Inspection).where(Inspection.case_id == case_id).order_by(Inspection.number)))


def visible_to(actor: Actor) -> Select[Inspection]:
    """Inspections of cases the actor sees."""
    return select(Inspection).where(
        Inspection.case_id.in_(visible_cases(actor).with_only_columns(Case.id).order_by(None))
    )


def visible_photos(actor: Actor) -> Select[InspectionPhoto]:
    """Photos of inspections the actor sees."""
    return select(InspectionPhoto).where(
        InspectionPhoto.inspection_id.in_(visible_to(actor).with_only_columns(Inspection.id).order_by(None))
    )
