"""Migrations: up from nothing, down to nothing and up again on both databases, and no difference to the models."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask
from flask_migrate import downgrade, upgrade
from sqlalchemy import inspect, text

from config import ROOT
from tests import postgres
from tests.builders import World
from tests.conftest import make_settings
from workflow.app import create_app
from workflow.data import counters
from workflow.extensions import db
from workflow.services import publishing

VERSION_TABLE = "alembic_version"


@pytest.fixture
def empty(backend: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Flask]:
    """The application on a database with nothing in it."""
    if backend == "sqlite":
        made = create_app(make_settings(tmp_path / "var", f"sqlite:///{tmp_path / 'empty.sqlite3'}"))
        with made.app_context():
            yield made
            db.session.remove()
            db.engine.dispose()
        return
    server: postgres.Cluster = request.getfixturevalue("cluster")
    name = f"migrations_{os.getpid()}"
    made = create_app(make_settings(tmp_path / "var", server.create_database(name)))
    with made.app_context():
        yield made
        db.session.remove()
        db.engine.dispose()
    server.drop_database(name)


def tables() -> set[str]:
    """The tables that are there."""
    return set(inspect(db.engine).get_table_names()) - {VERSION_TABLE}


def triggers(backend: str) -> set[str]:
    """The triggers that are there."""
    query = "SELECT name FROM sqlite_master WHERE type = 'trigger'"
    if backend != "sqlite":
        query = "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal"
    with db.engine.connect() as connection:
        return set(connection.execute(text(query)).scalars())


def differences() -> list[object]:
    """What autogenerate would write."""
    with db.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, db.metadata))


def test_up_down_and_up_again(empty: Flask, backend: str) -> None:
    assert tables() == set()
    upgrade()
    assert tables() == set(db.metadata.tables)
    assert differences() == []
    guards = triggers(backend)
    assert guards, "history is guarded by triggers"
    downgrade(revision="base")
    assert tables() == set()
    assert triggers(backend) == set()
    upgrade()
    assert tables() == set(db.metadata.tables)
    assert triggers(backend) == guards
    assert differences() == []


def test_upgrading_again_changes_nothing(empty: Flask) -> None:
    upgrade()
    publishing.sync_areas()
    db.session.commit()
    before = db.session.scalar(text("SELECT count(*) FROM areas"))
    db.session.commit()
    upgrade()
    assert db.session.scalar(text("SELECT count(*) FROM areas")) == before


def test_each_step_goes_down_and_up_by_itself(empty: Flask) -> None:
    script = ScriptDirectory(str(ROOT / "workflow" / "migrations"))
    revisions = [r.revision for r in script.walk_revisions()][::-1]
    for revision in revisions:
        upgrade(revision=revision)
        downgrade(revision="-1")
        upgrade(revision=revision)
    assert differences() == []


def test_the_migrations_are_one_line() -> None:
    script = ScriptDirectory(str(ROOT / "workflow" / "migrations"))
    assert len(script.get_heads()) == 1
    assert [r.revision for r in script.walk_revisions()] == sorted(
        (r.revision for r in script.walk_revisions()), reverse=True
    )


def test_rows_live_through_every_step_down_and_up(world: World) -> None:
    """From the first published schema on: what is there stays, and what is derived is made again."""
    world.approved()
    case_id = world.scheduled().id
    db.session.commit()
    kept = ("people", "cases", "inspections", "inspection_items", "materials", "audit_entries", "issued_documents")
    before = {t: db.session.scalar(text(f"SELECT count(*) FROM {t}")) for t in kept}
    counted = counters.kept()
    db.session.remove()
    for _ in range(20):
        with db.engine.connect() as connection:
            present = connection.scalar(text("SELECT version_num FROM alembic_version"))
        if present == "0003":
            break
        downgrade(revision="-1")
    assert present == "0003"
    upgrade()
    assert {t: db.session.scalar(text(f"SELECT count(*) FROM {t}")) for t in kept} == before
    assert counters.kept() == +counters.recount()
    assert {place: n for place, n in counted.items() if place[0] != "load"} == counters.kept()
    grams = db.session.scalar(text(f"SELECT count(*) FROM name_grams WHERE case_id = {case_id}"))
    assert grams
