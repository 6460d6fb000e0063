"""What the guide shows of the shipped flows: the chart, who works how long, and which materials are always wanted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from flask_babel import gettext as _

from workflow.core.actors import ROLE_LABELS
from workflow.core.facts import EnterpriseFacts
from workflow.core.flow import Flow, StateKind
from workflow.core.rulebook import Rule, Rules
from workflow.core.tables import Label
from workflow.core.times import shanghai_day
from workflow.data import catalogue
from workflow.data.flows import engine_for
from workflow.services import routes
from workflow.web.clock import now
from workflow.web.flow_charts import FlowChart, flow_chart_of


@dataclass(frozen=True, slots=True)
class GuideStep:
    """A main step: who works on it and for how many working days at most."""

    label: Label
    who: str
    days: int | None


@dataclass(frozen=True, slots=True)
class GuideFlow:
    """A flow as the guide draws it; ``days`` is the sum of its steps."""

    flow: Flow
    why: Label
    chart: FlowChart
    steps: list[GuideStep]
    days: int


def _flow(key: str) -> Flow:
    return engine_for(catalogue.flow_text(key)).flow


def rules() -> Rules:
    """The city's rules as they are today."""
    return routes.rules_at("", shanghai_day(now()))


def usual_regime() -> str:
    """The regime for an enterprise with nothing special about it, in the city at large."""
    usual = {"purpose": "resume", "trade": "none", "hazardous": "no", "priority_class": "steady"}
    return rules().choose(EnterpriseFacts({**usual, "filed_on": shanghai_day(now())})).regime.value


def _first_rules() -> list[Rule]:
    """For each flow that ships the first rule that leads to it, in the order of the city's rulebook."""
    first: dict[str, Rule] = {}
    for rule in rules().all_rules:
        if rule.flow in catalogue.flow_keys():
            first.setdefault(rule.flow, rule)
    return list(first.values())


def flows(locale: str) -> list[GuideFlow]:
    """Every flow that the routing rules lead to, the simplest (fewest steps) first."""
    made = []
    for number, rule in enumerate(_first_rules(), 1):
        flow = _flow(rule.flow)
        states = [s for s in (flow.state(k) for k in flow.main) if s.kind is StateKind.OPEN]
        steps = [GuideStep(s.label, _(ROLE_LABELS[s.holder]) if s.holder else "", s.days) for s in states]
        chart = flow_chart_of(flow, id=f"guide-{number}", title=flow.label.text(locale))
        made.append(GuideFlow(flow, rule.why, chart, steps, sum(s.days or 0 for s in states)))
    return sorted(made, key=lambda f: len(f.steps))


def needs() -> Mapping[str, str]:
    """By slot: ``required`` for everybody, ``depends`` on the answers, or ``optional``, as the flows say."""
    found: dict[str, str] = {}
    for rule in _first_rules():
        for material in _flow(rule.flow).materials:
            kind = "depends" if material.when.clauses else "required" if material.required else "optional"
            found.setdefault(material.slot, kind)
            if found[material.slot] != kind:
                found[material.slot] = "depends"
    return found
