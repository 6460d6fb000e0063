"""Bulk jobs: row by row through the one write path, refused with what changed, stopped, resumed, never twice."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import func, insert, select

from tests.builders import World
from tests.web.desk_fixtures import counted
from workflow.core.actors import SYSTEM, Role
from workflow.core.errors import Invalid, NotFound, NotPermitted, StepClosed
from workflow.data import audit, inspections
from workflow.data import bulk as data
from workflow.data.audit import AuditEntry
from workflow.data.bulk import BulkJob, BulkRow
from workflow.data.cases import Case
from workflow.data.decisions import Opinion
from workflow.data.notices import Notice
from workflow.data.outbox import OutboxItem
from workflow.data.people import PersonAppointment
from workflow.extensions import db
from workflow.jobs import chunks, drain
from workflow.services import accounts, bulk, bulk_acts, refusals
from workflow.services.bulk import Wanted

ACCEPT = {"step": "accept"}


class Killed(BaseException):
    """Stands for the end of the process: nothing of ours catches it."""


def clock(world: World) -> Callable[[], dt.datetime]:
    """The world's clock."""
    return lambda: world.now


def wanted(*cases: Case) -> list[Wanted]:
    """The cases as previewed now."""
    return [Wanted(c.id, c.version) for c in cases]


def copies(case: Case, number: int) -> list[Wanted]:
    """``number`` more rows like a case."""
    table = Case.__table__
    row = dict(db.session.execute(select(table).where(table.c.id == case.id)).mappings().one())
    del row["id"]
    db.session.execute(insert(table), [{**row, "reference": f"{row['reference']}-{n:04d}"} for n in range(number)])
    db.session.commit()
    found = db.session.execute(select(Case.id, Case.version).order_by(Case.id)).all()
    return [Wanted(row.id, row.version) for row in found]


def outcomes(job_id: int) -> list[str]:
    """What became of the rows, in their order."""
    db.session.rollback()
    return list(db.session.scalars(select(BulkRow.status).where(BulkRow.job_id == job_id).order_by(BulkRow.place)))


def stored(job_id: int) -> BulkJob:
    """The job as the database has it."""
    db.session.rollback()
    return db.session.get_one(BulkJob, job_id, populate_existing=True)


def test_a_small_job_is_done_at_once_and_names_what_it_refused(world: World) -> None:
    good, moved = world.submitted(), world.submitted()
    old = Wanted(moved.id, moved.version)
    reviewer = world.officer(Role.REVIEWER)
    world.step(reviewer, moved, "accept")
    hidden = world.submitted(town="330203003")
    actor = world.actor(reviewer)
    found = bulk.seen(actor, [good.id, moved.id, hidden.id, 10**9])
    assert [r.is_open for r in bulk.preview(actor, found, "accept", ACCEPT, world.now)] == [True, False]
    job = bulk.start(actor, "accept", ACCEPT, [*wanted(good), old, *wanted(hidden)], world.now)
    db.session.commit()
    assert (job.status, job.total, job.done, job.refused) == ("done", 2, 1, 1)
    assert outcomes(job.id) == ["done", "refused"]
    assert (good.state, moved.state, hidden.state) == ("reviewing", "reviewing", "submitted")
    row = db.session.scalars(select(BulkRow).where(BulkRow.status == "refused")).one()
    assert row.refusal is not None
    told = refusals.read(row.refusal)
    assert "已被他人更新" in told.main.message
    assert told.change is not None
    assert told.change.state.zh == "材料审核中"
    assert list(audit.verify()) == []


def test_reasons_survive_being_kept(world: World) -> None:
    case = world.submitted()
    reviewer = world.officer(Role.REVIEWER)
    world.step(reviewer, case, "accept")
    job = bulk.start(world.actor(reviewer), "accept", {"step": "pass_materials"}, wanted(case), world.now)
    db.session.commit()
    row = db.session.scalars(select(BulkRow).where(BulkRow.job_id == job.id)).one()
    assert row.refusal is not None
    assert refusals.read(row.refusal).reasons


def test_two_towns_or_many_cases_are_left_to_the_worker(world: World) -> None:
    first, second = world.submitted(), world.submitted(town="330203003")
    commander = world.actor(world.officer(Role.LEADING_GROUP, "330203"))
    job = bulk.start(commander, "remind", {}, wanted(first, second), world.now)
    db.session.commit()
    assert job.status == "waiting"
    drain.drain(clock(world))
    assert outcomes(job.id) == ["refused", "refused"]


def big_job(world: World, number: int = 40) -> int:
    """A waiting job over ``number`` + 1 cases."""
    actor = world.actor(world.officer(Role.REVIEWER))
    job = bulk.start(actor, "accept", ACCEPT, copies(world.submitted(), number), world.now)
    db.session.commit()
    assert job.status == "waiting"
    return job.id


