"""The clock of a step: when it is due, when somebody is told, and what happens when it runs out; no clock is read here.

All spans are working days of the calendar and end at midnight in Shanghai.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from enum import StrEnum

from workflow.core.actors import Role
from workflow.core.flow import State, StateKind
from workflow.core.times import end_of_day, shanghai_day
from workflow.core.working_days import WorkingCalendar


class Tick(StrEnum):
    """What a clock does, in this order."""

    SOON = "due_soon"
    LAPSED = "lapsed"
    OVERDUE = "overdue"
    ESCALATED = "escalated"


ORDER = tuple(Tick)
NO_LIMIT = dt.datetime(9999, 1, 1, tzinfo=dt.UTC)
"""When an open state without ``days`` is due: later than all others, and never late."""


def used_days(since: dt.datetime, until: dt.datetime, calendar: WorkingCalendar) -> int:
    """The working days that began after the day of ``since`` up to the day of ``until``."""
    return calendar.between(shanghai_day(since), shanghai_day(until))


def allowed_days(source: State, dest: State, spent: Mapping[str, int]) -> int | None:
    """The working days that ``dest`` has when it is entered from ``source``; None without a limit.

    A state that resumes after the company's correction has what was left of its days, at least one; in all other
    cases it has them in full.
    """
    if dest.days is None:
        return None
    if dest.resumes and source.holder is Role.FILER and source.kind is StateKind.OPEN:
        return max(1, dest.days - spent.get(dest.key, 0))
    return dest.days


def spent_after(
    source: State, dest: State, spent: Mapping[str, int], since: dt.datetime, at: dt.datetime, calendar: WorkingCalendar
) -> dict[str, int]:
    """The days used by each state that resumes, when ``source`` is left at ``at`` for ``dest``."""
    after = dict(spent)
    if source.resumes and dest.holder is Role.FILER:
        after[source.key] = after.get(source.key, 0) + used_days(since, at, calendar)
    elif not (source.holder is Role.FILER and dest.resumes):
        after.pop(source.key, None)
    if dest.kind is not StateKind.OPEN:
        after.clear()
    return after


def _at(tick: Tick, state: State, due_at: dt.datetime, calendar: WorkingCalendar) -> dt.datetime | None:
    last_day = shanghai_day(due_at - dt.timedelta(microseconds=1))
    if tick is Tick.SOON:
        return end_of_day(calendar.before(last_day, state.warn)) if state.warn else None
    if tick is Tick.OVERDUE:
        return due_at
    if tick is Tick.LAPSED:
        return due_at if state.lapse else None
    return end_of_day(calendar.after(last_day, state.escalate_after)) if state.escalate else None


def next_tick(
    state: State, due_at: dt.datetime, after: Tick | None, calendar: WorkingCalendar
) -> tuple[Tick, dt.datetime] | None:
    """What the clock of ``state`` does after ``after`` (None: from the beginning), and when; None when it is done."""
    if state.days is None or state.kind is not StateKind.OPEN:
        return None
    for tick in ORDER[ORDER.index(after) + 1 if after else 0 :]:
        at = _at(tick, state, due_at, calendar)
        if at is not None:
            return tick, at
    return None
