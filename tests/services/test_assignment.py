"""Assignment through the services on both databases: the worker, people's acts, conflicts, moved people, many cases."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import select

from tests.builders import TOWN, World
from workflow.core.actors import SYSTEM, Role
from workflow.core.errors import Invalid, NotFound, NotPermitted, Stale, StepClosed
from workflow.data import applications, areas, audit, counters, inspections, outbox
from workflow.data.cases import Case
from workflow.data.enterprises import Enterprise
from workflow.data.organisation import TeamKind
from workflow.extensions import db
from workflow.jobs.assigning import run_assignments
from workflow.services import absences, accounts, assignment, hand_over, interests
from workflow.services import cases as case_service
from workflow.services import materials as material_service
from workflow.services import organisation as organisation_service
from workflow.services.organisation import TeamValues

BUILDING = f"{TOWN}-Z1-B01"


def work(world: World) -> int:
    """Let the worker run at the world's time."""
    done = run_assignments(lambda: world.now)
    db.session.expire_all()
    return done


def because(case: Case) -> dict[str, object]:
    """Why the case is where it is."""
    return case.assigned_because or {}


def filed(world: World, number: int = 1, **answers: str) -> list[Case]:
    """Submitted cases, each of a company of its own."""
    return [world.submitted(**answers) for _ in range(number)]


def place(code: str) -> int:
    """The id of the area with this code."""
    found = areas.by_code(code)
    assert found is not None
    return found.id


def test_a_fresh_case_is_assigned_with_its_history_row(world: World) -> None:
    officer = world.officer(Role.REVIEWER)
    (case,) = filed(world)
    assert case.assign_at == world.now
    assert work(world) == 1
    assert (case.assignee_id, case.assign_at) == (officer.person_id, None)
    assert because(case)["rung"] == "area"
    row = audit.of_case(case.id)[-1]
    assert (row.event, row.person_id, row.after) == ("assigned", 0, {"assignee": officer.person_id, "how": "rule"})
    assert counters.kept() == counters.recount()
    assert work(world) == 0


def test_nothing_stays_unassigned_while_somebody_can_take_it(world: World) -> None:
    filed(world, 3)
    assert work(world) == 3
    waiting = select(Case).where(Case.is_open, Case.assignee_id.is_(None))
    assert len(db.session.scalars(waiting).all()) == 3  # nobody holds the role yet
    first, second = world.new_officer(Role.REVIEWER), world.new_officer(Role.REVIEWER)
    filed(world, 4, size="above")
    world.later(minutes=31)
    work(world)
    assert not db.session.scalars(waiting).all()
    held = [c.assignee_id for c in db.session.scalars(select(Case))]
    assert abs(held.count(first.person_id) - held.count(second.person_id)) <= 1
    for case in db.session.scalars(select(Case)).all():
        world.step(world.officer(Role.REVIEWER), case, "accept")
        world.judge_all(case)
        world.step(world.officer(Role.REVIEWER), case, "pass_materials")
    inspector = world.officer(Role.INSPECTOR)
    work(world)
    assert {c.assignee_id for c in db.session.scalars(select(Case))} == {inspector.person_id}


def test_nobody_is_told_once_and_tried_again(world: World) -> None:
    leader = world.officer(Role.LEADER)
    (case,) = filed(world)
    before = case.version

    def told() -> list[int]:
        found = db.session.scalars(select(outbox.OutboxItem).where(outbox.OutboxItem.kind == "notice"))
        return [p for i in found if i.payload["event"] == "nobody_to_assign" for p in i.payload["people"]]

    work(world)
    assert told() == [leader.person_id]
    assert (case.assign_at, case.version) == (world.now + assignment.NOBODY_WAITS, before)
    world.later(minutes=31)
    work(world)
    assert told() == [leader.person_id]
    officer = world.officer(Role.REVIEWER)
    world.later(minutes=31)
    work(world)
    assert case.assignee_id == officer.person_id


