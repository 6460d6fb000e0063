"""Opinions of departments: asked by the flow or an officer, answered once by the right people, reminded, taken back."""

from __future__ import annotations

import datetime as dt

import pytest
from flask import Flask
from sqlalchemy import select

from tests.builders import TOWN, World
from tests.services.asking import COUNTY, OTHER_COUNTY, department, publish_asking, request_to
from tests.services.together import together
from workflow.core.actors import SYSTEM, Role
from workflow.core.errors import Invalid, NotFound, NotPermitted, Stale, StepClosed
from workflow.core.times import shanghai_day
from workflow.data import audit, cases, materials, people
from workflow.data.cases import Case
from workflow.data.enterprises import EnterpriseMember
from workflow.data.materials import MaterialFile
from workflow.data.opinions import OpinionRequest
from workflow.data.people import Account
from workflow.extensions import db
from workflow.services import accounts, clocks
from workflow.services import cases as case_service
from workflow.services import materials as material_service
from workflow.services import opinions as service


@pytest.fixture
def asked(world: World) -> Case:
    """A case whose flow asked the health and the emergency bureau."""
    publish_asking(world)
    return world.reviewed()


def answer(world: World, case: Case, code: str, stance: str = "agree", words: str = "") -> OpinionRequest:
    """Let a department answer."""
    actor = world.actor(department(world, code))
    found = service.answer(actor, request_to(case, code).id, stance, words, world.later(minutes=5))
    db.session.commit()
    return found


def ask_more(world: World, case: Case, code: str = "shichang", question: str = "冷链是否合规？", days: int = 2) -> int:
    """Let the officer in charge ask a further department."""
    officer = world.actor(world.officer(Role(case.holder)))
    found = service.ask_more(officer, case.id, code, question, days, version=case.version, now=world.now)
    db.session.commit()
    return found.id


def clerk_of(case: Case) -> Account:
    """The clerk of the case's company."""
    query = select(Account).join(EnterpriseMember, EnterpriseMember.person_id == Account.person_id)
    return db.session.scalars(query.where(EnterpriseMember.enterprise_id == case.enterprise_id)).one()


def events(case: Case) -> list[str]:
    """What history says happened with opinions."""
    return [e.event for e in audit.of_case(case.id) if e.event.startswith("opinion_")]


def test_the_flow_asks_and_the_decision_waits_for_every_answer(world: World, asked: Case) -> None:
    first = request_to(asked, "weijian")
    assert (first.status, first.county_id, first.cycle) == ("open", asked.county_id, 1)
    case = world.conclude(world.schedule(asked))
    leader = world.officer(Role.LEADER)
    with pytest.raises(StepClosed) as refused:
        world.step(leader, case, "approve")
    assert [str(r) for r in refused.value.reasons] == ["还有 2 个部门未答复意见"]
    db.session.rollback()
    answer(world, case, "weijian")
    answer(world, case, "yingji", "agree_if", "补一次消防演练")
    assert world.step(leader, case, "approve").state == "approved"
    assert events(case) == ["opinion_asked", "opinion_asked", "opinion_given", "opinion_given"]
    given = [e for e in audit.of_case(case.id) if e.event == "opinion_given"]
    assert {e.role for e in given} == {"department"}
    assert "消防" not in str([e.after for e in given]), "history keeps no words"


def test_an_objection_stands_in_the_way(world: World, asked: Case) -> None:
    case = world.conclude(world.schedule(asked))
    answer(world, case, "weijian", "against", "隔离场所不足")
    answer(world, case, "yingji")
    with pytest.raises(StepClosed) as refused:
        world.step(world.officer(Role.LEADER), case, "approve")
    assert [str(r) for r in refused.value.reasons] == ["有 1 个部门不同意"]


def test_a_second_answer_is_refused_in_words(world: World, asked: Case) -> None:
    answer(world, asked, "weijian")
    with pytest.raises(StepClosed, match="已经答复"):
        answer(world, asked, "weijian", "against", "改主意了")
    assert request_to(asked, "weijian").stance == "agree"


