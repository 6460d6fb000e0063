"""Why an application takes its flow, in the reader's words: the rule, the regime, and what the rule asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _

from workflow.core.conditions import REGIME_LABELS, Regime
from workflow.core.questions import QUESTIONS
from workflow.data import catalogue
from workflow.i18n import mark, reader_locale

_SIGNS = {"lt": "<", "le": "≤", "gt": ">", "ge": "≥"}


@dataclass(frozen=True, slots=True)
class Because:
    """``why`` is the rule's sentence; ``evidence`` what it asked, each with the enterprise's own value; ``regime`` the
    regime in words and ``regime_why`` its sentence; ``listed`` the entry of the negative list, or empty."""

    why: str
    evidence: list[str]
    regime: str
    regime_why: str
    listed: str

    @property
    def sentence(self) -> str:
        """Everything in one line: 员工 86 人 ≤ 100，工业，鄞州区 → ……"""
        return f"{mark('，').join(self.evidence)} → {self.why}" if self.evidence else self.why


def _pair(kept: object) -> str:
    return str(kept[reader_locale().startswith("en")]) if isinstance(kept, list) else ""


def _label(fact: str) -> str:
    words = {
        "county": _("区县"),
        "regime": _("复工制度"),
        "listed": _("在负面清单内"),
        "area_class": _("区域类别"),
        "approved_before": _("已有同意复工的案件"),
        "filed_on": _("申请日期"),
    }
    return words[fact] if fact in words else _(QUESTIONS[fact].label) if fact in QUESTIONS else fact


def _value(fact: str, value: object) -> str:
    text = str(value)
    if fact in ("county", "town", "zone", "building"):
        return next((a.name for a in catalogue.areas() if a.code == text), text)
    if fact == "regime":
        return _(REGIME_LABELS[Regime(text)])
    if fact in ("listed", "approved_before"):
        return _("是") if text == "yes" else _("否")
    if fact == "industry":
        return dict(catalogue.industries()).get(text, text)
    options = dict(QUESTIONS[fact].options) if fact in QUESTIONS else {}
    return _(options[text]) if text in options else text


def _evidence(fact: str, value: object, operator: str, operand: object) -> str:
    label = _label(fact)
    shown = _value(fact, value)
    return f"{label} {shown} {_SIGNS[operator]} {operand}" if operator in _SIGNS else f"{label}{mark('：')}{shown}"


def of(because: Mapping[str, Any]) -> Because:
    """The words for what a case keeps of its routing (see :meth:`workflow.services.routes.Route.because`)."""
    regime = because.get("regime")
    return Because(
        why=str(because.get("en" if reader_locale() == "en" else "zh", "")),
        evidence=[_evidence(*found) for found in because.get("evidence", [])],
        regime=_(REGIME_LABELS[Regime(regime)]) if regime else "",
        regime_why=_pair(because.get("regime_why")),
        listed=_pair(because.get("listed")),
    )