def test_a_case_that_comes_back_goes_to_whoever_knows_it(world: World) -> None:
    first, second = world.new_officer(Role.REVIEWER), world.officer(Role.REVIEWER)
    (case,) = filed(world)
    world.step(second, case, "accept")
    assert (case.assignee_id, because(case)) == (second.person_id, {"how": "acted"})
    world.judge_all(case, commitment="请补签")
    world.step(second, case, "return_for_correction")
    assert (case.assignee_id, case.assign_at) == (None, None)
    clerk = world.clerk_of(case)
    material_service.add_file(
        world.actor(clerk), applications.of_case(case.id).id, "commitment", world.file(), world.now
    )
    world.step(clerk, case, "resubmit")
    work(world)
    assert case.assignee_id == second.person_id
    assert because(case)["rung"] == "handled"
    assert first.person_id != second.person_id


def test_the_buildings_officer_and_the_zones_team(world: World) -> None:
    world.new_officer(Role.REVIEWER)
    zone, officer = world.new_officer(Role.REVIEWER), world.new_officer(Role.REVIEWER)
    town = place(TOWN)
    values = TeamValues("天一专班", TeamKind.TEAM, town, area_ids=[place(f"{TOWN}-Z1")])
    team = organisation_service.create_team(SYSTEM, values, world.now)
    organisation_service.add_member(SYSTEM, team.id, zone.person_id, "member", world.now)
    organisation_service.name_officer(SYSTEM, place(BUILDING), officer.person_id, world.now)
    db.session.commit()
    (in_building,) = filed(world, zone=f"{TOWN}-Z1", building=BUILDING)
    (in_zone,) = filed(world, zone=f"{TOWN}-Z1", building=f"{TOWN}-Z1-B02")
    work(world)
    assert (in_building.assignee_id, because(in_building)["rung"]) == (officer.person_id, "officer")
    assert (in_zone.assignee_id, because(in_zone)["rung"]) == (zone.person_id, "zone_team")


def test_leave_passes_cases_to_the_cover(world: World) -> None:
    away, cover = world.new_officer(Role.REVIEWER), world.new_officer(Role.REVIEWER)
    (case,) = filed(world)
    assignment.assign_many(SYSTEM, [case.id], world.now, person_id=away.person_id)
    db.session.commit()
    today = dt.date(2020, 2, 15)
    absences.declare(
        world.actor(away),
        away.person_id,
        starts_on=today,
        last_on=today + dt.timedelta(days=2),
        cover_id=cover.person_id,
        hands_over=True,
        now=world.now,
    )
    db.session.commit()
    work(world)
    assert case.assignee_id == cover.person_id
    chief = world.actor(world.officer(Role.LEADER))
    with pytest.raises(Invalid, match="请假"):
        assignment.assign_to(chief, case.id, away.person_id, case.version, world.now)


def test_covers_that_cannot_be(world: World) -> None:
    one, two = world.new_officer(Role.REVIEWER), world.new_officer(Role.REVIEWER)
    inspector = world.officer(Role.INSPECTOR)
    today = dt.date(2020, 2, 15)

    def declare(person: int, cover: int | None, first: int = 0, last: int = 3, hands_over: bool = True) -> None:
        absences.declare(
            SYSTEM,
            person,
            starts_on=today + dt.timedelta(days=first),
            last_on=today + dt.timedelta(days=last),
            cover_id=cover,
            hands_over=hands_over,
            now=world.now,
        )

    for cover, words in ((one.person_id, "另选"), (inspector.person_id, "同样的职责"), (10**9, "另选")):
        with pytest.raises(Invalid, match=words):
            declare(one.person_id, cover)
    with pytest.raises(Invalid, match="不能早于"):
        declare(one.person_id, None, 3, 1)
    with pytest.raises(Invalid, match="一年之内"):
        declare(one.person_id, None, -9, -5)
    declare(one.person_id, two.person_id)
    with pytest.raises(Invalid, match="替"):
        declare(two.person_id, one.person_id)
    with pytest.raises(Invalid, match="登记过"):
        declare(one.person_id, None, 2, 9)
    declare(two.person_id, None, 5, 6)
    with pytest.raises(Invalid, match="也请假"):
        declare(one.person_id, two.person_id, 4, 9)


