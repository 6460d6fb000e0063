"""A rulebook as data: which regime holds, what is on the negative list, and which flow an enterprise takes.

Rulebooks are published for an area from a day on. A town's book is asked before its county's, and that before the
city's; in each, the first entry that holds wins. Format: docs/guide/flows.md.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from workflow.core.conditions import Clause, Condition, Regime, Value, read_condition
from workflow.core.facts import EnterpriseFacts
from workflow.core.pass_rules import CAUTIOUS, PassRule, read_pass_rule
from workflow.core.tables import FileInvalid, Label, TableReader, read_toml

NO_FLOW = "none"
"""What a rule names as its flow when such enterprises need not file anything."""


@dataclass(frozen=True, slots=True)
class CalendarLimits:
    """No enterprise may resume before ``earliest_resume_on``, nor sooner than ``notice_days`` days after filing."""

    earliest_resume_on: dt.date
    notice_days: int


@dataclass(frozen=True, slots=True)
class RegimeRule:
    """``regime`` for enterprises that meet ``when``; ``why`` says it in words."""

    regime: Regime
    when: Condition
    why: Label


@dataclass(frozen=True, slots=True)
class AreaClass:
    """A class of areas (一类、二类、三类区域): the ``towns`` of an epidemic-control class."""

    key: str
    label: Label
    towns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Listed:
    """An entry of the negative list (负面清单): enterprises that meet ``when`` are on it."""

    label: Label
    when: Condition


@dataclass(frozen=True, slots=True)
class Rule:
    """``flow`` for enterprises that meet ``when``; ``why`` says it in words.

    ``materials`` are slots asked for besides the flow's own, ``checklist`` takes the place of the flow's list.
    """

    flow: str
    when: Condition
    why: Label
    materials: tuple[str, ...] = ()
    checklist: str = ""


@dataclass(frozen=True, slots=True)
class Rulebook:
    """One published text; ``negative`` is None when the book leaves the list to the wider area's book."""

    title: Label
    rules: tuple[Rule, ...] = ()
    calendar: CalendarLimits | None = None
    regimes: tuple[RegimeRule, ...] = ()
    classes: tuple[AreaClass, ...] = ()
    negative: tuple[Listed, ...] | None = None
    passes: tuple[PassRule, ...] = ()


@dataclass(frozen=True, slots=True)
class Choice:
    """What the rules say of an enterprise; ``facts`` include what was derived on the way.

    ``rule`` is None when no rule takes it; then ``book`` and ``number`` are -1. ``book`` counts from the narrowest
    area, ``number`` counts the book's rules from 1.
    """

    facts: EnterpriseFacts
    regime: Regime
    regime_why: Label | None
    listed: Listed | None
    rule: Rule | None = None
    book: int = -1
    number: int = -1

    @property
    def evidence(self) -> tuple[tuple[Clause, Value], ...]:
        """What the winning rule asked, each with the enterprise's own value."""
        clauses = self.rule.when.clauses if self.rule else ()
        return tuple((c, value) for c in clauses if (value := self.facts.get(c.fact)) is not None)


@dataclass(frozen=True, slots=True)
class Rules:
    """The rulebooks that hold somewhere on a day, the narrowest area's first."""

    books: tuple[Rulebook, ...]

    def choose(self, facts: EnterpriseFacts) -> Choice:
        """Derive the area's class, the regime and the negative list, then take the first rule that holds."""
        facts = facts.with_values(area_class=self._class_of(facts))
        by = next((r for b in self.books for r in b.regimes if r.when.holds(facts)), None)
        regime = by.regime if by else Regime.APPROVAL
        facts = facts.with_values(regime=regime.value)
        listed = next((entry for entry in self._negative() if entry.when.holds(facts)), None)
        facts = facts.with_values(listed="yes" if listed else "no")
        found = Choice(facts, regime, by.why if by else None, listed)
        for book, rulebook in enumerate(self.books):
            for number, rule in enumerate(rulebook.rules, 1):
                if rule.when.holds(facts):
                    return Choice(facts, regime, found.regime_why, listed, rule, book, number)
        return found

    def _class_of(self, facts: EnterpriseFacts) -> str | None:
        town = facts.get("town")
        return next((c.key for b in self.books for c in b.classes if town in c.towns), None)

    def _negative(self) -> tuple[Listed, ...]:
        return next((b.negative for b in self.books if b.negative is not None), ())

    def earliest_day(self, today: dt.date) -> dt.date:
        """The first day that an application filed on ``today`` may name for resuming."""
        limits = next((b.calendar for b in self.books if b.calendar is not None), None)
        if limits is None:
            return today
        return max(limits.earliest_resume_on, today + dt.timedelta(days=limits.notice_days))

    def pass_rule(self, facts: EnterpriseFacts, kind: str) -> PassRule:
        """What holds for passes of ``kind`` of such an enterprise: the narrowest area's first entry, or caution.

        ``facts`` are those of a :class:`Choice`, with what the rules derive.
        """
        entries = (p for b in self.books for p in b.passes)
        return next((p for p in entries if p.covers(kind) and p.when.holds(facts)), CAUTIOUS)

    @property
    def all_rules(self) -> tuple[Rule, ...]:
        """The rules of all books in the order in which they are asked."""
        return tuple(r for b in self.books for r in b.rules)


class RulebookInvalid(FileInvalid):
    """A rulebook that can't be used; ``problems`` lists all that is wrong with it."""


