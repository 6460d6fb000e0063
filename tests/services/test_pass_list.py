"""The list of dead passes: whole and by differences the same, exact at every version, flat, signed for itself alone."""

from __future__ import annotations

import datetime as dt
import hashlib
import random
import threading
from collections.abc import Callable

import pytest
from flask import Flask

from tests.builders import World
from tests.services.gates_at_work import granted, settle
from tests.services.together import failures, together
from tests.web.test_statements import counting
from workflow.core.times import shanghai_day
from workflow.data.cases import Case
from workflow.data.passes import VehiclePass, fingerprint_of
from workflow.documents import tokens
from workflow.documents.list_tokens import CONTEXT, read_list
from workflow.documents.tokens import TokenForged
from workflow.extensions import db
from workflow.services import keys, pass_list
from workflow.services.pass_list import SignedList, State

DAY = dt.timedelta(days=1)


class Held:
    """What a device holds, and how it takes a list in."""

    def __init__(self) -> None:
        self.version = 0
        self.day_on: dt.date | None = None
        self.marks: frozenset[int] = frozenset()
        self.took: list[bool] = []

    def take(self, now: dt.datetime) -> SignedList:
        found = pass_list.for_device(self.version, self.day_on, now)
        add, drop = (frozenset(pass_list.unpack(b)) for b in (found.difference.add, found.difference.drop))
        self.marks = add if found.difference.full else (self.marks | add) - drop
        packed = pass_list.pack(self.marks)
        assert (found.claims.count, found.claims.digest) == (len(self.marks), hashlib.sha256(packed).digest())
        assert read_list(found.token, keys.public_keys()) == found.claims
        assert found.claims.version >= self.version
        self.version, self.day_on = found.claims.version, found.claims.day_on
        self.took.append(found.difference.full)
        return found


def truth(now: dt.datetime) -> frozenset[int]:
    """The list as a plain question to the database has it."""
    day = shanghai_day(now)
    rows = db.session.query(VehiclePass).filter(VehiclePass.is_dead.is_(True), VehiclePass.valid_until_on >= day)
    return frozenset(int(p.fingerprint or 0) for p in rows)


@pytest.fixture
def case(world: World) -> Case:
    """Any case."""
    return world.submitted()


def test_the_list_names_what_is_suspended_or_revoked_and_forgets_what_is_resumed_or_over(
    world: World, case: Case
) -> None:
    held = Held()
    first, second, short = (granted(world, case) for _n in range(3))
    short.valid_until_on = shanghai_day(world.now)
    assert held.take(world.now).difference.full
    assert held.marks == frozenset()
    settle(world, first, "suspended")
    settle(world, short, "revoked")
    held.take(world.now)
    assert held.marks == {first.fingerprint, short.fingerprint}
    settle(world, first, "granted")
    settle(world, second, "suspended")
    held.take(world.now)
    assert held.marks == {second.fingerprint, short.fingerprint}
    held.take(world.later(days=1))  # what ran out by itself goes too
    assert held.marks == {second.fingerprint}
    settle(world, second, "revoked")  # dead before and after: nothing to say
    before = held.version
    held.take(world.now)
    assert held.version == before
    assert held.marks == {second.fingerprint}
    assert held.took == [True, *[False] * 4]


def test_an_unchanged_list_is_empty_and_freshly_signed(world: World, case: Case) -> None:
    held = Held()
    settle(world, granted(world, case), "revoked")
    first = held.take(world.now)
    again = held.take(world.later(seconds=30))
    assert (again.difference.add, again.difference.drop, again.difference.full) == (b"", b"", False)
    assert again.claims.made_at - first.claims.made_at == dt.timedelta(seconds=30)


@pytest.mark.parametrize(
    ("version", "day"), [(0, None), (99, 0), (1, -100), (1, 1)], ids=["nothing", "ahead", "long ago", "tomorrow"]
)
def test_whoever_has_no_short_way_gets_the_whole_list(world: World, case: Case, version: int, day: int | None) -> None:
    for _n in range(3):
        settle(world, granted(world, case), "revoked")
    on = None if day is None else shanghai_day(world.now) + day * DAY
    found = pass_list.for_device(version, on, world.now)
    assert found.difference.full
    assert found.claims.count == 3 == len(found.difference.add) // 5


def test_any_walk_of_changes_and_days_gives_devices_what_the_database_says(world: World, case: Case) -> None:
    chance = random.Random(6)
    made = [
        granted(world, case, valid_until_on=shanghai_day(world.now) + chance.randrange(8) * DAY) for _n in range(12)
    ]
    devices = [Held() for _n in range(3)]
    for turn in range(60):
        found = chance.choice(made)
        if found.status in ("granted", "suspended"):
            to = {"granted": ("suspended", "revoked"), "suspended": ("granted", "revoked")}[found.status]
            settle(world, found, to[chance.random() < 0.15])
        if turn % 10 == 9:
            world.later(days=1)
        lucky = chance.choice(devices)
        lucky.take(world.now)
        assert lucky.marks == truth(world.now)
    assert sum(sum(d.took) for d in devices) < 12  # nearly always by a difference


