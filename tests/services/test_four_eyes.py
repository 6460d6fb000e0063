"""Four eyes are by person, not by account or role, and nobody acts for the authorities on their own company's case."""

from __future__ import annotations

import dataclasses

import pytest

from tests.builders import TOWN, World, measured
from workflow.core.actors import SYSTEM, Role
from workflow.core.errors import NotPermitted, StepClosed
from workflow.core.times import shanghai_day
from workflow.data import applications, inspections, materials, people
from workflow.data.enterprises import EnterpriseMember
from workflow.data.people import Account
from workflow.extensions import db
from workflow.services import accounts
from workflow.services import cases as case_service
from workflow.services import inspections as inspection_service
from workflow.services import materials as material_service
from workflow.services import passes as pass_service


def appoint(world: World, account: Account, role: Role, area: str = TOWN) -> None:
    """Give the person one more role."""
    accounts.appoint(SYSTEM, person_id=account.person_id, role=role.value, area_code=area, bureau=None, now=world.now)
    db.session.commit()


def second_account(world: World, account: Account) -> Account:
    """Another login of the same person."""
    other = Account(login=f"{account.login}-b", person_id=account.person_id, password_hash="-", created_at=world.now)
    db.session.add(other)
    db.session.commit()
    return other


@pytest.mark.parametrize("which", [0, 1], ids=["lead", "second"])
@pytest.mark.parametrize("action", ["approve", "refuse", "return_to_review"])
def test_who_inspected_does_not_decide(world: World, which: int, action: str) -> None:
    inspector = world.inspectors()[which]
    case = world.conclude(world.scheduled())
    appoint(world, inspector, Role.LEADER)
    for account in (inspector, second_account(world, inspector)):
        actor = world.actor(account)
        assert Role.LEADER in actor.roles
        (step,) = [s for s in case_service.open_steps(actor, case, world.now) if s.step.action == action]
        assert not step.is_open
        with pytest.raises(StepClosed) as refused:
            case_service.perform(actor, case.id, action, version=case.version, now=world.now, note="同意")
        assert "实地核查" in str(refused.value.reasons[0])
    world.step(world.officer(Role.LEADER), case, action)


def test_who_inspected_an_earlier_visit_does_not_decide_either(world: World) -> None:
    inspector = world.inspectors()[0]
    case = world.scheduled()
    code = next(i.code for i in inspections.of_case(case.id)[0].items)
    world.conclude(case, "order_rectification", code, words="请整改")
    (person_id,) = case_service.case_facts(case, world.now).company_people
    clerk = db.session.query(Account).filter_by(person_id=person_id)
    remedies = {code: "已整改"}
    inspection_service.report_rectified(
        world.actor(clerk.one()), case.id, "report_rectified", remedies, version=case.version, now=world.now
    )
    third, fourth = world.new_officer(Role.INSPECTOR), world.new_officer(Role.INSPECTOR)
    appointment = inspection_service.Appointment(world.later(hours=3), third.person_id, fourth.person_id)
    inspection_service.schedule(
        world.actor(third), case.id, "schedule_inspection", appointment, version=case.version, now=world.now
    )
    visit = inspection_service.planned(case)
    assert visit is not None
    entries = {i.code: inspection_service.ItemEntry("conform", measured(i.code)) for i in visit.items}
    inspection_service.save_sheet(world.actor(third), visit.id, entries, revision=visit.revision, now=world.now)
    inspection_service.conclude(
        world.actor(third),
        visit.id,
        "pass_inspection",
        version=case.version,
        words="",
        rectify_by_on=None,
        now=world.later(hours=1),
    )
    db.session.commit()
    appoint(world, inspector, Role.LEADER)
    with pytest.raises(StepClosed):
        case_service.perform(
            world.actor(inspector), case.id, "approve", version=case.version, now=world.now, note="同意"
        )


