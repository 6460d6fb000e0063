"""Days in Shanghai: midnight there, not in UTC, is where a day turns."""

from __future__ import annotations

import datetime as dt

from hypothesis import given
from hypothesis import strategies as st

from workflow.core.times import end_of_day, shanghai_day, shanghai_time, start_of_day

UTC = dt.UTC
LAST = dt.datetime(2020, 2, 15, 15, 59, 59, tzinfo=UTC)
MIDNIGHT = dt.datetime(2020, 2, 15, 16, 0, tzinfo=UTC)


def test_the_day_turns_at_midnight_in_shanghai() -> None:
    assert shanghai_day(LAST) == dt.date(2020, 2, 15)
    assert shanghai_day(MIDNIGHT) == dt.date(2020, 2, 16)
    assert shanghai_time(MIDNIGHT).strftime("%H:%M %z") == "00:00 +0800"


def test_a_day_begins_and_ends_as_instants_in_utc() -> None:
    assert end_of_day(dt.date(2020, 2, 15)) == MIDNIGHT
    assert start_of_day(dt.date(2020, 2, 16)) == MIDNIGHT
    assert end_of_day(dt.date(2020, 2, 15)).tzinfo is UTC


@given(st.dates(dt.date(1992, 1, 1), dt.date(2100, 1, 1)))
def test_every_day_holds_its_instants(day: dt.date) -> None:
    assert shanghai_day(start_of_day(day)) == day
    assert shanghai_day(end_of_day(day) - dt.timedelta(microseconds=1)) == day
    assert end_of_day(day) - start_of_day(day) == dt.timedelta(days=1)
