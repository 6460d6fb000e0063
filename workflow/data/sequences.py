"""Gap-tolerant running numbers by name, for references and document numbers."""

from __future__ import annotations

from sqlalchemy import String
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.orm import Mapped, mapped_column

from workflow.extensions import Model, db


class Sequence(Model):
    """The last number given out under a name."""

    __tablename__ = "sequences"

    name: Mapped[str] = mapped_column(String(60), primary_key=True)
    value: Mapped[int]


def next_number(name: str, count: int = 1) -> int:
    """The next number under ``name``, from 1; with ``count`` reserves that many and returns the last."""
    insert = sqlite_insert if db.engine.dialect.name == "sqlite" else postgres_insert
    statement = (
        insert(Sequence)
        .values(name=name, value=count)
        .on_conflict_do_update(index_elements=["name"], set_={"value": Sequence.value + count})
        .returning(Sequence.value)
    )
    return int(db.session.execute(statement).scalar_one())
