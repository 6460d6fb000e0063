"""Deleting what is not needed any more: entries at gates whose days are over, in small transactions."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from workflow.jobs.writing import Writing
from workflow.services import gate_entries


def purge_gate_log(clock: Callable[[], dt.datetime], batches: int = 50) -> int:
    """Delete the entries at gates that are older than is kept, some at a time; returns how many were deleted."""
    done = 0
    for _batch in range(batches):
        with Writing():
            gone = gate_entries.purge_one(clock())
        done += gone
        if not gone:
            break
    return done
