"""One enterprise, one policy: proposed by one, approved by another, then really worked into the case."""

from __future__ import annotations

import datetime as dt

import pytest
from flask import Flask
from sqlalchemy import select

from tests.builders import TOWN, World
from tests.services.together import together
from workflow.core.actors import SYSTEM, Role
from workflow.core.errors import Invalid, NotFound, NotPermitted, Stale, StepClosed
from workflow.core.tailoring import ExtraStep, Tailoring
from workflow.core.times import shanghai_day
from workflow.data import audit, materials, messages, people, queue
from workflow.data.cases import Case
from workflow.data.enterprises import EnterpriseMember
from workflow.data.materials import Material
from workflow.data.people import Account
from workflow.data.queue import Filters, Tab
from workflow.data.tailorings import TailoringProposal
from workflow.extensions import db
from workflow.jobs import drain
from workflow.services import accounts, bulk
from workflow.services import tailoring as service

EXTRA = ExtraStep("awaiting_decision", Role.LEADING_GROUP, 2)
GROUP_STATE = "extra-leading_group-awaiting_decision"
COUNTY = "330203"


def propose(world: World, case: Case, wanted: Tailoring, reason: str = "冷链企业，风险较高") -> TailoringProposal:
    """Let the reviewer propose."""
    for role, area in ((Role.LEADING_GROUP, COUNTY), (Role.LEADER, TOWN)):
        world.officer(role, area)
    actor = world.actor(world.officer(Role.REVIEWER))
    found = service.propose(actor, case.id, wanted, reason, version=case.version, now=world.now)
    db.session.commit()
    return found


def approve(world: World, proposal: TailoringProposal, by: Role = Role.LEADER) -> Case:
    """Let the leader approve."""
    leader = world.actor(world.officer(by, COUNTY) if by is Role.LEADING_GROUP else world.officer(by))
    case = service.approve(leader, proposal.id, "同意", world.later(minutes=10))
    db.session.commit()
    db.session.refresh(case)
    return case


def tailored(world: World, case: Case, wanted: Tailoring) -> Case:
    """Propose and approve."""
    return approve(world, propose(world, case, wanted))


def clerk_of(case: Case) -> Account:
    """The clerk of the case's company."""
    query = select(Account).join(EnterpriseMember, EnterpriseMember.person_id == Account.person_id)
    return db.session.scalars(query.where(EnterpriseMember.enterprise_id == case.enterprise_id)).one()


def material(case: Case, slot: str) -> Material:
    """A material of the case."""
    return next(m for m in materials.of_case(case.id) if m.slot == slot)


def events(case: Case) -> list[str]:
    """What history says of tailoring."""
    return [e.event for e in audit.of_case(case.id) if e.event.startswith("tailoring_")]


def test_an_extra_step_really_has_to_be_taken(world: World) -> None:
    case = tailored(world, world.submitted(), Tailoring(extra_steps=(EXTRA,)))
    reviewer = world.officer(Role.REVIEWER)
    world.step(reviewer, case, "accept")
    world.judge_all(case)
    world.step(reviewer, case, "pass_materials")
    case = world.conclude(world.schedule(case))
    assert (case.state, case.holder) == (GROUP_STATE, "leading_group")
    with pytest.raises(StepClosed):
        world.step(world.officer(Role.LEADER), case, "approve")
    db.session.rollback()
    agree = next(s for s in case.flow.steps_from(case.state) if s.decision)
    with pytest.raises(NotPermitted):
        world.step(world.officer(Role.LEADER), case, agree.action)
    db.session.rollback()
    group = world.officer(Role.LEADING_GROUP, COUNTY)
    assert world.step(group, case, agree.action).state == "awaiting_decision"
    assert world.step(world.officer(Role.LEADER), case, "approve").state == "approved"


