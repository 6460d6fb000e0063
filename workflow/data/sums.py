"""Adding to rows of numbers on both databases: a row that is missing begins with what is added."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Insert
from sqlalchemy.dialects import postgresql, sqlite

from workflow.extensions import Base


def add(connection: Connection, model: type[Base], rows: Sequence[Mapping[str, Any]], names: Sequence[str]) -> None:
    """Add the values of the columns ``names`` of each row to the row of ``model`` with the same primary key.

    The caller sorts the rows, so that two writers take them in one order.
    """
    if rows:
        connection.execute(_adding(connection.dialect.name, model, tuple(names)), list(rows))


@lru_cache(maxsize=16)
def _adding(dialect: str, model: type[Base], names: tuple[str, ...]) -> Insert:
    """The statement for one row, sent for many: made and compiled once, which costs more than running it."""
    into = (postgresql.insert if dialect == "postgresql" else sqlite.insert)(model)
    added = {name: getattr(model, name) + into.excluded[name] for name in names}
    return into.on_conflict_do_update(index_elements=list(model.__table__.primary_key), set_=added)
