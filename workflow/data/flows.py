"""Published flow versions: immutable rows, read once and kept as checked flows."""

from __future__ import annotations

import datetime as dt
import hashlib
from functools import lru_cache

from sqlalchemy import Date, ForeignKey, String, Text, UniqueConstraint, select
from sqlalchemy.orm import Mapped, mapped_column

from workflow.core.engine import Engine
from workflow.core.flow import read_flow
from workflow.extensions import HasId, Id, Model, UtcDateTime, db


class FlowVersion(HasId, Model):
    """One published version of a flow; the text never changes, ``digest`` is its SHA-256."""

    __tablename__ = "flow_versions"
    __table_args__ = (
        UniqueConstraint("key", "revision"),
        UniqueConstraint("key", "digest", name="uq_flow_versions_text"),
    )

    key: Mapped[str] = mapped_column(String(40))
    revision: Mapped[int]
    text: Mapped[str] = mapped_column(Text)
    digest: Mapped[str] = mapped_column(String(64))
    area_id: Mapped[int | None] = mapped_column(Id, ForeignKey("areas.id"))
    effective_on: Mapped[dt.date] = mapped_column(Date)
    published_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)

    @property
    def engine(self) -> Engine:
        """The engine of this version; built once a process and text."""
        return engine_for(self.text)


@lru_cache(maxsize=256)
def engine_for(text: str) -> Engine:
    """The engine of a flow text."""
    return Engine(read_flow(text))


def digest_of(text: str) -> str:
    """The SHA-256 of a flow text."""
    return hashlib.sha256(text.encode()).hexdigest()


def newest(key: str, on: dt.date) -> FlowVersion | None:
    """The version of ``key`` in force on a day: the latest effective, then the highest revision."""
    query = (
        select(FlowVersion)
        .where(FlowVersion.key == key, FlowVersion.effective_on <= on)
        .order_by(FlowVersion.effective_on.desc(), FlowVersion.revision.desc())
        .limit(1)
    )
    return db.session.scalar(query)
