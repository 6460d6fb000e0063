"""A rulebook in words: what it says of regimes, the negative list and each rule, for people who read no TOML."""

from __future__ import annotations

from dataclasses import dataclass

from flask_babel import gettext as _

from workflow.core.conditions import REGIME_LABELS, Condition
from workflow.core.flow import Flow
from workflow.core.flow_words import condition_words
from workflow.core.rulebook import NO_FLOW, Rulebook
from workflow.data import catalogue, flows, queue
from workflow.i18n import reader_locale
from workflow.web.problem_words import name_of


@dataclass(frozen=True, slots=True)
class RuleLine:
    """One rule: ``number`` from 1, for whom, what follows, and why."""

    number: int
    condition: str
    result: str
    why: str


@dataclass(frozen=True, slots=True)
class RulesInWords:
    """A rulebook's parts, each a list of lines."""

    regimes: list[RuleLine]
    listed: list[RuleLine]
    rules: list[RuleLine]
    earliest: str
    notice_days: int


def shipped_flow(key: str) -> Flow:
    """A flow that comes with the product; KeyError when there is none of this key."""
    return flows.engine_for(catalogue.flow_text(key)).flow


def flow_names() -> dict[str, str]:
    """The name of every published flow by key, as its newest version says it, and of the rule for no filing."""
    named = {k.key: k.flow.label.text(reader_locale()) for k in queue.flows()}
    return {**named, NO_FLOW: _("不需要申请")}


def _for_whom(condition: Condition) -> str:
    words = condition_words(condition, name_of)
    return words.text(reader_locale()) if words else _("其余所有企业")


def rules_in_words(book: Rulebook) -> RulesInWords:
    """The whole book in words."""
    locale, names, calendar = reader_locale(), flow_names(), book.calendar
    return RulesInWords(
        regimes=[
            RuleLine(n, _for_whom(r.when), _(REGIME_LABELS[r.regime]), r.why.text(locale))
            for n, r in enumerate(book.regimes, 1)
        ],
        listed=[RuleLine(n, _for_whom(x.when), "", x.label.text(locale)) for n, x in enumerate(book.negative or (), 1)],
        rules=[
            RuleLine(n, _for_whom(r.when), names.get(r.flow, r.flow), r.why.text(locale))
            for n, r in enumerate(book.rules, 1)
        ],
        earliest=calendar.earliest_resume_on.isoformat() if calendar else "",
        notice_days=calendar.notice_days if calendar else 0,
    )
