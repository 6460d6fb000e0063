"""The clock of a step: exact at Shanghai midnight, by 2020's moved working days, stopped for corrections."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflow.core.actors import Role
from workflow.core.clocks import ORDER, Tick, allowed_days, next_tick, spent_after, used_days
from workflow.core.flow import State, StateKind
from workflow.core.tables import Label
from workflow.core.times import end_of_day
from workflow.data.catalogue import calendar

CALENDAR = calendar()
NAME = Label("某", "Some")
REVIEW = State("reviewing", NAME, StateKind.OPEN, Role.REVIEWER, 3, resumes=True)
CORRECT = State("correcting", NAME, StateKind.OPEN, Role.FILER, 5)
DECIDE = State("deciding", NAME, StateKind.OPEN, Role.LEADER, 2)
END = State("approved", NAME, StateKind.APPROVED, None, None, permits=True)


def shanghai(text: str) -> dt.datetime:
    """An instant given by Shanghai's clock."""
    return dt.datetime.fromisoformat(f"{text}+08:00").astimezone(dt.UTC)


@pytest.mark.parametrize(
    ("begun", "days", "due"),
    [
        ("2020-02-17T09:00", 2, "2020-02-20T00:00"),
        ("2020-02-17T23:59:59", 1, "2020-02-19T00:00"),
        ("2020-02-18T00:00", 1, "2020-02-20T00:00"),
        ("2020-01-19T12:00", 1, "2020-01-21T00:00"),  # a Sunday that worked
        ("2020-01-18T12:00", 1, "2020-01-20T00:00"),  # Saturday: the working Sunday counts
        ("2020-01-23T12:00", 1, "2020-02-04T00:00"),  # over the lengthened holiday
        ("2020-04-25T12:00", 1, "2020-04-27T00:00"),  # the moved Sunday 26 April
        ("2020-09-30T18:00", 2, "2020-10-11T00:00"),  # 9 October, then Saturday the 10th
    ],
)
def test_due_at_the_midnight_that_ends_the_last_working_day(begun: str, days: int, due: str) -> None:
    assert CALENDAR.due_after(shanghai(begun), days) == shanghai(due)


_BEGIN = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
INSTANTS = st.timedeltas(dt.timedelta(), dt.timedelta(days=730)).map(lambda span: _BEGIN + span)


@given(at=INSTANTS, days=st.integers(1, 30))
def test_a_span_of_working_days_is_counted_back_the_same(at: dt.datetime, days: int) -> None:
    due_at = CALENDAR.due_after(at, days)
    assert due_at is not None
    assert used_days(at, due_at - dt.timedelta(microseconds=1), CALENDAR) == days
    assert used_days(at, at, CALENDAR) == 0


@given(
    at=INSTANTS,
    later=st.timedeltas(dt.timedelta(), dt.timedelta(days=40)),
    more=st.timedeltas(dt.timedelta(), dt.timedelta(days=40)),
)
def test_days_used_add_up(at: dt.datetime, later: dt.timedelta, more: dt.timedelta) -> None:
    whole = used_days(at, at + later + more, CALENDAR)
    assert whole == used_days(at, at + later, CALENDAR) + used_days(at + later, at + later + more, CALENDAR)


def test_the_clock_stops_while_the_company_corrects() -> None:
    """Three days; two used, the company takes a fortnight, one is left; used up, one is given all the same."""
    begun = shanghai("2020-02-17T09:00")
    returned = shanghai("2020-02-19T16:00")
    spent = spent_after(REVIEW, CORRECT, {}, begun, returned, CALENDAR)
    assert spent == {"reviewing": 2}
    again = shanghai("2020-03-04T10:00")
    assert allowed_days(CORRECT, REVIEW, spent) == 1
    spent = spent_after(CORRECT, REVIEW, spent, returned, again, CALENDAR)
    assert spent == {"reviewing": 2}
    spent = spent_after(REVIEW, CORRECT, spent, again, shanghai("2020-03-06T10:00"), CALENDAR)
    assert spent == {"reviewing": 4}
    assert allowed_days(CORRECT, REVIEW, spent) == 1


def test_the_clock_starts_anew_when_the_case_comes_back_from_an_authority() -> None:
    spent = {"reviewing": 2}
    assert allowed_days(DECIDE, REVIEW, spent) == 3
    assert (
        spent_after(REVIEW, DECIDE, spent, shanghai("2020-02-17T09:00"), shanghai("2020-02-18T09:00"), CALENDAR) == {}
    )
    assert (
        spent_after(DECIDE, END, {"reviewing": 1}, shanghai("2020-02-17T09:00"), shanghai("2020-02-18T09:00"), CALENDAR)
        == {}
    )
    assert allowed_days(REVIEW, END, {}) is None
    assert allowed_days(CORRECT, replace(REVIEW, resumes=False), {"reviewing": 2}) == 3


def ticks(state: State, due: str) -> list[tuple[Tick, dt.datetime]]:
    """Everything the clock of a state does."""
    found: list[tuple[Tick, dt.datetime]] = []
    after = None
    while (following := next_tick(state, shanghai(due), after, CALENDAR)) is not None:
        found.append(following)
        after = following[0]
    return found


def test_soon_overdue_and_escalation_at_their_midnights() -> None:
    state = replace(DECIDE, escalate=Role.LEADING_GROUP, escalate_after=1)
    assert ticks(state, "2020-02-22T00:00") == [  # due at the end of Friday 21 February
        (Tick.SOON, shanghai("2020-02-21T00:00")),
        (Tick.OVERDUE, shanghai("2020-02-22T00:00")),
        (Tick.ESCALATED, shanghai("2020-02-25T00:00")),
    ]


def test_what_lapses_is_not_called_late_first() -> None:
    state = replace(DECIDE, lapse="silent", escalate=Role.LEADING_GROUP)
    assert [t for t, _ in ticks(state, "2020-02-22T00:00")] == [Tick.SOON, Tick.LAPSED, Tick.OVERDUE, Tick.ESCALATED]


def test_no_warning_when_the_file_says_so_and_no_clock_without_days() -> None:
    assert [t for t, _ in ticks(replace(DECIDE, warn=0), "2020-02-22T00:00")] == [Tick.OVERDUE]
    assert ticks(replace(DECIDE, days=None), "2020-02-22T00:00") == []
    assert ticks(END, "2020-02-22T00:00") == []


@given(
    day=st.dates(dt.date(2020, 1, 1), dt.date(2021, 12, 31)).filter(CALENDAR.is_working),
    warn=st.integers(0, 5),
    after=st.integers(0, 5),
    lapse=st.sampled_from(["", "silent"]),
)
def test_ticks_never_run_backwards(day: dt.date, warn: int, after: int, lapse: str) -> None:
    state = replace(DECIDE, warn=warn, escalate=Role.LEADER, escalate_after=after, lapse=lapse)
    due = end_of_day(day)
    times, stage = [], None
    while (following := next_tick(state, due, stage, CALENDAR)) is not None:
        assert ORDER.index(following[0]) > (ORDER.index(stage) if stage else -1)
        times.append(following[1])
        stage = following[0]
    assert times == sorted(times)
