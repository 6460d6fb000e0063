"""What phones send from a visit: the log of their operations, and the signatures given on glass."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Collection
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint, select
from sqlalchemy.orm import Mapped, joinedload, mapped_column, relationship, selectinload

from workflow.data import audit
from workflow.data.cases import Case
from workflow.data.files import StoredFile
from workflow.data.inspections import Inspection
from workflow.extensions import HasId, Id, Model, UtcDateTime, db

PARTIES = ("company", "lead", "second")
"""Who signs a sheet: the company, and each of the two inspectors."""
LEFT_OVER = frozenset({"moved", "closed", "list"})
"""Why a mark was refused although nothing is wrong with it: the visit is another's, is over, or has another list."""


class FieldOperation(HasId, Model):
    """One thing done on a phone, kept as it came, whatever became of it.

    ``op_id`` is the phone's own name for it, so that what is sent twice has one effect; ``base_revision`` the revision
    of the item that the person saw; ``clock_off`` how many seconds the phone's clock was ahead of ours when that
    matters, else 0. ``taken_over_by`` applied the values of a refused operation himself.
    """

    __tablename__ = "field_operations"
    __table_args__ = (
        CheckConstraint("kind IN ('mark','sign','conclude')", name="kind"),
        CheckConstraint("status IN ('applied','conflict','refused')", name="status"),
        Index("ix_field_operations_inspection", "inspection_id", "status", "id"),
    )

    op_id: Mapped[str] = mapped_column(String(36), unique=True)
    kind: Mapped[str] = mapped_column(String(10))
    inspection_id: Mapped[int] = mapped_column(Id, ForeignKey("inspections.id"))
    code: Mapped[str] = mapped_column(String(20), default="")
    values: Mapped[dict[str, Any]] = mapped_column(JSON)
    base_revision: Mapped[int] = mapped_column(default=0)
    person_id: Mapped[int] = mapped_column(Id, ForeignKey("people.id"))
    device_id: Mapped[str] = mapped_column(String(36), default="")
    device_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    received_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    clock_off: Mapped[int] = mapped_column(default=0)
    status: Mapped[str] = mapped_column(String(10))
    taken_over_by: Mapped[int | None] = mapped_column(Id, ForeignKey("people.id"))


class InspectionSignature(HasId, Model):
    """What one party said to the sheet: signed on glass (``file`` is the drawing; without one the name was typed), or
    refused with a ``reason``.

    ``party`` is company, lead or second; ``person_id`` whose phone it was given on; ``covers`` the digest of all marks
    and photos at that moment, so that a later mark shows as not covered.
    """

    __tablename__ = "inspection_signatures"
    __table_args__ = (
        UniqueConstraint("inspection_id", "party"),
        CheckConstraint("party IN ('company','lead','second')", name="party"),
        CheckConstraint("status IN ('signed','refused')", name="status"),
        CheckConstraint("status = 'refused' OR file_id IS NOT NULL OR name <> ''", name="named"),
    )

    inspection_id: Mapped[int] = mapped_column(Id, ForeignKey("inspections.id"))
    party: Mapped[str] = mapped_column(String(10))
    person_id: Mapped[int] = mapped_column(Id, ForeignKey("people.id"))
    name: Mapped[str] = mapped_column(String(60), default="")
    post: Mapped[str] = mapped_column(String(60), default="")
    status: Mapped[str] = mapped_column(String(10))
    file_id: Mapped[int | None] = mapped_column(Id, ForeignKey("files.id"))
    reason: Mapped[str] = mapped_column(Text, default="")
    covers: Mapped[str] = mapped_column(String(64))
    device_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    clock_off: Mapped[int] = mapped_column(default=0)
    at: Mapped[dt.datetime] = mapped_column(UtcDateTime)

    file: Mapped[StoredFile | None] = relationship(lazy="joined")


def operations(op_ids: Collection[str]) -> dict[str, FieldOperation]:
    """The operations that are known already, by the phones' names for them."""
    query = select(FieldOperation).where(FieldOperation.op_id.in_(op_ids))
    return {o.op_id: o for o in db.session.scalars(query)} if op_ids else {}


def lock_named(inspection_ids: Collection[int]) -> dict[int, Inspection]:
    """These visits with their items, read anew under the locks of their cases, whoever asks.

    What an inspector marked may arrive when the visit is no longer his; he learns nothing of it but that.
    """
    if not inspection_ids:
        return {}
    wanted = select(Inspection.case_id).where(Inspection.id.in_(inspection_ids))
    db.session.scalars(select(Case.id).where(Case.id.in_(wanted)).order_by(Case.id).with_for_update()).all()
    query = (
        select(Inspection)
        .where(Inspection.id.in_(inspection_ids))
        .options(joinedload(Inspection.case), selectinload(Inspection.items))
        .execution_options(populate_existing=True)
    )
    return {v.id: v for v in db.session.scalars(query)}


def was_appointed(person_id: int, visit: Inspection) -> bool:
    """Whether this person is or was one of the visit's inspectors, by the case's history."""
    if person_id in (visit.lead_id, visit.second_id):
        return True
    appointments = (e.after for e in audit.of_case(visit.case_id) if e.after.get("inspection") == visit.id)
    return any(person_id in after.get("inspectors", ()) for after in appointments)


def left_over(inspection_id: int) -> list[FieldOperation]:
    """The marks on a visit that came too late or from somebody else, and that nobody took over, oldest first."""
    query = (
        select(FieldOperation)
        .where(
            FieldOperation.inspection_id == inspection_id,
            FieldOperation.status == "refused",
            FieldOperation.kind == "mark",
            FieldOperation.taken_over_by.is_(None),
        )
        .order_by(FieldOperation.id)
    )
    return [o for o in db.session.scalars(query) if o.values.get("refused") in LEFT_OVER]


def signatures(inspection_ids: Collection[int]) -> list[InspectionSignature]:
    """The signatures on these visits."""
    query = select(InspectionSignature).where(InspectionSignature.inspection_id.in_(inspection_ids))
    return list(db.session.scalars(query)) if inspection_ids else []


def covered(visit: Inspection) -> str:
    """The digest of what a signature covers: every mark, and the hash of every photo that counts."""
    marks = [
        [i.code, i.result, i.measured, i.note, i.rectify_by_on.isoformat() if i.rectify_by_on else None]
        for i in visit.items
    ]
    photos = sorted(p.sha256 for p in visit.photos if not p.by_company and p.taken_back_at is None)
    text = json.dumps([visit.id, marks, photos], ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def signature_gaps(visit: Inspection) -> tuple[int, int]:
    """How many parties have not signed or refused, and how many did so before the sheet was changed once more."""
    present, given = covered(visit), signatures([visit.id])
    return len(PARTIES) - len(given), sum(s.covers != present for s in given)