def test_claim_release_take_over(world: World) -> None:
    one, two = world.actor(world.new_officer(Role.REVIEWER)), world.actor(world.new_officer(Role.REVIEWER))
    (case,) = filed(world)
    with pytest.raises(StepClosed, match="没有人经办"):
        assignment.release(one, case.id, case.version, world.now)
    seen = case.version
    assignment.claim(one, case.id, seen, world.now)
    db.session.commit()
    with pytest.raises(Stale):
        assignment.claim(two, case.id, seen, world.now)
    with pytest.raises(StepClosed, match="接手"):
        assignment.claim(two, case.id, case.version, world.now)
    with pytest.raises(Invalid, match="理由"):
        assignment.take_over(two, case.id, case.version, world.now)
    with pytest.raises(NotPermitted):
        assignment.release(two, case.id, case.version, world.now)
    assignment.take_over(two, case.id, case.version, world.now, "已与本人商定")
    db.session.commit()
    assert because(case) == {"how": "taken", "from": one.person_id, "note": "已与本人商定"}
    assignment.release(two, case.id, case.version, world.now)
    db.session.commit()
    assert (case.assignee_id, case.assign_at) == (None, world.now + assignment.RELEASED_WAITS)
    work(world)
    assert case.assignee_id is None
    world.later(minutes=31)
    work(world)
    assert case.assignee_id == one.person_id
    assert [e.event for e in audit.of_case(case.id)][-4:] == ["assigned", "assigned", "released", "assigned"]


def test_only_who_leads_there_gives_to_others(world: World) -> None:
    one, two = world.new_officer(Role.REVIEWER), world.new_officer(Role.REVIEWER)
    chief, stranger = world.officer(Role.LEADER), world.officer(Role.LEADER, "330203009")
    (case,) = filed(world)
    with pytest.raises(NotPermitted):
        assignment.assign_to(world.actor(one), case.id, two.person_id, case.version, world.now)
    with pytest.raises(NotFound):
        assignment.assign_to(world.actor(stranger), case.id, two.person_id, case.version, world.now)
    with pytest.raises(Invalid, match="担任"):
        assignment.assign_to(world.actor(chief), case.id, chief.person_id, case.version, world.now)
    assignment.assign_to(world.actor(chief), case.id, two.person_id, case.version, world.now, "由你跟进")
    db.session.commit()
    assert because(case) == {"how": "given", "by": chief.person_id, "note": "由你跟进"}
    offered = assignment.candidates_for(case, world.now)
    assert [c.person_id for c in offered] == [one.person_id, two.person_id]


def test_an_interest_closes_everything(world: World) -> None:
    close, other = world.new_officer(Role.REVIEWER), world.new_officer(Role.REVIEWER)
    (case,) = filed(world)
    assignment.assign_many(SYSTEM, [case.id], world.now, person_id=close.person_id)
    uscc = db.session.get_one(Enterprise, case.enterprise_id).uscc
    interests.declare(world.actor(close), close.person_id, uscc, "relative", world.now)
    db.session.commit()
    assert case.assignee_id is None
    work(world)
    assert case.assignee_id == other.person_id
    actor = world.actor(close)
    with pytest.raises(StepClosed, match="回避"):
        assignment.take_over(actor, case.id, case.version, world.now, "我来")
    with pytest.raises(StepClosed) as caught:
        case_service.perform(actor, case.id, "accept", version=case.version, now=world.now)
    assert any("回避" in str(r) for r in caught.value.reasons)
    (result,) = assignment.assign_many(SYSTEM, [case.id], world.now, person_id=close.person_id)
    assert isinstance(result.refusal, Invalid)
    interest = interests.declare(SYSTEM, other.person_id, uscc, "own", world.now)
    with pytest.raises(NotPermitted):
        interests.withdraw(world.actor(other), interest.id, world.now)


def test_an_interest_is_declared_once_of_a_known_company_by_the_right_people(world: World) -> None:
    person = world.officer(Role.REVIEWER)
    (case,) = filed(world)
    uscc = db.session.get_one(Enterprise, case.enterprise_id).uscc
    actor = world.actor(person)
    for bad, relation, words in (
        ("9133", "own", "18"),
        ("91330201MA0000001X", "own", "校验"),
        (uscc, "cousin", "什么关系"),
    ):
        with pytest.raises(Invalid, match=words):
            interests.declare(actor, person.person_id, bad, relation, world.now)
    interests.declare(actor, person.person_id, uscc, "own", world.now)
    with pytest.raises(Invalid, match="已申报"):
        interests.declare(actor, person.person_id, uscc, "other", world.now)
    with pytest.raises(NotPermitted):
        interests.declare(actor, world.officer(Role.LEADER).person_id, uscc, "own", world.now)


