"""Time in Shanghai: instants are UTC, days are Shanghai's."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")


def shanghai_day(at: dt.datetime) -> dt.date:
    """The day in Shanghai on which the instant ``at`` falls."""
    return at.astimezone(SHANGHAI).date()


def shanghai_time(at: dt.datetime) -> dt.datetime:
    """The instant ``at`` with Shanghai's clock."""
    return at.astimezone(SHANGHAI)


def end_of_day(day: dt.date) -> dt.datetime:
    """The instant (UTC) at which ``day`` ends in Shanghai: midnight of the day after."""
    after = dt.datetime.combine(day + dt.timedelta(days=1), dt.time(), SHANGHAI)
    return after.astimezone(dt.UTC)


def start_of_day(day: dt.date) -> dt.datetime:
    """The instant (UTC) at which ``day`` begins in Shanghai."""
    return dt.datetime.combine(day, dt.time(), SHANGHAI).astimezone(dt.UTC)
