"""One enterprise, one policy (一企一策): proposed by an officer for one case, approved by a leader, then worked in."""

from __future__ import annotations

import datetime as dt

from workflow.core import tailoring as rules
from workflow.core.actors import ROLE_LABELS, ROLE_PERMISSIONS, Actor, Permission, Role
from workflow.core.errors import N_, Invalid, NotFound, NotPermitted, Reason, StepClosed
from workflow.core.facts import Verdict
from workflow.core.flow import Flow
from workflow.core.tables import Label
from workflow.core.tailoring import Tailoring, read_tailoring
from workflow.core.times import shanghai_day
from workflow.data import applications, audit, cases, catalogue, materials, people, tailorings
from workflow.data.cases import Case
from workflow.data.flows import engine_for
from workflow.data.materials import FORM_SLOT, Material
from workflow.data.tailorings import TailoringProposal
from workflow.extensions import db
from workflow.services import cases as case_service
from workflow.services.telling import tell_company

DECIDING = frozenset({Role.LEADER, Role.LEADING_GROUP})
"""Who approves."""

_TAILORED = Label("本企业适用一企一策调整", "This case was tailored to your enterprise")


def _roles(actor: Actor, case: Case) -> frozenset[Role]:
    """The roles towards the case; none for people of its company."""
    if case.enterprise_id in actor.enterprise_ids:
        return frozenset()
    return actor.roles_for(enterprise_id=None, area_ids=case.area_ids, bureau=case.bureau)


def may_propose(actor: Actor, case: Case) -> bool:
    """Whether the actor is an officer of this case who may propose."""
    return case.is_open and any(Permission.TAILOR_CASE in ROLE_PERMISSIONS[r] for r in _roles(actor, case))


def may_decide(actor: Actor, case: Case, proposal: TailoringProposal) -> bool:
    """Whether the actor is a leader of this case and somebody else than the proposer."""
    leads = not DECIDING.isdisjoint(_roles(actor, case))
    return case.is_open and leads and proposal.proposed_by != actor.person_id


def slots_to_add(handed_in: list[Material]) -> list[str]:
    """The slots of the catalogue that this application is not asked for, in the order of the catalogue."""
    required = {m.slot for m in handed_in if m.required}
    return [s.key for s in catalogue.material_slots().values() if not s.form and s.key not in required]


def slots_to_waive(handed_in: list[Material]) -> list[str]:
    """The slots that this application is asked for and that may be waived: all but the form."""
    return [m.slot for m in handed_in if m.required and m.slot != FORM_SLOT]


def tailored_flow(case: Case, wanted: Tailoring) -> Flow:
    """The case's flow as it would be with ``wanted`` on top of what is tailored already."""
    merged = read_tailoring(case.tailoring).merged(wanted)
    return rules.tailor(engine_for(case.flow_version.text).flow, merged)


def check(case: Case, wanted: Tailoring, now: dt.datetime) -> None:
    """Raise :class:`Invalid` when the case as it is now can't take ``wanted``."""
    rules.check(case.flow, wanted, case.state)
    handed_in = materials.of_case(case.id)
    if not set(wanted.extra_materials) <= set(slots_to_add(handed_in)):
        raise Invalid(N_("追加的材料本来就要交，或不在材料目录中。"), field="extra_materials")
    if not set(wanted.waived_materials) <= set(slots_to_waive(handed_in)):
        raise Invalid(N_("免交的材料本来就不用交，或不能免交。"), field="waived_materials")
    for extra in wanted.extra_steps:
        if not people.is_held(extra.role, case.area_ids, case.bureau, shanghai_day(now)):
            role = ROLE_LABELS[extra.role]
            raise Invalid(N_("本案没有“%(role)s”的人员，不能加这一步。"), field="extra_step", role=role)


def _words(text: str, field: str, missing: str) -> str:
    """Words that are needed, as kept; :class:`Invalid` at ``field`` with ``missing`` when there are none."""
    words = case_service.clean_words(text, field)
    if not words:
        raise Invalid(missing, field=field)
    return words


def propose(
    actor: Actor, case_id: int, wanted: Tailoring, reason: str, *, version: int, now: dt.datetime
) -> TailoringProposal:
    """Propose what should differ for one open case; one proposal at a time, nothing changes until it is approved."""
    case = case_service.get_locked(actor, case_id, version)
    if not case.is_open:
        raise StepClosed(N_("案件已办结，不能再调整。"))
    if not may_propose(actor, case):
        raise NotPermitted()
    if tailorings.pending(case.id) is not None:
        raise StepClosed(N_("已有一项调整建议在等待审定，请先办结。"))
    check(case, wanted, now)
    proposal = TailoringProposal(
        case_id=case.id,
        changes=wanted.as_json(),
        reason=_words(reason, "reason", N_("请写明为什么要对这家企业作调整。")),
        proposed_by=actor.person_id,
        proposed_at=now,
    )
    db.session.add(proposal)
    db.session.flush()
    _record(audit.TAILORING_PROPOSED, proposal, case, actor, now)
    return proposal


