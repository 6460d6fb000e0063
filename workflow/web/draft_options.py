"""What the form of a draft offers to choose from, in the reader's words."""

from __future__ import annotations

from dataclasses import dataclass

from flask_babel import gettext as _

from workflow.core.actors import ACTING_ROLES, ROLE_LABELS, SUPERVISORS, Role
from workflow.core.conditions import FACT_NAMES, REGIME_LABELS, choices_of
from workflow.core.flow import NoteRule
from workflow.core.flow_words import FACT_WORDS, GUARD_WORDS, value_words
from workflow.core.guards import GUARDS
from workflow.core.pass_rules import Decision
from workflow.core.times import shanghai_day
from workflow.data import catalogue, flows
from workflow.data.drafts import Draft
from workflow.i18n import reader_locale
from workflow.web.clock import now
from workflow.web.problem_words import name_of
from workflow.web.rule_words import flow_names

Choices = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Options:
    """Pairs of code and words for every choice of the form."""

    holders: Choices
    supervisors: Choices
    roles: Choices
    notes: Choices
    guards: Choices
    slots: Choices
    flows: Choices
    regimes: Choices
    decisions: Choices
    facts: Choices
    counties: Choices
    operators: Choices
    dated: Choices

    @classmethod
    def read(cls, draft: Draft) -> Options:
        """The choices for a draft: flows are those in force in its area on its day."""
        locale = reader_locale()
        people = [(r.value, _(ROLE_LABELS[r])) for r in ACTING_ROLES]
        order = list(FACT_WORDS)
        named = sorted(FACT_NAMES & set(order), key=order.index)
        slots = catalogue.material_slots()
        return cls(
            holders=people,
            supervisors=[(r.value, _(ROLE_LABELS[r])) for r in SUPERVISORS],
            roles=[*people, (Role.SYSTEM.value, _(ROLE_LABELS[Role.SYSTEM]))],
            notes=[
                (NoteRule.OPTIONAL.value, _("可以写意见")),
                (NoteRule.REQUIRED.value, _("必须写意见")),
                (NoteRule.NONE.value, _("不写意见")),
            ],
            guards=[(g, GUARD_WORDS[g].text(locale) if g in GUARD_WORDS else g) for g in GUARDS],
            slots=[(s.key, f"{s.key} {s.label.text(locale)}") for s in slots.values()],
            flows=_flows(draft),
            regimes=[(r.value, _(label)) for r, label in REGIME_LABELS.items()],
            decisions=[
                (Decision.OFFICER.value, _("由专班核发")),
                (Decision.AUTOMATIC.value, _("名额和期限内自动发放")),
            ],
            facts=[(f, FACT_WORDS[f].text(locale)) for f in named],
            counties=[(a.code, a.name) for a in catalogue.areas() if a.kind == "county"],
            operators=[
                ("le", _("不超过")),
                ("lt", _("少于")),
                ("ge", _("不少于")),
                ("gt", _("多于")),
                ("in", _("等于")),
            ],
            dated=[("le", _("不晚于")), ("lt", _("早于")), ("ge", _("不早于")), ("gt", _("晚于")), ("in", _("就在"))],
        )

    def values(self, fact: str) -> Choices:
        """The answers that a fact with a closed list can have, counties among them."""
        if fact == "county":
            return self.counties
        codes = sorted(choices_of(fact) or ())
        return [(c, value_words(fact, c, name_of).text(reader_locale())) for c in codes]

    def fact(self, fact: str) -> str:
        """The name of a fact."""
        return dict(self.facts).get(fact, fact)


def _flows(draft: Draft) -> Choices:
    on = max(draft.effective_on or shanghai_day(now()), shanghai_day(now()))
    names = flow_names()
    keys = sorted(flows.keys_in_force(on, draft.area.lineage))
    return [(k, names.get(k, k)) for k in keys] + [("none", names["none"])]
