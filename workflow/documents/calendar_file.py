"""Visits as a calendar file (RFC 5545, by the ``icalendar`` library) for whatever calendar the reader uses."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from icalendar import Calendar, Event

from workflow.core.times import SHANGHAI

MEDIA_TYPE = "text/calendar; charset=utf-8"


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarEntry:
    """One event. Times are UTC instants; ``sequence`` rises with each change, so that a calendar takes the newer one.

    Texts hold no more than a firm's name, its place and a reference: a calendar is often shared.
    """

    uid: str
    title: str
    place: str
    words: str
    begins_at: dt.datetime
    ends_at: dt.datetime
    sequence: int
    changed_at: dt.datetime
    cancelled: bool = False
    url: str = ""


def calendar_file(entries: Iterable[CalendarEntry], *, name: str, made_at: dt.datetime) -> bytes:
    """The entries as one published calendar called ``name``: Shanghai times with their zone, lines folded by octets."""
    calendar = Calendar()
    calendar.add("prodid", "-//Fugong//On-site inspections//ZH")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("x-wr-calname", name)
    for entry in entries:
        calendar.add_component(_event(entry, made_at))
    calendar.add_missing_timezones()
    return bytes(calendar.to_ical())


def _event(entry: CalendarEntry, made_at: dt.datetime) -> Event:
    event = Event()
    event.add("uid", entry.uid)
    event.add("dtstamp", made_at.astimezone(dt.UTC).replace(microsecond=0))
    event.add("dtstart", entry.begins_at.astimezone(SHANGHAI).replace(microsecond=0))
    event.add("dtend", entry.ends_at.astimezone(SHANGHAI).replace(microsecond=0))
    event.add("last-modified", entry.changed_at.astimezone(dt.UTC).replace(microsecond=0))
    event.add("sequence", entry.sequence)
    event.add("status", "CANCELLED" if entry.cancelled else "CONFIRMED")
    event.add("summary", entry.title)
    event.add("location", entry.place)
    event.add("description", entry.words)
    if entry.url:
        event.add("url", entry.url)
    return event