def test_two_answers_at_once_leave_one(world: World, app: Flask, asked: Case) -> None:
    first, second = world.new_officer(Role.DEPARTMENT, COUNTY, "weijian"), department(world)
    request_id, now = request_to(asked, "weijian").id, world.now
    answers = [(world.actor(first), "agree"), (world.actor(second), "against")]
    acts = [lambda a=a, s=s: service.answer(a, request_id, s, "理由", now).stance for a, s in answers]
    outcomes = together(app, *acts)
    assert sum(isinstance(o, StepClosed) for o in outcomes) == 1
    assert sum(isinstance(o, str) for o in outcomes) == 1


@pytest.mark.parametrize(
    ("stance", "words", "field"),
    [("agree_if", " ", "words"), ("against", "", "words"), ("maybe", "好", "stance"), ("agree", "长" * 2001, "words")],
)
def test_what_is_missing_is_named(world: World, asked: Case, stance: str, words: str, field: str) -> None:
    with pytest.raises(Invalid) as refused:
        answer(world, asked, "weijian", stance, words)
    assert refused.value.field == field


def test_only_people_of_that_department_in_that_county_answer(world: World, asked: Case) -> None:
    request_id = request_to(asked, "weijian").id
    strangers = [
        department(world, "yingji"),
        department(world, "weijian", OTHER_COUNTY),
        world.officer(Role.LEADER),
        world.officer(Role.BUREAU_REVIEWER, COUNTY, "jingxin"),
        world.company(),
    ]
    for stranger in strangers:
        with pytest.raises(NotFound):
            service.answer(world.actor(stranger), request_id, "agree", "", world.now)


def test_nobody_speaks_for_a_department_about_the_own_company(world: World, asked: Case) -> None:
    officer = department(world)
    db.session.add(EnterpriseMember(enterprise_id=asked.enterprise_id, person_id=officer.person_id))
    db.session.commit()
    with pytest.raises(NotPermitted, match="回避"):
        service.answer(world.actor(officer), request_to(asked, "weijian").id, "agree", "", world.now)


def test_whoever_was_moved_has_lost_the_inbox(world: World, asked: Case) -> None:
    officer = world.new_officer(Role.DEPARTMENT, COUNTY, "weijian")
    assert len(service.inbox(world.actor(officer))[0]) == 1
    (held,) = people.current_appointments(officer.person_id, shanghai_day(world.now))
    accounts.move_person(SYSTEM, held.id, OTHER_COUNTY, world.now)
    db.session.commit()
    actor = world.actor(officer)
    assert service.inbox(actor) == ([], [])
    assert service.count_waiting(actor) == 0
    with pytest.raises(NotFound):
        service.answer(actor, request_to(asked, "weijian").id, "agree", "", world.now)


def test_a_department_sees_the_cases_it_was_asked_about_and_their_files(world: World, asked: Case) -> None:
    other = world.submitted()
    actor, stranger = world.actor(department(world)), world.actor(department(world, "gongan"))
    assert set(db.session.scalars(cases.visible_to(actor).with_only_columns(Case.id))) == {asked.id}
    assert other.id != asked.id
    file = next(f for m in materials.of_case(asked.id) for f in m.files)
    assert material_service.get_file(actor, file.id).id == file.id
    assert db.session.scalars(materials.visible_files(stranger).with_only_columns(MaterialFile.id)).all() == []
    assert service.only_as_department(actor, asked)
    assert not service.only_as_department(world.actor(world.officer(Role.LEADER)), asked)
    assert case_service.open_steps(actor, asked, world.now) == []


def test_an_officer_whose_turn_it_is_asks_a_further_department(world: World) -> None:
    case = world.submitted()
    found = db.session.get_one(OpinionRequest, ask_more(world, case))
    assert (found.question, found.status, found.asked_by > 0) == ("冷链是否合规？", "open", True)
    assert found.due_at == dt.datetime(2020, 2, 18, 16, tzinfo=dt.UTC), "two working days after Saturday the 15th"
    assert [line.request.id for line in service.inbox(world.actor(department(world, "shichang")))[0]] == [found.id]
    with pytest.raises(StepClosed, match="正在征求"):
        ask_more(world, case)
    db.session.rollback()
    answer(world, case, "shichang")
    assert ask_more(world, case) != found.id, "an answered department may be asked again"


