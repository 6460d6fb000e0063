"""Appointments: overlaps and days off, the company's word on the time, the officer's answer, and the day's route."""

from __future__ import annotations

import datetime as dt

import pytest

from tests.builders import TOWN, World
from tests.services.visits import planned, schedule
from workflow.core.actors import Role
from workflow.core.errors import Invalid, NotFound, NotPermitted, Stale, StepClosed
from workflow.core.times import shanghai_day
from workflow.data import audit, catalogue
from workflow.data.cases import Case
from workflow.data.flows import FlowVersion, digest_of
from workflow.data.inspections import Inspection
from workflow.data.outbox import OutboxItem
from workflow.data.people import PersonAppointment
from workflow.extensions import db
from workflow.services import appointments as service
from workflow.services import day_routes
from workflow.services import inspections as inspection_service
from workflow.services.inspections import Appointment

HOUR = dt.timedelta(hours=1)


def _told(event: str) -> list[dict]:
    items = db.session.query(OutboxItem).filter(OutboxItem.kind.in_(["notice", "message"])).all()
    return [i.payload for i in items if i.payload.get("event") == event]


def _change(world: World, case: Case, visit: Inspection, at: dt.datetime, **changes: object) -> None:
    wanted = Appointment(at, visit.lead_id, visit.second_id, visit.meeting_point, **changes)  # type: ignore[arg-type]
    first = world.actor(world.inspectors()[0])
    inspection_service.schedule(first, case.id, "change_appointment", wanted, version=case.version, now=world.now)
    db.session.commit()


def test_the_same_time_is_refused_unless_it_is_meant_and_an_overlap_is_remarked(world: World) -> None:
    first_case, case = world.scheduled(), world.reviewed()
    at = planned(first_case).visit_at
    with pytest.raises(Invalid) as refused:
        schedule(world, case, visit_at=at, overlap_ok=False)
    assert refused.value.field == "overlap_ok"
    assert f"{at + 8 * HOUR:%Y-%m-%d %H:%M}" in str(refused.value)
    db.session.rollback()
    schedule(world, case, visit_at=at + HOUR, overlap_ok=False)
    remarks = [str(r) for r in service.remarks(planned(case))]
    assert any("时间有重叠" in r and "09:30" not in r[:3] for r in remarks)
    third = world.reviewed()
    schedule(world, third, visit_at=at, overlap_ok=True)
    assert planned(third).visit_at == at


def test_who_judged_the_papers_is_not_sent_where_the_flow_says_so(world: World) -> None:
    text = catalogue.flow_text("city-small").replace(
        '"inspectors_not_of_company"]', '"inspectors_not_of_company", "inspector_not_reviewer"]'
    )
    case = world.reviewed()
    reviewer = world.officer(Role.REVIEWER)
    appoint = PersonAppointment(
        person_id=reviewer.person_id,
        role=Role.INSPECTOR,
        area_id=case.town_id,
        starts_on=shanghai_day(world.now),
    )
    db.session.add(appoint)
    version = case.flow_version
    case.flow_version = FlowVersion(
        key=version.key,
        revision=version.revision + 1,
        text=text,
        digest=digest_of(text),
        area_id=version.area_id,
        effective_on=version.effective_on,
        published_at=version.published_at,
    )
    db.session.commit()
    with pytest.raises(StepClosed) as refused:
        schedule(world, case, second_id=reviewer.person_id)
    assert "核查员审核过本案材料，应另派他人" in [str(r) for r in refused.value.reasons]
    db.session.rollback()
    assert schedule(world, case).state == "inspecting"


def test_a_day_off_is_remarked(world: World) -> None:
    case = world.reviewed()
    schedule(world, case, visit_at=dt.datetime(2020, 2, 22, 2, 0, tzinfo=dt.UTC))  # a Saturday
    assert any("不是工作日" in str(r) for r in service.remarks(planned(case)))


@pytest.mark.parametrize("minutes", [0, 14, 481, 10**9])
def test_a_visit_takes_a_sensible_time(world: World, minutes: int) -> None:
    with pytest.raises(Invalid) as refused:
        schedule(world, world.reviewed(), duration_minutes=minutes)
    assert refused.value.field == "duration_minutes"


def test_the_company_confirms_and_a_change_asks_it_again(world: World) -> None:
    case = world.scheduled()
    visit, clerk = planned(case), world.actor(world.clerk_of(case))
    service.confirm(clerk, visit.id, visit.sequence, world.now)
    service.confirm(clerk, visit.id, visit.sequence, world.later(minutes=1))
    db.session.commit()
    assert visit.confirmed_by == clerk.person_id
    assert [sorted(n["people"]) for n in _told("visit_confirmed")] == [sorted({visit.lead_id, visit.second_id})]
    _change(world, case, visit, visit.visit_at + 3 * HOUR)
    assert (visit.confirmed_at, visit.sequence) == (None, 1)
    with pytest.raises(Stale):
        service.confirm(clerk, visit.id, 0, world.now)


def test_only_the_company_itself_confirms(world: World) -> None:
    visit = planned(world.scheduled())
    for other in (world.actor(world.company()), world.actor(world.inspectors()[0])):
        with pytest.raises(NotFound):
            service.confirm(other, visit.id, visit.sequence, world.now)
        with pytest.raises(NotFound):
            service.ask_for_another_time(other, visit.id, visit.sequence, None, "停电", world.now)


