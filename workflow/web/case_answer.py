"""The answer on top of the staff's case page: may I approve this, and if not, why; and what was found wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask_babel import gettext as _

from workflow.core.engine import OpenStep
from workflow.core.facts import OUTCOME_LABELS, CaseFacts, Outcome, Verdict
from workflow.data import catalogue
from workflow.i18n import mark, reader_locale, say
from workflow.web.clock import now

if TYPE_CHECKING:
    from workflow.web.case_desk import MaterialLine
    from workflow.web.cases import CasePage

FAVOURABLE = ("success", "primary")
MOST_FINDINGS = 30


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that the answer rests on: its name, how it stands, a badge tone, and the part of the page about it."""

    label: str
    words: str
    tone: str
    anchor: str


@dataclass(frozen=True, slots=True)
class Answer:
    """``tone`` is a note's; ``reasons`` say why what ``title`` names can't be done; ``checks`` sum the case up."""

    tone: str
    title: str
    reasons: Sequence[str]
    checks: Sequence[Check]


def _labels(steps: Sequence[OpenStep]) -> str:
    return mark("、").join(s.step.label.text(reader_locale()) for s in steps)


def answer_of(page: CasePage) -> Answer:
    """What the reader may do with the case now, why not, and how its parts stand."""
    checks = _checks(page.facts, page)
    good = [s for s in page.steps if s.step.tone in FAVOURABLE]
    ready = [s for s in good if s.is_open]
    if ready:
        return Answer("success", _("可以办理：%(steps)s", steps=_labels(ready)), (), checks)
    if good:
        reasons = list(dict.fromkeys(say(r) for s in good for r in s.reasons))
        return Answer("warning", _("现在还不能办理：%(steps)s", steps=_labels(good)), reasons, checks)
    others = [s for s in page.steps if s.is_open]
    if others:
        return Answer("info", _("可以办理：%(steps)s", steps=_labels(others)), (), checks)
    if not page.case.is_open:
        words = _("已办结：%(state)s", state=page.state.label.text(reader_locale()))
        return Answer("success" if page.case.permits else "info", words, (), checks)
    return Answer("info", _("现在不由您办理。轮到：%(who)s。", who=page.holder), (), checks)


def _checks(facts: CaseFacts, page: CasePage) -> list[Check]:
    found = [_materials(facts)] if facts.materials else []
    if page.visits:
        found.append(_inspection(facts))
    if page.record.requests:
        found.append(_departments(facts))
    if page.case.is_open and page.case.due_at < now():
        found.append(Check(_("时限"), _("已逾期"), "danger", "act"))
    return found


def _materials(facts: CaseFacts) -> Check:
    total = len(facts.materials)
    fine = sum(m.verdict is Verdict.OK for m in facts.materials)
    waiting = sum(m.verdict is Verdict.PENDING for m in facts.materials)
    words = _("%(n)s/%(total)s 项符合", n=fine, total=total)
    if total - fine - waiting:
        return Check(
            _("材料"), words + mark("，") + _("%(n)s 项有问题", n=total - fine - waiting), "danger", "materials"
        )
    if waiting:
        return Check(_("材料"), words + mark("，") + _("%(n)s 项待审", n=waiting), "warning", "materials")
    return Check(_("材料"), words, "success", "materials")


def _inspection(facts: CaseFacts) -> Check:
    if facts.appointed_inspectors:
        words = _("核查中，已核 %(n)s/%(total)s 项", n=facts.checklist_marked, total=facts.checklist_total)
        return Check(_("实地核查"), words, "info", "visits")
    if facts.outcome is None:
        return Check(_("实地核查"), _("还没有结论"), "warning", "visits")
    tone = {Outcome.PASS: "success", Outcome.RECTIFY: "warning"}.get(facts.outcome, "danger")
    return Check(_("实地核查"), _(OUTCOME_LABELS[facts.outcome]), tone, "visits")


def _departments(facts: CaseFacts) -> Check:
    if facts.opinions_against:
        return Check(_("部门意见"), _("%(n)s 个部门不同意", n=facts.opinions_against), "danger", "departments")
    if facts.opinions_open:
        return Check(_("部门意见"), _("还差 %(n)s 个部门", n=facts.opinions_open), "warning", "departments")
    return Check(_("部门意见"), _("已全部答复"), "success", "departments")


def findings(page: CasePage, flagged: Sequence[MaterialLine]) -> str:
    """What is wrong with the case, to start a correction or refusal from: flagged materials and failed items."""
    return _sentence(_flagged(flagged) + (_failed(page) if page.facts.failed_items else []))


def flagged_words(flagged: Sequence[MaterialLine]) -> str:
    """The flagged materials in one sentence: ``营业执照：缺项，请上传正本；…``."""
    return _sentence(_flagged(flagged))


def _flagged(lines: Sequence[MaterialLine]) -> list[str]:
    return [f"{m.label}{mark('：')}{_detail(m.verdict, m.material.verdict_words)}" for m in lines]


def _sentence(parts: Sequence[str]) -> str:
    return mark("；").join(parts[:MOST_FINDINGS]) + (mark("。") if parts else "")


def _detail(verdict: str, words: str) -> str:
    one_line = " ".join(words.split()).rstrip("。；;.")
    return f"{verdict}{mark('，')}{one_line}" if one_line else verdict


def _failed(page: CasePage) -> list[str]:
    """The failed items of the visit that the facts were counted on."""
    visit = next((v for v in reversed(page.visits) if v.status in ("planned", "concluded")), None)
    if visit is None:
        return []
    known = {i.code: i.text.text(reader_locale()) for i in catalogue.checklist(visit.checklist).items}
    failed = [i for i in visit.items if i.result == "fail"]
    return [f"{known.get(i.code, i.code)}{mark('：')}{_detail(_('不符合'), i.note)}" for i in failed]
