"""Long jobs of the outbox in chunks: a bulk job or an export gets on for some seconds, then puts its next item, so that
it neither holds up others nor outlives its lease."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Mapping
from typing import Any

from workflow.data import outbox, vehicle_lists
from workflow.jobs.writing import Writing
from workflow.services import bulk, exports, print_jobs

ROWS, SECONDS = 50, 5.0
"""The most rows and seconds of a bulk job in one chunk."""
Finish = Callable[[dt.datetime], None]
Clock = Callable[[], dt.datetime]


def bulk_chunk(item_id: int, payload: Mapping[str, Any], clock: Clock) -> Finish:
    """Take the next rows of a bulk job, each in a commit of its own; the rights are read anew for the chunk."""
    job_id, run, until = int(payload["job_id"]), int(payload["run"]), time.monotonic() + SECONDS
    actor = bulk.actor_of_job(job_id, clock())
    rows = 0
    while rows < ROWS and time.monotonic() < until:
        with Writing():
            taken = bulk.advance(job_id, run, actor, clock())
        if not taken:
            break
        rows += taken

    def finish(now: dt.datetime) -> None:
        if bulk.is_going(job_id, run):
            outbox.put("bulk", dict(payload), now)
        else:
            bulk.tell_of_end(job_id, run, now)

    return finish


def export_chunk(item_id: int, payload: Mapping[str, Any], clock: Clock) -> Finish:
    """Write the next rows of an export into its file; making the workbook in the end renews the lease meanwhile."""

    def going() -> None:
        with Writing():
            outbox.renew(item_id, clock())

    return exports.write_on(int(payload["export_id"]), clock, going=going)


def print_passes(item_id: int, payload: Mapping[str, Any], clock: Clock) -> Finish:
    """Print a job of passes to its end; the lease is renewed as it says how far it is."""

    def going(step: Callable[[], None]) -> None:
        with Writing():
            outbox.renew(item_id, clock())
            step()

    return print_jobs.print_on(int(payload["job_id"]), clock, going)


def forget_expired_files(clock: Clock) -> int:
    """Delete the files of exports and printed passes whose week is over, and what was left unfinished as long ago.

    Returns how many files.
    """
    with Writing():
        keys = [*exports.forget_expired(clock()), *print_jobs.forget_expired(clock())]
    exports.delete_files(keys)
    exports.forget_leftovers(clock())
    print_jobs.forget_leftovers(clock())
    return len(keys)


def forget_old_lists(clock: Clock) -> int:
    """Delete the lists of vehicles whose week is over; returns how many."""
    with Writing():
        return vehicle_lists.forget_old(clock())
