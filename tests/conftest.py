"""Fixtures: an application on a fresh database for each test, on SQLite and on a real PostgreSQL."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import hypothesis
import pytest
from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient
from flask_migrate import upgrade

from config import Settings, load_settings
from tests import postgres, thrift
from tests.builders import NOW, PASSWORD, World
from workflow.app import create_app
from workflow.data.people import Account
from workflow.extensions import db, write_intent
from workflow.services import accounts, publishing

TEMPLATE = "fugong_template"
# No test is judged by the clock: a busy machine is not a fault of what is tested.
hypothesis.settings.register_profile("house", deadline=None)
hypothesis.settings.load_profile("house")


@pytest.fixture(autouse=True, scope="session")
def _cheap_hashes() -> None:
    """Argon2 as fast as it goes: what is tested here is not its strength."""
    accounts._hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


@pytest.fixture(autouse=True, scope="session")
def _thrift() -> Iterator[None]:
    """No waiting for the disk, no second compiling of the same routes, no decoding of queries for cookies."""
    thrift.sweep_less()
    with pytest.MonkeyPatch.context() as patch:
        thrift.flush_nothing(patch)
        thrift.build_routes_once(patch)
        thrift.compile_statements_once(patch)
        thrift.look_for_cookies_by_path(patch)
        yield


def make_settings(var_dir: Path, database_url: str) -> Settings:
    """Settings of a test application with its own folder and database."""
    return load_settings(
        {
            "FUGONG_ENV": "test",
            "FUGONG_VAR_DIR": str(var_dir),
            "FUGONG_DATABASE_URL": database_url,
            "FUGONG_QUEUE_URL": "memory://",
            "FUGONG_PUBLIC_URL": "http://localhost:8000",
            "FUGONG_LOG_LEVEL": "CRITICAL",
        }
    )


def _fill_template(var_dir: Path, url: str) -> None:
    app = create_app(make_settings(var_dir, url))
    with app.app_context():
        upgrade()
        publishing.sync_areas()
        publishing.sync_flows(NOW)
        db.session.commit()
        db.engine.dispose()


@pytest.fixture(scope="session")
def keys_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that every test application signs from."""
    return tmp_path_factory.mktemp("keys")


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite database with areas and flows, copied for each test."""
    folder = tmp_path_factory.mktemp("sqlite")
    path = folder / "template.sqlite3"
    _fill_template(folder, f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[postgres.Cluster]:
    """A PostgreSQL server of this test run with a migrated template database."""
    why = postgres.why_not()
    if why:
        pytest.fail(f"PostgreSQL can't be started: {why}")
    server = postgres.start_cluster()
    try:
        _fill_template(tmp_path_factory.mktemp("postgres"), server.create_database(TEMPLATE))
        yield server
    finally:
        server.stop()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def backend(request: pytest.FixtureRequest) -> str:
    """The database that the test runs on; every test of the application runs on both."""
    return str(request.param)


@pytest.fixture
def database(backend: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[thrift.Database]:
    """A fresh copy of the template database."""
    made: thrift.Database
    if backend == "sqlite":
        made = thrift.SqliteDatabase(tmp_path / "test.sqlite3")
        template = str(request.getfixturevalue("sqlite_template"))
    else:
        name = f"test_{os.getpid()}_{abs(hash(request.node.nodeid)) % 10**10}"
        made = thrift.PostgresDatabase(request.getfixturevalue("cluster"), name)
        template = TEMPLATE
    made.become(template)
    yield made
    made.drop()


@pytest.fixture
def database_url(database: thrift.Database) -> str:
    """Its address."""
    return database.url


@pytest.fixture
def app(database_url: str, tmp_path: Path) -> Iterator[Flask]:
    """The application on a fresh database with areas and flows."""
    made = create_app(make_settings(tmp_path / "var", database_url))
    thrift.share_templates(made)
    yield made
    thrift.let_go(made)


@contextmanager
def building(app: Flask) -> Iterator[World]:
    """Builders in a context of their own, closed before requests are made: these must not share its ``g``."""
    with app.app_context():
        token = write_intent.set(True)
        try:
            yield World(app)
        finally:
            db.session.rollback()
            db.session.remove()
            write_intent.reset(token)


@pytest.fixture
def world(app: Flask) -> Iterator[World]:
    """An application context with builders; transactions in it mean to write."""
    with building(app) as made:
        yield made


@pytest.fixture(scope="session")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> thrift.Shelf:
    """The prepared sites of this process."""
    return thrift.Shelf(tmp_path_factory.mktemp("shelf"))


Prepared = Callable[[str, Callable[[World], object]], object]


@pytest.fixture
def prepared(app: Flask, database: thrift.Database, tmp_path: Path, shelf: thrift.Shelf) -> Prepared:
    """Gives the test's site the contents that a builder makes: built for the first test, copied for the others.

    The builder must come to the same whenever it runs, so it may not read the real clock.
    """

    def bring(name: str, build: Callable[[World], object]) -> object:
        key, var_dir = f"{name}_{database.kind}", tmp_path / "var"
        if key in shelf.made:
            thrift.let_go(app)
            return shelf.bring(key, database, var_dir)
        with building(app) as world:
            made = build(world)
        thrift.let_go(app)
        shelf.keep(key, made, database, var_dir)
        return made

    return bring


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A browser without JavaScript and without a sign-in."""
    app.config["WTF_CSRF_ENABLED"] = False
    return app.test_client()


def sign_in(client: FlaskClient, account: Account | str) -> FlaskClient:
    """Sign ``account`` in through the page."""
    login = account if isinstance(account, str) else account.login
    data = {"login": login, "password": PASSWORD, "idempotency_key": f"sign-in-{login}"}
    answer = client.post("/login", data=data)
    assert answer.status_code == 303, answer.get_data(as_text=True)
    return client
