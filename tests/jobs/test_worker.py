"""A real worker process, killed in the middle of its work and started again: everything is done, nothing twice."""

from __future__ import annotations

import datetime as dt
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import func, select, update

from config import ROOT
from tests.builders import NOW, World
from workflow.data import issued, outbox
from workflow.data.cases import Case
from workflow.data.messages import Message
from workflow.data.outbox import OutboxItem
from workflow.extensions import db, write_intent

PATIENCE = 90


def start_worker(var_dir: Path, database_url: str) -> subprocess.Popen[bytes]:
    """``flask worker`` with its own queue on the test's database."""
    environment = {
        "PATH": os.environ["PATH"],
        "FUGONG_ENV": "test",
        "FUGONG_VAR_DIR": str(var_dir),
        "FUGONG_DATABASE_URL": database_url,
        "FUGONG_QUEUE_URL": f"sqlite:///{var_dir / 'queue.sqlite3'}",
        "FUGONG_LOG_LEVEL": "ERROR",
    }
    command = [sys.executable, "-m", "flask", "--app", "wsgi", "worker"]
    with (var_dir / "worker.log").open("ab") as log:
        return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)


def wait_until(true: Callable[[], bool], worker: subprocess.Popen[bytes], var_dir: Path) -> None:
    """Look again and again, until it is true, the worker has ended or the patience."""
    deadline, pause = time.monotonic() + PATIENCE, threading.Event()
    while not true():
        if worker.poll() is not None or time.monotonic() > deadline:
            pytest.fail(f"the worker did not get there:\n{(var_dir / 'worker.log').read_text()[-3000:]}")
        pause.wait(0.01)


def read(query: object) -> object:
    """One value, read in a transaction of its own that does not mean to write."""
    token = write_intent.set(False)
    try:
        db.session.rollback()
        return db.session.scalar(query)  # type: ignore[call-overload]
    finally:
        db.session.rollback()
        write_intent.reset(token)


def fill_outbox(case: Case) -> int:
    """Fifteen messages, the receipt, fifteen messages, in this order; returns the id of the receipt's item."""
    slow = db.session.scalars(select(OutboxItem)).one()  # printing the receipt takes long enough to be killed in
    slow.available_at = NOW + dt.timedelta(minutes=1)
    for n in range(30):
        at = NOW + dt.timedelta(minutes=0 if n < 15 else 2)
        payload = {"case_id": case.id, "enterprise_id": case.enterprise_id, "event": "accept", "details": {}}
        outbox.put("message", payload, at)
    db.session.commit()
    return slow.id


def test_a_killed_worker_loses_nothing_and_doubles_nothing(world: World, database_url: str, tmp_path: Path) -> None:
    case = world.submitted()
    case.clock_at = None  # its deadline is years ago by the worker's clock, and would add a message of its own
    (receipt,) = issued.of_case(case.id)
    slow_id, receipt_id, var_dir = fill_outbox(case), receipt.id, tmp_path / "var"
    left = select(func.count()).select_from(OutboxItem).where(OutboxItem.done_at.is_(None))

    worker = start_worker(var_dir, database_url)
    try:
        tries = select(OutboxItem.attempts).where(OutboxItem.id == slow_id)
        wait_until(lambda: read(tries) == 1, worker, var_dir)
    finally:
        worker.send_signal(signal.SIGKILL)
        worker.wait()
    assert read(left) == 16, "killed in the middle: the receipt and what comes after it are open"
    assert read(select(func.count()).select_from(Message)) == 15

    # The lease ends two minutes later; those are not waited for.
    db.session.execute(update(OutboxItem).where(OutboxItem.id == slow_id).values(available_at=NOW))
    db.session.commit()
    worker = start_worker(var_dir, database_url)
    try:
        wait_until(lambda: read(left) == 0, worker, var_dir)
    finally:
        worker.terminate()
        worker.wait(PATIENCE)
    assert read(select(func.count()).select_from(Message)) == 30
    assert read(select(func.count(Message.outbox_id.distinct()))) == 30
    assert read(tries) == 2
    kept = db.session.get_one(type(receipt), receipt_id, populate_existing=True)
    assert kept.file is not None
    assert kept.file.size > 1000