def test_others_do_not_ask(world: World) -> None:
    case = world.submitted()
    strangers = [world.officer(Role.LEADER), world.officer(Role.INSPECTOR), world.officer(Role.AUDITOR, COUNTY)]
    for stranger in strangers:
        with pytest.raises(NotPermitted):
            service.ask_more(world.actor(stranger), case.id, "weijian", "?", 2, version=case.version, now=world.now)
    with pytest.raises(NotPermitted):
        service.ask_more(world.actor(clerk_of(case)), case.id, "weijian", "?", 2, version=case.version, now=world.now)
    elsewhere = world.actor(world.officer(Role.REVIEWER, "330203003"))
    with pytest.raises(NotFound):
        service.ask_more(elsewhere, case.id, "weijian", "?", 2, version=case.version, now=world.now)


def test_a_stale_page_asks_nobody(world: World) -> None:
    case = world.submitted()
    seen = case.version
    world.step(world.officer(Role.REVIEWER), case, "accept")
    officer = world.actor(world.officer(Role.REVIEWER))
    with pytest.raises(Stale):
        service.ask_more(officer, case.id, "weijian", "?", 2, version=seen, now=world.now)


@pytest.mark.parametrize(
    ("code", "question", "days", "field"),
    [("nobody", "?", 2, "department"), ("weijian", " ", 2, "question"), ("weijian", "?", 0, "days"),
     ("weijian", "?", 31, "days")],
)  # fmt: skip
def test_a_question_is_whole(world: World, code: str, question: str, days: int, field: str) -> None:
    case = world.submitted()
    with pytest.raises(Invalid) as refused:
        ask_more(world, case, code, question, days)
    assert refused.value.field == field


def test_a_department_is_reminded_once_a_working_day(world: World) -> None:
    case = world.submitted()
    request_id = ask_more(world, case)
    officer = world.actor(world.officer(Role.REVIEWER))
    service.remind(officer, request_id, world.now)
    for hours in (1, 24):  # Saturday and Sunday belong to one working day's reminder
        with pytest.raises(StepClosed, match="已经催办"):
            service.remind(officer, request_id, world.now + dt.timedelta(hours=hours))
    assert service.remind(officer, request_id, world.now + dt.timedelta(days=2)).reminders == 2
    with pytest.raises(NotFound):
        service.remind(world.actor(world.officer(Role.REVIEWER, "330203003")), request_id, world.now)
    with pytest.raises(NotPermitted):
        service.remind(world.actor(world.officer(Role.AUDITOR, COUNTY)), request_id, world.now)


def test_the_clock_reminds_whoever_is_late(world: World) -> None:
    case = world.submitted()
    request_id = ask_more(world, case)
    late = world.now + dt.timedelta(days=4)
    assert clocks.remind_one(late) == request_id
    assert clocks.remind_one(late) is None
    db.session.commit()
    with pytest.raises(StepClosed, match="已经催办"):
        service.remind(world.actor(world.officer(Role.REVIEWER)), request_id, late)
    answer(world, case, "shichang")
    assert db.session.get_one(OpinionRequest, request_id).clock_at is None


def test_a_request_taken_back_holds_nothing_up_and_takes_no_answer(world: World, asked: Case) -> None:
    case = world.conclude(world.schedule(asked))
    leader = world.actor(world.officer(Role.LEADER))
    with pytest.raises(Invalid, match="为何撤回"):
        service.withdraw(leader, request_to(case, "weijian").id, " ", world.now)
    for code in ("weijian", "yingji"):
        service.withdraw(leader, request_to(case, code).id, "改由现场会商", world.now)
    db.session.commit()
    with pytest.raises(StepClosed, match="撤回"):
        answer(world, case, "weijian")
    db.session.rollback()
    with pytest.raises(StepClosed):
        service.withdraw(leader, request_to(case, "weijian").id, "再撤一次", world.now)
    assert world.step(world.officer(Role.LEADER), case, "approve").state == "approved"
    assert events(case)[-2:] == ["opinion_withdrawn", "opinion_withdrawn"]


