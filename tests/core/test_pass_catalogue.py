"""Tests of the file of kinds and schedules: what ships, what is refused, and when a schedule admits."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from workflow.core.pass_catalogue import PassCatalogueInvalid, read_passes
from workflow.core.times import SHANGHAI
from workflow.data import catalogue
from workflow.documents import pass_kinds

TEXT = (Path(catalogue.__file__).parents[1] / "catalogue" / "passes.toml").read_text(encoding="utf-8")
SHIPPED = read_passes(TEXT)


def at(day: int, clock: str) -> dt.datetime:
    """A moment of the week from Monday (1), 17 February 2020, in Shanghai."""
    hour, minute = map(int, clock.split(":"))
    return dt.datetime(2020, 2, 16, hour, minute, tzinfo=SHANGHAI) + dt.timedelta(days=day)


def test_services_and_documents_read_the_same_file() -> None:
    assert catalogue.passes() == pass_kinds.catalogue() == SHIPPED


def test_numbers_that_were_signed_stay() -> None:
    """Printed passes carry these numbers: a change here would make them say something else."""
    assert {k.key: k.number for k in SHIPPED.kinds.values()} == {
        "goods": 1,
        "commute": 2,
        "charter": 3,
        "duty": 4,
        "supplies": 5,
        "person": 6,
        "notice": 20,
        "sheet": 21,
    }
    assert {s.key: s.number for s in SHIPPED.schedules.values()} == {
        "always": 0,
        "daytime": 1,
        "weekdays": 2,
        "night": 3,
    }
    assert list(SHIPPED.vehicle_kinds) == ["goods", "commute", "charter", "duty", "supplies"]


@pytest.mark.parametrize(
    ("schedule", "day", "clock", "admitted"),
    [
        ("always", 7, "00:00", True),
        ("always", 1, "23:59", True),
        ("daytime", 6, "05:59", False),
        ("daytime", 6, "06:00", True),
        ("daytime", 6, "21:59", True),
        ("daytime", 6, "22:00", False),
        ("weekdays", 5, "12:00", True),
        ("weekdays", 6, "12:00", False),
        ("night", 3, "21:59", False),
        ("night", 3, "22:00", True),
        ("night", 4, "00:00", True),
        ("night", 4, "05:59", True),
        ("night", 4, "06:00", False),
    ],
)
def test_when_a_schedule_admits(schedule: str, day: int, clock: str, admitted: bool) -> None:
    moment = at(day, clock)
    assert SHIPPED.schedules[schedule].admits(moment) is admitted
    assert SHIPPED.schedules[schedule].admits(moment.astimezone(dt.UTC)) is admitted


def test_a_night_belongs_to_the_day_on_which_it_begins() -> None:
    text = TEXT.replace('key = "night"', 'key = "sunday_night"').rsplit("days = ", 1)
    night = read_passes(f"{text[0]}days = [7]\n" + text[1].split("\n", 1)[1]).schedules["sunday_night"]
    assert night.admits(at(7, "23:00"))
    assert night.admits(at(1, "05:00")), "the Monday after"
    assert not night.admits(at(7, "05:00"))
    assert not night.admits(at(1, "23:00"))
    assert night.spoken == ("22:00", "06:00")


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("number = 2\nsubject", "number = 1\nsubject", "kind number '1': named twice"),
        ("number = 2\nlabel", "number = 1\nlabel", "schedule number '1': named twice"),
        ("number = 21", "number = 32", "kind 'sheet': number must be a whole number from 1 to 31"),
        ("number = 3\nlabel", "number = 8\nlabel", "schedule 'night': number must be a whole number from 0 to 7"),
        ('subject = "person"', 'subject = "dog"', "kind 'person': subject 'dog' is not one of"),
        ('"#14532d"', '"green"', "kind 'goods': colour must be written as #rrggbb"),
        ('title = "复工人员通行证"\n', "", "kind 'person': title must be a text"),
        ('key = "goods"', 'key = "../goods"', "key must be a short name"),
        ('key = "goods"', f'key = "{"g" * 21}"', "key must have at most 20 characters"),
        ("days = [1, 2, 3, 4, 5]", "days = [1, 1]", "schedule 'weekdays': days must be a list of different numbers"),
        ("days = [1, 2, 3, 4, 5]", "days = [0]", "schedule 'weekdays': days must be a list of different numbers"),
        ("days = [1, 2, 3, 4, 5]", "days = []", "schedule 'weekdays': days must be a list of different numbers"),
        ('until = "24:00"', 'until = "23:00"', "schedule 'always': number 0 is for every hour of every day"),
        ('until = "22:00"', 'until = "06:00"', "schedule 'daytime': until must lie after from"),
        ('until = "22:00"', 'until = "24:30"', "schedule 'daytime': until must be a time from 00:00 to 24:00"),
        ('from = "06:00"', 'from = "six"', "schedule 'daytime': from must be a time"),
        ('key = "always"', 'key = "ever"', "the schedule with number 0 must be 'always'"),
        ("[[kind]]", "[[kinds]]", "passes: unknown key 'kinds'"),
        ('template = "pass"', 'tempalte = "pass"', "kind 'goods': unknown key 'tempalte'"),
        ("[[kind]]", "[[kind]", "not TOML"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_with_words(old: str, new: str, told: str) -> None:
    assert old in TEXT
    with pytest.raises(PassCatalogueInvalid) as caught:
        read_passes(TEXT.replace(old, new, 1) if old != "[[kind]]" else TEXT.replace(old, new))
    assert any(told in problem for problem in caught.value.problems), caught.value.problems
