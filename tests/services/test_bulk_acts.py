"""The acts of bulk jobs, one by one: decisions, visits of one day, reminders, assigning."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import select

from tests.builders import World
from tests.services.bulk_jobs import clock, copies, stored, wanted
from workflow.core.actors import Role
from workflow.core.errors import Invalid
from workflow.data import inspections
from workflow.data.bulk import BulkRow
from workflow.data.decisions import Opinion
from workflow.extensions import db
from workflow.jobs import drain
from workflow.services import bulk, bulk_acts
from workflow.services.bulk import Wanted


def test_decisions_need_an_opinion_each(world: World) -> None:
    cases = [world.conclude(world.scheduled()) for _ in range(3)]
    leader = world.actor(world.officer(Role.LEADER))
    approve = {"step": "approve"}
    offered = bulk_acts.steps_on_offer(leader, cases, bulk_acts.is_decision)
    assert {step.action for step, _n in offered} == {"approve", "refuse"}
    assert bulk_acts.steps_on_offer(leader, cases, bulk_acts.is_plain) == []
    same = [Wanted(c.id, c.version, "同意", checked=n == 0) for n, c in enumerate(cases)]
    with pytest.raises(Invalid, match="逐件"):
        bulk.start(leader, "decide", approve, same, world.now)
    with pytest.raises(Invalid):
        bulk.start(leader, "decide", approve, wanted(*cases), world.now)
    mixed = [
        Wanted(cases[0].id, cases[0].version, "防疫物资齐备，同意"),
        Wanted(cases[1].id, cases[1].version, ""),
        Wanted(cases[2].id, cases[2].version, "整改到位，同意"),
    ]
    job = bulk.start(leader, "decide", approve, mixed, world.now)
    db.session.commit()
    assert (job.total, job.done) == (2, 2)
    assert [c.state for c in cases] == ["approved", "awaiting_decision", "approved"]
    words = db.session.scalars(select(Opinion.words).where(Opinion.is_decision).order_by(Opinion.id)).all()
    assert words == ["防疫物资齐备，同意", "整改到位，同意"]
    assert not any(db.session.scalars(select(BulkRow.words).where(BulkRow.job_id == job.id)))


def test_a_decision_does_not_pass_as_a_plain_step(world: World) -> None:
    case = world.conclude(world.scheduled())
    leader = world.actor(world.officer(Role.LEADER))
    job = bulk.start(leader, "accept", {"step": "approve"}, wanted(case), world.now)
    db.session.commit()
    assert (job.done, job.refused, case.state) == (0, 1, "awaiting_decision")


def test_the_same_words_with_a_tick_each_are_taken(world: World) -> None:
    cases = [world.conclude(world.scheduled()) for _ in range(2)]
    leader = world.actor(world.officer(Role.LEADER))
    job = bulk.start(
        leader, "decide", {"step": "approve"}, [Wanted(c.id, c.version, "同意", True) for c in cases], world.now
    )
    assert job.done == 2


def test_visits_of_one_day_follow_each_other(world: World) -> None:
    cases = [world.reviewed() for _ in range(3)]
    first, second = world.inspectors()
    day = (world.now + dt.timedelta(days=1)).date().isoformat()
    params = {
        **bulk_acts.plan_day(day, "09:00", "45", 3),
        "lead_id": first.person_id,
        "second_id": second.person_id,
        "meeting_point": "东门",
    }
    job = bulk.start(world.actor(first), "schedule", params, wanted(*cases), world.now)
    db.session.commit()
    assert job.done == 3
    visits = [inspections.of_case(c.id)[0] for c in cases]
    assert [f"{v.visit_at:%H:%M}" for v in visits] == ["01:00", "01:45", "02:30"]
    again = bulk.preview(world.actor(first), cases, "schedule", {}, world.now)
    assert not any(r.is_open for r in again)


@pytest.mark.parametrize(
    ("day", "start", "minutes", "count"),
    [
        ("", "09:00", "30", 1),
        ("2020-02-30", "09:00", "30", 1),
        ("2020-02-16", "25:00", "30", 1),
        ("2020-02-16", "09:00", "x", 1),
        ("2020-02-16", "09:00", "2", 1),
        ("2020-02-16", "20:00", "60", 9),
    ],
)
def test_a_day_that_is_none_is_refused(day: str, start: str, minutes: str, count: int) -> None:
    with pytest.raises(Invalid):
        bulk_acts.plan_day(day, start, minutes, count)


def test_a_company_is_reminded_once_a_day(world: World) -> None:
    clerk = world.company()
    case = world.submitted(clerk)
    reviewer = world.officer(Role.REVIEWER)
    actor = world.actor(reviewer)
    assert not bulk.preview(actor, [case], "remind", {}, world.now)[0].is_open
    world.step(reviewer, case, "accept")
    world.judge_all(case, commitment="请补签")
    world.step(reviewer, case, "return_for_correction")
    drain.drain(clock(world))
    from workflow.data import messages

    before = messages.unread_count(world.actor(clerk))
    assert bulk.start(actor, "remind", {}, wanted(case), world.now).done == 1
    assert bulk.start(actor, "remind", {}, wanted(case), world.now).refused == 1
    db.session.commit()
    drain.drain(clock(world))
    assert messages.unread_count(world.actor(clerk)) == before + 1
    world.later(hours=25)
    assert bulk.start(world.actor(reviewer), "remind", {}, wanted(case), world.now).done == 1


def test_assigning_many_at_once(world: World) -> None:
    reviewer, leader = world.officer(Role.REVIEWER), world.actor(world.officer(Role.LEADER))
    cases = [world.submitted() for _ in range(3)]
    approved = world.approved()
    params = {"person_id": reviewer.person_id}
    job = bulk.start(leader, "assign", params, wanted(*cases, approved), world.now)
    db.session.commit()
    assert (job.done, job.refused) == (3, 1)
    assert {c.assignee_id for c in cases} == {reviewer.person_id}
    everybody = copies(cases[0], 60)
    rest = bulk.start(leader, "assign", {"person_id": None}, everybody, world.now)
    db.session.commit()
    drain.drain(clock(world))
    assert stored(rest.id).status == "done"
    assert stored(rest.id).done >= 60
