"""Kinds of pass and weekly schedules as data: what can be asked for, printed and signed, read from one file."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from workflow.core.tables import FileInvalid, Label, TableReader, read_toml
from workflow.core.times import shanghai_time

SUBJECTS = ("plate", "person", "paper")
"""What a token of a kind is about: a vehicle, a person by masked name, or a paper by its short code."""
ALWAYS = "always"
KINDS_BELOW, SCHEDULES_BELOW = 32, 8
"""Kind and schedule are signed as one number, which has to stay below 256 for the printed code to stay small."""

_CLOCK = re.compile(r"([01]\d|2[0-4]):([0-5]\d)")
_COLOUR = re.compile(r"#[0-9a-f]{6}")
_KIND_KEYS = ("key", "number", "subject", "word", "label", "colour", "template", "title")
_SCHEDULE_KEYS = ("key", "number", "label", "days", "from", "until")
_DAY_MINUTES = 24 * 60


class PassCatalogueInvalid(FileInvalid):
    """A file of kinds and schedules that can't be used; ``problems`` lists all that is wrong with it."""


@dataclass(frozen=True, slots=True)
class PassKind:
    """What a pass is for. ``number`` is signed; ``word`` is printed, before ``colour`` (dark, for white text).

    ``template`` names the files that it is printed with and ``title`` is printed; both are empty for papers.
    """

    key: str
    number: int
    subject: str
    word: Label
    label: Label
    colour: str
    template: str = ""
    title: str = ""

    @property
    def is_pass(self) -> bool:
        """Whether it is printed as a pass, and not a paper that only carries a token of the same make."""
        return self.subject != "paper"


@dataclass(frozen=True, slots=True)
class Schedule:
    """When in the week a pass is good: on ``days`` (1 Monday to 7) from ``opens`` until before ``closes``.

    Minutes of Shanghai's day; when ``closes`` is not after ``opens`` the hours go over midnight and belong to the day
    on which they begin.
    """

    key: str
    number: int
    label: Label
    days: frozenset[int]
    opens: int
    closes: int

    def admits(self, moment: dt.datetime) -> bool:
        """Whether the aware instant ``moment`` lies within the hours."""
        local = shanghai_time(moment)
        day, minute = local.isoweekday(), local.hour * 60 + local.minute
        if self.opens < self.closes:
            return day in self.days and self.opens <= minute < self.closes
        before = day - 1 or 7
        return (day in self.days and minute >= self.opens) or (before in self.days and minute < self.closes)

    @property
    def spoken(self) -> tuple[str, str]:
        """``opens`` and ``closes`` as they are written in the file: ``("06:00", "22:00")``."""
        opens, closes = (f"{m // 60:02d}:{m % 60:02d}" for m in (self.opens, self.closes))
        return opens, closes


@dataclass(frozen=True)
class PassCatalogue:
    """All kinds and schedules by key, in the order of the file."""

    kinds: Mapping[str, PassKind]
    schedules: Mapping[str, Schedule]

    @cached_property
    def vehicle_kinds(self) -> Mapping[str, PassKind]:
        """The kinds that a company can ask for a vehicle."""
        return {k: kind for k, kind in self.kinds.items() if kind.subject == "plate"}

    @cached_property
    def kinds_by_number(self) -> Mapping[int, PassKind]:
        """Every kind by the number that tokens carry."""
        return {kind.number: kind for kind in self.kinds.values()}

    @cached_property
    def schedules_by_number(self) -> Mapping[int, Schedule]:
        """Every schedule by the number that tokens carry."""
        return {s.number: s for s in self.schedules.values()}


def read_passes(text: str) -> PassCatalogue:
    """Read the file; raises :class:`PassCatalogueInvalid` with all that is wrong with it."""
    document, problems = read_toml(text)
    if problems:
        raise PassCatalogueInvalid(problems)
    reader = TableReader()
    reader.unknown_keys("passes", document, ("kind", "schedule"))
    kinds = [_kind(reader, table) for table in reader.tables(document, "kind")]
    schedules = [_schedule(reader, table) for table in reader.tables(document, "schedule")]
    for what, found in (("kind", kinds), ("schedule", schedules)):
        reader.twice(what, (each.key for each in found))
        reader.twice(f"{what} number", (str(each.number) for each in found))
    if not kinds:
        reader.problems.append("passes: needs at least one kind")
    if [s.key for s in schedules if s.number == 0] != [ALWAYS]:
        reader.problems.append(f"passes: the schedule with number 0 must be {ALWAYS!r}")
    if reader.problems:
        raise PassCatalogueInvalid(reader.problems)
    return PassCatalogue({k.key: k for k in kinds}, {s.key: s for s in schedules})


def _kind(reader: TableReader, table: Mapping[str, Any]) -> PassKind:
    key = reader.slug("kind", table, "key")
    where = f"kind {key!r}"
    reader.unknown_keys(where, table, _KIND_KEYS)
    if len(key) > 20:
        reader.problems.append(f"{where}: key must have at most 20 characters")
    subject = reader.one_of(where, table, "subject", SUBJECTS, "paper")
    colour = reader.text(where, table, "colour")
    if not _COLOUR.fullmatch(colour):
        reader.problems.append(f"{where}: colour must be written as #rrggbb")
    printed = subject != "paper"
    return PassKind(
        key=key,
        number=reader.count(where, table, "number", least=1, most=KINDS_BELOW - 1),
        subject=subject,
        word=reader.label(where, table, "word", longest=20),
        label=reader.label(where, table, longest=40),
        colour=colour,
        template=reader.slug(where, table, "template") if printed else "",
        title=reader.text(where, table, "title") if printed else "",
    )


def _schedule(reader: TableReader, table: Mapping[str, Any]) -> Schedule:
    key = reader.slug("schedule", table, "key")
    where = f"schedule {key!r}"
    reader.unknown_keys(where, table, _SCHEDULE_KEYS)
    if len(key) > 20:
        reader.problems.append(f"{where}: key must have at most 20 characters")
    found = Schedule(
        key=key,
        number=reader.count(where, table, "number", least=0, most=SCHEDULES_BELOW - 1),
        label=reader.label(where, table),
        days=_days(reader, where, table),
        opens=_minute(reader, where, table, "from"),
        closes=_minute(reader, where, table, "until"),
    )
    if found.opens == found.closes or found.opens == _DAY_MINUTES or found.closes == 0:
        reader.problems.append(f"{where}: until must lie after from, or before it to go over midnight; 24:00 is an end")
    if found.number == 0 and (len(found.days), found.opens, found.closes) != (7, 0, _DAY_MINUTES):
        reader.problems.append(f"{where}: number 0 is for every hour of every day")
    return found


def _days(reader: TableReader, where: str, table: Mapping[str, Any]) -> frozenset[int]:
    value = table.get("days")
    whole = isinstance(value, list) and all(type(v) is int and 1 <= v <= 7 for v in value)
    if not whole or not value or len(set(value)) != len(value):
        reader.problems.append(f"{where}: days must be a list of different numbers from 1 (Monday) to 7")
        return frozenset()
    return frozenset(value)


def _minute(reader: TableReader, where: str, table: Mapping[str, Any], key: str) -> int:
    value = reader.text(where, table, key)
    clock = _CLOCK.fullmatch(value)
    minute = int(clock[1]) * 60 + int(clock[2]) if clock else -1
    if not 0 <= minute <= _DAY_MINUTES:
        reader.problems.append(f"{where}: {key} must be a time from 00:00 to 24:00")
        return 0
    return minute
