"""Adding to rows of numbers in one statement on both databases: a row that is missing begins with what is added."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.dialects import postgresql, sqlite

from workflow.extensions import Base


def add(connection: Connection, model: type[Base], rows: Sequence[Mapping[str, Any]], names: Sequence[str]) -> None:
    """Add the values of the columns ``names`` of each row to the row of ``model`` with the same primary key.

    Each key may stand in ``rows`` once; the caller sorts them, so that two writers take the rows in one order.
    """
    if not rows:
        return
    key = list(model.__table__.primary_key)
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    into = insert(model).values(list(rows))
    added = {name: getattr(model, name) + into.excluded[name] for name in names}
    connection.execute(into.on_conflict_do_update(index_elements=key, set_=added))
