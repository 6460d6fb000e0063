"""Which flow an application takes, by the rulebooks in force where and when it is filed, and why."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from sqlalchemy import exists, select

from workflow.core.answers import Reading, enterprise_facts
from workflow.core.conditions import Condition, Value
from workflow.core.facts import EnterpriseFacts
from workflow.core.flow import Flow, MaterialRule
from workflow.core.rulebook import NO_FLOW, Choice, Rule, Rules
from workflow.core.times import shanghai_day
from workflow.data import areas, flows
from workflow.data.cases import Case
from workflow.data.flows import FlowVersion, RuleVersion
from workflow.extensions import db


@dataclass(frozen=True, slots=True)
class Route:
    """What the rules say of an application: the rule that won, whose rulebook it stands in, and the flow's version.

    ``version`` is None when no application is needed any more.
    """

    choice: Choice
    rule: Rule
    book: RuleVersion
    version: FlowVersion | None

    @property
    def needs_no_filing(self) -> bool:
        """Whether such enterprises may resume without filing anything."""
        return self.version is None

    @property
    def flow(self) -> Flow:
        """The flow chosen; LookupError when none is needed."""
        if self.version is None:
            raise LookupError("no flow is needed")
        return self.version.engine.flow

    @property
    def materials(self) -> list[MaterialRule]:
        """The slots that apply to these answers: the flow's own, then what the rule adds."""
        own = [m for m in self.flow.materials if m.when.holds(self.choice.facts)]
        listed = {m.slot for m in own}
        return own + [MaterialRule(s, True, Condition()) for s in self.rule.materials if s not in listed]

    def because(self) -> dict[str, Any]:
        """Why, as a case keeps it: words, regime, the winning rule, and what it asked with the enterprise's values."""
        regime_why, listed = self.choice.regime_why, self.choice.listed
        return {
            "zh": self.rule.why.zh,
            "en": self.rule.why.en,
            "regime": self.choice.regime.value,
            "regime_why": [regime_why.zh, regime_why.en] if regime_why else None,
            "listed": [listed.label.zh, listed.label.en] if listed else None,
            "area_class": self.choice.facts.get("area_class"),
            "rules": self.book.revision,
            "rule": self.choice.number,
            "evidence": [[c.fact, _plain(value), c.operator, _operand(c.operand)] for c, value in self.choice.evidence],
            "checklist": self.rule.checklist,
        }


def _plain(value: Value) -> str | int:
    return value.isoformat() if isinstance(value, dt.date) else value


def _operand(operand: Value | tuple[Value, ...]) -> Any:
    return [_plain(v) for v in operand] if isinstance(operand, tuple) else _plain(operand)


@dataclass(frozen=True, slots=True)
class Place:
    """Where and when rules are asked: ``lineage`` are the ids of the town and the areas above it, the narrowest first
    (empty while the town isn't known), ``books`` the rulebooks in force there."""

    lineage: tuple[int, ...]
    books: tuple[RuleVersion, ...]

    @property
    def rules(self) -> Rules:
        """The rules that the books make together."""
        return flows.rules_of(list(self.books))


def place_of(town_code: str, on: dt.date) -> Place:
    """The rules of a town on a day; the city's alone when the town isn't known yet."""
    area = areas.by_code(town_code) if town_code else None
    lineage = area.lineage if area else ()
    return Place(lineage, tuple(flows.rulebooks(on, lineage)))


def rules_at(town_code: str, on: dt.date) -> Rules:
    """The rules that hold in a town on a day."""
    return place_of(town_code, on).rules


def facts_of(reading: Reading, enterprise_id: int, on: dt.date) -> EnterpriseFacts:
    """The facts that rules may ask about, with what the records say of the enterprise."""
    facts = enterprise_facts(reading.clean, on)
    if facts.get("purpose") != "extra_staff":
        return facts.with_values(approved_before=None)
    known = db.session.scalar(select(exists().where(Case.enterprise_id == enterprise_id, Case.permits)))
    return facts.with_values(approved_before="yes" if known else "no")


def route_of(reading: Reading, enterprise_id: int, now: dt.datetime, place: Place | None = None) -> Route | None:
    """The flow that the clean answers lead to; None while they don't decide it, or when no rule takes them.

    ``place`` saves asking for the rulebooks again when the caller has done so.
    """
    today = shanghai_day(now)
    place = place or place_of(str(reading.clean.get("town", "")), today)
    choice = place.rules.choose(facts_of(reading, enterprise_id, today))
    if choice.rule is None:
        return None
    book = place.books[choice.book]
    if choice.rule.flow == NO_FLOW:
        return Route(choice, choice.rule, book, None)
    version = flows.newest(choice.rule.flow, today, place.lineage)
    return Route(choice, choice.rule, book, version) if version else None
