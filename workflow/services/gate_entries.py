"""Taking in what a gate's device kept: each entry once, judged by what the server knows, counted, told, and purged."""

from __future__ import annotations

import datetime as dt
from collections import Counter as Tally
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Integer, bindparam, case, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from workflow.core.actors import SYSTEM, Role
from workflow.core.errors import N_, DomainError, Invalid
from workflow.core.gate_rules import corrected
from workflow.core.times import shanghai_day, start_of_day
from workflow.data import audit, organisation, people, sums
from workflow.data.areas import Area
from workflow.data.gates import Gate, GateDay, GateEntry
from workflow.data.organisation import Duty
from workflow.extensions import db, settings
from workflow.services import gate_alarms, gates, notices
from workflow.services.gate_alarms import Judged, Sent
from workflow.services.gate_checks import looks_like_ours
from workflow.services.gates import AtGate

__all__ = ["Batch", "Done", "Refusal", "Result", "Sent", "purge_one", "sync"]

_COUNTS = ("vehicles_in", "vehicles_out", "people_in", "people_out", "turned_back", "handed_over", "alarms")
PURGED_AT_ONCE = 2000
TOLD_OF = {
    "late_revoked": ("放行过已失效的通行证", "let passes through that were dead by then"),
    "forged": ("发现伪造的通行证", "was shown forged passes"),
    "two_gates": ("同一通行证在两个卡口进入", "saw passes that came in at another gate too"),
}
"""Alarms that staff are told of at once, in both languages; the others stand in the log."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """An entry that could not be read, and why."""

    client_id: str
    error: DomainError


@dataclass(frozen=True, slots=True)
class Batch:
    """What one request brings: entries in their order, the list that the device holds, and its clock at that moment."""

    entries: tuple[Sent | Refusal, ...]
    list_version: int | None = None
    sent_at: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """What became of an entry: ``kept``, ``duplicate`` (it was there already) or ``refused``."""

    client_id: str
    status: str
    message: DomainError | None = None
    alarms: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Done:
    """The results in the order of the batch, how many people are inside now, and whether somebody has to be told."""

    results: tuple[Result, ...]
    inside: int
    has_told: bool = False


@dataclass(frozen=True, slots=True)
class _Taken:
    """An entry as it is kept."""

    sent: Sent
    at: dt.datetime
    clock_off: int
    judged: Judged


def _times(batch: Batch, now: dt.datetime) -> dict[str, tuple[dt.datetime, int]]:
    """When each entry really happened, and by how much the device's clock was off; the first of a name counts."""
    off = dt.timedelta(0)
    if batch.sent_at is not None and corrected(batch.sent_at, now, now)[1]:
        off = batch.sent_at - now
    found: dict[str, tuple[dt.datetime, int]] = {}
    for sent in batch.entries:
        if isinstance(sent, Refusal) or sent.client_id in found:
            continue
        at, still_off = corrected(_shifted(sent.at, off), now, sent.list_made_at)
        seconds = still_off + int(off.total_seconds())
        found[sent.client_id] = at, max(-(2**31), min(2**31 - 1, seconds))
    return found


def _shifted(at: dt.datetime, off: dt.timedelta) -> dt.datetime:
    try:
        return at - off
    except OverflowError:
        return at


def sync(device: AtGate, batch: Batch, now: dt.datetime) -> Done:
    """Keep the entries of a batch, each once: one that is there already has no second effect.

    A fixed number of statements, however many entries; what the entries draw attention to is counted and told.
    """
    times = _times(batch, now)
    fresh = {s.client_id: s for s in reversed(batch.entries) if isinstance(s, Sent)}
    ordered = sorted(fresh.values(), key=lambda s: (times[s.client_id][0], s.client_id))
    register = gate_alarms.read([(s, times[s.client_id][0]) for s in ordered])
    taken = {}
    for sent in ordered:
        at, off = times[sent.client_id]
        taken[sent.client_id] = _Taken(sent, at, off, gate_alarms.judge(sent, at, device.gate_id, off, register))
    kept = _insert(device, list(taken.values()), now)
    there = _owners([client_id for client_id in taken if client_id not in kept])
    new = [t for t in taken.values() if t.sent.client_id in kept]
    inside = _count(device, new)
    told = _tell(device, new, now) if new else False
    gates.note_seen(device, batch.list_version, now)
    return Done(_results(device, batch, taken, kept, there), inside, told)


