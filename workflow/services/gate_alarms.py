"""What the server says of an entry at a gate: its own verdict for that moment, and what draws attention to it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from sqlalchemy import Select, and_, bindparam, or_, select

from workflow.core.gate_rules import TWO_GATES_WITHIN, fold_plate, has_fever
from workflow.core.times import end_of_day, start_of_day
from workflow.data import audit, catalogue
from workflow.data.audit import AuditEntry
from workflow.data.gates import GateEntry
from workflow.data.passes import NEVER_GRANTED, VehiclePass
from workflow.documents.tokens import PassClaims
from workflow.extensions import db
from workflow.services import keys
from workflow.services.gate_checks import is_vehicle_pass, token_in

_DYING = frozenset({str(audit.PASS_SUSPENDED), str(audit.PASS_REVOKED), str(audit.PASS_REPLACED)})
_TURNS = (*sorted(_DYING), str(audit.PASS_RESUMED))
_P = VehiclePass


@dataclass(frozen=True, slots=True)
class Sent:
    """One entry as a device sent it; ``claims`` is what its token says when a key of ours signed it."""

    client_id: str
    at: dt.datetime
    direction: str
    decision: str
    way: str
    token: str
    claims: PassClaims | None
    code: str
    plate: str
    verdict: str
    heads: int
    temperatures: list[float]
    words: str
    is_offline: bool
    list_made_at: dt.datetime | None

    @property
    def is_let_in(self) -> bool:
        """Whether somebody came in."""
        return self.direction == "in" and self.decision == "pass"


@dataclass(frozen=True, slots=True)
class Judged:
    """The server's verdict, its pass by number, and the alarms in the order of ``data.gates.ALARMS``."""

    checked: str
    number: str
    alarms: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Sighting:
    """That a pass went through a gate."""

    gate_id: int
    at: dt.datetime
    direction: str


@dataclass(slots=True)
class Register:
    """The passes that a batch is about, where they were seen around that time, and when each died and came back."""

    passes: dict[int, Any] = field(default_factory=dict)
    names: dict[tuple[str, str], list[Any]] = field(default_factory=dict)
    sightings: dict[str, list[_Sighting]] = field(default_factory=dict)
    turns: dict[int, list[tuple[dt.datetime, bool]]] = field(default_factory=dict)

    def keep(self, found: Any) -> None:
        """Take a pass in, to be found by each of its names."""
        self.passes[found.id] = found
        for name in ("number", "short_code", "plate"):
            self.names.setdefault((name, getattr(found, name)), []).append(found)

    def named(self, name: str, value: str | None) -> list[Any]:
        """The passes whose column ``name`` is ``value``."""
        return self.names.get((name, value or ""), [])

    def was_dead(self, found: Any, at: dt.datetime) -> bool:
        """Whether a pass was dead at ``at``, as its history has it where it has changed since."""
        turns = [dead for when, dead in self.turns.get(found.id, ()) if when <= at]
        if found.changed_at is None or found.changed_at <= at:
            return bool(found.is_dead)
        return turns[-1] if turns else False


@lru_cache(maxsize=8)
def _query(kinds: tuple[str, ...]) -> Select[*tuple[Any, ...]]:
    """Passes that are named in these ways, with where they were seen: made once, which costs more than to run it."""
    named = {
        "numbers": _P.number.in_(bindparam("numbers", expanding=True)),
        "codes": _P.short_code.in_(bindparam("codes", expanding=True)),
        "plates": and_(_P.plate.in_(bindparam("plates", expanding=True)), _P.status.not_in(NEVER_GRANTED)),
    }
    around = GateEntry.at.between(bindparam("since"), bindparam("until"))
    seen = and_(GateEntry.number == _P.number, around, GateEntry.decision == "pass")
    columns = (_P.id, _P.case_id, _P.number, _P.short_code, _P.token, _P.plate, _P.is_dead, _P.changed_at)
    days = (_P.valid_from_on, _P.valid_until_on, _P.schedule)
    at_gate = (GateEntry.gate_id, GateEntry.at.label("seen_at"), GateEntry.direction)
    return select(*columns, *days, *at_gate).outerjoin(GateEntry, seen).where(or_(*(named[kind] for kind in kinds)))


