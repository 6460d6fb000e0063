"""A rulebook in words: what it says of regimes, the negative list and each rule, for people who read no TOML."""

from __future__ import annotations

from dataclasses import dataclass

from flask_babel import gettext as _

from workflow.core.conditions import REGIME_LABELS, Condition
from workflow.core.errors import N_
from workflow.core.flow import Flow
from workflow.core.flow_words import condition_words
from workflow.core.pass_rules import Decision, PassRule
from workflow.core.rulebook import NO_FLOW, Rulebook
from workflow.data import catalogue, flows, queue
from workflow.i18n import mark, reader_locale
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
    passes: list[RuleLine]
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


PLATE_KINDS = {
    "ordinary": N_("普通号牌"),
    "nev_small": N_("小型新能源号牌"),
    "nev_large": N_("大型新能源号牌"),
    "trailer": N_("挂车号牌"),
    "coach_training": N_("教练车号牌"),
    "police": N_("警车号牌"),
    "hk_mo": N_("港澳号牌"),
    "other": N_("特殊号牌"),
}


def _pass_scope(rule: PassRule) -> str:
    """For which passes and enterprises a rule on passes is."""
    known, locale = catalogue.passes().vehicle_kinds, reader_locale()
    named = [known[k].label.text(locale) if k in known else k for k in rule.kinds or ()]
    purposes = mark("、").join(named) if named else _("各种用途")
    return f"{purposes}{mark('；')}{_for_whom(rule.when)}"


def _pass_words(rule: PassRule) -> str:
    """What a rule on passes says."""
    quota = rule.quota
    if quota.per_heads:
        room = _(
            "同时最多 %(n)s 张，每 %(heads)s 名复工人员加 1 张，不超过 %(most)s 张",
            n=quota.base,
            heads=quota.per_heads,
            most=quota.most,
        )
    else:
        room = _("同时最多 %(n)s 张", n=min(quota.base, quota.most))
    days = _("一次最长 %(n)s 天，最多提前 %(ahead)s 天开始", n=rule.days, ahead=rule.ahead)
    decided = _("由专班核发")
    if rule.decision is Decision.AUTOMATIC:
        plates = mark("、").join(_(PLATE_KINDS[k]) for k in rule.plate_kinds)
        decided = _("自动发放（%(plates)s），其他号牌由专班核发", plates=plates)
    return mark("；").join((room, days, decided))


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
        passes=[RuleLine(n, _pass_scope(p), _pass_words(p), p.why.text(locale)) for n, p in enumerate(book.passes, 1)],
        earliest=calendar.earliest_resume_on.isoformat() if calendar else "",
        notice_days=calendar.notice_days if calendar else 0,
    )
