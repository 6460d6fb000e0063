"""The gate log: what came, went and was stopped at the gates of one's area, and what was wrong with it, in words."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from workflow.core.actors import Actor
from workflow.core.errors import N_, Reason
from workflow.core.gate_rules import FEVER, TWO_GATES_WITHIN
from workflow.core.identifiers import show_plate
from workflow.core.times import shanghai_day, shanghai_time
from workflow.data import gate_log
from workflow.data.gate_log import KnownPass, LogFilters, Mark, Passed
from workflow.data.gates import Gate, GateEntry, seen_by
from workflow.extensions import db

MOST_DAYS = 31
VERDICTS: Mapping[str, str] = {
    "valid": N_("有效"),
    "not_yet": N_("未到起始日期"),
    "expired": N_("已过期"),
    "hours": N_("不在通行时段"),
    "revoked": N_("已暂停、撤销或换新证"),
    "forged": N_("伪造"),
    "unknown": N_("查不到"),
    "none": N_("没有查验"),
}
"""What a check says, as source texts."""


@dataclass(frozen=True, slots=True)
class GateLine:
    """A gate with what passed it on the days asked for."""

    gate: Gate
    passed: Passed


@dataclass(frozen=True, slots=True)
class LogLine:
    """An entry with its gate, its pass (None for none of ours), and what is wrong with it."""

    entry: GateEntry
    gate: Gate
    known: KnownPass | None
    alarms: tuple[tuple[str, Reason], ...]

    @property
    def hottest(self) -> float | None:
        """The highest temperature taken, in degrees Celsius."""
        return max((float(t) for t in self.entry.temperatures), default=None)


@dataclass(frozen=True, slots=True)
class GateLog:
    """A page of the log; ``gates`` are all that the reader sees, ``lines`` what passed each of those asked for."""

    gates: Sequence[Gate]
    lines: Sequence[GateLine]
    total: Passed
    entries: Sequence[LogLine]
    has_before: bool
    has_after: bool


def gates_of(actor: Actor) -> list[Gate]:
    """The gates whose log the actor may read, by town and name."""
    return sorted(db.session.scalars(seen_by(actor)), key=lambda g: (g.town.code, not g.is_open, g.name))


def show(actor: Actor, filters: LogFilters, *, after: Mark | None = None, before: Mark | None = None) -> GateLog:
    """The log of the gates that the actor sees, as the filters ask for it."""
    gates = gates_of(actor)
    asked = [g for g in gates if filters.gate_id in (None, g.id)]
    sums = gate_log.passed(asked, filters.from_on, filters.until_on)
    lines = [GateLine(g, sums.get(g.id, Passed())) for g in asked if g.is_open or g.id in sums]
    page = gate_log.page(gates, filters, after=after, before=before)
    if not page.rows and (after or before):
        page = gate_log.page(gates, filters)
    total = Passed(*(sum(getattr(line.passed, n) for line in lines) for n in Passed.__dataclass_fields__))
    entries = in_words(actor, page.rows, gates)
    return GateLog(gates, lines, total, entries, page.has_before, page.has_after)


def in_words(actor: Actor, rows: Sequence[GateEntry], gates: Sequence[Gate]) -> list[LogLine]:
    """Entries with what is wrong with each, by two statements however many there are."""
    known = gate_log.passes_of(actor, {r.number for r in rows if r.number})
    twice = [r for r in rows if "two_gates" in r.alarms.split()]
    seen = gate_log.elsewhere(twice, TWO_GATES_WITHIN)
    by_id = {g.id: g for g in gates}
    return [
        LogLine(r, by_id[r.gate_id], known.get(r.number), _alarms(r, known.get(r.number), seen, by_id)) for r in rows
    ]


def _alarms(
    entry: GateEntry,
    known: KnownPass | None,
    seen: Sequence[tuple[str, int, dt.datetime]],
    gates: Mapping[int, Gate],
) -> tuple[tuple[str, Reason], ...]:
    found: list[tuple[str, Reason]] = []
    for code in entry.alarms.split():
        if code == "two_gates":
            found.append((code, _two_gates(entry, seen, gates)))
        elif code == "late_revoked":
            found.append((code, _late(entry, known)))
        elif code == "mismatch":
            found.append((code, _mismatch(entry, known)))
        elif code in _PLAIN:
            found.append((code, _plain(code, entry)))
    return tuple(found)


def _mismatch(entry: GateEntry, known: KnownPass | None) -> Reason:
    stood = show_plate(entry.plate) if entry.plate else "—"
    values = {"plate": show_plate(known.plate) if known else "—", "seen": stood}
    return Reason(N_("证上是 %(plate)s，现场车牌是 %(seen)s。"), values)


_PLAIN: Mapping[str, str] = {
    "fever": N_("有人体温达到 %(limit)s ℃ 或以上，最高 %(t)s ℃。"),
    "overridden": N_("查验结果是“%(verdict)s”，仍然放行。"),
    "forged": N_("通行证的签名不对，是伪造或改动过的。"),
    "clock": N_("设备时钟偏差 %(n)s 分钟，时间已按服务器校正。"),
}


def _plain(code: str, entry: GateEntry) -> Reason:
    hottest = max((float(t) for t in entry.temperatures), default=0.0)
    shown = entry.verdict if entry.verdict not in ("valid", "none") else entry.checked
    values: Mapping[str, Mapping[str, object]] = {
        "fever": {"limit": FEVER, "t": f"{hottest:.1f}"},
        "overridden": {"verdict": VERDICTS[shown]},
        "clock": {"n": round(abs(entry.clock_off) / 60)},
    }
    return Reason(_PLAIN[code], values.get(code, {}))


def _two_gates(entry: GateEntry, seen: Sequence[tuple[str, int, dt.datetime]], gates: Mapping[int, Gate]) -> Reason:
    near = [
        (abs(at - entry.at), gate_id, at)
        for number, gate_id, at in seen
        if number == entry.number and gate_id != entry.gate_id and abs(at - entry.at) <= TWO_GATES_WITHIN
    ]
    if not near:
        return Reason(N_("同一张通行证不久前在另一卡口进入，没有离开记录。"))
    _gap, gate_id, at = min(near)
    gate = gates.get(gate_id)
    values = {"time": f"{shanghai_time(at):%H:%M}", "gate": gate.name if gate else N_("辖区外的卡口")}
    return Reason(N_("同一张通行证 %(time)s 在“%(gate)s”进入，没有离开记录。"), values)


def _late(entry: GateEntry, known: KnownPass | None) -> Reason:
    """When the pass died, and from when the list was that the device went by."""
    died = known.changed_at if known and known.is_dead else None
    made = entry.at - dt.timedelta(seconds=entry.list_age) if entry.list_age is not None else None
    if died and made:
        values = {"died": _time(died), "made": _time(made)}
        return Reason(N_("通行证在 %(died)s 已失效；设备的名单是 %(made)s 的，当时不知道。"), values)
    if died:
        return Reason(N_("通行证在 %(died)s 已失效，设备当时不知道。"), {"died": _time(died)})
    return Reason(N_("放行时通行证已失效，设备当时不知道。"))


def _time(at: dt.datetime) -> str:
    return f"{shanghai_time(at):%m-%d %H:%M}"


def span(from_on: dt.date | None, until_on: dt.date | None, now: dt.datetime) -> tuple[dt.date, dt.date]:
    """The days to show: today when none are given, at most :data:`MOST_DAYS` back from the last."""
    today = shanghai_day(now)
    last = min(until_on or from_on or today, today)
    first = min(from_on or last, last)
    return max(first, last - dt.timedelta(days=MOST_DAYS - 1)), last