def test_only_whoever_acts_now_or_asked_takes_a_request_back(world: World) -> None:
    case = world.submitted()
    request_id = ask_more(world, case)
    with pytest.raises(NotPermitted):
        service.withdraw(world.actor(world.officer(Role.LEADER)), request_id, "不用了", world.now)
    with pytest.raises(NotPermitted):
        service.withdraw(world.actor(department(world, "shichang")), request_id, "不用了", world.now)
    asker = world.officer(Role.REVIEWER)
    world.step(asker, case, "accept")
    assert service.withdraw(world.actor(asker), request_id, "不用了", world.now).status == "withdrawn"


def test_what_was_open_when_the_case_was_refused_counts_when_it_is_reopened(world: World, asked: Case) -> None:
    case = world.conclude(world.schedule(asked))
    leader = world.officer(Role.LEADER)
    answer(world, case, "yingji")
    world.step(leader, case, "refuse")
    assert service.count_waiting(world.actor(department(world))) == 0
    world.step(leader, case, "reopen")
    assert service.count_waiting(world.actor(department(world))) == 1
    world.judge_all(case)
    world.step(world.officer(Role.REVIEWER), case, "pass_materials")
    case = world.conclude(world.schedule(case))
    answer(world, case, "yingji")
    answer(world, case, "weijian", "against", "隔离场所不足")
    with pytest.raises(StepClosed) as refused:
        world.step(leader, case, "approve")
    assert [str(r) for r in refused.value.reasons] == ["有 1 个部门不同意"]


def test_people_of_the_company_never_get_the_officers_page(world: World) -> None:
    case = world.submitted()
    request_id = ask_more(world, case)
    clerk = world.actor(clerk_of(case))
    with pytest.raises(NotPermitted):
        service.ask_more(clerk, case.id, "weijian", "?", 2, version=case.version + 7, now=world.now)
    world.step(clerk_of(case), case, "withdraw")
    for act in (lambda: service.remind(clerk, request_id, world.now),
                lambda: service.withdraw(clerk, request_id, "-", world.now)):  # fmt: skip
        with pytest.raises(NotPermitted):
            act()


def test_a_closed_case_takes_no_answer(world: World, asked: Case) -> None:
    request_id = request_to(asked, "weijian").id
    world.step(clerk_of(asked), asked, "withdraw")
    with pytest.raises(StepClosed, match="已办结"):
        answer(world, asked, "weijian")
    db.session.rollback()
    assert db.session.get_one(OpinionRequest, request_id).status == "open"
    assert service.inbox(world.actor(department(world)))[0] == [], "nothing to do about a closed case"
    assert service.count_waiting(world.actor(department(world))) == 0
    leader = world.actor(world.officer(Role.LEADER))
    for act in (lambda: service.remind(leader, request_id, world.now),
                lambda: service.withdraw(leader, request_id, "-", world.now)):  # fmt: skip
        with pytest.raises(StepClosed):
            act()


@pytest.mark.parametrize(
    ("area", "code", "field"),
    [(COUNTY, None, "bureau"), (COUNTY, "nobody", "bureau"), (TOWN, "weijian", "area"), ("3302", "weijian", "area")],
)
def test_a_department_is_appointed_for_a_county_with_its_code(
    world: World, area: str, code: str | None, field: str
) -> None:
    officer = world.new_officer(Role.GUARD)
    values = {"person_id": officer.person_id, "role": "department", "area_code": area, "bureau": code}
    with pytest.raises(Invalid) as refused:
        accounts.appoint(SYSTEM, **values, now=world.now)
    assert refused.value.field == field
