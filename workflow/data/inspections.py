"""On-site inspections: appointments, checklist items with results, and photos."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import (
    JSON,
    CheckConstraint,
    Date,
    Double,
    ForeignKey,
    Index,
    Select,
    String,
    Text,
    UniqueConstraint,
    false,
    select,
    text,
)
from sqlalchemy.orm import Mapped, joinedload, mapped_column, relationship

from workflow.core.actors import Actor
from workflow.data.cases import Case
from workflow.data.cases import visible_to as visible_cases
from workflow.data.files import StoredFile
from workflow.data.people import Person
from workflow.extensions import HasId, Id, Model, UtcDateTime, db


class Inspection(HasId, Model):
    """One visit by two inspectors; ``number`` counts visits of the case (2 and more are rechecks).

    ``sequence`` counts changes of the appointment, the last at ``appointed_at``; the company may confirm it or wish for
    another time (``wish_*``: ``moved`` means that another time than the wished one was given). ``remind_at`` is when
    the company is told next that an item's date to rectify by is near or over.
    """

    __tablename__ = "inspections"
    __table_args__ = (
        UniqueConstraint("case_id", "number"),
        CheckConstraint("lead_id <> second_id", name="two_people"),
        CheckConstraint("status IN ('planned','concluded','cancelled')", name="status"),
        CheckConstraint("outcome IN ('pass','rectify','fail')", name="outcome"),
        CheckConstraint("wish_status IN ('','open','accepted','moved','kept')", name="wish_status"),
        CheckConstraint("duration_minutes BETWEEN 15 AND 480", name="duration_minutes"),
        Index("ix_inspections_visit_at", "status", "visit_at"),
        Index(
            "ix_inspections_remind_at",
            "remind_at",
            sqlite_where=text("remind_at IS NOT NULL"),
            postgresql_where=text("remind_at IS NOT NULL"),
        ),
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
    checklist_versions: Mapped[list[int]] = mapped_column(JSON, default=list)
    status: Mapped[str] = mapped_column(String(10), default="planned")
    outcome: Mapped[str | None] = mapped_column(String(10))
    words: Mapped[str] = mapped_column(Text, default="")
    rectify_by_on: Mapped[dt.date | None] = mapped_column(Date)
    concluded_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    duration_minutes: Mapped[int] = mapped_column(default=90, server_default="90")
    sequence: Mapped[int] = mapped_column(default=0, server_default="0")
    appointed_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    confirmed_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    confirmed_by: Mapped[int | None] = mapped_column(Id, ForeignKey("people.id"))
    wish_status: Mapped[str] = mapped_column(String(10), default="", server_default="")
    wish_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    wish_words: Mapped[str] = mapped_column(Text, default="", server_default="")
    wished_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    wished_by: Mapped[int | None] = mapped_column(Id, ForeignKey("people.id"))
    wish_answer: Mapped[str] = mapped_column(Text, default="", server_default="")
    remind_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    revision: Mapped[int] = mapped_column(default=1)

    @property
    def ends_at(self) -> dt.datetime:
        """When the visit is expected to end."""
        return self.visit_at + dt.timedelta(minutes=self.duration_minutes)

    case: Mapped[Case] = relationship()
    lead: Mapped[Person] = relationship(foreign_keys=[lead_id])
    second: Mapped[Person] = relationship(foreign_keys=[second_id])
    items: Mapped[list[InspectionItem]] = relationship(order_by="InspectionItem.position")
    photos: Mapped[list[InspectionPhoto]] = relationship(
        order_by="InspectionPhoto.id",
        primaryjoin="and_(Inspection.id == InspectionPhoto.inspection_id, InspectionPhoto.taken_back_at.is_(None))",
    )


class InspectionItem(HasId, Model):
    """One item of the checklist on one visit; ``result`` is empty until marked; ``remedy`` is the company's answer.

    ``revision`` counts its changes and ``marked_by`` made the last, at ``marked_at`` by the server's clock and
    ``marked_device_at`` by the phone's (None from the page); ``rectify_by_on`` is when a failed item is to be right.
    """

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
    revision: Mapped[int] = mapped_column(default=0, server_default="0")
    marked_by: Mapped[int | None] = mapped_column(Id, ForeignKey("people.id"))
    marked_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    marked_device_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    rectify_by_on: Mapped[dt.date | None] = mapped_column(Date)


class InspectionPhoto(HasId, Model):
    """A photo taken on a visit, of an item or of the place as a whole (``code`` empty).

    ``file`` is our own rendering without metadata, the only one that is served; ``original`` holds the bytes as they
    were sent and ``sha256`` their hash as the phone took it. ``taken_at`` is the phone's clock, which ``clock_off``
    (seconds ahead of ours) says how far to believe; the place is kept to 100 m (three decimals of a degree), and
    ``place_status`` says when there is none and why. A photo that was taken back keeps its row and its hash.
    """

    __tablename__ = "inspection_photos"
    __table_args__ = (
        CheckConstraint("source IN ('','camera','gallery')", name="source"),
        CheckConstraint("place_status IN ('','given','refused','unavailable')", name="place_status"),
    )

    inspection_id: Mapped[int] = mapped_column(Id, ForeignKey("inspections.id"), index=True)
    code: Mapped[str] = mapped_column(String(20), default="")
    caption: Mapped[str] = mapped_column(String(200), default="")
    file_id: Mapped[int] = mapped_column(Id, ForeignKey("files.id"))
    added_by: Mapped[int] = mapped_column(Id, ForeignKey("people.id"))
    added_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    client_id: Mapped[str | None] = mapped_column(String(36), unique=True)
    sha256: Mapped[str] = mapped_column(String(64), default="", server_default="")
    original_id: Mapped[int | None] = mapped_column(Id, ForeignKey("files.id"))
    taken_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    clock_off: Mapped[int] = mapped_column(default=0, server_default="0")
    source: Mapped[str] = mapped_column(String(10), default="", server_default="")
    latitude: Mapped[float | None] = mapped_column(Double)
    longitude: Mapped[float | None] = mapped_column(Double)
    place_status: Mapped[str] = mapped_column(String(12), default="", server_default="")
    by_company: Mapped[bool] = mapped_column(default=False, server_default=false())
    taken_back_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    taken_back_by: Mapped[int | None] = mapped_column(Id, ForeignKey("people.id"))

    file: Mapped[StoredFile] = relationship(lazy="joined", foreign_keys=[file_id])
    original: Mapped[StoredFile | None] = relationship(foreign_keys=[original_id])


def of_case(case_id: int) -> list[Inspection]:
    """Every visit of a case, first to last."""
    return list(db.session.scalars(select(Inspection).where(Inspection.case_id == case_id).order_by(Inspection.number)))


def whole_of_case(case_id: int) -> list[Inspection]:
    """Every visit of a case, first to last, with its items and both inspectors, in one statement."""
    parts = [joinedload(p) for p in (Inspection.items, Inspection.lead, Inspection.second)]
    query = select(Inspection).where(Inspection.case_id == case_id).options(*parts).order_by(Inspection.number)
    return list(db.session.scalars(query).unique())


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
