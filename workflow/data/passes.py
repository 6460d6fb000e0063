"""Vehicle passes: asked for by a company, granted or refused by an officer, revocable."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import JSON, CheckConstraint, Date, ForeignKey, Index, Select, String, Text, select, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from workflow.core.actors import Actor
from workflow.core.errors import N_
from workflow.data.cases import Case
from workflow.data.cases import visible_to as visible_cases
from workflow.extensions import HasId, Id, Model, UtcDateTime, db

PURPOSES = {
    "goods": N_("货物运输"),
    "commute": N_("员工通勤"),
    "charter": N_("包车接送"),
    "duty": N_("公务"),
    "supplies": N_("防疫物资运输"),
}
"""Purposes of a vehicle pass by code: the kinds of token that are for vehicles."""


class VehiclePass(HasId, Model):
    """A pass for one vehicle of one approved case; ``number`` and ``token`` exist once it is granted."""

    __tablename__ = "passes"
    __table_args__ = (
        CheckConstraint("status IN ('requested','granted','refused','revoked')", name="status"),
        CheckConstraint("valid_until_on >= valid_from_on", name="dates"),
        CheckConstraint("(status IN ('requested','refused')) = (number IS NULL)", name="number"),
        Index(
            "uq_passes_live_plate",
            "case_id",
            "plate",
            "valid_from_on",
            unique=True,
            sqlite_where=text("status IN ('requested','granted')"),
            postgresql_where=text("status IN ('requested','granted')"),
        ),
    )

    case_id: Mapped[int] = mapped_column(Id, ForeignKey("cases.id"), index=True)
    number: Mapped[str | None] = mapped_column(String(20), unique=True)
    short_code: Mapped[str | None] = mapped_column(String(12), unique=True)
    token: Mapped[str | None] = mapped_column(Text)
    status: Mapped[str] = mapped_column(String(10), default="requested")
    plate: Mapped[str] = mapped_column(String(10), index=True)
    plate_kind: Mapped[str] = mapped_column(String(20))
    vehicle_type: Mapped[str] = mapped_column(String(40))
    purpose: Mapped[str] = mapped_column(String(20))
    route: Mapped[str] = mapped_column(String(200))
    drivers: Mapped[list[Any]] = mapped_column(JSON, default=list, comment="names")
    valid_from_on: Mapped[dt.date] = mapped_column(Date)
    valid_until_on: Mapped[dt.date] = mapped_column(Date)
    requested_by: Mapped[int] = mapped_column(Id, ForeignKey("people.id"))
    requested_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    decided_by: Mapped[int | None] = mapped_column(Id, ForeignKey("people.id"))
    decided_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    revoked_by: Mapped[int | None] = mapped_column(Id, ForeignKey("people.id"))
    revoked_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    words: Mapped[str] = mapped_column(Text, default="", comment="why refused or revoked")

    case: Mapped[Case] = relationship()

    @property
    def purpose_words(self) -> str:
        """The purpose in Chinese, as printed."""
        return PURPOSES[self.purpose]


def of_case(case_id: int) -> list[VehiclePass]:
    """All passes of a case, oldest first."""
    return list(db.session.scalars(select(VehiclePass).where(VehiclePass.case_id == case_id).order_by(VehiclePass.id)))


def visible_to(actor: Actor) -> Select[VehiclePass]:
    """Passes of cases the actor sees."""
    return select(VehiclePass).where(
        VehiclePass.case_id.in_(visible_cases(actor).with_only_columns(Case.id).order_by(None))
    )


def by_number(number: str) -> VehiclePass | None:
    """The pass with this number, for the public check, which shows no personal data."""
    return db.session.scalar(select(VehiclePass).where(VehiclePass.number == number))


def by_short_code(code: str) -> VehiclePass | None:
    """The pass with this printed short code, for the public check."""
    return db.session.scalar(select(VehiclePass).where(VehiclePass.short_code == code))
