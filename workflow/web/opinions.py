"""Opinions of departments: a department's inbox and answer, and what officers do with requests on the case page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from workflow.core.actors import SYSTEM_PERSON, Permission
from workflow.core.errors import DomainError, Invalid, NotFound, Stale, StepClosed
from workflow.core.times import shanghai_day
from workflow.data import applications, catalogue, materials, people
from workflow.data.cases import Case
from workflow.data.materials import FORM_SLOT, Material, MaterialFile
from workflow.data.opinions import OpinionRequest
from workflow.extensions import db
from workflow.i18n import mark, reader_locale
from workflow.services import cases as case_service
from workflow.services import opinions as opinion_service
from workflow.web import case_desk, files, routing_words
from workflow.web.access import actor, requires
from workflow.web.cases import CasePage, refused_page, version_field
from workflow.web.clock import now
from workflow.web.forms.opinions import AnswerForm

bp = Blueprint("opinions", __name__)

STANCE_TONES: Mapping[str, str] = {"agree": "success", "agree_if": "warning", "against": "danger"}
ASK = "ask-opinion"


@dataclass(frozen=True, slots=True)
class RequestLine:
    """A request in words; ``outcome`` with its tone says where it stands, the flags what the reader may do with it."""

    request: OpinionRequest
    department: str
    asker: str
    answerer: str
    outcome: str
    tone: str
    days: int
    may_remind: bool = False
    is_reminded: bool = False
    may_withdraw: bool = False

    @property
    def is_open(self) -> bool:
        """Whether an answer is awaited."""
        return self.request.status == "open"


@dataclass(frozen=True, slots=True)
class Panel:
    """The case page's part on departments: ``choices`` may be asked now, ``waits`` when the flow waits for answers."""

    lines: list[RequestLine]
    choices: list[tuple[str, str]]
    waits: bool

    @property
    def open_count(self) -> int:
        """How many answers are awaited."""
        return sum(line.is_open for line in self.lines)


def department_name(code: str) -> str:
    """A department's name in the reader's language."""
    found = next((d for d in catalogue.departments() if d.code == code), None)
    return found.label.text(reader_locale()) if found else code


def _outcome(found: OpinionRequest) -> tuple[str, str]:
    if found.status == "answered":
        return _(opinion_service.STANCE_LABELS[found.stance]), STANCE_TONES[found.stance]
    return (_("待答复"), "progress") if found.status == "open" else (_("已撤回"), "neutral")


def _days(found: OpinionRequest) -> int:
    """The working days that the department was given."""
    last = shanghai_day(found.due_at - found.due_at.resolution)
    return catalogue.calendar().between(shanghai_day(found.asked_at), last)


def _line(found: OpinionRequest, names: Mapping[int, str], case: Case, *, acts: bool) -> RequestLine:
    who, is_open = actor(), found.status == "open"
    outcome, tone = _outcome(found)
    return RequestLine(
        request=found,
        department=department_name(found.department),
        asker=_("流程自动征求") if found.asked_by == SYSTEM_PERSON else names.get(found.asked_by, ""),
        answerer=names.get(found.answered_by or 0, ""),
        outcome=outcome,
        tone=tone,
        days=_days(found),
        may_remind=acts and is_open and opinion_service.may_remind(who, case),
        is_reminded=opinion_service.reminded_today(found, now()),
        may_withdraw=acts and is_open and opinion_service.may_withdraw(who, case, found),
    )


@bp.app_template_global("department_panel")
def panel_of(page: CasePage) -> Panel | None:
    """What the case page shows of departments' opinions; None when nothing was asked and nothing may be."""
    case, found = page.case, page.record.requests
    may_ask = opinion_service.may_ask(actor(), case)
    if (not found and not may_ask) or opinion_service.only_as_department(actor(), case):
        return None
    asked = {r.department for r in found if r.status == "open"}
    choices = [(d.code, d.label.text(reader_locale())) for d in catalogue.departments() if d.code not in asked]
    lines = [_line(r, page.record.names, case, acts=True) for r in found]
    waits = any("all_opinions_in" in s.guards + s.checks for s in case.flow.steps)
    return Panel(lines, choices if may_ask else [], waits)


@bp.app_template_global("asked_departments")
def told_company(page: CasePage) -> list[RequestLine]:
    """What the company is told: who is asked, by when, and the outcome; withdrawn requests are not its concern."""
    found = [r for r in page.record.requests if r.status != "withdrawn" and r.cycle == page.case.cycle]
    return [_line(r, {}, page.case, acts=False) for r in found]


@bp.app_template_global("being_asked")
def being_asked(lines: Iterable[RequestLine]) -> list[tuple[str, int]]:
    """The departments whose answers are awaited, joined by how many working days they have."""
    by_days: dict[int, list[str]] = {}
    for line in lines:
        if line.is_open:
            by_days.setdefault(line.days, []).append(line.department)
    return [(mark("、").join(names), days) for days, names in sorted(by_days.items())]


