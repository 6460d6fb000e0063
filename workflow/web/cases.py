"""The case page, for the company and for staff, and the plain steps taken on it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from workflow.core.actors import ROLE_LABELS, Actor, Permission, Role
from workflow.core.engine import OpenStep
from workflow.core.errors import DomainError, Invalid, Stale, StepClosed
from workflow.core.facts import CaseFacts
from workflow.core.flow import Flow, Label, State, StateKind
from workflow.data import audit, catalogue, issued, passes
from workflow.data.cases import Case
from workflow.data.inspections import Inspection
from workflow.data.issued import IssuedDocument
from workflow.data.passes import VehiclePass
from workflow.extensions import db
from workflow.i18n import mark, reader_locale, say
from workflow.services import cases as case_service
from workflow.services import history, phrases
from workflow.services import opinions as opinion_service
from workflow.services.history import TimelineEvent
from workflow.services.notes import AmbiguousName, Colleague
from workflow.services.records import CaseRecord, record_of
from workflow.web import routing_words
from workflow.web.access import actor, requires
from workflow.web.boundary import after_commit
from workflow.web.clock import now
from workflow.web.flow_charts import FlowChart, flow_chart_of
from workflow.web.queue_way import way
from workflow.web.routing_words import Because

bp = Blueprint("cases", __name__)

TONES = {
    StateKind.DRAFT: "neutral",
    StateKind.OPEN: "progress",
    StateKind.APPROVED: "success",
    StateKind.ENDED: "danger",
}


@dataclass(frozen=True, slots=True)
class CasePage:
    """Everything the case page shows; ``holder`` says in words whose turn it is, ``others`` are the
    company's other cases."""

    case: Case
    flow: Flow
    state: State
    tone: str
    holder: str
    facts: CaseFacts
    steps: list[OpenStep]
    because: Because
    chart: FlowChart
    timeline: list[TimelineEvent]
    documents: list[IssuedDocument]
    passes: list[VehiclePass]
    record: CaseRecord
    others: list[Case]

    @property
    def visits(self) -> list[Inspection]:
        """The visits of the case, first to last."""
        return self.record.visits

    @property
    def is_approved(self) -> bool:
        """Whether passes may be asked for."""
        return self.case.permits

    @property
    def notice_name(self) -> Label:
        """What the notice of this flow is called."""
        return notice_name(self.flow)

    @property
    def next_states(self) -> list[State]:
        """The main states still ahead, in order; from a side state (a correction) those it leads back to."""
        main, here, ahead = list(self.flow.main), self.state.key, 1
        for _hop in self.flow.states:
            if here in main or not self.case.is_open:
                break
            here, ahead = next((s.dest for s in self.flow.steps_from(here)), here), 0
        return [self.flow.state(k) for k in main[main.index(here) + ahead :]] if here in main else []


def notice_name(flow: Flow) -> Label:
    """What the notice of ``flow`` is called."""
    return flow.notice or Label("同意复工通知书", "Notice of approval")


def tone_of(case: Case, state: State) -> str:
    """The badge tone of a case: danger when ended badly, warning while the company must act."""
    if case.holder == Role.FILER and state.kind is StateKind.OPEN:
        return "warning"
    return TONES[state.kind]


def place_of_role(case: Case, role: Role) -> str:
    """The authority in which ``role`` works on a case: its town, county or bureau; for the company its name."""
    if role is Role.FILER:
        return case.enterprise_name
    if role is Role.BUREAU_REVIEWER:
        return next((b.label.text(reader_locale()) for b in catalogue.bureaus() if b.code == case.bureau), "")
    return case.county.name if role is Role.LEADING_GROUP else case.town.name


def holder_words(case: Case) -> str:
    """Whose turn it is, by role and authority, never by an officer's name."""
    if not case.holder:
        return ""
    role = Role(case.holder)
    return f"{place_of_role(case, role)} · {_(ROLE_LABELS[role])}"


def chart_of(case: Case, record: CaseRecord, *, own: bool) -> FlowChart:
    """The case's own flow chart: who holds each state, what was done, and where it is («您在这里» for its company)."""
    flow = case.flow
    visited = {s for e in record.entries for s in (e.before.get("state"), e.after.get("state")) if isinstance(s, str)}
    title, flag = _("审核工作流程图"), "" if own else _("当前")
    return flow_chart_of(flow, id=f"case-{case.id}", title=title, here=case.state, visited=visited, flag=flag)