TOP_KEYS = frozenset({"title", "calendar", "regime", "area_class", "negative", "listed", "rule", "pass"})
CALENDAR_KEYS = frozenset({"earliest_resume_on", "notice_days"})
REGIME_KEYS = frozenset({"regime", "when", "why"})
AREA_CLASS_KEYS = frozenset({"key", "label", "towns"})
LISTED_KEYS = frozenset({"label", "when"})
RULE_KEYS = frozenset({"flow", "when", "why", "materials", "checklist"})
"""What a rulebook may say; docs/guide/flows.md explains each word (a test compares the two)."""

_LATER = {"regime": frozenset({"regime", "listed"}), "listed": frozenset({"listed"})}
"""Facts that are not known yet when a regime or the negative list is decided."""


def _when(reader: TableReader, where: str, table: Mapping[str, Any], later: Iterable[str] = ()) -> Condition:
    condition, wrong = read_condition(table.get("when", {}))
    reader.problems += [f"{where}: {w}" for w in wrong]
    reader.problems += [f"{where}: {c.fact} is decided later" for c in condition.clauses if c.fact in later]
    return condition


def _read_rule(reader: TableReader, number: int, table: Mapping[str, Any], known: frozenset[str] | None) -> Rule:
    where = f"rule {number}"
    reader.unknown_keys(where, table, RULE_KEYS)
    flow = table.get("flow")
    if not isinstance(flow, str) or (known is not None and flow not in known | {NO_FLOW}):
        reader.problems.append(f"{where}: unknown flow {flow!r}")
    return Rule(
        flow=str(flow),
        when=_when(reader, where, table),
        why=reader.label(where, table, "why", longest=100),
        materials=reader.texts(where, table, "materials"),
        checklist=reader.text(where, table, "checklist") if "checklist" in table else "",
    )


def _read_regime(reader: TableReader, number: int, table: Mapping[str, Any]) -> RegimeRule:
    where = f"regime {number}"
    reader.unknown_keys(where, table, REGIME_KEYS)
    regime = Regime(reader.one_of(where, table, "regime", Regime, Regime.APPROVAL))
    when = _when(reader, where, table, _LATER["regime"])
    return RegimeRule(regime, when, reader.label(where, table, "why", longest=100))


def _read_class(reader: TableReader, table: Mapping[str, Any]) -> AreaClass:
    key = reader.slug("area_class", table, "key")
    where = f"area_class {key!r}"
    reader.unknown_keys(where, table, AREA_CLASS_KEYS)
    return AreaClass(key, reader.label(where, table), reader.texts(where, table, "towns"))


def _read_listed(reader: TableReader, number: int, table: Mapping[str, Any]) -> Listed:
    where = f"listed {number}"
    reader.unknown_keys(where, table, LISTED_KEYS)
    when = _when(reader, where, table, _LATER["listed"])
    if not when.clauses:
        reader.problems.append(f"{where}: a list entry without when would list everybody")
    return Listed(reader.label(where, table), when)


def _read_calendar(reader: TableReader, document: Mapping[str, Any]) -> CalendarLimits | None:
    if "calendar" not in document:
        return None
    calendar = document["calendar"]
    if not isinstance(calendar, dict):
        reader.problems.append("calendar: must be a [calendar] table")
        return None
    reader.unknown_keys("calendar", calendar, CALENDAR_KEYS)
    earliest = calendar.get("earliest_resume_on")
    if not isinstance(earliest, dt.date) or isinstance(earliest, dt.datetime):
        reader.problems.append("calendar: earliest_resume_on must be a date")
        earliest = dt.date.min
    return CalendarLimits(earliest, reader.count("calendar", calendar, "notice_days", least=0, most=365))


def read_rulebook(text: str, known_flows: frozenset[str] | None = None) -> Rulebook:
    """Read and check one rulebook; ``known_flows`` are the keys that rules may name, None when any is taken.

    Raises :class:`RulebookInvalid` with every problem found: bad TOML, unknown facts, flows or words, a town in two
    classes, a list entry for everybody.
    """
    document, problems = read_toml(text)
    if problems:
        raise RulebookInvalid(problems)
    reader = TableReader()
    reader.unknown_keys("rulebook", document, TOP_KEYS)
    classes = tuple(_read_class(reader, t) for t in reader.tables(document, "area_class"))
    reader.twice("area_class", (c.key for c in classes))
    reader.twice("area_class: town", (t for c in classes for t in c.towns))
    listed = tuple(_read_listed(reader, n, t) for n, t in enumerate(reader.tables(document, "listed"), 1))
    owns_list = bool(listed) or reader.flag("rulebook", document, "negative", default=False)
    book = Rulebook(
        title=reader.label("rulebook", document, "title"),
        rules=tuple(_read_rule(reader, n, t, known_flows) for n, t in enumerate(reader.tables(document, "rule"), 1)),
        calendar=_read_calendar(reader, document),
        regimes=tuple(_read_regime(reader, n, t) for n, t in enumerate(reader.tables(document, "regime"), 1)),
        classes=classes,
        negative=listed if owns_list else None,
        passes=tuple(read_pass_rule(reader, n, t) for n, t in enumerate(reader.tables(document, "pass"), 1)),
    )
    if not (book.passes or book.rules or book.calendar or book.regimes or book.classes or owns_list):
        reader.problems.append("rulebook: says nothing")
    if reader.problems:
        raise RulebookInvalid(reader.problems)
    return book
