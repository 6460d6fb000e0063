"""What a test run makes once instead of anew for each application: compiled templates, routes, prepared sites."""

from __future__ import annotations

import gc
import os
import shutil
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import CodeType
from typing import Any, Protocol

import pytest
from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket
from sqlalchemy import Engine, event
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.util import LRUCache
from werkzeug.routing import Rule
from werkzeug.wsgi import get_current_url

from tests.postgres import Cluster
from workflow.extensions import db


class _Compiled(BytecodeCache):
    """The code of templates by name and source, shared by all applications of this process."""

    def __init__(self) -> None:
        self._codes: dict[tuple[str, str], CodeType] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """Hand out what was compiled from this very source."""
        bucket.code = self._codes.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep what was compiled."""
        if bucket.code is not None:
            self._codes[bucket.key, bucket.checksum] = bucket.code


_COMPILED = _Compiled()


def share_templates(app: Flask) -> None:
    """Let the application use templates that another one of this process compiled from the same text."""
    app.jinja_env.bytecode_cache = _COMPILED


def build_routes_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compile the address builder of each rule once: werkzeug's code for it depends on nothing but the rule's words."""
    genuine: Callable[..., Any] = Rule._compile_builder
    builders: dict[object, Any] = {}

    def compile_builder(rule: Rule, append_unknown: bool = True) -> Any:
        if rule.defaults:
            return genuine(rule, append_unknown)
        key = (rule.rule, tuple(rule._trace), append_unknown)
        if key not in builders:
            builders[key] = genuine(rule, append_unknown)
        return builders[key]

    monkeypatch.setattr(Rule, "_compile_builder", compile_builder)


def compile_statements_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let all engines of a dialect share their compiled statements, as one engine does in a process that serves.

    Otherwise every application compiles each statement anew, and the mappers keep what the engines before compiled:
    half a gigabyte at the end of a run, which the collector goes through again and again.
    """
    genuine: Callable[..., Engine] = SQLAlchemy._make_engine
    caches: dict[str, LRUCache[Any, Any]] = {}

    def make_engine(self: SQLAlchemy, *arguments: Any) -> Engine:
        engine = genuine(self, *arguments)
        engine._compiled_cache = caches.setdefault(engine.dialect.name, LRUCache(2_000))
        return engine

    monkeypatch.setattr(SQLAlchemy, "_make_engine", make_engine)
    for dialect in (SQLiteDialect_pysqlite, PGDialect_psycopg):
        # Statements are kept by dialect, too: two of the same kind, both ours, make the same words of them.
        monkeypatch.setattr(dialect, "__eq__", lambda self, other: type(self) is type(other), raising=False)
        monkeypatch.setattr(dialect, "__hash__", lambda self: hash(type(self)), raising=False)


def look_for_cookies_by_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the test client look for cookies by host and path only: decoding a long query twice a request takes long."""
    monkeypatch.setattr("werkzeug.test.get_current_url", partial(get_current_url, strip_querystring=True))


def sweep_less() -> None:
    """Let the collector pass over what was imported, which lives as long as the run, and go round less often."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(5_000, 10, 10)


def flush_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave it to the system when files reach the disk: a power cut ends a test run anyway."""
    monkeypatch.setattr(os, "fsync", lambda _file: None)
    event.listen(Engine, "connect", _do_not_wait)


def _do_not_wait(connection: Any, _record: Any) -> None:
    if isinstance(connection, sqlite3.Connection):
        connection.execute("PRAGMA synchronous = OFF")


class Database(Protocol):
    """The database of one test."""

    @property
    def kind(self) -> str:
        """The backend that it lies on."""

    @property
    def url(self) -> str:
        """Its address."""

    def become(self, template: str) -> None:
        """Turn into a copy of another database; nobody may be connected to either."""

    def copy(self, folder: Path, name: str) -> str:
        """Make a copy to become later, and tell where it is."""

    def drop(self) -> None:
        """Remove what is not removed with the test's folder."""


@dataclass(frozen=True)
class SqliteDatabase:
    """A file."""

    path: Path
    kind: str = "sqlite"

    @property
    def url(self) -> str:
        """Its address."""
        return f"sqlite:///{self.path}"

    def become(self, template: str) -> None:
        """Copy another file over it."""
        for tail in ("-wal", "-shm"):
            assert not Path(f"{template}{tail}").exists(), f"{template} is still open"
            assert not Path(f"{self.path}{tail}").exists(), f"{self.path} is still open"
        shutil.copyfile(template, self.path)

    def copy(self, folder: Path, name: str) -> str:
        """Copy the file."""
        kept = SqliteDatabase(folder / f"{name}.sqlite3")
        kept.become(str(self.path))
        return str(kept.path)

    def drop(self) -> None:
        """The file goes with its folder."""


@dataclass(frozen=True)
class PostgresDatabase:
    """A database of the test run's own server."""

    cluster: Cluster
    name: str
    kind: str = "postgresql"

    @property
    def url(self) -> str:
        """Its address."""
        return self.cluster.url_for(self.name)

    def become(self, template: str) -> None:
        """Drop it and create it from another one."""
        self.drop()
        self.cluster.create_database(self.name, template)

    def copy(self, folder: Path, name: str) -> str:
        """Create another one from it, which stays until the server ends."""
        self.cluster.create_database(name, self.name)
        return name

    def drop(self) -> None:
        """Drop it, if it is there."""
        self.cluster.drop_database(self.name)


@dataclass
class Shelf:
    """Prepared sites by name: each was built once, by the first test of this process that wanted it."""

    folder: Path
    made: dict[str, tuple[object, str]] = field(default_factory=dict)

    def keep(self, name: str, made: object, database: Database, var_dir: Path) -> None:
        """Remember what a builder returned, and copy the database and the files that it filled."""
        shutil.copytree(var_dir, self.folder / name)
        self.made[name] = made, database.copy(self.folder, name)

    def bring(self, name: str, database: Database, var_dir: Path) -> object:
        """The same again: into this database and this folder; gives what the builder returned."""
        made, template = self.made[name]
        shutil.copytree(self.folder / name, var_dir, dirs_exist_ok=True)
        database.become(template)
        return made


def let_go(app: Flask) -> None:
    """Close every connection of the application, so that its database can be copied or replaced."""
    with app.app_context():
        db.session.remove()
        db.engine.dispose()
