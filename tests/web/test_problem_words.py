"""Every problem that the core can name has words in the reader's language."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from flask import Flask

from tests.core.scene import FLOWS
from tests.core.test_flow import FAULTS, SMALL, mutated
from workflow.core.flow_file import FlowInvalid, read_flow
from workflow.core.rulebook import RulebookInvalid, read_rulebook
from workflow.core.tables import FileInvalid
from workflow.data import catalogue
from workflow.web import problem_words

OTHERS = [
    "200001 characters; at most 200000 are allowed",
    "300 states; at most 200 are allowed",
    "material 'M99': slot is not in the material catalogue",
    "flow: checklist 'mine' does not exist",
    "opinion 'nobody': department does not exist",
    "step 'accept': role 'reviewer' is held by nobody in 慈溪市",
    "rule 2: materials: 'M99' is not in the material catalogue",
    "rule 2: checklist 'mine' does not exist",
    "area_class 'class-1': towns: '99' is no town",
    "rulebook: 900000 kinds of enterprise; at most 200000 can be tried",
    "rulebook: no rule takes county=330212, head_count=99",
    "rulebook: no rule takes anybody",
    "rule 3: never wins",
    "rule 3: comes after 1, 2 for some of the same, as size=below",
    "rule 3: unknown flow 'nowhere'",
    "regime 1: listed is decided later",
    "listed 1: a list entry without when would list everybody",
    "pass 1: quota must say base, and may say per_heads and most",
    "pass 1: quota: most is less than base",
    "pass 1: plate_kinds is for automatic decisions",
    "pass 1: kinds must name at least one kind",
    "pass 1: kinds: 'boat' is no kind of vehicle pass",
    "pass 1: never wins",
    "pass 1: days must be a whole number from 1 to 90",
    "pass 1: decision 'nobody' is not one of officer, automatic",
    "calendar: must be a [calendar] table",
    "calendar: earliest_resume_on must be a date",
    "rulebook: says nothing",
    "area_class: town '330203002': named twice",
    "state 'a': lapse 'b' is no step of the role system from here",
    "step 'a': draw_sample needs sampled, a step of the role system from 'b'",
    "step 'a': nothing takes it: name it as lapse of a state or as sampled",
    "step 'a': a step of the system has no form",
    "step 'a': only a step of the form sheet has an outcome",
    "step 'a': a step of the form sheet needs an outcome: pass, rectify or fail",
    "state 'a': escalate and lapse need days",
    "flow: sampled, [[sample]] and the effect draw_sample belong together",
    "flow: [[opinion]] and the effect ask_opinions belong together",
    "flow: inspection after approval needs [[sample]]",
    "state 'a': can be reached without a step that demands inspection_passed",
]


@pytest.fixture
def backend() -> str:
    """No database is asked: one is enough."""
    return "sqlite"


def _unsaid(read: Callable[[str], object], text: str) -> set[str]:
    try:
        read(text)
    except FileInvalid as error:
        return {p for p in error.problems if problem_words.in_words(p) is None}
    return set()


def test_every_fault_of_a_flow_has_words(app: Flask) -> None:
    with app.test_request_context():
        for old, new, _problem in FAULTS:
            assert _unsaid(read_flow, SMALL.replace(old, new, 1)) == set()


def test_every_fault_that_chance_makes_has_words(app: Flask) -> None:
    with app.test_request_context():
        for key in FLOWS:
            for seed in range(60):
                assert _unsaid(read_flow, mutated(catalogue.flow_text(key), random.Random(seed))) == set()
        for key in catalogue.rule_keys():
            for seed in range(150):
                assert _unsaid(read_rulebook, mutated(catalogue.rules_text(key), random.Random(seed))) == set()


@pytest.mark.parametrize("problem", OTHERS)
def test_every_other_problem_has_words(app: Flask, problem: str) -> None:
    with app.test_request_context():
        said = problem_words.in_words(problem)
    assert said is not None
    assert any("\u4e00" <= sign <= "\u9fff" for sign in said)
    assert "%(" not in said


def test_the_two_kinds_of_invalid_are_files(app: Flask) -> None:
    assert issubclass(FlowInvalid, FileInvalid)
    assert issubclass(RulebookInvalid, FileInvalid)


def test_words_that_nobody_foresaw_stand_as_they_are(app: Flask) -> None:
    with app.test_request_context():
        assert problem_words.told("something else", 3) == problem_words.ProblemLine(3, "something else")
