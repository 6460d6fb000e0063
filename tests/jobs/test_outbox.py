"""The outbox and its drain: leased, in order, tried again with back-off, given up at last, and never done twice."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from sqlalchemy import func, select

from tests.builders import NOW, World
from tests.services.together import failures, together
from workflow.data import idempotency, issued, outbox
from workflow.data.cases import Case
from workflow.data.idempotency import IdempotencyKey
from workflow.data.messages import Message
from workflow.data.outbox import LEASE, MAX_ATTEMPTS, OutboxItem
from workflow.extensions import db
from workflow.jobs import drain, queue
from workflow.services import issuing

SECOND = dt.timedelta(seconds=1)


class Killed(BaseException):
    """Stands for the end of the process: nothing of ours catches it."""


def clock(at: dt.datetime = NOW) -> Callable[[], dt.datetime]:
    """A clock that stands still."""
    return lambda: at


def put(kind: str = "message", at: dt.datetime = NOW, **payload: Any) -> int:
    """An item in the outbox, committed; returns its id."""
    item = outbox.put(kind, payload, at)
    db.session.commit()
    return item.id


def stored(item_id: int) -> OutboxItem:
    """The item as the database has it."""
    db.session.rollback()
    return db.session.get_one(OutboxItem, item_id, populate_existing=True)


@pytest.fixture
def case(world: World) -> Case:
    """A case whose own items are done."""
    made = world.submitted()
    for item in db.session.scalars(select(OutboxItem)):
        item.done_at = NOW
    db.session.commit()
    return made


def put_message(case: Case, at: dt.datetime = NOW) -> int:
    """A message to the case's company."""
    return put(at=at, case_id=case.id, enterprise_id=case.enterprise_id, event="accept", details={})


def messages() -> list[int]:
    """The outbox ids of all messages."""
    db.session.rollback()
    return sorted(db.session.scalars(select(Message.outbox_id)))


def handle(monkeypatch: pytest.MonkeyPatch, handler: drain.Handler, kind: str = "message") -> None:
    """Put another handler in place."""
    monkeypatch.setitem(drain.HANDLERS, kind, handler)  # type: ignore[arg-type]


def test_an_item_is_leased_until_the_lease_ends(world: World) -> None:
    item_id = put()
    taken = outbox.take(NOW)
    assert taken is not None
    assert (taken.id, taken.attempts) == (item_id, 1)
    db.session.commit()
    assert outbox.take(NOW) is None
    assert outbox.take(NOW + LEASE - SECOND) is None
    again = outbox.take(NOW + LEASE)
    assert again is not None
    assert again.attempts == 2


def test_an_item_for_later_waits(world: World) -> None:
    item_id = put(at=NOW + SECOND)
    assert outbox.take(NOW) is None
    assert outbox.waiting(NOW) == {"ready": 0, "later": 1, "dead": 0}
    assert outbox.waiting(NOW + SECOND) == {"ready": 1, "later": 0, "dead": 0}
    taken = outbox.take(NOW + SECOND)
    assert taken is not None
    assert taken.id == item_id


