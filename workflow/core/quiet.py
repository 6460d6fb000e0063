"""When mail may go out: quiet hours by Shanghai's clock, and the instants of digests."""

from __future__ import annotations

import datetime as dt

from workflow.core.notices import Digest
from workflow.core.times import SHANGHAI, shanghai_time

DAILY_AT = dt.time(8, 30)


def _next(at: dt.datetime, clock: dt.time) -> dt.datetime:
    """The first instant after ``at`` at which Shanghai's clock shows ``clock``."""
    local = shanghai_time(at)
    found = dt.datetime.combine(local.date(), clock, SHANGHAI)
    if found <= local:
        found = dt.datetime.combine(local.date() + dt.timedelta(days=1), clock, SHANGHAI)
    return found.astimezone(dt.UTC)


def is_quiet(at: dt.datetime, quiet_from: dt.time | None, quiet_until: dt.time | None) -> bool:
    """Whether ``at`` lies in the quiet hours, which may reach over midnight; equal ends mean none."""
    if quiet_from is None or quiet_until is None or quiet_from == quiet_until:
        return False
    clock = shanghai_time(at).time()
    if quiet_from < quiet_until:
        return quiet_from <= clock < quiet_until
    return clock >= quiet_from or clock < quiet_until


def sendable_at(at: dt.datetime, quiet_from: dt.time | None, quiet_until: dt.time | None) -> dt.datetime:
    """``at``, or the end of the quiet hours in which it lies."""
    if quiet_until is None or not is_quiet(at, quiet_from, quiet_until):
        return at
    return _next(at, quiet_until)


def digest_at(
    at: dt.datetime, digest: Digest, quiet_from: dt.time | None = None, quiet_until: dt.time | None = None
) -> dt.datetime:
    """When what came at ``at`` is mailed: at once, at the next full hour or at the next 08:30, never in quiet hours."""
    if digest is Digest.HOURLY:
        hour = at.astimezone(dt.UTC).replace(minute=0, second=0, microsecond=0)
        at = hour + dt.timedelta(hours=1)
    elif digest is Digest.DAILY:
        at = _next(at, DAILY_AT)
    return sendable_at(at, quiet_from, quiet_until)
