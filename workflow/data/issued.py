"""Issued documents: what was issued, with the facts it was made from, so that a reprint says the same."""

from __future__ import annotations

import datetime as dt
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Select, String, Text, select
from sqlalchemy.orm import Mapped, mapped_column, relationship

from workflow.core.actors import Actor
from workflow.data.cases import Case
from workflow.data.cases import visible_to as visible_cases
from workflow.data.files import StoredFile
from workflow.extensions import HasId, Id, Model, UtcDateTime, db


class DocumentKind(StrEnum):
    """What is issued."""

    RECEIPT = "receipt"
    CORRECTION_NOTICE = "correction_notice"
    INSPECTION_SHEET = "inspection_sheet"
    NOTICE = "notice"
    PASS = "pass"  # noqa: S105 - a document kind


class IssuedDocument(HasId, Model):
    """One issued document; ``facts`` are primitives; ``file_id`` points to the rendered PDF once it exists."""

    __tablename__ = "issued_documents"
    __table_args__ = (CheckConstraint(f"kind IN ({', '.join(repr(k.value) for k in DocumentKind)})", name="kind"),)

    case_id: Mapped[int] = mapped_column(Id, ForeignKey("cases.id"), index=True)
    kind: Mapped[str] = mapped_column(String(20))
    number: Mapped[str] = mapped_column(String(60), unique=True)
    short_code: Mapped[str] = mapped_column(String(12), unique=True)
    token: Mapped[str] = mapped_column(Text, default="")
    facts: Mapped[dict[str, Any]] = mapped_column(JSON)
    issued_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    issued_by: Mapped[int] = mapped_column(Id)
    revoked_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    file_id: Mapped[int | None] = mapped_column(Id, ForeignKey("files.id"))

    file: Mapped[StoredFile | None] = relationship()


def of_case(case_id: int) -> list[IssuedDocument]:
    """Everything issued on a case, oldest first."""
    query = select(IssuedDocument).where(IssuedDocument.case_id == case_id).order_by(IssuedDocument.id)
    return list(db.session.scalars(query))


def visible_to(actor: Actor) -> Select[IssuedDocument]:
    """Documents of cases the actor sees."""
    return select(IssuedDocument).where(
        IssuedDocument.case_id.in_(visible_cases(actor).with_only_columns(Case.id).order_by(None))
    )


def by_number(number: str) -> IssuedDocument | None:
    """The document with this number, for the public check."""
    return db.session.scalar(select(IssuedDocument).where(IssuedDocument.number == number))


def by_short_code(code: str) -> IssuedDocument | None:
    """The document with this printed short code, for the public check."""
    return db.session.scalar(select(IssuedDocument).where(IssuedDocument.short_code == code))
