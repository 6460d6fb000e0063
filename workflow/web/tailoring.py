"""One enterprise, one policy (一企一策): choosing what differs for one case, seeing its chart, proposing, deciding."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from workflow.core.actors import ROLE_LABELS, Permission, Role
from workflow.core.errors import N_, DomainError, Invalid, Stale, StepClosed
from workflow.core.flow import Flow
from workflow.core.tailoring import (
    EXTRA_ROLES,
    ExtraStep,
    Tailoring,
    places_for_a_step,
    read_tailoring,
    review_is_ahead,
    states_with_a_clock,
)
from workflow.data import audit, materials, people, tailorings
from workflow.data.cases import Case
from workflow.data.tailorings import TailoringProposal
from workflow.extensions import db
from workflow.i18n import mark, reader_locale, say
from workflow.services import tailoring as tailoring_service
from workflow.web.access import actor, requires
from workflow.web.boundary import after_commit
from workflow.web.cases import CasePage, version_field
from workflow.web.clock import now
from workflow.web.context import slot_name
from workflow.web.flow_charts import FlowChart, flow_chart_of
from workflow.web.opinions import whole_number

bp = Blueprint("tailoring", __name__)

STATUS_LABELS: Mapping[str, tuple[str, str]] = {
    "proposed": (N_("待审定"), "warning"),
    "approved": (N_("已同意"), "success"),
    "refused": (N_("未同意"), "neutral"),
    "withdrawn": (N_("已撤回"), "neutral"),
}
KEYS = ("extra", "waive", "role", "before", "step_days", "state", "more_days")
"""The fields of a choice, in addresses and forms alike."""


def _name(flow: Flow, key: str) -> str:
    return flow.state(key).label.text(reader_locale()) if key in flow.states else key


def in_words(flow: Flow, changes: Tailoring) -> list[str]:
    """A tailoring in words, one line for each thing that differs."""
    lines = []
    if changes.extra_materials:
        lines.append(_("追加材料") + mark("：") + mark("、").join(slot_name(s) for s in changes.extra_materials))
    if changes.waived_materials:
        lines.append(_("免交材料") + mark("：") + mark("、").join(slot_name(s) for s in changes.waived_materials))
    for extra in changes.extra_steps:
        words = {"role": _(ROLE_LABELS[extra.role]), "state": _name(flow, extra.before), "n": extra.days}
        lines.append(_("加办：进入“%(state)s”前由%(role)s先同意（%(n)s 个工作日）", **words))
    for state, days in changes.longer:
        lines.append(_("延长时限：“%(state)s”多给 %(n)s 个工作日", state=_name(flow, state), n=days))
    return lines


@bp.app_template_global("tailored_words")
def tailored_words(case: Case) -> list[str]:
    """What was tailored for this case, in words; empty for an ordinary one."""
    return in_words(case.flow, read_tailoring(case.tailoring))


@dataclass(frozen=True, slots=True)
class Proposal:
    """A proposal in words, for the case page and its own."""

    row: TailoringProposal
    lines: list[str]
    status: str
    tone: str
    proposer: str
    decider: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """A proposal that waits for a leader, as history tells it."""

    lines: list[str]
    proposer: str
    at: dt.datetime


@dataclass(frozen=True, slots=True)
class Panel:
    """The case page's part: what waits, and whether the reader may propose or decide."""

    pending: Waiting | None
    may_propose: bool


def _in_words(case: Case, row: TailoringProposal, names: Mapping[int, str]) -> Proposal:
    label, tone = STATUS_LABELS[row.status]
    lines = in_words(case.flow, read_tailoring(row.changes))
    return Proposal(row, lines, _(label), tone, names.get(row.proposed_by, ""), names.get(row.decided_by or 0, ""))


_EVENTS = frozenset(
    {audit.TAILORING_PROPOSED, audit.TAILORING_APPROVED, audit.TAILORING_REFUSED, audit.TAILORING_WITHDRAWN}
)


