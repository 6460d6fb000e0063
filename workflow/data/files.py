"""Stored files: content addressed by SHA-256; who may read one follows from what it is attached to."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import CheckConstraint, String
from sqlalchemy.orm import Mapped, mapped_column

from workflow.extensions import HasId, Model, UtcDateTime


class StoredFile(HasId, Model):
    """The bytes of one upload or issued document; ``key`` is its place in the store, ``size`` in bytes."""

    __tablename__ = "files"
    __table_args__ = (CheckConstraint("size > 0", name="size"), CheckConstraint("length(sha256) = 64", name="sha256"))

    sha256: Mapped[str] = mapped_column(String(64), index=True)
    size: Mapped[int]
    media_type: Mapped[str] = mapped_column(String(100))
    kind: Mapped[str] = mapped_column(String(10))
    key: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
