"""Assigning what waits: cases are taken from those who can't handle them any more, and given to whoever is next."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from workflow.data.candidates import Pools
from workflow.jobs.writing import Writing
from workflow.services import assignment, releasing

POOLS_LAST = dt.timedelta(seconds=5)
"""How long a run goes by the candidates that it has read."""


def run_assignments(clock: Callable[[], dt.datetime], limit: int = 5000) -> int:
    """Release and assign all that is due, each case in a commit of its own; returns how many were looked at."""
    return _release(clock, limit) + _assign(clock, limit)


def _release(clock: Callable[[], dt.datetime], limit: int) -> int:
    for done in range(limit):
        with Writing():
            found = releasing.release_one(clock())
        if found is None:
            return done
    return limit


def _assign(clock: Callable[[], dt.datetime], limit: int) -> int:
    pools = Pools(clock())
    for done in range(limit):
        now = clock()
        if now - pools.now > POOLS_LAST:
            pools = Pools(now)
        with Writing():
            found = assignment.assign_due(now, pools)
        if found is None:
            return done
    return limit
