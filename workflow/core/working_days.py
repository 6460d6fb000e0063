"""The working calendar as data: which days count when a step takes so many working days."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from workflow.core.tables import FileInvalid, TableReader, read_toml
from workflow.core.times import end_of_day, shanghai_day

_SPAN = re.compile(r"(\d\d)-(\d\d)(?:\.\.(\d\d)-(\d\d))?")


class CalendarInvalid(FileInvalid):
    """A calendar file that can't be used; ``problems`` lists all that is wrong with it."""


@dataclass(frozen=True, slots=True)
class WorkingCalendar:
    """Days ``off`` although they are week days, and days ``working`` although they are at a week end."""

    off: frozenset[dt.date] = field(default_factory=frozenset)
    working: frozenset[dt.date] = field(default_factory=frozenset)

    def is_working(self, day: dt.date) -> bool:
        """Whether offices work on ``day``; years that the calendar does not hold go from Monday to Friday."""
        return day in self.working or (day.weekday() < 5 and day not in self.off)

    def after(self, day: dt.date, days: int) -> dt.date:
        """The day that lies ``days`` working days after ``day``."""
        while days > 0:
            day += dt.timedelta(days=1)
            days -= self.is_working(day)
        return day

    def before(self, day: dt.date, days: int) -> dt.date:
        """The last day before which at least ``days`` working days up to and with ``day`` lie ahead."""
        while days > 0:
            days -= self.is_working(day)
            day -= dt.timedelta(days=1)
        return day

    def between(self, first: dt.date, last: dt.date) -> int:
        """How many working days lie after ``first`` up to and with ``last``."""
        return sum(self.is_working(first + dt.timedelta(days=n)) for n in range(1, (last - first).days + 1))

    def due_after(self, at: dt.datetime, days: int | None) -> dt.datetime | None:
        """The instant by which a step begun at ``at`` that takes ``days`` working days is due; None without a limit."""
        return None if days is None else end_of_day(self.after(shanghai_day(at), days))


def _days(reader: TableReader, year: int, table: Mapping[str, Any], key: str) -> Iterator[dt.date]:
    """The days of a list of ``MM-DD`` and ``MM-DD..MM-DD``."""
    for text in reader.texts(f"year {year}", table, key):
        span = _SPAN.fullmatch(text)
        try:
            if span is None:
                raise ValueError(text)
            first = dt.date(year, int(span[1]), int(span[2]))
            last = dt.date(year, int(span[3]), int(span[4])) if span[3] else first
            if last < first:
                raise ValueError(text)
        except ValueError:
            reader.problems.append(f"year {year}: {key} {text!r} is no day or span like '02-15..02-23'")
            continue
        for number in range((last - first).days + 1):
            yield first + dt.timedelta(days=number)


def read_calendar(text: str) -> WorkingCalendar:
    """Read a calendar file; raises :class:`CalendarInvalid` with everything that is wrong."""
    document, problems = read_toml(text)
    reader = TableReader()
    reader.problems += problems
    off: set[dt.date] = set()
    working: set[dt.date] = set()
    for table in reader.tables(document, "year"):
        year = table.get("year")
        if not isinstance(year, int) or isinstance(year, bool) or not 1992 <= year <= 2100:
            reader.problems.append(f"year {year!r} must be a number from 1992 to 2100")
            continue
        reader.unknown_keys(f"year {year}", table, ("year", "off", "working"))
        off.update(_days(reader, year, table, "off"))
        moved = set(_days(reader, year, table, "working"))
        reader.problems += [
            f"year {year}: {d} is a week day, so it works anyway" for d in sorted(moved) if d.weekday() < 5
        ]
        working |= moved
    reader.problems += [f"{d} is both off and working" for d in sorted(off & working)]
    if reader.problems:
        raise CalendarInvalid(reader.problems)
    return WorkingCalendar(frozenset(off), frozenset(working))
