"""The calendar file: read by another parser, folded by octets, escaped, in Shanghai's time, with a rising sequence."""

from __future__ import annotations

import datetime as dt
from typing import Any

from icalendar import Calendar

from workflow.documents.calendar_file import CalendarEntry, calendar_file

AT = dt.datetime(2020, 2, 16, 1, 30, tzinfo=dt.UTC)
LONG = "宁波海曙某某精密机械制造与国际贸易有限责任公司第一分公司" * 4
NASTY = "东门; 二楼, A\\B\nBEGIN:VALARM"


def entry(**changes: Any) -> CalendarEntry:
    """A visit at half past nine in Shanghai."""
    values: dict[str, Any] = {
        "uid": "visit-7@fugong.example",
        "title": LONG,
        "place": NASTY,
        "words": "复工-海曙-20200215-0042",
        "begins_at": AT,
        "ends_at": AT + dt.timedelta(minutes=90),
        "sequence": 2,
        "changed_at": AT - dt.timedelta(days=1),
    }
    return CalendarEntry(**{**values, **changes})


def test_lines_end_and_fold_as_the_standard_asks() -> None:
    data = calendar_file([entry()], name="核查", made_at=AT)
    assert data.endswith(b"END:VCALENDAR\r\n")
    assert b"\n" not in data.replace(b"\r\n", b"")
    for line in data.split(b"\r\n"):
        assert len(line) <= 75
        line.decode()  # no character is cut in two
    assert b"METHOD:PUBLISH\r\n" in data


def test_what_is_read_back_is_what_was_written() -> None:
    (event,) = Calendar.from_ical(calendar_file([entry()], name="核查", made_at=AT)).walk("VEVENT")
    assert (str(event["SUMMARY"]), str(event["LOCATION"])) == (LONG, NASTY)
    assert event["DTSTART"].params["TZID"] == "Asia/Shanghai"
    assert event.decoded("DTSTART") == AT
    assert event.decoded("DTEND") - event.decoded("DTSTART") == dt.timedelta(minutes=90)
    assert event.decoded("DTSTAMP") == AT
    assert (event["UID"], event["SEQUENCE"], event["STATUS"]) == ("visit-7@fugong.example", 2, "CONFIRMED")


def test_a_cancelled_visit_takes_itself_out() -> None:
    calendar = Calendar.from_ical(calendar_file([entry(cancelled=True), entry(uid="b")], name="核查", made_at=AT))
    assert [e["STATUS"] for e in calendar.walk("VEVENT")] == ["CANCELLED", "CONFIRMED"]
    assert len(calendar.walk("VTIMEZONE")) == 1


def test_nothing_is_a_calendar_too() -> None:
    assert Calendar.from_ical(calendar_file([], name="核查", made_at=AT)).walk("VEVENT") == []