def test_items_come_in_order(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[int] = []
    handle(monkeypatch, lambda item_id, payload: lambda now: done.append(item_id))
    late, *early = put(at=NOW + 5 * SECOND), put(), put(), put()
    assert drain.drain(clock(NOW + 10 * SECOND)) == 4
    assert done == [*early, late]
    assert drain.drain(clock(NOW + 10 * SECOND)) == 0


def test_failures_are_tried_again_ever_later_and_given_up(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[dt.datetime] = []
    at = NOW

    def fails(item_id: int, payload: Mapping[str, Any]) -> drain.Finish:
        calls.append(at)
        raise RuntimeError("吴联络 13800138000")

    handle(monkeypatch, fails)
    item_id = put()
    waits = []
    for _ in range(MAX_ATTEMPTS):
        assert drain.drain(clock(at)) == 0
        item = stored(item_id)
        waits.append((item.available_at - at).total_seconds())
        assert drain.drain(clock(at)) == 0, "nothing is ready until then"
        at = max(item.available_at, at)
    assert waits[:-1] == [5, 10, 20, 40, 80, 160, 320]
    item = stored(item_id)
    assert item.dead_at == calls[-1]
    assert item.error == "RuntimeError", "the class only, no data"
    assert len(calls) == MAX_ATTEMPTS
    assert drain.drain(clock(at + dt.timedelta(days=9))) == 0
    assert outbox.waiting(at) == {"ready": 0, "later": 0, "dead": 1}


def test_one_broken_item_does_not_stop_the_others(world: World, case: Case) -> None:
    broken = [put("render", document_id=10**9), put("no_such_kind"), put(case_id=1)]
    good = put_message(case)
    assert drain.drain(clock()) == 1
    assert messages() == [good]
    assert [stored(i).error for i in broken] == ["NotFound", "KeyError", "KeyError"]


def test_an_item_that_takes_the_worker_down_each_time_is_given_up(
    world: World, monkeypatch: pytest.MonkeyPatch, case: Case
) -> None:
    def kills(item_id: int, payload: Mapping[str, Any]) -> drain.Finish:
        raise Killed

    handle(monkeypatch, kills, "render")
    poison, at = put("render"), NOW
    for _ in range(MAX_ATTEMPTS):
        with pytest.raises(Killed):
            drain.drain(clock(at))
        at += LEASE
    good = put_message(case)
    assert drain.drain(clock(at)) == 1
    assert messages() == [good]
    item = stored(poison)
    assert (item.dead_at, item.error, item.attempts) == (at, "Crashed", MAX_ATTEMPTS)


def test_the_effect_is_there_once_when_the_drain_dies_before_its_commit(
    world: World, monkeypatch: pytest.MonkeyPatch, case: Case
) -> None:
    genuine = drain.HANDLERS["message"]

    def dies_late(item_id: int, payload: Mapping[str, Any]) -> drain.Finish:
        finish = genuine(item_id, payload)

        def and_die(now: dt.datetime) -> None:
            finish(now)
            db.session.flush()
            raise Killed

        return and_die

    item_id = put_message(case)
    with monkeypatch.context() as patch:
        handle(patch, dies_late)
        with pytest.raises(Killed):
            drain.drain(clock())
    assert messages() == []
    assert stored(item_id).done_at is None
    assert drain.drain(clock(NOW + LEASE - SECOND)) == 0
    assert drain.drain(clock(NOW + LEASE)) == 1
    assert messages() == [item_id]
    assert stored(item_id).attempts == 2


def test_the_effect_is_there_once_when_the_drain_dies_after_its_commit(
    world: World, monkeypatch: pytest.MonkeyPatch, case: Case
) -> None:
    genuine = drain._Writing.__exit__

    def dies(self: Any, kind: Any, *rest: Any) -> None:
        genuine(self, kind, *rest)
        if messages():
            raise Killed

    item_id = put_message(case)
    with monkeypatch.context() as patch:
        patch.setattr(drain._Writing, "__exit__", dies)
        with pytest.raises(Killed):
            drain.drain(clock())
    assert messages() == [item_id]
    assert drain.drain(clock(NOW + 2 * LEASE)) == 0
    assert messages() == [item_id]


def test_a_worker_whose_lease_ended_meanwhile_does_nothing_twice(
    world: World, monkeypatch: pytest.MonkeyPatch, case: Case
) -> None:
    """The first worker is slow; a second one takes the item over and finishes; then the first goes on."""
    genuine = drain.HANDLERS["message"]
    slow = [True]

    def sometimes_slow(item_id: int, payload: Mapping[str, Any]) -> drain.Finish:
        if slow and slow.pop():
            assert together(world.app, lambda: drain.drain(clock(NOW + LEASE)), writing=False) == [1]
        return genuine(item_id, payload)

    handle(monkeypatch, sometimes_slow)
    item_id = put_message(case)
    drain.drain(clock())
    assert messages() == [item_id]
    assert stored(item_id).done_at == NOW + LEASE, "the second worker's instant stands"


def test_a_late_failure_does_not_undo_what_another_worker_did(world: World, case: Case) -> None:
    item_id = put_message(case)
    drain.drain(clock())
    outbox.mark_failed(item_id, NOW + SECOND, "Timeout")
    db.session.commit()
    item = stored(item_id)
    assert (item.done_at, item.dead_at, item.error) == (NOW, None, "")


def test_workers_at_the_same_time_share_the_items(world: World, case: Case) -> None:
    ids = [put_message(case) for _ in range(30)]
    outcomes = together(world.app, *[lambda: drain.drain(clock())] * 4, writing=False)
    assert failures(outcomes) == []
    assert sum(outcomes) == 30
    assert messages() == ids
    assert {i.attempts for i in db.session.scalars(select(OutboxItem).where(OutboxItem.id.in_(ids)))} == {1}


def test_a_document_is_rendered_and_kept_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    rendered: list[str] = []
    monkeypatch.setattr(issuing, "render_pdf", lambda d: rendered.append(d.kind) or b"%PDF-1.7 stand-in")
    case = world.submitted()
    (receipt,) = issued.of_case(case.id)
    put("render", document_id=receipt.id)
    assert drain.drain(clock(world.now)) == 2
    assert rendered == ["receipt"]
    db.session.refresh(receipt)
    assert receipt.file is not None
    assert receipt.file.size == len(b"%PDF-1.7 stand-in")


def test_the_queue_wakes_the_drain_and_a_dead_queue_breaks_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch, case: Case
) -> None:
    made: queue.Queue = world.app.extensions["queue"]
    item_id = put_message(case)
    made.wake()
    assert made.huey.pending_count() == 1
    task = made.huey.dequeue()
    together(world.app, lambda: made.huey.execute(task), writing=False)
    assert messages() == [item_id]

    def is_down(*_: Any) -> None:
        raise ConnectionError

    monkeypatch.setattr(made.huey, "enqueue", is_down)
    made.wake()


def test_old_idempotency_keys_are_forgotten(world: World) -> None:
    for age in (0, 2, 4):
        at = NOW - dt.timedelta(days=age)
        db.session.add(IdempotencyKey(owner="account:1", key=f"key-{age}-days", digest="", created_at=at))
    db.session.commit()
    assert drain.forget_old_keys(clock()) == 1
    left = db.session.scalar(select(func.count()).select_from(IdempotencyKey))
    assert left == 2
    assert idempotency.find("account:1", "key-4-days") is None
