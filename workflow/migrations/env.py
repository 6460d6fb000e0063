"""Alembic's environment: runs migrations with the application's own engine and metadata, on SQLite and PostgreSQL."""

from __future__ import annotations

from alembic import context
from flask import current_app
from sqlalchemy import Connection

target_db = current_app.extensions["migrate"].db
options = dict(current_app.extensions["migrate"].configure_args)
options.update(target_metadata=target_db.metadata, compare_type=True, transaction_per_migration=True)


def _run(connection: Connection) -> None:
    context.configure(connection=connection, **options)
    with context.begin_transaction():
        context.run_migrations()


if context.is_offline_mode():
    context.configure(url=str(target_db.engine.url), literal_binds=True, **options)
    with context.begin_transaction():
        context.run_migrations()
else:
    engine = target_db.engine
    with engine.connect() as plain:
        is_sqlite = engine.dialect.name == "sqlite"
        if is_sqlite:
            # Batch operations rebuild tables; rows elsewhere that point to them must not stop that. The pragma does
            # nothing inside of a transaction, so it is said to the driver before one begins.
            plain.connection.driver_connection.execute("PRAGMA foreign_keys = OFF")
        _run(plain)
        plain.commit()
        if is_sqlite:
            broken = plain.connection.driver_connection.execute("PRAGMA foreign_key_check").fetchall()
            if broken:
                raise RuntimeError(f"rows of {sorted({row[0] for row in broken})} point to rows that are gone")
            plain.connection.driver_connection.execute("PRAGMA foreign_keys = ON")