def test_an_extra_step_can_send_back_and_the_company_may_withdraw(world: World) -> None:
    case = tailored(world, world.submitted(), Tailoring(extra_steps=(ExtraStep("reviewing", Role.LEADER),)))
    world.step(world.officer(Role.REVIEWER), case, "accept")
    assert case.state == "extra-leader-reviewing"
    back = next(s for s in case.flow.steps_from(case.state) if not s.decision and s.role is Role.LEADER)
    assert world.step(world.officer(Role.LEADER), case, back.action).state == "submitted"
    world.step(world.officer(Role.REVIEWER), case, "accept")
    assert world.step(clerk_of(case), case, "withdraw").state == "withdrawn"


def test_a_waived_material_is_no_longer_asked_for(world: World) -> None:
    case = world.submitted()
    world.step(world.officer(Role.REVIEWER), case, "accept")
    world.judge_all(case, supplies="清单不全")
    world.step(world.officer(Role.REVIEWER), case, "return_for_correction")
    case = tailored(world, case, Tailoring(waived_materials=("supplies",)))
    waived = material(case, "supplies")
    assert (waived.required, waived.verdict, bool(waived.current_files)) == (False, "pending", True)
    assert world.step(clerk_of(case), case, "resubmit").state == "reviewing", "the flagged one is waived"
    assert "supplies" not in {m.slot for m in case.flow.materials}


def test_an_extra_material_is_asked_for(world: World) -> None:
    case = world.submitted()
    reviewer = world.officer(Role.REVIEWER)
    world.step(reviewer, case, "accept")
    world.judge_all(case)
    case = tailored(world, case, Tailoring(extra_materials=("safety",)))
    asked = material(case, "safety")
    assert (asked.required, asked.verdict, asked.is_due) == (True, "pending", True)
    with pytest.raises(StepClosed):
        world.step(reviewer, case, "pass_materials")
    db.session.rollback()
    world.judge_all(case, safety="请上传安全生产方案")
    assert world.step(reviewer, case, "return_for_correction").state == "correcting"


def test_a_longer_clock_moves_the_deadline(world: World) -> None:
    case = world.submitted()
    before = case.due_at
    case = tailored(world, case, Tailoring(longer=(("submitted", 3), ("reviewing", 1))))
    assert case.due_at == before + dt.timedelta(days=3), "from Monday the 17th to Thursday the 20th"
    assert case.clock_at is not None
    assert case.clock_at > before
    untouched = world.submitted()
    due_at, clock_at = untouched.due_at, untouched.clock_at
    untouched = tailored(world, untouched, Tailoring(longer=(("awaiting_decision", 2),)))
    assert (untouched.due_at, untouched.clock_at) == (due_at, clock_at)


def test_history_names_it_and_the_company_is_told(world: World) -> None:
    case = tailored(world, world.submitted(), Tailoring(("safety",), ("licence",), (EXTRA,), (("submitted", 1),)))
    assert events(case) == ["tailoring_proposed", "tailoring_approved"]
    approved = audit.of_case(case.id)[-1]
    assert approved.after["extra_materials"] == ["safety"]
    assert approved.after["extra_steps"] == [["awaiting_decision", "leading_group", 2]]
    assert "风险" not in str(approved.after), "history keeps no words"
    drain.drain(lambda: world.now)
    found = db.session.scalars(messages.visible_to(world.actor(clerk_of(case)))).first()
    assert found is not None
    assert found.event == "tailored"
    assert list(audit.verify()) == []


def test_two_tailorings_add_up(world: World) -> None:
    case = tailored(world, world.submitted(), Tailoring(("safety",), (), (EXTRA,)))
    case = tailored(world, case, Tailoring((), ("safety",), (ExtraStep("awaiting_decision", Role.REVIEWER),)))
    assert not material(case, "safety").required
    place = case.flow.main.index("awaiting_decision")
    assert case.flow.main[place - 2 : place] == (GROUP_STATE, "extra-reviewer-awaiting_decision")
    with pytest.raises(Invalid, match="已经加过"):
        propose(world, case, Tailoring(extra_steps=(EXTRA,)))


