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
        if engine.dialect.name == "sqlite":
            # Batch operations rebuild tables; rows elsewhere that point to them must not stop that.
            plain.exec_driver_sql("PRAGMA foreign_keys = OFF")
            plain.rollback()
        _run(plain)
        plain.commit()
        if engine.dialect.name == "sqlite":
            plain.exec_driver_sql("PRAGMA foreign_keys = ON")
            plain.rollback()