def test_a_wish_that_is_met_is_confirmed_by_it(world: World) -> None:
    case = world.scheduled()
    visit, clerk = planned(case), world.actor(world.clerk_of(case))
    wanted = visit.visit_at + 5 * HOUR
    service.ask_for_another_time(clerk, visit.id, visit.sequence, wanted, " 当天停电\u202e ", world.now)
    db.session.commit()
    assert (visit.wish_status, visit.wish_words, visit.wish_at) == ("open", "当天停电", wanted)
    assert len(_told("visit_wished")) == 1
    _change(world, case, visit, wanted)
    assert (visit.wish_status, visit.visit_at, visit.confirmed_by) == ("accepted", wanted, clerk.person_id)


def test_another_time_than_the_wished_one_is_asked_about_again(world: World) -> None:
    case = world.scheduled()
    visit, clerk = planned(case), world.actor(world.clerk_of(case))
    service.ask_for_another_time(clerk, visit.id, visit.sequence, None, "负责人外出", world.now)
    _change(world, case, visit, visit.visit_at + 2 * HOUR)
    assert (visit.wish_status, visit.confirmed_at) == ("moved", None)


def test_a_wish_is_kept_with_words_by_an_officer_of_the_place(world: World) -> None:
    case = world.scheduled()
    visit, clerk = planned(case), world.actor(world.clerk_of(case))
    service.ask_for_another_time(clerk, visit.id, visit.sequence, None, "负责人外出", world.now)
    db.session.commit()
    inspector = world.actor(world.inspectors()[0])
    with pytest.raises(Invalid):
        service.keep_time(inspector, visit.id, "  ", world.now)
    for other, error in ((clerk, NotPermitted), (world.actor(world.officer(Role.AUDITOR, "3302")), NotPermitted)):
        with pytest.raises(error):
            service.keep_time(other, visit.id, "不改", world.now)
    far = world.actor(world.new_officer(Role.INSPECTOR, "330206004"))
    with pytest.raises(NotFound):
        service.keep_time(far, visit.id, "不改", world.now)
    service.keep_time(inspector, visit.id, "当天必须查", world.now)
    assert (visit.wish_status, visit.wish_answer) == ("kept", "当天必须查")
    assert len(_told("visit_kept")) == 1
    with pytest.raises(StepClosed):
        service.keep_time(inspector, visit.id, "再答复一次", world.now)
    assert {"visit_wished", "wish_answered"} <= {e.event for e in audit.of_case(case.id)}


@pytest.mark.parametrize("hours", [-48, 24 * 61, 0])
def test_a_wished_time_lies_ahead_and_is_another_one(world: World, hours: int) -> None:
    case = world.scheduled()
    visit, clerk = planned(case), world.actor(world.clerk_of(case))
    wanted = visit.visit_at if hours == 0 else world.now + hours * HOUR
    with pytest.raises(Invalid) as refused:
        service.ask_for_another_time(clerk, visit.id, visit.sequence, wanted, "停电", world.now)
    assert refused.value.field == "wish_at"


def test_a_concluded_visit_is_not_answered(world: World) -> None:
    case = world.conclude(world.scheduled())
    (visit,) = case_visits(case)
    with pytest.raises(StepClosed):
        service.confirm(world.actor(world.clerk_of(case)), visit.id, visit.sequence, world.now)


def case_visits(case: Case) -> list[Inspection]:
    """Every visit of a case."""
    return db.session.query(Inspection).filter_by(case_id=case.id).all()


def test_the_route_is_in_the_order_of_time_with_what_to_look_at_first(world: World) -> None:
    late, early = world.scheduled(key_area_count="3"), world.scheduled(hazardous="yes")
    _change(world, early, planned(early), planned(late).visit_at - HOUR)
    inspector = world.actor(world.inspectors()[0])
    day = shanghai_day(planned(late).visit_at)
    stops = [s for stretch in day_routes.route(inspector, day, mine=True) for s in stretch.stops]
    assert [s.visit.case_id for s in stops] == [early.id, late.id]
    assert "涉及危险化学品" in [str(r) for r in stops[0].first]
    assert "重点疫情地区人员 3 人" in [str(r) for r in stops[1].first]
    assert day_routes.route(inspector, day + dt.timedelta(days=1), mine=True) == []
    planner = world.actor(world.officer(Role.LEADER, TOWN))
    assert sum(len(s.stops) for s in day_routes.route(planner, day, mine=False)) == 2
    assert day_routes.route(planner, day, mine=True) == []
    far = world.actor(world.new_officer(Role.INSPECTOR, "330206004"))
    assert day_routes.route(far, day, mine=False) == []


def test_calendar_entries_name_no_person(world: World) -> None:
    case = world.scheduled()
    visit = planned(case)
    (entry,) = day_routes.entries([visit], check="核查：", recheck="复查：", meet="集合：")
    text = " ".join((entry.title, entry.place, entry.words, entry.url))
    assert case.enterprise_name in entry.title
    for private in (visit.lead.name, visit.second.name, case.facts["contact_name"], case.facts["contact_mobile"]):
        assert private not in text
