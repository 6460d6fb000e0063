"""Bulk jobs: row by row through the one write path, refused with what changed, stopped, resumed, never twice."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import func, select

from tests.builders import World
from tests.services.bulk_jobs import ACCEPT, Killed, big_job, clock, outcomes, stored, wanted
from tests.web.desk_fixtures import counted
from workflow.core.actors import SYSTEM, Role
from workflow.core.errors import Invalid, NotFound, NotPermitted, StepClosed
from workflow.data import audit
from workflow.data import bulk as data
from workflow.data.audit import AuditEntry
from workflow.data.bulk import BulkRow
from workflow.data.notices import Notice
from workflow.data.outbox import OutboxItem
from workflow.data.people import PersonAppointment
from workflow.extensions import db
from workflow.jobs import chunks, drain
from workflow.services import accounts, bulk, bulk_acts, refusals
from workflow.services.bulk import Wanted


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