def test_it_takes_two_people(world: World) -> None:
    case = world.submitted()
    leader = world.officer(Role.LEADER)
    wanted = Tailoring(longer=(("submitted", 1),))
    proposal = service.propose(world.actor(leader), case.id, wanted, "理由", version=case.version, now=world.now)
    db.session.commit()
    for act in (service.approve, service.refuse):
        with pytest.raises(NotPermitted, match="另一位领导"):
            act(world.actor(leader), proposal.id, "同意", world.now)
        db.session.rollback()
    for stranger in (world.officer(Role.REVIEWER), world.officer(Role.BUREAU_REVIEWER, COUNTY, "jingxin")):
        with pytest.raises(NotPermitted):
            service.approve(world.actor(stranger), proposal.id, "同意", world.now)
        db.session.rollback()
    assert approve(world, proposal, Role.LEADING_GROUP).tailoring is not None


def test_who_has_no_say_proposes_nothing(world: World) -> None:
    case, wanted = world.submitted(), Tailoring(longer=(("submitted", 1),))
    for stranger in (world.officer(Role.INSPECTOR), world.officer(Role.AUDITOR, COUNTY), clerk_of(case)):
        with pytest.raises(NotPermitted):
            service.propose(world.actor(stranger), case.id, wanted, "理由", version=case.version, now=world.now)
    elsewhere = world.actor(world.officer(Role.REVIEWER, "330203003"))
    with pytest.raises(NotFound):
        service.propose(elsewhere, case.id, wanted, "理由", version=case.version, now=world.now)


def test_people_of_the_company_keep_out(world: World) -> None:
    case, wanted = world.submitted(), Tailoring(longer=(("submitted", 1),))
    proposal = propose(world, case, wanted)
    leader = world.officer(Role.LEADER)
    db.session.add(EnterpriseMember(enterprise_id=case.enterprise_id, person_id=leader.person_id))
    db.session.commit()
    with pytest.raises(NotFound):
        service.approve(world.actor(leader), proposal.id, "同意", world.now)
    with pytest.raises(NotPermitted):
        service.propose(world.actor(leader), case.id, wanted, "理由", version=case.version, now=world.now)


def test_whoever_was_moved_no_longer_approves(world: World) -> None:
    proposal = propose(world, world.submitted(), Tailoring(longer=(("submitted", 1),)))
    leader = world.new_officer(Role.LEADER)
    (held,) = people.current_appointments(leader.person_id, shanghai_day(world.now))
    accounts.move_person(SYSTEM, held.id, "330203003", world.now)
    db.session.commit()
    with pytest.raises(NotFound):
        service.approve(world.actor(leader), proposal.id, "同意", world.now)


def test_one_waits_at_a_time_and_stale_pages_are_refused(world: World) -> None:
    case, wanted = world.submitted(), Tailoring(longer=(("submitted", 1),))
    proposal = propose(world, case, wanted)
    with pytest.raises(StepClosed, match="等待审定"):
        propose(world, case, wanted)
    db.session.rollback()
    reviewer = world.actor(world.officer(Role.REVIEWER))
    service.withdraw(reviewer, proposal.id, world.now)
    db.session.commit()
    seen = case.version
    world.step(world.officer(Role.REVIEWER), case, "accept")
    with pytest.raises(Stale):
        service.propose(reviewer, case.id, wanted, "理由", version=seen, now=world.now)
    assert events(case) == ["tailoring_proposed", "tailoring_withdrawn"]


def test_an_approval_changes_the_version_of_the_case(world: World) -> None:
    case = world.submitted()
    seen = case.version
    case = tailored(world, case, Tailoring(extra_steps=(EXTRA,)))
    assert case.version > seen


def test_a_case_that_went_past_it_is_not_changed(world: World) -> None:
    case = world.submitted()
    proposal = propose(world, case, Tailoring(extra_steps=(ExtraStep("reviewing", Role.LEADER),)))
    world.step(world.officer(Role.REVIEWER), case, "accept")
    with pytest.raises(StepClosed) as refused:
        approve(world, proposal)
    assert [str(r) for r in refused.value.reasons] == ["案件已过此环节，或此环节前不能加步骤。"]
    db.session.rollback()
    db.session.refresh(case)
    assert case.tailoring is None


