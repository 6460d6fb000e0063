"""Exporting 100,000 cases in a process of its own: how much its memory grows, against the 60 MB that it may.

Seconds go to standard error. Alone (``python -m bench.bench_desk_export FOLDER URL EXPORT``) it is that process
which writes one export chunk by chunk, as the worker does, and prints what it took.
"""

from __future__ import annotations

import atexit
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from sqlalchemy import delete

from bench import scene
from bench.harness import Measurement, bench
from config import load_settings
from workflow.app import create_app
from workflow.cli.demo import bulk
from workflow.core.actors import SYSTEM, Actor, Role
from workflow.core.times import shanghai_day
from workflow.data import people
from workflow.data.exports import Export
from workflow.data.outbox import OutboxItem
from workflow.extensions import db
from workflow.jobs.chunks import export_chunk
from workflow.jobs.writing import Writing
from workflow.services import accounts
from workflow.services.exports import Asking, start

ROWS = int(os.environ.get("BENCH_EXPORT_ROWS", "100000"))
ALLOWED_MB = 60.0


def _resident_mb(which: str) -> float:
    """Resident memory: ``VmRSS`` now, ``VmHWM`` the most that this process ever had, also in the middle of a chunk."""
    line = next(each for each in Path("/proc/self/status").read_text().splitlines() if each.startswith(f"{which}:"))
    return int(line.split()[1]) / 1024


def _officer() -> Actor:
    account = people.account_by_login("bench")
    if account is None:
        raise RuntimeError("the bench's officer is missing")
    return people.actor_of(account, shanghai_day(scene.now()))


def _order(**view: str) -> int:
    with Writing():
        return start(_officer(), Asking(view), scene.now()).id


def _chunk(export_id: int) -> tuple[str, int]:
    """Write one chunk and keep it; the export's status and rows then."""
    finish = export_chunk(0, {"export_id": export_id}, scene.now)
    with Writing():
        finish(scene.now())
        db.session.execute(delete(OutboxItem))
        export = db.session.get_one(Export, export_id)
        return export.status, export.rows


def write(export_id: int) -> dict[str, float]:
    """Write the export; returns the growth of resident memory at its highest in MB, the seconds of all and of the
    longest chunk, and the rows."""
    _chunk(_order(tab="open", q="没有这样的企业"))  # what is imported, compiled or read once
    before, longest, begun = _resident_mb("VmRSS"), 0.0, time.perf_counter()
    status = "running"
    while status == "running":
        since = time.perf_counter()
        status, rows = _chunk(export_id)
        longest = max(longest, time.perf_counter() - since)
    seconds = time.perf_counter() - begun
    return {"mb": _resident_mb("VmHWM") - before, "seconds": seconds, "longest_chunk": longest, "rows": rows}


def _prepared(folder: Path) -> tuple[str, int]:
    """An installation with enough closed cases, and an export ordered by an officer of the whole city."""
    app = scene.make_app(folder)
    with app.app_context():
        with Writing():
            account = accounts.create_staff(
                SYSTEM, login="bench", name="测速", password=scene.PASSWORD, mobile="", now=scene.now()
            )
            person = account.person_id
            role = Role.COMMANDER.value
            accounts.appoint(SYSTEM, person_id=person, role=role, area_code="3302", bureau=None, now=scene.now())
        bulk.load(int(ROWS * 1.4), scene.now(), lambda done: None)  # some of them are open
        export_id = _order(tab="done")
        db.engine.dispose()
    return str(app.config["SQLALCHEMY_DATABASE_URI"]), export_id


@bench("desk.export100k.growth", "MB", "the 60 MB that an export of 100,000 rows may grow by")
def growth() -> Measurement:
    """The highest resident memory while it is written over what it was before."""
    folder = Path(tempfile.mkdtemp(prefix="fugong-bench-export-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    url, export_id = _prepared(folder)
    command = [sys.executable, "-m", "bench.bench_desk_export", str(folder), url, str(export_id)]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    found = json.loads(output.splitlines()[-1])
    if found["rows"] < ROWS:
        raise RuntimeError(f"only {found['rows']} rows were exported")
    print(f"export: {found}", file=sys.stderr)
    return Measurement(found["mb"], ALLOWED_MB)


def main(folder: str, url: str, export_id: str) -> None:
    """The process that is measured."""
    environment = {"FUGONG_ENV": "test", "FUGONG_VAR_DIR": folder, "FUGONG_DATABASE_URL": url}
    app = create_app(load_settings({**environment, "FUGONG_QUEUE_URL": "memory://", "FUGONG_LOG_LEVEL": "CRITICAL"}))
    with app.app_context():
        print(json.dumps(write(int(export_id))))


if __name__ == "__main__":
    main(*sys.argv[1:])
