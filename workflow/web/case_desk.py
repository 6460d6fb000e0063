"""What the staff's case page shows beside the common parts: answers, materials, opinions and papers, in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import url_for
from flask_babel import gettext as _

from workflow.core.actors import ROLE_LABELS, Actor, Permission, Role
from workflow.core.answers import show_answer
from workflow.core.effects import Effect
from workflow.core.engine import OpenStep
from workflow.core.errors import N_
from workflow.core.facts import VERDICT_LABELS, Verdict
from workflow.core.flow import NoteRule, Step
from workflow.core.questions import Question, QuestionKind, topics_for
from workflow.core.tenants import Tenant
from workflow.core.times import shanghai_day
from workflow.data import applications, catalogue, inspections
from workflow.data.applications import Application
from workflow.data.cases import Case
from workflow.data.casework import Phrase, TalkLine
from workflow.data.inspections import Inspection
from workflow.data.issued import DocumentKind
from workflow.data.materials import Material, MaterialFile
from workflow.i18n import reader_locale
from workflow.services import applications as application_service
from workflow.services import materials as material_service
from workflow.services import notes, phrases, printing
from workflow.services.history import TimelineEvent
from workflow.services.records import CaseRecord
from workflow.web import filing
from workflow.web.access import actor
from workflow.web.case_answer import Answer, answer_of, findings
from workflow.web.cases import CasePage, tone_of
from workflow.web.clock import now
from workflow.web.passes import STATUSES

VERDICT_TONES: Mapping[Verdict, str] = {
    Verdict.PENDING: "neutral",
    Verdict.OK: "success",
    Verdict.WRONG: "danger",
    Verdict.MISSING: "danger",
    Verdict.EXPIRED: "danger",
}
DOCUMENT_LABELS: Mapping[str, str] = {
    DocumentKind.RECEIPT: N_("受理回执"),
    DocumentKind.CORRECTION_NOTICE: N_("补正通知（一次性告知）"),
    DocumentKind.INSPECTION_SHEET: N_("实地勘定表"),
    DocumentKind.NOTICE: N_("同意复工通知书"),
}
VISIT_LABELS: Mapping[str, tuple[str, str]] = {
    "planned": (N_("待核查"), "progress"),
    "cancelled": (N_("已取消"), "neutral"),
    "pass": (N_("通过"), "success"),
    "rectify": (N_("限期整改"), "warning"),
    "fail": (N_("不通过"), "danger"),
}


@dataclass(frozen=True, slots=True)
class MaterialLine:
    """A material with its words: ``is_changed`` when the company changed it after the last verdict."""

    material: Material
    label: str
    verdict: str
    tone: str
    is_changed: bool

    @property
    def thumbnail(self) -> MaterialFile | None:
        """The first file of which a picture can be shown."""
        return next((f for f in self.material.current_files if f.file.kind in ("pdf", "jpeg", "png")), None)


@dataclass(frozen=True, slots=True)
class OpinionLine:
    """An opinion as given, with who gave it in which role."""

    words: str
    step: str
    who: str
    role: str
    at: Any
    is_decision: bool


@dataclass(frozen=True, slots=True)
class OtherCase:
    """Another case of the same company, with its state in words."""

    case: Case
    state: str
    tone: str


@dataclass(frozen=True, slots=True)
class DeskCase:
    """The parts of the staff's page; ``topics`` are (title, summary rows, own); ``planned`` is the visit ahead.

    ``judges`` says that the reader marks materials now; ``standing_passes`` counts those that can be printed, in one
    of the ``layouts``. ``answer`` says what may be done and why not, ``findings`` what is wrong; ``phrases`` are those
    to offer, by topic.
    """

    topics: list[tuple[str, list[dict[str, Any]], bool]]
    materials: list[MaterialLine]
    opinions: list[OpinionLine]
    planned: Inspection | None
    names: Mapping[int, str]
    events: list[dict[str, Any]]
    decides_passes: bool
    document_labels: Mapping[str, str]
    pass_labels: Mapping[str, tuple[str, str]]
    visit_labels: Mapping[str, tuple[str, str]]
    judges: bool
    standing_passes: int
    layouts: Mapping[str, str]
    answer: Answer
    findings: str
    notes: Sequence[TalkLine]
    reads_notes: bool
    writes_notes: bool
    others: list[OtherCase]
    phrases: Mapping[str, list[Phrase]]

    @property
    def flagged(self) -> list[MaterialLine]:
        """What the one-time notice would tell now."""
        return [m for m in self.materials if m.material.is_flagged]

    @property
    def pending(self) -> int:
        """How many materials wait for a verdict."""
        return sum(m.material.verdict == Verdict.PENDING for m in self.materials)


def _lookup(case: Case, key: str, value: str) -> str:
    """The name behind a looked-up code of this case."""
    areas = {"town": case.town, "zone": case.zone, "building": case.building}
    area = areas.get(key)
    if area is not None and area.code == value:
        return area.name
    return dict(catalogue.industries()).get(value, value) if key == "industry" else value


def _shown(case: Case, question: Question, value: Any) -> str:
    if value is None:
        return ""
    if question.kind is QuestionKind.TENANTS:
        return show_answer(question.key, tuple(Tenant(*t) for t in value))
    if question.key in ("town", "zone", "building", "industry"):
        return _lookup(case, question.key, str(value))
    text = show_answer(question.key, value)
    return _(text) if question.options and text else text


def answer_topics(case: Case, application: Application) -> list[tuple[str, list[dict[str, Any]], bool]]:
    """The answers as they stand now, by topic, with the submitted value beside each that was corrected since.

    The flag says whether the topic is only for such applications: what a decision is about stands open.
    """
    clean = application_service.read(application, now()).clean
    topics = []
    for topic in topics_for(application.answers):
        rows = []
        for question in topic.questions:
            current = _shown(case, question, clean.get(question.key))
            submitted = _shown(case, question, case.facts.get(question.key))
            before = (submitted or _("未填写")) if submitted != current else ""
            value = clean.get(question.key)
            shown = filing.tenant_table(value) if isinstance(value, tuple) else current
            rows.append({"key": _(question.label), "value": shown, "before": before})
        topics.append((_(topic.label), rows, bool(topic.only_for)))
    return topics


def material_lines(handed_in: Sequence[Material]) -> list[MaterialLine]:
    """The materials that take part in the review, in the order of the flow."""
    slots, locale = catalogue.material_slots(), reader_locale()
    lines = []
    for material in handed_in:
        if material.is_due:
            verdict = Verdict(material.verdict)
            changed = material.changed_since_verdict and verdict is not Verdict.OK
            label = slots[material.slot].label.text(locale)
            lines.append(MaterialLine(material, label, _(VERDICT_LABELS[verdict]), VERDICT_TONES[verdict], changed))
    return lines


def _opinions(case: Case, record: CaseRecord) -> list[OpinionLine]:
    flow, locale = case.flow, reader_locale()
    lines = []
    for opinion in reversed(record.opinions):
        step = flow.step(opinion.state, opinion.action)
        label = step.done.text(locale) if step else opinion.action
        role = _(ROLE_LABELS[Role(opinion.role)])
        name = record.names.get(opinion.person_id, "")
        lines.append(OpinionLine(opinion.words, label, name, role, opinion.at, opinion.is_decision))
    return lines


def _event(event: TimelineEvent) -> dict[str, Any]:
    who = " · ".join(w for w in (event.who, _(event.role) if event.role else "") if w)
    return {
        "at": event.at,
        "title": event.step.text(reader_locale()) if event.step else _(event.label),
        "by": f"{who}  {event.entry_hash[:10]}".strip(),
        "note": event.words,
        "icon": "circle-check" if event.is_move else "history",
        "colour": "progress" if event.is_move else "neutral",
    }


def _decides_passes(who: Actor, case: Case) -> bool:
    roles = who.roles_for(enterprise_id=None, area_ids=case.area_ids, bureau=case.bureau)
    return who.may(Permission.DECIDE_PASS) and bool(roles) and case.enterprise_id not in who.enterprise_ids


def _others(page: CasePage) -> list[OtherCase]:
    """The company's other cases that the reader sees, the newest first."""
    states = [(c, c.flow.state(c.state)) for c in page.others]
    return [OtherCase(c, state.label.text(reader_locale()), tone_of(c, state)) for c, state in states]


