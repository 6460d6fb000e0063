"""A throw-away installation for benches: a migrated SQLite database with bulk cases and one officer."""

from __future__ import annotations

import atexit
import datetime as dt
import os
import shutil
import tempfile
from functools import lru_cache
from pathlib import Path

from flask import Flask
from flask_migrate import upgrade

from config import load_settings
from workflow.app import create_app
from workflow.cli.demo import bulk
from workflow.core.actors import SYSTEM, Role
from workflow.extensions import db, write_intent
from workflow.services import accounts, publishing

PASSWORD = "quick-horse-staple-9"
TOWN = "330203002"
CASES = int(os.environ.get("BENCH_CASES", "20000"))


def make_app(folder: Path, database_url: str | None = None) -> Flask:
    """An application with its data in ``folder``, migrated, with areas and flows."""
    app = create_app(
        load_settings(
            {
                "FUGONG_ENV": "test",
                "FUGONG_VAR_DIR": str(folder),
                "FUGONG_DATABASE_URL": database_url or f"sqlite:///{folder / 'bench.sqlite3'}",
                "FUGONG_QUEUE_URL": "memory://",
                "FUGONG_LOG_LEVEL": "CRITICAL",
            }
        )
    )
    app.config["WTF_CSRF_ENABLED"] = False
    with app.app_context():
        upgrade()
        publishing.sync_areas()
        publishing.sync_flows(now())
        db.session.commit()
    return app


def now() -> dt.datetime:
    """The present instant."""
    return dt.datetime.now(dt.UTC)


@lru_cache(maxsize=1)
def installation() -> Flask:
    """One installation for the whole run with :data:`CASES` bulk cases and a reviewer called ``bench``."""
    folder = Path(tempfile.mkdtemp(prefix="fugong-bench-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    app = make_app(folder)
    with app.app_context():
        token = write_intent.set(True)
        account = accounts.create_staff(SYSTEM, login="bench", name="测速", password=PASSWORD, mobile="", now=now())
        accounts.appoint(
            SYSTEM, person_id=account.person_id, role=Role.REVIEWER.value, area_code=TOWN, bureau=None, now=now()
        )
        db.session.commit()
        write_intent.reset(token)
        bulk.load(CASES, now(), lambda done: None)
    return app
