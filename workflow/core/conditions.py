"""Conditions over facts about an enterprise, as rules, materials and checklists write them in ``when``."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from workflow.core.errors import N_
from workflow.core.facts import EnterpriseFacts
from workflow.core.questions import QUESTIONS

Value = str | int | dt.date


class Regime(StrEnum):
    """How an area lets its enterprises back to work; dated, and a town may differ from its county."""

    APPROVAL = "approval"
    FILING = "filing"
    NONE = "none"


REGIME_LABELS: Mapping[Regime, str] = {
    Regime.APPROVAL: N_("审批制"),
    Regime.FILING: N_("备案制"),
    Regime.NONE: N_("不需审批备案"),
}

DERIVED_FACTS = frozenset({"regime", "listed", "area_class", "approved_before"})
"""Facts that nobody answers: the rules in force and the records give them."""

FACT_NAMES = frozenset(
    {
        "purpose",
        "size",
        "sector",
        "industry",
        "trade",
        "head_count",
        "resuming_count",
        "county",
        "town",
        "building",
        "priority_class",
        "hazardous",
        "key_area_count",
        "filed_on",
    }
    | DERIVED_FACTS
)
"""The facts a condition may ask about; see :class:`~workflow.core.facts.EnterpriseFacts`."""

_OPERATORS: Mapping[str, Callable[[Any, Any], bool]] = {
    "lt": lambda a, b: bool(a < b),
    "le": lambda a, b: bool(a <= b),
    "gt": lambda a, b: bool(a > b),
    "ge": lambda a, b: bool(a >= b),
}


@dataclass(frozen=True, slots=True)
class Clause:
    """One comparison: ``operator`` is ``in``, ``lt``, ``le``, ``gt`` or ``ge``."""

    fact: str
    operator: str
    operand: Value | tuple[Value, ...]

    def holds(self, facts: EnterpriseFacts) -> bool:
        """Whether the fact is known and the comparison is true."""
        return self.holds_for(facts.get(self.fact))

    def holds_for(self, value: Value | None) -> bool:
        """Whether the comparison is true of ``value``; never of an unknown one."""
        if value is None:
            return False
        if self.operator == "in":
            return isinstance(self.operand, tuple) and value in self.operand
        return type(value) is type(self.operand) and _OPERATORS[self.operator](value, self.operand)


@dataclass(frozen=True, slots=True)
class Condition:
    """Clauses that must all hold; an empty condition always holds."""

    clauses: tuple[Clause, ...] = ()

    def holds(self, facts: EnterpriseFacts) -> bool:
        """Whether every clause holds for ``facts``."""
        return all(c.holds(facts) for c in self.clauses)


_CHOICES: Mapping[str, frozenset[str]] = {
    **{
        fact: frozenset(value for value, _ in QUESTIONS[fact].options)
        for fact in FACT_NAMES
        if fact in QUESTIONS and QUESTIONS[fact].options
    },
    "regime": frozenset(Regime),
    "listed": frozenset({"yes", "no"}),
    "approved_before": frozenset({"yes", "no"}),
}
"""The values of facts that have a closed list."""


_KINDS: Mapping[str, type] = {
    **dict.fromkeys(("head_count", "resuming_count", "key_area_count"), int),
    "filed_on": dt.date,
}
"""What the values of a fact are; text where nothing is said."""


def choices_of(fact: str) -> frozenset[str] | None:
    """Every value that ``fact`` can have, or None when there is no closed list."""
    return _CHOICES.get(fact)


def _can_be(fact: str, value: Value) -> bool:
    """Whether ``fact`` could have this value: comparing with any other would hold for nobody and go unseen."""
    return type(value) is _KINDS.get(fact, str) and (fact not in _CHOICES or value in _CHOICES[fact])


def _no_answer(fact: str, value: Value) -> str:
    return f"{fact}: no answer is {repr(value) if isinstance(value, str) else value}"


def _read_in(fact: str, operand: object) -> tuple[Clause | None, str | None]:
    values: list[Any] = operand if isinstance(operand, list) else [operand]
    if not values or not all(isinstance(v, str | int | dt.date) and not isinstance(v, bool) for v in values):
        return None, f"{fact}: needs a value or a list of values"
    strange = [v for v in values if not _can_be(fact, v)]
    if strange:
        return None, _no_answer(fact, strange[0])
    return Clause(fact, "in", tuple(values)), None


def _read_clause(fact: str, operator: str, operand: object) -> tuple[Clause | None, str | None]:
    if fact not in FACT_NAMES:
        return None, f"unknown fact {fact!r}"
    if operator == "in":
        return _read_in(fact, operand)
    if operator not in _OPERATORS:
        return None, f"{fact}: unknown comparison {operator!r}"
    if not isinstance(operand, int | dt.date) or isinstance(operand, bool):
        return None, f"{fact}: {operator} needs a number or a date"
    if not _can_be(fact, operand):
        return None, _no_answer(fact, operand)
    return Clause(fact, operator, operand), None


def read_condition(table: object) -> tuple[Condition, list[str]]:
    """Read ``{fact = value | [values] | {lt|le|gt|ge = bound}}`` into a condition and a list of what is wrong."""
    if not isinstance(table, Mapping):
        return Condition(), ["when must be a table"]
    clauses: list[Clause] = []
    problems: list[str] = []
    for fact, test in table.items():
        if test == {}:
            problems.append(f"{fact}: compares with nothing")
        for operator, operand in test.items() if isinstance(test, Mapping) else [("in", test)]:
            clause, problem = _read_clause(fact, operator, operand)
            if clause:
                clauses.append(clause)
            if problem:
                problems.append(problem)
    return Condition(tuple(clauses)), problems
