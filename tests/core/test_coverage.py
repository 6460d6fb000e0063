"""Gaps and overlaps of routing rules are found at whatever bound they lie, and explained."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflow.core.conditions import Clause, Condition
from workflow.core.coverage import MOST_KINDS, TooManyKinds, explain, survey
from workflow.core.facts import EnterpriseFacts
from workflow.core.rulebook import Rule
from workflow.core.tables import Label
from workflow.data import catalogue


def rules(*conditions: Condition) -> tuple[Rule, ...]:
    """Rules with these conditions, for flows f1, f2, …"""
    return tuple(Rule(f"f{n}", c, Label("因", "Why")) for n, c in enumerate(conditions, 1))


def when(*clauses: tuple[str, str, object]) -> Condition:
    """A condition of these clauses."""
    return Condition(tuple(Clause(f, o, v) for f, o, v in clauses))  # type: ignore[arg-type]


@pytest.mark.parametrize("key", ["approval", "filing", "none"])
def test_the_shipped_rules_leave_nothing_open(key: str) -> None:
    found = survey(catalogue.shipped_rules(key).all_rules)
    assert (found.gaps, found.unreachable) == ((), ())


def test_a_county_book_without_rules_leaves_the_way_to_the_city() -> None:
    (book,) = catalogue.shipped_rules("haishu").books
    assert book.rules == ()
    assert book.negative
    assert {c.key: c.towns for c in book.classes} == {"class-1": (), "class-2": ("330203002",), "class-3": ()}


def test_a_book_is_asked_about_its_own_area_only() -> None:
    there, elsewhere = when(("county", "in", ("330212",))), when(("county", "in", ("330203",)))
    found = survey(rules(there, elsewhere), fixed={"county": "330212"})
    assert (found.gaps, found.unreachable, found.kinds) == ((), (2,), 1)


@pytest.mark.parametrize("day", [dt.date.min, dt.date.max])
def test_the_first_and_the_last_day_there_is_have_neighbours_on_one_side_only(day: dt.date) -> None:
    found = survey(rules(when(("filed_on", "le", day)), when(("filed_on", "gt", day))))
    assert found.gaps == ()


def test_values_that_the_rules_cannot_tell_apart_are_tried_once() -> None:
    """Eight sectors, of which the rules know one: two kinds, not eight."""
    found = survey(rules(when(("sector", "in", ("industry",))), when()))
    assert found.kinds == 2


@pytest.mark.parametrize(
    ("low", "high", "gap", "overlap"),
    [("le", "gt", False, False), ("lt", "gt", True, False), ("le", "ge", False, True), ("lt", "ge", False, False)],
)
def test_exactly_one_hundred_heads_is_not_forgotten(low: str, high: str, gap: bool, overlap: bool) -> None:
    found = survey(rules(when(("head_count", low, 100)), when(("head_count", high, 100))))
    assert [g.example for g in found.gaps] == ([{"head_count": 100}] if gap else [])
    assert [(o.first, o.second, o.example) for o in found.overlaps] == (
        [(1, 2, {"head_count": 100})] if overlap else []
    )


@given(bound=st.integers(1, 10**6), distance=st.integers(1, 50))
def test_a_gap_between_two_bounds_is_found_wherever_it_lies(bound: int, distance: int) -> None:
    found = survey(rules(when(("head_count", "lt", bound)), when(("head_count", "gt", bound + distance))))
    assert found.gaps
    assert all(bound <= int(str(g.example["head_count"])) <= bound + distance for g in found.gaps)


def test_a_rule_behind_a_wider_one_never_wins() -> None:
    found = survey(rules(when(("size", "in", ("above", "below", "micro"))), when(("size", "in", ("micro",)))))
    assert found.unreachable == (2,)
    assert found.gaps == ()


def test_a_county_that_no_rule_names_is_a_gap() -> None:
    (gap,) = survey(rules(when(("county", "in", ("330203",))))).gaps
    assert gap.example == {"county": "(other)"}


def test_too_many_kinds_are_refused_and_not_tried() -> None:
    facts = ("head_count", "resuming_count", "key_area_count")
    clauses = [when(*((f, "gt", n * 10) for f in facts)) for n in range(1, 80)]
    with pytest.raises(TooManyKinds) as refused:
        survey(rules(*clauses))
    assert refused.value.kinds > MOST_KINDS


def test_an_explanation_names_what_speaks_against_each_rule() -> None:
    facts = EnterpriseFacts({"size": "below", "head_count": 101})
    asked = rules(when(("head_count", "le", 100)), when(("head_count", "gt", 100)), when(("size", "in", ("micro",))))
    first, second, third = explain(asked, facts)
    assert (first.holds, second.holds) == (False, True)
    assert first.failed == ("head_count le 100",)
    assert third.failed == ("size in ('micro',)",)
