"""The list of dead passes that gate devices hold: its state, what changed since the one a device has, signed.

Each process keeps the state it read last and brings it up to date as a device does, with what changed: flat, however
many passes there are. A version becomes visible with all smaller ones (see :meth:`VehiclePass.settle`), so a read that
finds the same version before and after is exact.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import threading
from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass, field

from flask import current_app
from sqlalchemy import and_, select

from workflow.core.gate_rules import WIPE_HOURS
from workflow.core.times import shanghai_day
from workflow.data.passes import FINGERPRINT_BYTES, LIST_VERSION, VehiclePass
from workflow.data.sequences import Sequence
from workflow.documents.list_tokens import ListClaims, sign_list
from workflow.extensions import db
from workflow.services import keys

TRIES = 4
FEW = 500
"""Up to so many changes are put into the packed list one by one; more are sorted in."""
READ_ANEW = dt.timedelta(minutes=30)
"""So often a process reads the whole list again, whatever it believes to hold."""
LONGEST_WAY = 62
"""A device whose list is of a day further back than this gets the whole one."""


@dataclass(frozen=True, slots=True)
class Difference:
    """What to add and what to drop, ascending; ``full`` when ``add`` is the whole list."""

    full: bool
    add: bytes
    drop: bytes = b""


@dataclass(slots=True)
class State:
    """The list of a (version, day): fingerprints packed and ascending, the digest of that, and differences made."""

    version: int
    day_on: dt.date
    packed: bytes
    read_at: dt.datetime
    digest: bytes = b""
    differences: dict[tuple[int, dt.date], Difference] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.digest = hashlib.sha256(self.packed).digest()

    @property
    def count(self) -> int:
        """How many fingerprints."""
        return len(self.packed) // FINGERPRINT_BYTES


class Moved(Exception):
    """The list changed while it was read."""


class _Kept:
    """The state that this process holds; the lock is for its threads."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.state: State | None = None


def _kept() -> _Kept:
    found: _Kept = current_app.extensions.setdefault("pass_list", _Kept())
    return found


def pack(fingerprints: Iterable[int]) -> bytes:
    """Fingerprints as devices hold them: five bytes each, big-endian, ascending."""
    return b"".join(f.to_bytes(FINGERPRINT_BYTES, "big") for f in sorted(fingerprints))


def unpack(packed: bytes) -> list[int]:
    """The fingerprints in ``packed``."""
    size = FINGERPRINT_BYTES
    return [int.from_bytes(packed[n : n + size], "big") for n in range(0, len(packed), size)]


def version_now() -> int:
    """The version of the list that is visible to this transaction's next statement."""
    return db.session.scalar(select(Sequence.value).where(Sequence.name == LIST_VERSION)) or 0


def current(now: dt.datetime) -> State:
    """The state of the list today, as the database has it at this moment."""
    kept, day_on = _kept(), shanghai_day(now)
    for _try in range(TRIES):
        version = version_now()
        with kept.lock:
            held = kept.state
        if held is not None and (held.version, held.day_on) == (version, day_on) and _is_fresh(held, now):
            return held
        try:
            found = _read(held, version, day_on, now)
        except Moved:
            continue
        with kept.lock:
            kept.state = found
        return found
    return _whole(now)


def _is_fresh(held: State, now: dt.datetime) -> bool:
    return abs(now - held.read_at) < READ_ANEW


def _read(held: State | None, version: int, day_on: dt.date, now: dt.datetime) -> State:
    """The state of ``version`` on ``day_on``, from what is held where that can be; :class:`Moved` when it is over."""
    usable = held is not None and held.version <= version and held.day_on <= day_on and _is_fresh(held, now)
    if held is None or not usable:
        dead = select(VehiclePass.fingerprint).where(
            VehiclePass.is_dead.is_(True), VehiclePass.valid_until_on >= day_on
        )
        packed = pack(db.session.scalars(dead))
        read_at = now
    else:
        packed = _applied(held.packed, *_changes(held.version, held.day_on, day_on))
        read_at = held.read_at
    if version_now() != version:
        raise Moved
    return State(version, day_on, packed, read_at)


