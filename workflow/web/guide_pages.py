"""What the guide shows of the shipped flows: the chart, who works how long, and which materials are always wanted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _

from workflow.core.actors import ROLE_LABELS
from workflow.core.chart import draw
from workflow.core.flow import Flow, StateKind
from workflow.core.tables import Label
from workflow.data import catalogue
from workflow.data.flows import engine_for


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
    chart: Mapping[str, Any]
    steps: list[GuideStep]
    days: int


def _flow(key: str) -> Flow:
    return engine_for(catalogue.flow_text(key)).flow


def flows(locale: str) -> list[GuideFlow]:
    """Every flow that the routing rules lead to, the simplest (fewest steps) first."""
    made = []
    for rule in catalogue.routing().rules:
        flow = _flow(rule.flow)
        states = [s for s in (flow.state(k) for k in flow.main) if s.kind is StateKind.OPEN]
        steps = [GuideStep(s.label, _(ROLE_LABELS[s.holder]) if s.holder else "", s.days) for s in states]
        subs = {s.key: _(ROLE_LABELS[s.holder]) for s in flow.states.values() if s.holder is not None}
        drawn = draw(flow, "", (), locale, subs)
        chart = {
            "id": f"guide-{flow.key}",
            "title": flow.label.text(locale),
            "width": drawn.width,
            "height": drawn.height,
            "boxes": drawn.boxes,
            "arrows": drawn.arrows,
        }
        why = Label(rule.why_zh, rule.why_en)
        made.append(GuideFlow(flow, why, chart, steps, sum(s.days or 0 for s in states)))
    return sorted(made, key=lambda f: len(f.steps))


def needs() -> Mapping[str, str]:
    """By slot: ``required`` for everybody, ``depends`` on the answers, or ``optional``, as the flows say."""
    found: dict[str, str] = {}
    for rule in catalogue.routing().rules:
        for material in _flow(rule.flow).materials:
            kind = "depends" if material.when.clauses else "required" if material.required else "optional"
            found.setdefault(material.slot, kind)
            if found[material.slot] != kind:
                found[material.slot] = "depends"
    return found
