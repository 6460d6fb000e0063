"""Working days: week ends, holidays and moved days count as the calendar says, to Shanghai's midnight."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflow.core.times import end_of_day
from workflow.core.working_days import CalendarInvalid, WorkingCalendar, read_calendar
from workflow.data import catalogue

PLAIN = WorkingCalendar()
LAST = dt.datetime(2020, 2, 15, 15, 59, 59, tzinfo=dt.UTC)
MIDNIGHT = dt.datetime(2020, 2, 15, 16, 0, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("day", "days", "after"),
    [
        (dt.date(2020, 2, 14), 0, dt.date(2020, 2, 14)),
        (dt.date(2020, 2, 14), 1, dt.date(2020, 2, 17)),
        (dt.date(2020, 2, 15), 1, dt.date(2020, 2, 17)),
        (dt.date(2020, 2, 17), 5, dt.date(2020, 2, 24)),
        (dt.date(2020, 2, 28), 1, dt.date(2020, 3, 2)),
    ],
)
def test_working_days_skip_week_ends(day: dt.date, days: int, after: dt.date) -> None:
    assert PLAIN.after(day, days) == after


@pytest.mark.parametrize(
    ("day", "days", "after"),
    [
        (dt.date(2020, 1, 17), 1, dt.date(2020, 1, 19)),  # a moved Sunday works
        (dt.date(2020, 1, 23), 1, dt.date(2020, 2, 3)),  # the lengthened Spring Festival
        (dt.date(2020, 4, 30), 2, dt.date(2020, 5, 7)),
        (dt.date(2020, 9, 30), 1, dt.date(2020, 10, 9)),
        (dt.date(2020, 10, 9), 1, dt.date(2020, 10, 10)),  # a moved Saturday works
        (dt.date(2026, 2, 13), 2, dt.date(2026, 2, 24)),
    ],
)
def test_holidays_and_moved_days_count_as_published(day: dt.date, days: int, after: dt.date) -> None:
    assert catalogue.calendar().after(day, days) == after


def test_a_step_is_due_at_the_end_of_its_last_working_day() -> None:
    assert PLAIN.due_after(LAST, 1) == end_of_day(dt.date(2020, 2, 17))
    assert PLAIN.due_after(MIDNIGHT, 1) == end_of_day(dt.date(2020, 2, 17))
    assert PLAIN.due_after(MIDNIGHT, None) is None


@given(st.dates(dt.date(2019, 1, 1), dt.date(2027, 1, 1)), st.integers(1, 30))
def test_the_last_day_works_and_so_many_working_days_lie_before_it(day: dt.date, days: int) -> None:
    calendar = catalogue.calendar()
    last = calendar.after(day, days)
    assert calendar.is_working(last)
    between = [day + dt.timedelta(days=n) for n in range(1, (last - day).days + 1)]
    assert sum(calendar.is_working(d) for d in between) == days


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[[year]]\nyear = 2020\noff = ['02-30']", "02-30"),
        ("[[year]]\nyear = 2020\noff = ['05-05..05-01']", "05-05..05-01"),
        ("[[year]]\nyear = 2020\noff = ['spring']", "spring"),
        ("[[year]]\nyear = 2020\nworking = ['02-17']", "week day"),
        ("[[year]]\nyear = 2020\noff = ['02-15']\nworking = ['02-15']", "both"),
        ("[[year]]\nyear = 'this'", "this"),
        ("[[year]]\nyear = 2020\nclosed = []", "closed"),
        ("[[year]\n", "not TOML"),
    ],
)
def test_a_wrong_calendar_is_refused_with_what_is_wrong(text: str, problem: str) -> None:
    with pytest.raises(CalendarInvalid, match=problem):
        read_calendar(text)