def _results(
    device: AtGate, batch: Batch, taken: dict[str, _Taken], kept: frozenset[str], there: dict[str, tuple[int, str]]
) -> tuple[Result, ...]:
    found: list[Result] = []
    said: set[str] = set()
    for sent in batch.entries:
        if isinstance(sent, Refusal):
            found.append(Result(sent.client_id, "refused", sent.error))
            continue
        name = sent.client_id
        owner, alarms = there.get(name, (device.device_id, ""))
        if owner != device.device_id:
            found.append(Result(name, "refused", Invalid(N_("这条记录的编号已被另一台设备使用。"), field="client_id")))
        elif name in kept:
            found.append(Result(name, "duplicate" if name in said else "kept", alarms=taken[name].judged.alarms))
        else:
            found.append(Result(name, "duplicate", alarms=tuple(alarms.split())))
        said.add(name)
    return tuple(found)


def _row(device: AtGate, taken: _Taken, now: dt.datetime) -> dict[str, Any]:
    sent, judged = taken.sent, taken.judged
    made = sent.list_made_at
    return {
        "client_id": sent.client_id,
        "gate_id": device.gate_id,
        "town_id": device.town_id,
        "device_id": device.device_id,
        "at": taken.at,
        "received_at": now,
        "clock_off": taken.clock_off,
        "direction": sent.direction,
        "decision": sent.decision,
        "way": sent.way,
        "verdict": sent.verdict,
        "checked": judged.checked,
        "number": judged.number,
        "plate": sent.plate,
        "heads": sent.heads,
        "temperatures": sent.temperatures,
        "words": sent.words,
        "is_offline": sent.is_offline,
        "list_age": max(0, min(2**31 - 1, int((taken.at - made).total_seconds()))) if made is not None else None,
        "alarms": " ".join(judged.alarms),
        "has_alarm": bool(judged.alarms),
    }


_INSERTS = {
    name: make(GateEntry).on_conflict_do_nothing(index_elements=["client_id"]).returning(GateEntry.client_id)
    for name, make in (("postgresql", postgresql.insert), ("sqlite", sqlite.insert))
}


def _insert(device: AtGate, taken: Sequence[_Taken], now: dt.datetime) -> frozenset[str]:
    """Insert what is not there yet and return the names that are new; in one order: no two requests deadlock."""
    if not taken:
        return frozenset()
    connection = db.session.connection()
    statement = _INSERTS["postgresql" if connection.dialect.name == "postgresql" else "sqlite"]
    rows = sorted((_row(device, t, now) for t in taken), key=lambda row: str(row["client_id"]))
    return frozenset(connection.execute(statement, rows).scalars())


def _owners(client_ids: Sequence[str]) -> dict[str, tuple[int, str]]:
    """Whose the entries are that were there already, and their alarms."""
    if not client_ids:
        return {}
    query = select(GateEntry.client_id, GateEntry.device_id, GateEntry.alarms)
    rows = db.session.execute(query.where(GateEntry.client_id.in_(client_ids)))
    return {row.client_id: (row.device_id, row.alarms) for row in rows}


def _counts_of(taken: _Taken) -> dict[str, int]:
    sent, passed = taken.sent, taken.sent.decision == "pass"
    is_vehicle = bool(sent.plate or taken.judged.number)
    way = sent.direction
    return {
        f"vehicles_{way}": int(passed and is_vehicle),
        f"people_{way}": sent.heads if passed else 0,
        "turned_back": int(sent.decision == "turn_back"),
        "handed_over": int(sent.decision == "hand_over"),
        "alarms": int(bool(taken.judged.alarms)),
    }


