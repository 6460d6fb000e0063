"""Quiet hours and digests by Shanghai's clock, also over midnight."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflow.core.notices import Digest
from workflow.core.quiet import digest_at, is_quiet, sendable_at
from workflow.core.times import SHANGHAI

NIGHT = (dt.time(22, 0), dt.time(7, 0))
CLOCKS = st.times().map(lambda t: t.replace(second=0, microsecond=0))


def at(day: int, hour: int, minute: int = 0) -> dt.datetime:
    """An instant of February 2020 by Shanghai's clock."""
    return dt.datetime(2020, 2, day, hour, minute, tzinfo=SHANGHAI).astimezone(dt.UTC)


@pytest.mark.parametrize(
    ("now", "sent"),
    [
        (at(15, 21, 59), at(15, 21, 59)),
        (at(15, 22, 0), at(16, 7, 0)),
        (at(15, 23, 30), at(16, 7, 0)),
        (at(16, 0, 0), at(16, 7, 0)),
        (at(16, 6, 59), at(16, 7, 0)),
        (at(16, 7, 0), at(16, 7, 0)),
    ],
)
def test_a_night_over_midnight(now: dt.datetime, sent: dt.datetime) -> None:
    assert sendable_at(now, *NIGHT) == sent


def test_a_quiet_noon_and_none_at_all() -> None:
    noon = (dt.time(12, 0), dt.time(13, 30))
    assert sendable_at(at(15, 12, 30), *noon) == at(15, 13, 30)
    assert sendable_at(at(15, 13, 30), *noon) == at(15, 13, 30)
    assert sendable_at(at(15, 12, 30), None, None) == at(15, 12, 30)
    assert not is_quiet(at(15, 12, 30), dt.time(12, 0), dt.time(12, 0))


@given(st.integers(0, 366 * 1440).map(lambda minutes: at(1, 0) + dt.timedelta(minutes=minutes)), CLOCKS, CLOCKS)
def test_what_may_be_sent_is_never_quiet_and_waits_less_than_a_day(
    now: dt.datetime, quiet_from: dt.time, quiet_until: dt.time
) -> None:
    sent = sendable_at(now, quiet_from, quiet_until)
    assert now <= sent < now + dt.timedelta(days=1)
    assert not is_quiet(sent, quiet_from, quiet_until)


def test_digests() -> None:
    assert digest_at(at(15, 9, 0), Digest.NONE) == at(15, 9, 0)
    assert digest_at(at(15, 9, 0), Digest.HOURLY) == at(15, 10, 0)
    assert digest_at(at(15, 9, 59), Digest.HOURLY) == at(15, 10, 0)
    assert digest_at(at(15, 8, 29), Digest.DAILY) == at(15, 8, 30)
    assert digest_at(at(15, 8, 30), Digest.DAILY) == at(16, 8, 30)
    assert digest_at(at(15, 21, 10), Digest.HOURLY, *NIGHT) == at(16, 7, 0)
    assert digest_at(at(15, 20, 0), Digest.DAILY, dt.time(22, 0), dt.time(9, 0)) == at(16, 9, 0)