def test_a_refusal_needs_words_and_leaves_the_case(world: World) -> None:
    case = world.submitted()
    proposal = propose(world, case, Tailoring(longer=(("submitted", 1),)))
    leader = world.actor(world.officer(Role.LEADER))
    with pytest.raises(Invalid, match="理由"):
        service.refuse(leader, proposal.id, " ", world.now)
    service.refuse(leader, proposal.id, "照常办理", world.now)
    db.session.commit()
    for act in (service.approve, service.refuse):
        with pytest.raises(StepClosed, match="已经办过"):
            act(leader, proposal.id, "同意", world.now)
    assert case.tailoring is None
    assert events(case) == ["tailoring_proposed", "tailoring_refused"]


def test_only_the_proposer_takes_it_back(world: World) -> None:
    proposal = propose(world, world.submitted(), Tailoring(longer=(("submitted", 1),)))
    with pytest.raises(NotPermitted):
        service.withdraw(world.actor(world.officer(Role.LEADER)), proposal.id, world.now)


def test_a_closed_case_is_not_tailored(world: World) -> None:
    case = world.submitted()
    proposal = propose(world, case, Tailoring(longer=(("submitted", 1),)))
    world.step(clerk_of(case), case, "withdraw")
    with pytest.raises(StepClosed, match="已办结"):
        approve(world, proposal)
    db.session.rollback()
    with pytest.raises(StepClosed, match="已办结"):
        propose(world, case, Tailoring(longer=(("submitted", 1),)))


@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        (Tailoring(("licence",)), "extra_materials"),
        (Tailoring(("nowhere",)), "extra_materials"),
        (Tailoring(("M01",)), "extra_materials"),
        (Tailoring(waived_materials=("M01",)), "waived_materials"),
        (Tailoring(waived_materials=("safety",)), "waived_materials"),
        (Tailoring(extra_steps=(ExtraStep("awaiting_decision", Role.BUREAU_REVIEWER),)), "extra_step"),
        (Tailoring(), None),
    ],
)
def test_what_can_not_be_is_refused(world: World, wanted: Tailoring, field: str | None) -> None:
    case = world.submitted()
    with pytest.raises(Invalid) as refused:
        propose(world, case, wanted)
    assert refused.value.field == field


def test_a_reason_is_needed(world: World) -> None:
    case = world.submitted()
    with pytest.raises(Invalid) as refused:
        propose(world, case, Tailoring(longer=(("submitted", 1),)), reason=" ")
    assert refused.value.field == "reason"


def test_two_approvals_at_once_leave_one(world: World, app: Flask) -> None:
    proposal = propose(world, world.submitted(), Tailoring(longer=(("submitted", 1),)))
    first, second = world.actor(world.officer(Role.LEADER)), world.actor(world.officer(Role.LEADING_GROUP, COUNTY))
    proposal_id, now = proposal.id, world.now
    acts = [lambda a=a: service.approve(a, proposal_id, "同意", now).id for a in (first, second)]
    outcomes = together(app, *acts)
    assert sum(isinstance(o, StepClosed) for o in outcomes) == 1
    assert sum(isinstance(o, int) for o in outcomes) == 1


def test_the_queue_and_bulk_acceptance_know_a_tailored_case(world: World) -> None:
    plain = world.submitted()
    case = tailored(world, world.submitted(), Tailoring(extra_steps=(ExtraStep("reviewing", Role.LEADER),)))
    reviewer, leader = world.actor(world.officer(Role.REVIEWER)), world.actor(world.officer(Role.LEADER))
    wanted = [bulk.Wanted(c.id, c.version) for c in (plain, case)]
    assert bulk.start(reviewer, "accept", {"step": "accept"}, wanted, world.now).done == 2
    db.session.commit()
    known = {k.id: k for k in queue.flows()}
    (row,) = queue.page(leader, Filters(tab=Tab.TEAM), world.now).rows
    assert row.id == case.id
    assert queue.flow_of(row, known[row.flow_version_id]).state(row.state).label.zh == "加办：镇街领导"
    grouped = Filters(tab=Tab.OPEN, group=queue.Group.DECISION, known=tuple(known.values()))
    assert [r.id for r in queue.page(leader, grouped, world.now).rows] == [case.id]