def _phrases(page: CasePage) -> dict[str, list[Phrase]]:
    """The phrases to offer on the page, for each step that takes words, for notes and for the thread."""
    steps = [f"{phrases.STEP}.{s.step.action}" for s in page.steps if s.is_open and s.step.note is not NoteRule.NONE]
    return phrases.by_topic(actor(), [*steps, phrases.NOTE, phrases.THREAD], page.case)


def _application(page: CasePage) -> Application:
    """The application, which came with the materials where there are any."""
    handed_in = page.record.materials
    return handed_in[0].application if handed_in else applications.of_case(page.case.id)


def view(page: CasePage) -> DeskCase:
    """Put together what templates/cases/desk.html shows beside ``page``."""
    case, lines = page.case, material_lines(page.record.materials)
    reads = notes.may_read(actor(), case)
    return DeskCase(
        topics=answer_topics(case, _application(page)),
        materials=lines,
        opinions=_opinions(case, page.record),
        planned=next((v for v in reversed(page.visits) if v.status == "planned"), None),
        names=page.record.names,
        events=[_event(e) for e in page.timeline],
        decides_passes=_decides_passes(actor(), case),
        document_labels=DOCUMENT_LABELS,
        pass_labels=STATUSES,
        judges=case.is_open and _judges(page),
        standing_passes=len(printing.printable(page.passes, shanghai_day(now()))),
        layouts=printing.LAYOUT_LABELS,
        visit_labels=VISIT_LABELS,
        answer=answer_of(page),
        findings=findings(page, [m for m in lines if m.material.is_flagged]),
        notes=page.record.talk.notes if reads else (),
        reads_notes=reads,
        writes_notes=notes.may_write(actor(), case),
        others=_others(page),
        phrases=_phrases(page),
    )


def _judges(page: CasePage) -> bool:
    pending = any(m.is_due and m.verdict == Verdict.PENDING for m in page.record.materials)
    return pending and material_service.may_judge(actor(), page.case)


def step_url(case: Case, open_step: OpenStep) -> str:
    """The page on which a step is taken, or empty for a plain step, which is a form on the case page itself."""
    step = open_step.step
    if step.form == "schedule":
        return url_for("inspections.schedule", case_id=case.id, action=step.action)
    if step.form == "sheet":
        visit = next((v for v in reversed(inspections.of_case(case.id)) if v.status == "planned"), None)
        return url_for("inspections.sheet", inspection_id=visit.id) if visit else ""
    return ""


def tells_everything(step: Step) -> bool:
    """Whether a step sends the one-time notice, so that its form shows all that will be told."""
    return Effect.SEND_ONE_TIME_NOTICE in step.effects


def verdict_words(verdict: str) -> str:
    """A stored verdict in the reader's language."""
    return _(VERDICT_LABELS[Verdict(verdict)])
