"""The queue (huey): wakes the drain right after a commit and sweeps every minute; the outbox keeps what it loses.

``FUGONG_QUEUE_URL``: ``sqlite:///path`` (embedded), ``redis://…`` or ``memory://`` (tests; tasks wait until called).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import structlog
from flask import Flask
from huey import Huey, MemoryHuey, SqliteHuey, crontab

from config import Settings
from workflow.extensions import db
from workflow.jobs import assigning, chunks, purging
from workflow.jobs import drain as draining

log = structlog.get_logger()


def _clock() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def _open(settings: Settings) -> Huey:
    url = settings.queue_url
    if url.startswith("sqlite:///"):
        return SqliteHuey("fugong", filename=url.removeprefix("sqlite:///"), utc=True)
    if url.startswith("memory:"):
        return MemoryHuey("fugong", utc=True)
    from huey import RedisHuey

    return RedisHuey("fugong", url=url, utc=True)


@dataclass(frozen=True, slots=True)
class Queue:
    """The open queue and its tasks."""

    huey: Huey
    drain: Any

    def wake(self) -> None:
        """Ask the worker to drain now; when the queue can't be reached the minute's sweep does it."""
        try:
            self.drain()
        except Exception as error:  # the change is committed; a queue that is down must not turn it into an error
            log.warning("queue_unreachable", error=type(error).__name__)


def make(app: Flask) -> Queue:
    """Open the queue of ``app`` and define its tasks."""
    huey = _open(app.config["SETTINGS"])

    def drain_outbox() -> int:
        with app.app_context():
            try:
                assigning.run_assignments(_clock)
                return draining.drain(_clock)
            finally:
                db.session.remove()

    def sweep() -> None:
        with app.app_context():
            try:
                draining.run_clocks(_clock)
            finally:
                db.session.remove()
        drain_outbox()
        with app.app_context():
            draining.forget_old_keys(_clock)
            chunks.forget_expired_files(_clock)
            chunks.forget_old_lists(_clock)
            purging.purge_gate_log(_clock)

    task = huey.task(name="drain_outbox")(drain_outbox)
    huey.periodic_task(crontab(minute="*"), name="sweep")(sweep)
    made = Queue(huey, task)
    app.extensions["queue"] = made
    return made
