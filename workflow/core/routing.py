"""Routing as data: conditions over facts about an enterprise choose its flow and its materials; first match wins."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from workflow.core.answers import QUESTIONS, SECTORS
from workflow.core.facts import EnterpriseFacts
from workflow.core.tables import FileInvalid, Label, TableReader, read_toml

Value = str | int | dt.date

FACT_NAMES = frozenset(
    {
        "size",
        "sector",
        "industry",
        "head_count",
        "resuming_count",
        "county",
        "town",
        "priority_class",
        "hazardous",
        "key_area_count",
        "filed_on",
    }
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
        value = facts.get(self.fact)
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
    fact: frozenset(value for value, _ in QUESTIONS[fact].options)
    for fact in FACT_NAMES
    if fact in QUESTIONS and QUESTIONS[fact].options
}


def _read_in(fact: str, operand: object) -> tuple[Clause | None, str | None]:
    values: list[Any] = operand if isinstance(operand, list) else [operand]
    if not values or not all(isinstance(v, str | int | dt.date) and not isinstance(v, bool) for v in values):
        return None, f"{fact}: needs a value or a list of values"
    strange = [v for v in values if fact in _CHOICES and v not in _CHOICES[fact]]
    if strange:
        return None, f"{fact}: no answer is {strange[0]!r}"
    return Clause(fact, "in", tuple(values)), None


def _read_clause(fact: str, operator: str, operand: object) -> tuple[Clause | None, str | None]:
    if fact not in FACT_NAMES:
        return None, f"unknown fact {fact!r}"
    if operator == "in":
        return _read_in(fact, operand)
    if operator not in _OPERATORS:
        return None, f"{fact}: unknown comparison {operator!r}"
    if isinstance(operand, int | dt.date) and not isinstance(operand, bool):
        return Clause(fact, operator, operand), None
    return None, f"{fact}: {operator} needs a number or a date"


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


@dataclass(frozen=True, slots=True)
class Rule:
    """``flow`` for enterprises that meet ``when``; ``why_zh``/``why_en`` say it in words."""

    flow: str
    when: Condition
    why_zh: str
    why_en: str


@dataclass(frozen=True, slots=True)
class Bureau:
    """A county's industry bureau (行业主管部门): it reviews the large enterprises of its ``sectors``."""

    code: str
    label: Label
    sectors: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Routing:
    """The ordered rules, the calendar limits that hold for every application, and the bureaus by sector."""

    rules: tuple[Rule, ...]
    earliest_resume_on: dt.date
    notice_days: int
    bureaus: tuple[Bureau, ...] = ()

    def choose(self, facts: EnterpriseFacts) -> Rule | None:
        """The first rule that matches, or None when the rules leave a gap."""
        return next((r for r in self.rules if r.when.holds(facts)), None)

    def earliest_day(self, today: dt.date) -> dt.date:
        """The first day that an application filed on ``today`` may name for resuming."""
        return max(self.earliest_resume_on, today + dt.timedelta(days=self.notice_days))

    def bureau_of(self, sector: str) -> Bureau:
        """The one bureau in charge of ``sector``; KeyError when there is no such sector."""
        for bureau in self.bureaus:
            if sector in bureau.sectors:
                return bureau
        raise KeyError(sector)


class RoutingInvalid(FileInvalid):
    """A routing file that can't be used; ``problems`` lists all that is wrong."""


def _read_rule(reader: TableReader, number: int, table: Mapping[str, Any], known_flows: frozenset[str]) -> Rule:
    where = f"rule {number}"
    reader.unknown_keys(where, table, ("flow", "when", "why"))
    condition, wrong = read_condition(table.get("when", {}))
    reader.problems += [f"{where}: {w}" for w in wrong]
    flow = table.get("flow")
    if not isinstance(flow, str) or flow not in known_flows:
        reader.problems.append(f"{where}: unknown flow {flow!r}")
    why = reader.label(where, table, "why", longest=100)
    return Rule(str(flow), condition, why.zh, why.en)


def _read_bureaus(reader: TableReader, document: Mapping[str, Any]) -> tuple[Bureau, ...]:
    sectors = [sector for sector, _ in SECTORS]
    bureaus: list[Bureau] = []
    for table in reader.tables(document, "bureau"):
        code = reader.slug("bureau", table, "code")
        where = f"bureau {code!r}"
        reader.unknown_keys(where, table, ("code", "label", "sectors"))
        bureaus.append(Bureau(code, reader.label(where, table), reader.texts(where, table, "sectors", sectors)))
    reader.twice("bureau", (b.code for b in bureaus))
    served = [s for b in bureaus for s in b.sectors]
    for sector in sectors:
        if served.count(sector) != 1:
            reader.problems.append(f"sector {sector!r}: needs exactly one bureau, has {served.count(sector)}")
    return tuple(bureaus)


def _read_calendar(reader: TableReader, document: Mapping[str, Any]) -> tuple[dt.date, int]:
    calendar = document.get("calendar")
    if not isinstance(calendar, dict):
        reader.problems.append("calendar: must be a [calendar] table")
        calendar = {}
    reader.unknown_keys("calendar", calendar, ("earliest_resume_on", "notice_days"))
    earliest = calendar.get("earliest_resume_on")
    if not isinstance(earliest, dt.date) or isinstance(earliest, dt.datetime):
        reader.problems.append("calendar: earliest_resume_on must be a date")
        earliest = dt.date.min
    return earliest, reader.count("calendar", calendar, "notice_days", least=0, most=365)


def read_routing(text: str, known_flows: frozenset[str]) -> Routing:
    """Read the routing file.

    Raises :class:`RoutingInvalid` for bad TOML, unknown facts, flows or sectors, and for a sector without exactly one
    bureau.
    """
    document, problems = read_toml(text)
    if problems:
        raise RoutingInvalid(problems)
    reader = TableReader()
    reader.unknown_keys("routing", document, ("calendar", "rule", "bureau"))
    tables = reader.tables(document, "rule")
    rules = tuple(_read_rule(reader, n, t, known_flows) for n, t in enumerate(tables, 1))
    if not rules:
        reader.problems.append("no rule")
    earliest, notice = _read_calendar(reader, document)
    bureaus = _read_bureaus(reader, document)
    if reader.problems:
        raise RoutingInvalid(reader.problems)
    return Routing(rules, earliest, notice, bureaus)