def test_a_moved_or_switched_off_person_loses_the_cases_at_once(world: World) -> None:
    one, two = world.new_officer(Role.REVIEWER), world.new_officer(Role.REVIEWER)
    first, second = filed(world, 2)
    assignment.assign_many(SYSTEM, [first.id], world.now, person_id=one.person_id)
    assignment.assign_many(SYSTEM, [second.id], world.now, person_id=two.person_id)
    db.session.commit()
    (post,) = absences.acting_posts(one.person_id, dt.date(2020, 2, 15))
    accounts.move_person(SYSTEM, post.id, "330203009", world.now)
    db.session.commit()
    db.session.expire_all()
    assert (first.assignee_id, second.assignee_id) == (None, two.person_id)
    work(world)
    assert first.assignee_id == two.person_id
    accounts.set_active(SYSTEM, two.id, False, world.now)
    db.session.commit()
    db.session.expire_all()
    assert (first.assignee_id, second.assignee_id) == (None, None)


def test_the_worker_finds_appointments_that_ended_by_date(world: World) -> None:
    one, two = world.new_officer(Role.REVIEWER), world.new_officer(Role.REVIEWER)
    (case,) = filed(world)
    assignment.assign_many(SYSTEM, [case.id], world.now, person_id=one.person_id)
    (post,) = absences.acting_posts(one.person_id, dt.date(2020, 2, 15))
    post.ends_on = dt.date(2020, 2, 16)
    db.session.commit()
    assert work(world) == 0
    world.later(days=1)
    work(world)
    assert case.assignee_id == two.person_id


def test_handing_over_to_one_and_by_the_rules(world: World) -> None:
    one, two, three = (world.new_officer(Role.REVIEWER) for _ in range(3))
    chief = world.actor(world.officer(Role.LEADER))
    found = filed(world, 4)
    assignment.assign_many(SYSTEM, [c.id for c in found], world.now, person_id=one.person_id)
    db.session.commit()
    (stack,) = hand_over.preview(chief, one.person_id, world.now)
    assert (stack.number, stack.holder) == (4, "reviewer")
    assert {p.id for p in hand_over.takers(chief, one.person_id, world.now)} == {two.person_id, three.person_id}
    with pytest.raises(Invalid, match="现为"):
        hand_over.hand_over(chief, one.person_id, None, 3, world.now)
    results = hand_over.hand_over(chief, one.person_id, None, 4, world.now)
    db.session.commit()
    assert sorted(r.person_id or 0 for r in results) == sorted([two.person_id, three.person_id] * 2)
    hand_over.hand_over(chief, two.person_id, three.person_id, 2, world.now)
    db.session.commit()
    db.session.expire_all()
    assert {c.assignee_id for c in found} == {three.person_id}
    with pytest.raises(NotPermitted):
        hand_over.hand_over(world.actor(three), three.person_id, None, 4, world.now)
    with pytest.raises(Invalid, match="没有"):
        hand_over.hand_over(chief, one.person_id, None, 0, world.now)


def test_many_at_once_refuses_one_by_one(world: World) -> None:
    officer, chief = world.officer(Role.REVIEWER), world.actor(world.officer(Role.LEADER))
    first, second = filed(world, 2)
    (elsewhere,) = filed(world, town="330203009")
    results = assignment.assign_many(
        chief, [first.id, second.id, elsewhere.id, 10**9], world.now, versions={second.id: 1 + second.version}
    )
    assert [type(r.refusal) for r in results] == [type(None), Stale, NotFound, NotFound]
    db.session.commit()
    assert (first.assignee_id, second.assignee_id) == (officer.person_id, None)
    assert not list(audit.verify())


def test_a_decision_is_not_given_to_who_inspected(world: World) -> None:
    chief, other = world.officer(Role.LEADER), world.new_officer(Role.LEADER)
    case = world.scheduled()
    visit = inspections.of_case(case.id)[0]
    visit.second_id = chief.person_id
    db.session.commit()
    world.conclude(case)
    work(world)
    assert (case.holder, case.assignee_id) == ("leader", other.person_id)
    assert [chief.person_id, "area", "conflict"] in because(case)["passed"]  # type: ignore[operator]
