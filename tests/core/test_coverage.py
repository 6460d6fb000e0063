"""Gaps and overlaps of routing rules are found at whatever bound they lie, and explained."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflow.core.coverage import MOST_KINDS, TooManyKinds, explain, survey
from workflow.core.facts import EnterpriseFacts
from workflow.core.routing import Clause, Condition, Routing, Rule
from workflow.data import catalogue


def routing(*conditions: Condition) -> Routing:
    """Rules with these conditions, for flows f1, f2, …"""
    rules = tuple(Rule(f"f{n}", c, "", "") for n, c in enumerate(conditions, 1))
    return Routing(rules, dt.date(2020, 2, 10), 1, ())


def when(*clauses: tuple[str, str, object]) -> Condition:
    """A condition of these clauses."""
    return Condition(tuple(Clause(f, o, v) for f, o, v in clauses))  # type: ignore[arg-type]


def test_the_shipped_rules_leave_nothing_open() -> None:
    found = survey(catalogue.routing())
    assert (found.gaps, found.unreachable) == ((), ())
    # Yinzhou's two rules stand before the city's three and win over each.
    assert {(o.first, o.second) for o in found.overlaps} == {(a, b) for a in (1, 2) for b in (3, 4, 5)}


@pytest.mark.parametrize(
    ("low", "high", "gap", "overlap"),
    [("le", "gt", False, False), ("lt", "gt", True, False), ("le", "ge", False, True), ("lt", "ge", False, False)],
)
def test_exactly_one_hundred_heads_is_not_forgotten(low: str, high: str, gap: bool, overlap: bool) -> None:
    found = survey(routing(when(("head_count", low, 100)), when(("head_count", high, 100))))
    assert [g.example for g in found.gaps] == ([{"head_count": 100}] if gap else [])
    assert [(o.first, o.second, o.example) for o in found.overlaps] == (
        [(1, 2, {"head_count": 100})] if overlap else []
    )


@given(bound=st.integers(1, 10**6), distance=st.integers(1, 50))
def test_a_gap_between_two_bounds_is_found_wherever_it_lies(bound: int, distance: int) -> None:
    found = survey(routing(when(("head_count", "lt", bound)), when(("head_count", "gt", bound + distance))))
    assert found.gaps
    assert all(bound <= int(str(g.example["head_count"])) <= bound + distance for g in found.gaps)


def test_a_rule_behind_a_wider_one_never_wins() -> None:
    found = survey(routing(when(("size", "in", ("above", "below", "micro"))), when(("size", "in", ("micro",)))))
    assert found.unreachable == (2,)
    assert found.gaps == ()


def test_a_county_that_no_rule_names_is_a_gap() -> None:
    (gap,) = survey(routing(when(("county", "in", ("330203",))))).gaps
    assert gap.example == {"county": "(other)"}


def test_too_many_kinds_are_refused_and_not_tried() -> None:
    facts = ("head_count", "resuming_count", "key_area_count")
    clauses = [when(*((f, "gt", n * 10) for f in facts)) for n in range(1, 40)]
    with pytest.raises(TooManyKinds) as refused:
        survey(routing(*clauses))
    assert refused.value.kinds > MOST_KINDS


def test_an_explanation_names_what_speaks_against_each_rule() -> None:
    facts = EnterpriseFacts({"size": "below", "county": "330212", "sector": "industry", "head_count": 101})
    first, second, *rest = explain(catalogue.routing(), facts)
    assert (first.holds, second.holds) == (False, True)
    assert first.failed == ("head_count le 100",)
    assert rest[0].failed == ("size in ('micro',)",)
