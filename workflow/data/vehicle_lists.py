"""Lists of vehicles that a company has uploaded and looks at before it asks for passes: kept for a week."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, Select, String, delete, select
from sqlalchemy.orm import Mapped, defer, mapped_column

from workflow.core.actors import Actor
from workflow.data.cases import Case
from workflow.extensions import HasId, Id, Model, UtcDateTime, db

KEPT = dt.timedelta(days=7)


class VehicleList(HasId, Model):
    """A list of one case: ``rows`` are [line, cell, …] in the order of the table's columns, as typed.

    ``submitted_at`` is when it was handed in: ``asked`` passes were made of it, and only the rows that were not taken
    are left.
    """

    __tablename__ = "vehicle_lists"
    __table_args__ = (
        Index("ix_vehicle_lists_case", "case_id", "id"),
        Index("ix_vehicle_lists_created", "created_at"),
    )

    case_id: Mapped[int] = mapped_column(Id, ForeignKey("cases.id"))
    person_id: Mapped[int] = mapped_column(Id, ForeignKey("people.id"))
    name: Mapped[str] = mapped_column(String(120), comment="of the file")
    sha256: Mapped[str] = mapped_column(String(64))
    rows: Mapped[list[Any]] = mapped_column(JSON)
    asked: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    submitted_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)


def of(actor: Actor, case_id: int) -> Select[VehicleList]:
    """The lists of a case of the actor's own company."""
    own = select(Case.id).where(Case.id == case_id, Case.enterprise_id.in_(actor.enterprise_ids))
    return select(VehicleList).where(VehicleList.case_id.in_(own))


def latest(actor: Actor, case_id: int, most: int = 5) -> list[VehicleList]:
    """The newest lists of a case, without their rows."""
    query = of(actor, case_id).order_by(VehicleList.id.desc()).limit(most)
    return list(db.session.scalars(query.options(defer(VehicleList.rows))))


def forget_old(now: dt.datetime) -> int:
    """Delete the lists whose week is over; returns how many."""
    gone = db.session.execute(delete(VehicleList).where(VehicleList.created_at <= now - KEPT))
    return int(gone.rowcount)  # type: ignore[attr-defined]