@bp.get("/opinions")
@requires(Permission.GIVE_OPINION)
def inbox() -> str:
    """What waits for the reader's department, and what it answered."""
    waiting, done = opinion_service.inbox(actor())
    return render_template("opinions/inbox.html", waiting=waiting, done=done, name=department_name, outcome=_outcome)


@dataclass(frozen=True, slots=True)
class MaterialFiles:
    """A material that was handed in, with its current files."""

    label: str
    files: list[MaterialFile]


def _handed_in(rows: Sequence[Material]) -> list[MaterialFiles]:
    slots, locale = catalogue.material_slots(), reader_locale()
    return [
        MaterialFiles(slots[m.slot].label.text(locale), m.current_files)
        for m in rows
        if m.slot != FORM_SLOT and m.current_files
    ]


def _shown(handed_in: list[MaterialFiles], file_id: str) -> MaterialFile | None:
    if not file_id:
        return None
    found = next((f for m in handed_in for f in m.files if str(f.id) == file_id), None)
    if found is None:
        raise NotFound()
    return found


def _page(found: OpinionRequest, form: AnswerForm, code: int = 200, refusal: str = "") -> tuple[str, int]:
    case = case_service.get(actor(), found.case_id)
    application = applications.of_case(case.id)
    handed_in = _handed_in(materials.of_application(application.id))
    shown = _shown(handed_in, request.args.get("f", ""))
    words: dict[str, Any] = {
        "line": _line(found, people.names_of({found.asked_by, found.answered_by or 0}), case, acts=False),
        "topics": case_desk.answer_topics(case, application),
        "because": routing_words.of(case.routed_because),
        "preview": files.preview_of(shown) if shown else None,
        "is_own": case.enterprise_id in actor().enterprise_ids,
    }
    page = render_template(
        "opinions/request.html", case=case, handed_in=handed_in, shown=shown, form=form, refusal=refusal, **words
    )
    return page, code


@bp.get("/opinions/<int:opinion_id>")
@requires(Permission.GIVE_OPINION)
def show(opinion_id: int) -> tuple[str, int]:
    """One request beside the case's facts and materials, with the form of the answer."""
    return _page(opinion_service.get(actor(), opinion_id), AnswerForm(formdata=None))


@bp.post("/opinions/<int:opinion_id>/answer")
@requires(Permission.GIVE_OPINION)
def answer(opinion_id: int) -> Response | tuple[str, int]:
    """Give the department's opinion; a refusal gives the words back."""
    form = AnswerForm()
    try:
        opinion_service.answer(actor(), opinion_id, form.stance.data or "", form.words.data or "", now())
    except (Invalid, StepClosed) as error:
        db.session.rollback()
        form.refuse(error)
        return _page(opinion_service.get(actor(), opinion_id), form, error.status)
    flash(_("部门意见已送达办理单位。"), "success")
    return redirect(url_for("opinions.inbox"), 303)


def _back(case_id: int, words: str) -> Response:
    flash(words, "success")
    return redirect(url_for("cases.show", case_id=case_id, _anchor="departments"), 303)


def whole_number(text: str) -> int:
    """A number as typed; 0 for what is none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 5 else 0


@bp.post("/cases/<int:case_id>/opinions")
@requires(Permission.ACT_ON_CASE)
def ask(case_id: int) -> Response | tuple[str, int]:
    """Ask a further department."""
    department, question = request.form.get("department", ""), request.form.get("question", "")
    version, days = version_field(), whole_number(request.form.get("days", ""))
    try:
        opinion_service.ask_more(actor(), case_id, department, question, days, version=version, now=now())
    except (Invalid, Stale, StepClosed) as error:
        return refused_page(case_id, error, ASK, question)
    return _back(case_id, _("已向%(department)s征求意见。", department=department_name(department)))


def _refused(opinion_id: int, error: DomainError, act: str, words: str = "") -> tuple[str, int]:
    db.session.rollback()
    case_id = db.session.get_one(OpinionRequest, opinion_id).case_id
    return refused_page(case_id, error, f"{act}-opinion-{opinion_id}", words)


@bp.post("/opinions/<int:opinion_id>/remind")
@requires(Permission.ACT_ON_CASE)
def remind(opinion_id: int) -> Response | tuple[str, int]:
    """Remind a department."""
    try:
        found = opinion_service.remind(actor(), opinion_id, now())
    except StepClosed as error:
        return _refused(opinion_id, error, "remind")
    return _back(found.case_id, _("已催办%(department)s。", department=department_name(found.department)))


@bp.post("/opinions/<int:opinion_id>/withdraw")
@requires(Permission.ACT_ON_CASE)
def withdraw(opinion_id: int) -> Response | tuple[str, int]:
    """Take a request back with a reason."""
    words = request.form.get("words", "")
    try:
        found = opinion_service.withdraw(actor(), opinion_id, words, now())
    except (Invalid, StepClosed) as error:
        return _refused(opinion_id, error, "withdraw", words)
    return _back(found.case_id, _("已撤回向%(department)s的意见征求。", department=department_name(found.department)))