def _asked_for_passes(record: CaseRecord) -> bool:
    return any(e.event == audit.PASS_REQUESTED for e in record.entries)


def page_of(who: Actor, case_id: int, at: dt.datetime) -> CasePage:
    """Put the page together for a reader who may see the case."""
    case, others = case_service.get_with_others(who, case_id)
    flow = case.flow
    state = flow.state(case.state)
    record = record_of(case)
    facts = case_service.case_facts(case, at, record)
    return CasePage(
        case=case,
        flow=flow,
        state=state,
        tone=tone_of(case, state),
        holder=holder_words(case),
        facts=facts,
        steps=case.engine.open_steps(case.state, who, facts),
        because=routing_words.of(case.routed_because),
        chart=chart_of(case, record, own=case.enterprise_id in who.enterprise_ids),
        timeline=history.timeline(who, case, record),
        documents=issued.of_case(case.id),
        passes=passes.of_case(case.id) if case.permits or _asked_for_passes(record) else [],
        record=record,
        others=others,
    )


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why an act on the case was refused, what happened to the case meanwhile, and the words that were typed.

    ``act`` names the form they were typed in: the step's action, what was decided about a pass, a note, the thread.
    ``choices`` are the people of whom one has to be chosen, when a note calls a name that several have.
    """

    error: str
    act: str
    words: str
    since: TimelineEvent | None
    choices: tuple[Colleague, ...] = ()


def refused_page(case_id: int, error: DomainError, act: str, words: str) -> tuple[str, int]:
    """The staff's case page as it is now, with the refusal on top and the typed words where they were typed."""
    db.session.rollback()
    page = page_of(actor(), case_id, now())
    moved = isinstance(error, Stale | StepClosed)
    since = next((e for e in page.timeline if e.is_move), None) if moved else None
    reasons = "；".join(say(r) for r in error.reasons) if isinstance(error, StepClosed) else ""
    text = f"{say(error)}{mark('：')}{reasons}" if reasons else say(error)
    choices = error.choices if isinstance(error, AmbiguousName) else ()
    refusal = Refusal(text, act, words, since, choices)
    return render_template("cases/desk.html", page=page, refusal=refusal), error.status


@bp.get("/cases/<int:case_id>")
@requires(Permission.SEE_CASE)
def show(case_id: int) -> str | Response:
    """The case, for its company or for staff; a department is shown what it was asked."""
    asked = opinion_service.newest_of(actor(), case_id) if actor().may(Permission.GIVE_OPINION) else None
    if asked is not None and opinion_service.only_as_department(actor(), case_service.get(actor(), case_id)):
        return redirect(url_for("opinions.show", opinion_id=asked.id))
    page = page_of(actor(), case_id, now())
    own = page.case.enterprise_id in actor().enterprise_ids
    return render_template("cases/company.html" if own else "cases/desk.html", page=page)


def version_field() -> int:
    """The version of the row that the form was drawn from; :class:`Invalid` when missing."""
    value = request.form.get("version", "")
    if not value.isascii() or not value.isdigit() or len(value) > 9:
        raise Invalid(_("这份表单已失效，请刷新页面后再提交；您填的内容请先复制保存。"))
    return int(value)


@bp.post("/cases/<int:case_id>/steps/<action>")
@requires(Permission.ACT_ON_CASE)
def step(case_id: int, action: str) -> Response | tuple[str, int]:
    """Take a plain step: the words and the version are all it needs; a refusal of staff comes on the case page."""
    note, version = request.form.get("note", ""), version_field()
    try:
        case = case_service.perform(actor(), case_id, action, version=version, now=now(), note=note)
    except (Invalid, Stale, StepClosed) as error:
        if actor().is_company:
            raise
        return refused_page(case_id, error, action, note)
    if not actor().is_company:
        phrases.count_use(actor(), f"{phrases.STEP}.{action}", note, case)
    after_commit(current_app.extensions["wake_worker"])
    flash(_("已办理：%(state)s", state=case.flow.state(case.state).label.text(reader_locale())), "success")
    return redirect(url_for("cases.show", case_id=case.id, **way()), 303)
