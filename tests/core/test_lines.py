"""Every problem of a data file is shown on the line it lies on, as an author counts lines."""

from __future__ import annotations

import pytest

from tests.core.test_flow import FAULTS, SMALL
from workflow.core.flow_file import FlowInvalid, read_flow
from workflow.core.lines import line_of
from workflow.core.rulebook import RulebookInvalid, read_rulebook

WITHOUT_LINE = ("flow: label", "flow: summary", "flow: key must be a text", "exactly one state", "main: names no state")


def number_of(text: str, part: str) -> int:
    """The line on which ``part`` stands for the first time."""
    return next(n for n, line in enumerate(text.splitlines(), 1) if part in line)


@pytest.mark.parametrize(("old", "new", "problem"), FAULTS)
def test_every_fault_of_a_flow_has_a_line(old: str, new: str, problem: str) -> None:
    text = SMALL.replace(old, new, 1)
    with pytest.raises(FlowInvalid) as caught:
        read_flow(text)
    for words in caught.value.problems:
        line = line_of(text, words)
        if words.startswith(WITHOUT_LINE) or words.startswith(("not TOML", "material must", "step must")):
            continue
        assert line is not None, words
        assert 1 <= line <= len(text.splitlines()), words


@pytest.mark.parametrize(
    ("old", "new", "part"),
    [
        ('role = "leader"', 'role = "boss"', 'role = "boss"'),
        ("days = 2", "days = 0", "days = 0"),
        ('guards = ["required_present"]', 'guards = ["always"]', 'guards = ["always"]'),
        ('dest = "good"', 'dest = "="', 'dest = "="'),
        ("revision = 1", "revision = 0", "revision = 0"),
        ("revision = 1", 'revision = 1\ncolour = "red"', "colour"),
        ("head_count", "heads", "heads"),
    ],
)
def test_the_line_is_the_one_at_fault(old: str, new: str, part: str) -> None:
    text = SMALL.replace(old, new, 1)
    with pytest.raises(FlowInvalid) as caught:
        read_flow(text)
    assert number_of(text, part) in {line_of(text, words) for words in caught.value.problems}


def test_bad_toml_names_its_own_line() -> None:
    text = SMALL.replace('label = { zh = "好", en = "Good" }', 'label = { zh = "好" en = "Good" }')
    with pytest.raises(FlowInvalid) as caught:
        read_flow(text)
    assert line_of(text, caught.value.problems[0]) == number_of(text, '"好" en')


def test_rules_are_counted() -> None:
    rule = '[[rule]]\nflow = "a"\nwhy = { zh = "因", en = "Why" }\n'
    text = (
        'title = { zh = "题", en = "Title" }\n'
        + rule
        + rule
        + rule.replace("why", "warum")
        + "[calendar]\nnotice_days = -1\n"
    )
    with pytest.raises(RulebookInvalid) as caught:
        read_rulebook(text)
    found = {words: line_of(text, words) for words in caught.value.problems}
    assert found["rule 3: unknown key 'warum'"] == number_of(text, "warum")
    assert found["calendar: notice_days must be a whole number from 0 to 365"] == number_of(text, "notice_days")
    assert found["calendar: earliest_resume_on must be a date"] == number_of(text, "[calendar]")


def test_a_problem_about_nothing_there_has_no_line() -> None:
    assert line_of("", "rule 7: unknown flow 'x'") is None
    assert line_of("", "state 'x': can't be reached") is None
    assert line_of("", "flow: label needs zh and en") is None