def test_the_worker_resumes_after_a_crash_and_does_no_row_twice(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    job_id, genuine, calls = big_job(world), bulk._take, []

    def dying(*args: Any) -> Any:
        calls.append(args[2].case_id)
        if len(calls) == 12:
            raise Killed
        return genuine(*args)

    monkeypatch.setattr(bulk, "_take", dying)
    with pytest.raises(Killed):
        drain.drain(clock(world))
    assert outcomes(job_id).count("done") == 11
    assert stored(job_id).done == 11
    monkeypatch.setattr(bulk, "_take", genuine)
    drain.drain(clock(world))
    assert outcomes(job_id).count("done") == 11, "the lease has not ended"
    world.later(minutes=3)
    drain.drain(clock(world))
    job = stored(job_id)
    assert (job.status, job.done, job.refused) == ("done", 41, 0)
    accepted = select(AuditEntry.case_id, func.count()).where(AuditEntry.event == "accept").group_by(AuditEntry.case_id)
    assert {number for _case, number in db.session.execute(accepted)} == {1}
    assert list(audit.verify()) == []


def test_a_broken_case_does_not_hold_up_the_others(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    job_id = big_job(world, 25)
    genuine, broken = bulk_acts.case_service.perform, []

    def perform(actor: Any, case_id: int, *args: Any, **named: Any) -> Any:
        if not broken:
            broken.append(case_id)
            raise ZeroDivisionError
        return genuine(actor, case_id, *args, **named)

    monkeypatch.setattr(bulk_acts.case_service, "perform", perform)
    drain.drain(clock(world))
    assert outcomes(job_id) == ["refused"] + ["done"] * 25


def test_paused_resumed_and_cancelled(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    job_id, actor = big_job(world, 60), world.actor(world.officer(Role.REVIEWER))
    monkeypatch.setattr(chunks, "ROWS", 10)
    drain.drain(clock(world), limit=2)
    before = outcomes(job_id).count("done")
    assert 0 < before < 61
    bulk.pause(actor, job_id, world.now)
    db.session.commit()
    drain.drain(clock(world))
    assert outcomes(job_id).count("done") == before
    with pytest.raises(StepClosed):
        bulk.pause(actor, job_id, world.now)
    bulk.resume(actor, job_id, world.now)
    db.session.commit()
    drain.drain(clock(world), limit=1)
    bulk.cancel(actor, job_id, world.now)
    db.session.commit()
    drain.drain(clock(world))
    job = stored(job_id)
    assert job.status == "cancelled"
    assert before < job.done < 61
    with pytest.raises(StepClosed):
        bulk.cancel(actor, job_id, world.now)
    assert outcomes(job_id).count("waiting") == 61 - job.done


def test_a_resumed_job_has_one_worker_only(world: World) -> None:
    job_id, actor = big_job(world, 30), world.actor(world.officer(Role.REVIEWER))
    bulk.pause(actor, job_id, world.now)
    bulk.resume(actor, job_id, world.now)
    db.session.commit()
    drain.drain(clock(world))
    assert stored(job_id).done == 31
    items = select(func.count()).select_from(OutboxItem).where(OutboxItem.kind == "bulk", OutboxItem.done_at.is_(None))
    assert db.session.scalar(items) == 0


def test_a_stuck_job_can_be_set_going_again(world: World) -> None:
    job_id, actor = big_job(world, 30), world.actor(world.officer(Role.REVIEWER))
    for item in db.session.scalars(select(OutboxItem).where(OutboxItem.kind == "bulk")):
        item.dead_at = world.now
    db.session.commit()
    with pytest.raises(StepClosed):
        bulk.resume(actor, job_id, world.now)
    bulk.resume(actor, job_id, world.later(minutes=6))
    db.session.commit()
    drain.drain(clock(world))
    assert stored(job_id).status == "done"


def test_a_moved_officer_stops(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    job_id, account = big_job(world, 30), world.officer(Role.REVIEWER)
    monkeypatch.setattr(chunks, "ROWS", 10)
    drain.drain(clock(world), limit=2)
    done = outcomes(job_id).count("done")
    held = db.session.scalars(select(PersonAppointment).where(PersonAppointment.person_id == account.person_id)).one()
    held.ends_on = held.starts_on
    db.session.commit()
    drain.drain(clock(world))
    job = stored(job_id)
    assert (job.status, job.done) == ("cancelled", done)
    assert "任职" in job.why


def test_a_switched_off_account_stops(world: World) -> None:
    job_id, account = big_job(world, 30), world.officer(Role.REVIEWER)
    account.is_active = False
    db.session.commit()
    drain.drain(clock(world))
    assert (stored(job_id).status, stored(job_id).done) == ("cancelled", 0)


def test_others_do_not_see_the_job(world: World) -> None:
    job_id = big_job(world, 30)
    other = world.actor(world.new_officer(Role.REVIEWER))
    for act in (
        lambda: bulk.get(other, job_id),
        *(lambda f=f: f(other, job_id, world.now) for f in (bulk.pause, bulk.cancel)),
    ):
        with pytest.raises(NotFound):
            act()


def test_statements_do_not_grow_within_a_chunk(world: World) -> None:
    job_id, actor = big_job(world, 100), world.actor(world.officer(Role.REVIEWER))

    def one() -> int:
        with counted(world.app) as seen:
            bulk.advance(job_id, 1, actor, world.now)
            db.session.commit()
        return len(seen)

    one()
    first = one()
    for _ in range(20):
        bulk.advance(job_id, 1, actor, world.now)
    db.session.commit()
    assert one() <= first <= 30


def test_a_thousand_rows(world: World) -> None:
    job_id = big_job(world, 999)
    drain.drain(clock(world), limit=3000)  # the messages to a thousand companies are items too
    job = stored(job_id)
    assert (job.status, job.total, job.done) == ("done", 1000, 1000)


def test_nothing_and_too_much_are_refused(world: World) -> None:
    actor = world.actor(world.officer(Role.REVIEWER))
    with pytest.raises(Invalid):
        bulk.start(actor, "accept", ACCEPT, [], world.now)
    with pytest.raises(Invalid):
        bulk.start(actor, "accept", ACCEPT, [Wanted(n, 1) for n in range(1001)], world.now)
    with pytest.raises(NotFound):
        bulk.start(actor, "accept", ACCEPT, [Wanted(10**9, 1)], world.now)
    with pytest.raises(NotFound):
        bulk.start(actor, "explode", {}, [Wanted(1, 1)], world.now)
    with pytest.raises(NotPermitted):
        bulk.start(actor, "assign", {}, [Wanted(1, 1)], world.now)
    with pytest.raises(NotPermitted):
        bulk.start(world.actor(world.company()), "accept", ACCEPT, [Wanted(1, 1)], world.now)


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


def test_jobs_are_listed_for_their_maker(world: World) -> None:
    job_id, actor = big_job(world, 30), world.actor(world.officer(Role.REVIEWER))
    assert [j.id for j in db.session.scalars(data.of(actor))] == [job_id]
    accounts.appoint(
        SYSTEM, person_id=actor.person_id, role="inspector", area_code="330203002", bureau=None, now=world.now
    )
    db.session.commit()
    drain.drain(clock(world))
    assert stored(job_id).status == "done", "another post more takes nothing away"


def told(event: str = "bulk_done") -> list[Notice]:
    """The notices of an event in all inboxes."""
    db.session.rollback()
    return list(db.session.scalars(select(Notice).where(Notice.event == event)))


def test_whoever_started_it_is_told_once_when_the_worker_has_ended_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chunks, "ROWS", 10)
    job_id = big_job(world)
    moved = db.session.scalars(select(BulkRow).where(BulkRow.job_id == job_id).order_by(BulkRow.place)).all()[-1]
    moved.version -= 1
    db.session.commit()
    drain.drain(clock(world), limit=2)
    assert told() == [], "not before its end"
    drain.drain(clock(world))
    world.later(minutes=3)
    drain.drain(clock(world))
    job = stored(job_id)
    (notice,) = told()
    assert (notice.person_id, notice.case_id) == (job.person_id, None)
    assert notice.details == {
        "about": {"zh": f"任务 {job_id}，办成 40 件，未成 1 件", "en": f"job {job_id}, 40 done, 1 refused"},
        "url": f"/bulk/{job_id}",
    }


def test_a_crash_before_telling_loses_no_notice(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    job_id, genuine = big_job(world), bulk.tell_of_end

    def dying(*args: Any) -> None:
        genuine(*args)
        raise Killed

    monkeypatch.setattr(bulk, "tell_of_end", dying)
    with pytest.raises(Killed):
        drain.drain(clock(world))
    assert stored(job_id).status == "done"
    assert told() == []
    monkeypatch.setattr(bulk, "tell_of_end", genuine)
    world.later(minutes=3)
    drain.drain(clock(world))
    assert len(told()) == 1


def test_nobody_is_told_of_what_was_done_at_once_paused_or_cancelled(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chunks, "ROWS", 10)
    actor = world.actor(world.officer(Role.REVIEWER))
    bulk.start(actor, "accept", ACCEPT, wanted(world.submitted()), world.now)
    job_id = big_job(world)
    drain.drain(clock(world), limit=2)
    bulk.pause(actor, job_id, world.now)
    db.session.commit()
    drain.drain(clock(world))
    assert told() == []
    bulk.resume(actor, job_id, world.now)
    bulk.cancel(actor, job_id, world.now)
    db.session.commit()
    drain.drain(clock(world))
    assert told() == []


def test_who_was_moved_is_told_what_was_left_undone(world: World) -> None:
    job_id = big_job(world)
    person_id = stored(job_id).person_id
    held = db.session.scalars(select(PersonAppointment).where(PersonAppointment.person_id == person_id)).one()
    held.ends_on = held.starts_on
    db.session.commit()
    drain.drain(clock(world))
    (notice,) = told()
    assert notice.details["about"]["zh"] == f"任务 {job_id}，办成 0 件，其余 41 件没有办"