def case_for(actor: Actor, case_id: int) -> Case:
    """The case for one of its officers; :class:`NotFound` for all others, its company among them."""
    case = case_service.get(actor, case_id)
    if not any(Permission.SEE_DESK in ROLE_PERMISSIONS[r] for r in _roles(actor, case)):
        raise NotFound()
    return case


def get(actor: Actor, proposal_id: int) -> TailoringProposal:
    """A proposal on a case that the actor sees as an officer; :class:`NotFound` otherwise."""
    found = db.session.get(TailoringProposal, proposal_id)
    if found is None:
        raise NotFound()
    case_for(actor, found.case_id)
    return found


def _locked(actor: Actor, proposal_id: int) -> tuple[Case, TailoringProposal]:
    """A proposal that still waits, with its case, both locked."""
    case = cases.lock_visible(actor, get(actor, proposal_id).case_id)
    if case is None:
        raise NotFound()
    proposal = tailorings.lock(proposal_id)
    if proposal.status != "proposed":
        raise StepClosed(N_("这项调整建议已经办过了。"))
    return case, proposal


def _settle(proposal: TailoringProposal, status: str, words: str, actor: Actor, now: dt.datetime) -> None:
    proposal.status, proposal.words = status, words
    proposal.decided_by, proposal.decided_at = actor.person_id, now


def _deciding(actor: Actor, proposal_id: int) -> tuple[Case, TailoringProposal]:
    case, proposal = _locked(actor, proposal_id)
    if DECIDING.isdisjoint(_roles(actor, case)):
        raise NotPermitted()
    if proposal.proposed_by == actor.person_id:
        raise NotPermitted(N_("不能审定自己提出的调整，请由另一位领导审定。"))
    return case, proposal


def approve(actor: Actor, proposal_id: int, words: str, now: dt.datetime) -> Case:
    """Approve a proposal and work it into the case: its flow, its materials, its clock, and word to the company.

    It is checked again against the case as it is now: :class:`StepClosed` when the case has gone past it.
    """
    case, proposal = _deciding(actor, proposal_id)
    if not case.is_open:
        raise StepClosed(N_("案件已办结，不能再调整。"))
    wanted = read_tailoring(proposal.changes)
    try:
        check(case, wanted, now)
    except Invalid as error:
        reason = Reason(error.message, error.params)
        raise StepClosed(N_("案件已有变化，这项调整不再适用。"), reasons=(reason,)) from error
    before = case.flow.state(case.state).days
    case.tailoring = read_tailoring(case.tailoring).merged(wanted).as_json()
    _change_materials(case, wanted)
    if case.flow.state(case.state).days != before:
        case.restart_clock(now)
    _settle(proposal, "approved", case_service.clean_words(words, "words"), actor, now)
    _record(audit.TAILORING_APPROVED, proposal, case, actor, now)
    tell_company(case, "tailored", _TAILORED, now)
    db.session.flush()
    return case


def _change_materials(case: Case, wanted: Tailoring) -> None:
    """Ask for the added slots and no longer for the waived ones; files that are there stay and are judged anew."""
    application = applications.of_case(case.id)
    handed_in = {m.slot: m for m in materials.of_application(application.id)}
    last = max((m.position for m in handed_in.values()), default=0)
    for number, slot in enumerate(wanted.extra_materials, 1):
        if slot in handed_in:
            handed_in[slot].required = True
            continue
        db.session.add(Material(application_id=application.id, slot=slot, required=True, position=last + number))
    for slot in wanted.waived_materials:
        waived = handed_in[slot]
        waived.required = False
        if waived.is_flagged:
            waived.verdict = Verdict.PENDING.value


def refuse(actor: Actor, proposal_id: int, words: str, now: dt.datetime) -> TailoringProposal:
    """Refuse a proposal with a reason; the case stays as it is."""
    case, proposal = _deciding(actor, proposal_id)
    _settle(proposal, "refused", _words(words, "words", N_("请写明不同意的理由。")), actor, now)
    _record(audit.TAILORING_REFUSED, proposal, case, actor, now)
    return proposal


def withdraw(actor: Actor, proposal_id: int, now: dt.datetime) -> TailoringProposal:
    """Take one's own proposal back while it waits."""
    case, proposal = _locked(actor, proposal_id)
    if proposal.proposed_by != actor.person_id:
        raise NotPermitted()
    _settle(proposal, "withdrawn", "", actor, now)
    _record(audit.TAILORING_WITHDRAWN, proposal, case, actor, now)
    return proposal


def _record(event: audit.Event, proposal: TailoringProposal, case: Case, actor: Actor, now: dt.datetime) -> None:
    changes = {k: v for k, v in proposal.changes.items() if v}
    after = {"proposal": proposal.id, "status": proposal.status, **changes}
    audit.record(event, chain=f"town:{case.town_id}", actor=actor, at=now, case_id=case.id, after=after)