_INSIDE_THEN = Gate.inside + bindparam("moved", type_=Integer)
_MOVE = (
    update(Gate)
    .where(Gate.id == bindparam("gate"))
    .values(inside=case((_INSIDE_THEN < 0, 0), else_=_INSIDE_THEN))
    .returning(Gate.inside)
)


def _count(device: AtGate, new: Sequence[_Taken]) -> int:
    """Add to the days' counters and to how many are inside, and return that; what was before a count moves nothing."""
    days: dict[dt.date, Tally[str]] = {}
    moved = 0
    for taken in new:
        days.setdefault(shanghai_day(taken.at), Tally()).update(_counts_of(taken))
        if taken.sent.decision == "pass" and (device.counted_at is None or taken.at > device.counted_at):
            moved += taken.sent.heads if taken.sent.direction == "in" else -taken.sent.heads
    rows = [
        {"gate_id": device.gate_id, "day_on": day, **{name: days[day][name] for name in _COUNTS}}
        for day in sorted(days)
    ]
    sums.add(db.session.connection(), GateDay, rows, _COUNTS)
    if not moved:
        return device.inside
    return int(db.session.connection().execute(_MOVE, {"gate": device.gate_id, "moved": moved}).scalar_one())


def _told_of(new: Sequence[_Taken]) -> Tally[str]:
    """How many entries there are of each alarm that is told; of another system's code nobody is."""
    found: Tally[str] = Tally()
    for taken in new:
        for alarm in TOLD_OF:
            ours = alarm != "forged" or looks_like_ours(taken.sent.token)
            found[alarm] += alarm in taken.judged.alarms and ours
    return found


def _tell(device: AtGate, new: Sequence[_Taken], now: dt.datetime) -> bool:
    """Tell those who lead the gate's town, and the robots of its teams, once a kind of alarm; whether there was any."""
    found = {alarm: number for alarm, number in _told_of(new).items() if number}
    if not found:
        return False
    town = db.session.get_one(Area, device.town_id)
    teams = organisation.teams_in([town.id])
    led = {
        m.person_id for m in organisation.members_of([t.id for t in teams], shanghai_day(now)) if m.duty == Duty.LEADER
    }
    led |= {p.id for p in people.holders_of(Role.LEADER, frozenset(town.lineage), shanghai_day(now))}
    for alarm, number in found.items():
        zh, en = TOLD_OF[alarm]
        about = {
            "zh": f"{town.name}{device.gate_name}{zh}，{number} 次",
            "en": f"{device.gate_name}, {town.name}, {en} ({number})",
        }
        details = {"about": about, "url": f"/gates/log?gate={device.gate_id}&alarm={alarm}"}
        notices.tell_people(led, "gate_alarm", None, details, now)
        notices.tell_robots_of([t.id for t in teams], "gate_alarm", details, now)
    return True


def _limit(now: dt.datetime) -> tuple[dt.date, dt.datetime]:
    """The first day of which entries are kept, and its beginning: by days, so that each is purged as a whole."""
    day_on = shanghai_day(now) - dt.timedelta(days=settings().gate_log_days)
    return day_on, start_of_day(day_on)


def purge_one(now: dt.datetime) -> int:
    """Delete some entries of one town that came in before the days kept, and record how many; returns that number.

    Counters by day stay: they are of nobody.
    """
    day_on, before = _limit(now)
    oldest = select(GateEntry.town_id).where(GateEntry.received_at < before).order_by(GateEntry.received_at).limit(1)
    town_id = db.session.scalar(oldest)
    if town_id is None:
        return 0
    due = (
        select(GateEntry.id)
        .where(GateEntry.received_at < before, GateEntry.town_id == town_id)
        .order_by(GateEntry.received_at, GateEntry.id)
        .limit(PURGED_AT_ONCE)
    )
    ids = list(db.session.scalars(due))
    db.session.execute(delete(GateEntry).where(GateEntry.id.in_(ids)).execution_options(synchronize_session=False))
    after = {"count": len(ids), "before": day_on.isoformat()}
    audit.record(audit.GATE_LOG_PURGED, chain=f"area:{town_id}", actor=SYSTEM, at=now, after=after)
    return len(ids)