def _whole(now: dt.datetime) -> State:
    """The whole list and its version in one statement, for when the list never stands still."""
    day_on = shanghai_day(now)
    dead = and_(VehiclePass.is_dead.is_(True), VehiclePass.valid_until_on >= day_on)
    rows = select(Sequence.value, VehiclePass.fingerprint).outerjoin(VehiclePass, dead)
    found = db.session.execute(rows.where(Sequence.name == LIST_VERSION)).all()
    version = found[0][0] if found else 0
    return State(version, day_on, pack(f for _value, f in found if f is not None), now)


def _changes(version: int, was_on: dt.date, day_on: dt.date) -> tuple[list[int], list[int]]:
    """What came and what went since (``version``, ``was_on``): newly dead; live again, or run out meanwhile."""
    dead, until = VehiclePass.is_dead, VehiclePass.valid_until_on
    changed = select(VehiclePass.fingerprint, dead, until).where(
        VehiclePass.list_version > version, VehiclePass.fingerprint.is_not(None)
    )
    came: list[int] = []
    went: list[int] = []
    for fingerprint, is_dead, last in db.session.execute(changed):
        (came if is_dead and last >= day_on else went).append(int(fingerprint or 0))
    if was_on < day_on:
        over = select(VehiclePass.fingerprint).where(dead.is_(True), until >= was_on, until < day_on)
        went = sorted({*went, *db.session.scalars(over)})
    return came, went


def _applied(packed: bytes, came: list[int], went: list[int]) -> bytes:
    """``packed`` with what came and without what went."""
    if len(came) + len(went) > FEW:
        return pack((set(unpack(packed)) | set(came)) - set(went))
    made = bytearray(packed)
    size = FINGERPRINT_BYTES
    for fingerprints, wanted in ((went, False), (came, True)):
        for fingerprint in fingerprints:
            item = fingerprint.to_bytes(size, "big")
            place = size * bisect_left(
                range(len(made) // size), item, key=lambda n: bytes(made[n * size : (n + 1) * size])
            )
            there = made[place : place + size] == item
            if wanted and not there:
                made[place:place] = item
            elif there and not wanted:
                del made[place : place + size]
    return bytes(made)


def difference(state: State, version: int, day_on: dt.date | None) -> Difference:
    """How a device that holds (``version``, ``day_on``) gets to ``state``, the whole list when there is no short way.

    :class:`Moved` when the list has changed since ``state`` was read.
    """
    if day_on is None or version > state.version or not 0 <= (state.day_on - day_on).days <= LONGEST_WAY:
        return Difference(True, state.packed)
    if (version, day_on) == (state.version, state.day_on):
        return Difference(False, b"")
    made = state.differences.get((version, day_on))
    if made is None:
        came, went = _changes(version, day_on, state.day_on)
        if version_now() != state.version:
            raise Moved
        short = len(came) + len(went) <= max(state.count, 1)
        made = Difference(False, pack(came), pack(went)) if short else Difference(True, state.packed)
        if len(state.differences) < FEW:
            state.differences[version, day_on] = made
    return made


@dataclass(frozen=True, slots=True)
class SignedList:
    """What a device is sent: the difference, what the list then is, and the signature over that."""

    difference: Difference
    claims: ListClaims
    token: bytes


def for_device(version: int, day_on: dt.date | None, now: dt.datetime) -> SignedList:
    """The list as it is now for a device that holds (``version``, ``day_on``); 0 and None for nothing."""
    state, found = _state_and_difference(version, day_on, now)
    made_at = now.replace(microsecond=0)
    claims = ListClaims(
        version=state.version,
        day_on=state.day_on,
        made_at=made_at,
        expires_at=made_at + dt.timedelta(hours=WIPE_HOURS),
        count=state.count,
        digest=state.digest,
    )
    return SignedList(found, claims, sign_list(claims, keys.signing_key()))


def _state_and_difference(version: int, day_on: dt.date | None, now: dt.datetime) -> tuple[State, Difference]:
    for _try in range(TRIES):
        state = current(now)
        try:
            return state, difference(state, version, day_on)
        except Moved:
            continue
    state = _whole(now)
    return state, Difference(True, state.packed)