def test_the_bureau_and_the_group_are_bound_too(world: World) -> None:
    inspector = world.inspectors()[0]
    case = world.conclude(world.scheduled(size="above", head_count="860"))
    world.step(world.officer(Role.LEADER), case, "endorse")
    county = case.county.code
    world.step(world.officer(Role.BUREAU_REVIEWER, county, case.bureau), case, "agree")
    appoint(world, inspector, Role.LEADING_GROUP, county)
    with pytest.raises(StepClosed):
        case_service.perform(
            world.actor(inspector), case.id, "approve", version=case.version, now=world.now, note="同意"
        )


def test_a_clerk_who_is_also_an_officer_acts_on_other_companies_only(world: World) -> None:
    clerk = world.company()
    for role in (Role.REVIEWER, Role.INSPECTOR, Role.LEADER):
        appoint(world, clerk, role)
    own, other = world.submitted(clerk), world.submitted()
    both = world.actor(clerk)
    assert {Role.FILER, Role.REVIEWER} <= both.roles
    with pytest.raises(StepClosed) as refused:
        case_service.perform(both, own.id, "accept", version=own.version, now=world.now)
    assert "回避" in str(refused.value.reasons[0])
    world.step(clerk, other, "accept")
    world.step(world.officer(Role.REVIEWER), own, "accept")

    material = materials.of_application(applications.of_case(own.id).id)[0]
    assert not material_service.may_judge(both, own)
    assert material_service.may_judge(both, other)
    with pytest.raises(NotPermitted):
        material_service.judge(
            both,
            own.id,
            material.id,
            verdict="ok",
            words="",
            late_reason="",
            seen_rev=material.content_rev,
            now=world.now,
        )
    assert material.verdict == "pending"


def test_a_clerk_who_is_also_an_officer_grants_no_pass_to_own_company(world: World) -> None:
    clerk = world.company()
    case = world.approved(clerk)
    appoint(world, clerk, Role.LEADER)
    asked = pass_service.request_pass(world.actor(clerk), case.id, world.pass_request(), world.now)
    db.session.commit()
    for act in (
        lambda: pass_service.grant(world.actor(clerk), asked.id, world.now),
        lambda: pass_service.refuse(world.actor(clerk), asked.id, "不行", world.now),
    ):
        with pytest.raises(NotPermitted):
            act()
    assert asked.status == "requested"


def test_a_company_person_is_not_appointed_to_inspect_it(world: World) -> None:
    clerk = world.company()
    case = world.reviewed(clerk)
    first, _second = world.inspectors()
    appoint(world, clerk, Role.INSPECTOR)
    appointment = inspection_service.Appointment(world.later(hours=3), first.person_id, clerk.person_id)
    with pytest.raises(StepClosed) as refused:
        inspection_service.schedule(
            world.actor(first), case.id, "schedule_inspection", appointment, version=case.version, now=world.now
        )
    assert "本企业" in str(refused.value.reasons[0])
    db.session.rollback()
    assert inspections.of_case(case.id) == []


def test_an_inspector_who_joined_the_company_later_concludes_nothing(world: World) -> None:
    clerk = world.company()
    case = world.scheduled(clerk)
    visit = world.fill_sheet(case)
    first, second = world.inspectors()
    db.session.add(EnterpriseMember(enterprise_id=case.enterprise_id, person_id=first.person_id))
    db.session.commit()
    values = {"version": case.version, "words": "", "rectify_by_on": None, "now": world.now}
    with pytest.raises(StepClosed):
        inspection_service.conclude(world.actor(first), visit.id, "pass_inspection", **values)
    db.session.rollback()
    inspection_service.conclude(world.actor(second), visit.id, "pass_inspection", **values)
    assert case.state == "awaiting_decision"


def test_the_system_is_nobody_who_may_act(world: World) -> None:
    case = world.submitted()
    assert SYSTEM.roles == frozenset()
    named = dataclasses.replace(SYSTEM, enterprise_ids=frozenset({case.enterprise_id}))
    assert [s.step.action for s in case_service.open_steps(SYSTEM, case, world.now)] == []
    assert [s.step.action for s in case_service.open_steps(named, case, world.now)] == []
    assert people.current_appointments(0, shanghai_day(world.now)) == []