def read(entries: Sequence[tuple[Sent, dt.datetime]]) -> Register:
    """All that the entries need of the register, in one statement, two when a pass has changed since one of them."""
    register = Register()
    wanted: dict[str, set[Any]] = {
        "numbers": {s.claims.number for s, _at in entries if s.claims is not None},
        "codes": {keys.parse_short_code(s.code) for s, _at in entries if not s.token.strip()} - {None},
        "plates": {s.plate for s, _at in entries if s.way == "plate" and s.plate and not s.code.strip()},
    }
    params: dict[str, Any] = {kind: list(values) for kind, values in wanted.items() if values}
    if not params:
        return register
    times = [at for _sent, at in entries]
    around = {"since": min(times) - TWO_GATES_WITHIN, "until": max(times) + TWO_GATES_WITHIN}
    for row in db.session.execute(_query(tuple(params)), {**params, **around}):
        if row.id not in register.passes:
            register.keep(row)
        if row.gate_id is not None:
            sighting = _Sighting(row.gate_id, row.seen_at, row.direction)
            register.sightings.setdefault(row.number, []).append(sighting)
    _read_turns(register, min(times))
    return register


def _read_turns(register: Register, since: dt.datetime) -> None:
    changed = {p.id: p for p in register.passes.values() if p.changed_at is not None and p.changed_at > since}
    if not changed:
        return
    query = (
        select(AuditEntry.at, AuditEntry.event, AuditEntry.after)
        .where(AuditEntry.case_id.in_({p.case_id for p in changed.values()}), AuditEntry.event.in_(_TURNS))
        .order_by(AuditEntry.id)
    )
    for at, event, after in db.session.execute(query):
        for pass_id in _named_in(after):
            if pass_id in changed:
                register.turns.setdefault(pass_id, []).append((at, event in _DYING))


def _named_in(after: Mapping[str, Any]) -> Iterable[int]:
    return after.get("passes") or [after.get("pass")]


def _verdict(found: Any, at: dt.datetime, register: Register) -> str:
    if register.was_dead(found, at):
        return "revoked"
    if at < start_of_day(found.valid_from_on):
        return "not_yet"
    if at >= end_of_day(found.valid_until_on):
        return "expired"
    schedule = catalogue.passes().schedules.get(found.schedule)
    return "valid" if schedule is None or schedule.admits(at) else "hours"


_BEST = ("valid", "hours", "not_yet", "revoked", "expired")


def _looked_up(sent: Sent, at: dt.datetime, register: Register) -> tuple[str, Any]:
    """The server's verdict and the pass it is about, None when it knows none."""
    if sent.token.strip():
        if sent.claims is None:
            return "forged", None
        found = register.named("number", sent.claims.number) if is_vehicle_pass(sent.claims) else []
        found = [p for p in found if p.token == token_in(sent.token)]
    elif sent.code.strip():
        found = register.named("short_code", keys.parse_short_code(sent.code))
    elif sent.way == "plate" and sent.plate:
        found = register.named("plate", sent.plate)
    else:
        return "none", None
    judged = sorted(((_verdict(p, at, register), p) for p in found), key=lambda pair: _BEST.index(pair[0]))
    return judged[0] if judged else ("unknown", None)


def _is_at_two_gates(number: str, gate_id: int, at: dt.datetime, sightings: Sequence[_Sighting]) -> bool:
    for other in sightings:
        if other.gate_id == gate_id or other.direction != "in" or abs(other.at - at) > TWO_GATES_WITHIN:
            continue
        first, last = sorted((other.at, at))
        if not any(s.direction == "out" and first <= s.at <= last for s in sightings):
            return True
    return False


def judge(sent: Sent, at: dt.datetime, gate_id: int, clock_off: int, register: Register) -> Judged:
    """Judge one entry as of the moment ``at`` at which it happened."""
    checked, found = _looked_up(sent, at, register)
    number = found.number if found is not None else ""
    late = sent.is_let_in and checked == "revoked" and sent.verdict != "revoked"
    against = sent.verdict != "valid" or (checked != "valid" and not late)
    seen = register.sightings.setdefault(number, []) if number else []
    raised = {
        "mismatch": bool(found is not None and sent.plate and sent.plate != fold_plate(found.plate)),
        "late_revoked": late,
        "two_gates": bool(number) and sent.is_let_in and _is_at_two_gates(number, gate_id, at, seen),
        "fever": has_fever(sent.temperatures),
        "overridden": sent.is_let_in and against,
        "forged": checked == "forged",
        "clock": clock_off != 0,
    }
    if number and sent.decision == "pass":
        seen.append(_Sighting(gate_id, at, sent.direction))
    return Judged(checked, number, tuple(alarm for alarm, on in raised.items() if on))