@bp.app_template_global("tailoring_panel")
def panel_of(page: CasePage) -> Panel:
    """What the staff's case page says of tailoring; history has it all, so that the page asks for nothing more."""
    last = next((e for e in reversed(page.record.entries) if e.event in _EVENTS), None)
    pending = None
    if last is not None and last.event == audit.TAILORING_PROPOSED:
        changes = {k: last.after.get(k, v) for k, v in Tailoring().as_json().items()}
        lines = in_words(page.case.flow, read_tailoring(changes))
        pending = Waiting(lines, page.record.names.get(last.person_id, ""), last.at)
    return Panel(pending, tailoring_service.may_propose(actor(), page.case))


@dataclass(frozen=True, slots=True)
class Choice:
    """What was chosen, as typed; :meth:`tailoring` reads it."""

    extra: list[str] = field(default_factory=list)
    waive: list[str] = field(default_factory=list)
    role: str = ""
    before: str = ""
    step_days: str = "1"
    state: str = ""
    more_days: str = "1"

    @classmethod
    def of(cls, typed: MultiDict[str, str]) -> Choice:
        """The choice in an address or a form."""
        texts = {k: typed.get(k, "")[:60] for k in KEYS[2:]}
        extra, waive = ([v[:60] for v in typed.getlist(k)[:50] if v] for k in KEYS[:2])
        return cls(extra, waive, **texts)

    @property
    def fields(self) -> list[tuple[str, str]]:
        """The choice as fields, to be sent on."""
        lists = [("extra", s) for s in self.extra] + [("waive", s) for s in self.waive]
        return lists + [(k, getattr(self, k)) for k in KEYS[2:] if getattr(self, k)]

    def tailoring(self) -> Tailoring:
        """The choice read; :class:`Invalid` for an extra step of which only a part was chosen."""
        steps: tuple[ExtraStep, ...] = ()
        if self.role or self.before:
            if self.role not in EXTRA_ROLES or not self.before:
                raise Invalid(_("加办步骤要同时选由谁办理和加在哪个环节之前。"), field="extra_step")
            steps = (ExtraStep(self.before, Role(self.role), whole_number(self.step_days)),)
        longer = ((self.state, whole_number(self.more_days)),) if self.state else ()
        return Tailoring(tuple(self.extra), tuple(self.waive), steps, longer)


@dataclass(frozen=True, slots=True)
class Offers:
    """What may be chosen for a case now: (value, words) pairs."""

    extra: list[tuple[str, str]]
    waive: list[tuple[str, str]]
    roles: list[tuple[str, str]]
    places: list[tuple[str, str]]
    states: list[tuple[str, str]]


def _offers(case: Case) -> Offers:
    flow, handed_in = case.flow, materials.of_case(case.id)
    ahead = review_is_ahead(flow, case.state)
    extra = tailoring_service.slots_to_add(handed_in) if ahead else []
    waive = tailoring_service.slots_to_waive(handed_in) if ahead else []
    return Offers(
        [(s, slot_name(s)) for s in extra],
        [(s, slot_name(s)) for s in waive],
        [(r.value, _(ROLE_LABELS[r])) for r in EXTRA_ROLES],
        [(k, _name(flow, k)) for k in places_for_a_step(flow, case.state)],
        [(k, _name(flow, k)) for k in states_with_a_clock(flow)],
    )


def _chart(case: Case, wanted: Tailoring) -> FlowChart:
    """The case's chart as it would be."""
    flow = tailoring_service.tailored_flow(case, wanted)
    title = _("调整后的流程图")
    return flow_chart_of(flow, id=f"tailored-{case.id}", title=title, here=case.state, flag=_("当前"))


