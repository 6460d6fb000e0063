"""The pieces of every case's enterprise name by town: what the search for part of a name reads."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import ForeignKey, Index, String, delete, insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from workflow.core.grams import grams
from workflow.extensions import Id, Model

_PIECE = String(2).with_variant(String(2, collation="C"), "postgresql")
"""Sorted by the characters' numbers whatever the language of the database, so that what begins a piece is a range."""


class NameGram(Model):
    """One piece of one case's name; kept by :func:`keep` whenever a case is added or renamed."""

    __tablename__ = "name_grams"
    __table_args__ = (
        Index("ix_name_grams_case", "case_id"),
        {"sqlite_with_rowid": False},
    )

    gram: Mapped[str] = mapped_column(_PIECE, primary_key=True)
    town_id: Mapped[int] = mapped_column(Id, primary_key=True)
    case_id: Mapped[int] = mapped_column(Id, ForeignKey("cases.id"), primary_key=True)


def keep(session: Session, named: Iterable[tuple[int, int, str]], *, renamed: Iterable[int] = ()) -> None:
    """Keep the pieces of ``(case id, town id, name)``; those of the ``renamed`` cases are made anew."""
    old = list(renamed)
    if old:
        session.connection().execute(delete(NameGram).where(NameGram.case_id.in_(old)))
    rows = [{"gram": g, "town_id": town, "case_id": case} for case, town, name in named for g in sorted(grams(name))]
    if rows:
        session.connection().execute(insert(NameGram), rows)
