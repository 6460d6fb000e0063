"""The only reader of the clock in the web layer; everything below gets ``now`` passed in."""

from __future__ import annotations

import datetime as dt


def now() -> dt.datetime:
    """The present instant, UTC."""
    return dt.datetime.now(dt.UTC)