def test_many_changes_at_once_are_sorted_in(monkeypatch: pytest.MonkeyPatch) -> None:
    packed = pass_list.pack(range(0, 3000, 3))
    came, went = list(range(1, 3000, 3)), list(range(0, 1500, 3))
    wanted = pass_list.pack((set(range(0, 3000, 3)) | set(came)) - set(went))
    assert pass_list._applied(packed, came, went) == wanted
    monkeypatch.setattr(pass_list, "FEW", 10**6)
    assert pass_list._applied(packed, came, went) == wanted


def test_statements_are_few_and_fixed(world: World, case: Case) -> None:
    held = Held()
    made = [granted(world, case) for _n in range(30)]
    for found in made[:20]:
        settle(world, found, "suspended")
    with counting() as whole:
        held.take(world.now)
    for found in made[20:]:
        settle(world, found, "suspended")
    with counting() as change:
        held.take(world.now)
    with counting() as same:
        held.take(world.now)
    assert [len(whole), len(change), len(same)] == [3, 5, 1], (whole, change, same)


def test_a_list_is_no_pass_and_a_pass_no_list(world: World, case: Case) -> None:
    settle(world, granted(world, case), "revoked")
    found = pass_list.for_device(0, None, world.now)
    ring = keys.public_keys()
    assert tokens.open_message(found.token, ring, CONTEXT)
    for context in (b"", b"fugong-pass-list-2"):
        with pytest.raises(TokenForged):
            tokens.open_message(found.token, ring, context)
    key = keys.signing_key()
    for payload in (b"\xa0", tokens.open_message(found.token, ring, CONTEXT) + b"\x00", b"\xff"):
        with pytest.raises(TokenForged):
            read_list(tokens.sign_message(payload, key, CONTEXT), ring)
    for n in range(len(found.token)):
        altered = bytearray(found.token)
        altered[n] ^= 1
        with pytest.raises(TokenForged):
            read_list(bytes(altered), ring)


def test_a_version_is_seen_only_with_all_smaller_ones(app: Flask, world: World, case: Case) -> None:
    """Two officers at once: whoever asks meanwhile, again and again, never ends with a list that lacks one of them."""
    ids = [granted(world, case).id for _n in range(24)]
    now, over = world.now, threading.Event()

    def acts(mine: list[int]) -> Callable[[], None]:
        def run() -> None:
            for pass_id in mine:
                found = db.session.get_one(VehiclePass, pass_id)
                found.settle("revoked", by=None, at=now)
                db.session.flush()
                db.session.commit()

        return run

    def look() -> Held:
        held = Held()
        for _n in range(60):
            held.take(now)
            db.session.rollback()
            if over.is_set():
                break
        return held

    outcomes = together(app, acts(ids[::2]), acts(ids[1::2]), look, look)
    over.set()
    assert failures(outcomes) == []
    db.session.expire_all()
    for held in outcomes[2:]:
        held.take(now)
        assert held.marks == truth(now)
        assert len(held.marks) == len(ids)
        assert sum(held.took) <= 2


def test_a_smaller_version_waits_for_the_commit_and_holds_the_greater_one_back(
    app: Flask, world: World, case: Case
) -> None:
    """What would go wrong without the lock: version 2 seen before version 1 is there."""
    ids = [granted(world, case).id for _n in range(2)]
    now, counted, order = world.now, threading.Event(), []

    def slow() -> None:
        db.session.get_one(VehiclePass, ids[0]).settle("revoked", by=None, at=now)
        db.session.flush()
        counted.set()
        order.append(pass_list.version_now())

    def fast() -> int:
        assert counted.wait(30)
        db.session.get_one(VehiclePass, ids[1]).settle("revoked", by=None, at=now)
        db.session.flush()
        return pass_list.version_now()

    outcomes = together(app, slow, fast)
    assert failures(outcomes) == []
    assert order == [1]
    assert outcomes[1] == 2


def test_a_state_of_a_restored_database_is_read_anew(world: World, case: Case) -> None:
    settle(world, granted(world, case), "revoked")
    pass_list.for_device(0, None, world.now)
    kept = world.app.extensions["pass_list"]
    kept.state = State(500, shanghai_day(world.now), pass_list.pack([1, 2, 3]), world.now)
    found = pass_list.for_device(0, None, world.now)
    assert (found.claims.version, found.claims.count) == (1, 1)


def test_a_list_that_never_stands_still_is_read_in_one_statement(
    world: World, case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    settle(world, granted(world, case), "revoked")
    versions = iter(range(100, 1000))
    monkeypatch.setattr(pass_list, "version_now", lambda: next(versions))
    found = pass_list.for_device(0, None, world.now)
    assert (found.claims.version, found.claims.count, found.difference.full) == (1, 1, True)


def test_fingerprints_are_packed_in_order() -> None:
    packed = pass_list.pack([fingerprint_of(str(n)) for n in range(50)])
    items = [packed[n : n + 5] for n in range(0, 250, 5)]
    assert items == sorted(items)
    assert pass_list.unpack(packed) == sorted(fingerprint_of(str(n)) for n in range(50))