def _page(case: Case, code: int = 200, error: str = "", reason: str = "", words: str = "") -> tuple[str, int]:
    """The page: what waits for a leader, else what may be chosen with a preview of what was."""
    rows = tailorings.of_case(case.id)
    names = people.names_of({p for r in rows for p in (r.proposed_by, r.decided_by or 0)})
    proposals = [_in_words(case, r, names) for r in reversed(rows)]
    pending = next((p for p in proposals if p.row.status == "proposed"), None)
    typed = request.form if request.method == "POST" else request.args
    choice, wanted = Choice.of(typed), None
    if pending is None and any(k in typed for k in KEYS):
        try:
            wanted = choice.tailoring()
            tailoring_service.check(case, wanted, now())
        except Invalid as refused:
            wanted, error, code = None, error or say(refused), 422 if code == 200 else code
    shown = read_tailoring(pending.row.changes) if pending else wanted
    page = render_template(
        "tailoring/case.html",
        case=case,
        pending=pending,
        earlier=[p for p in proposals if p is not pending],
        current=tailored_words(case),
        choice=choice,
        offers=_offers(case) if pending is None else None,
        wanted=in_words(case.flow, wanted) if wanted else [],
        chart=_chart(case, shown) if shown else None,
        may_propose=tailoring_service.may_propose(actor(), case),
        may_decide=pending is not None and tailoring_service.may_decide(actor(), case, pending.row),
        is_proposer=pending is not None and pending.row.proposed_by == actor().person_id,
        typed={"error": error, "reason": reason, "words": words},
    )
    return page, code


@bp.get("/cases/<int:case_id>/tailoring")
@requires(Permission.TAILOR_CASE)
def show(case_id: int) -> tuple[str, int]:
    """What differs for this case, what waits, and the choice of more with its chart; nothing is written."""
    return _page(tailoring_service.case_for(actor(), case_id))


def _refused(case_id: int, error: DomainError, **typed: str) -> tuple[str, int]:
    db.session.rollback()
    text = say(error)
    if isinstance(error, StepClosed) and error.reasons:
        text += mark("：") + mark("；").join(say(r) for r in error.reasons)
    return _page(tailoring_service.case_for(actor(), case_id), error.status, text, **typed)


@bp.post("/cases/<int:case_id>/tailoring")
@requires(Permission.TAILOR_CASE)
def propose(case_id: int) -> Response | tuple[str, int]:
    """Propose what was previewed, with a reason."""
    reason, version = request.form.get("reason", ""), version_field()
    try:
        wanted = Choice.of(request.form).tailoring()
        tailoring_service.propose(actor(), case_id, wanted, reason, version=version, now=now())
    except (Invalid, Stale, StepClosed) as error:
        return _refused(case_id, error, reason=reason)
    flash(_("调整建议已提出，等领导审定。"), "success")
    return redirect(url_for("tailoring.show", case_id=case_id), 303)


def _decided(case_id: int, words: str) -> Response:
    after_commit(current_app.extensions["wake_worker"])
    flash(words, "success")
    return redirect(url_for("cases.show", case_id=case_id), 303)


@bp.post("/tailorings/<int:proposal_id>/approve")
@requires(Permission.TAILOR_CASE)
def approve(proposal_id: int) -> Response | tuple[str, int]:
    """Approve a proposal; from now on the case goes by it."""
    words, case_id = request.form.get("words", ""), tailoring_service.get(actor(), proposal_id).case_id
    try:
        tailoring_service.approve(actor(), proposal_id, words, now())
    except (Invalid, StepClosed) as error:
        return _refused(case_id, error, words=words)
    return _decided(case_id, _("已同意一企一策调整，本案从现在起按调整后的流程办理。"))


@bp.post("/tailorings/<int:proposal_id>/refuse")
@requires(Permission.TAILOR_CASE)
def refuse(proposal_id: int) -> Response | tuple[str, int]:
    """Refuse a proposal with a reason."""
    words, case_id = request.form.get("words", ""), tailoring_service.get(actor(), proposal_id).case_id
    try:
        tailoring_service.refuse(actor(), proposal_id, words, now())
    except (Invalid, StepClosed) as error:
        return _refused(case_id, error, words=words)
    return _decided(case_id, _("已回复不同意，本案照原流程办理。"))


@bp.post("/tailorings/<int:proposal_id>/withdraw")
@requires(Permission.TAILOR_CASE)
def withdraw(proposal_id: int) -> Response | tuple[str, int]:
    """Take one's own proposal back."""
    case_id = tailoring_service.get(actor(), proposal_id).case_id
    try:
        tailoring_service.withdraw(actor(), proposal_id, now())
    except StepClosed as error:
        return _refused(case_id, error)
    return _decided(case_id, _("已撤回调整建议。"))
