"""What two phones send from one visit, merged item by item: each operation once, conflicts shown, nothing lost."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import insert, inspect, select

from workflow.core.actors import Actor
from workflow.core.catalogue import Checklist
from workflow.core.errors import N_, DomainError, Invalid, NotPermitted, Reason, Replayed, StepClosed
from workflow.core.evidence import clock_off, clock_words
from workflow.data import audit, cases, inspections
from workflow.data import field as field_data
from workflow.data.field import FieldOperation
from workflow.data.inspections import Inspection, InspectionItem
from workflow.extensions import db
from workflow.services import checklists, marking
from workflow.services import inspections as inspection_service
from workflow.services.marking import ItemEntry

MAX_OPERATIONS = 500
MAX_VISITS = 40
"""The most visits that one request may be about: each locks its case."""

REFUSALS: dict[str, str] = {
    "unknown": N_("没有找到这次核查，可能编号有误，或已不由您办理。"),
    "moved": N_("这次核查已改由他人办理。您的记录已留存在系统，现任核查员可以查看并接手。"),
    "closed": N_("这次核查已经结束，不能再改。您的记录已留存在系统。"),
    "list": N_("这次核查的清单已更换。请在有信号处刷新当日核查，再按新清单核对；您的记录已留存在系统。"),
    "item": N_("清单中没有这一项。请在有信号处刷新当日核查。"),
    "taken": N_("此记录的编号已用于另一内容，请在手机上重新填写此项。"),
    "taken_over": N_("您的这条记录已由现任核查员接手。"),
    "conflict": N_("另一名核查员已将此项改为不同内容，请核对双方记录后重新选择。"),
}


@dataclass(frozen=True, slots=True)
class MarkOperation:
    """One tap on a phone: ``base_revision`` is the item's as the person saw it; ``digest`` that of the list drawn."""

    op_id: str
    inspection_id: int
    code: str
    base_revision: int
    entry: ItemEntry
    device_at: dt.datetime | None
    digest: str = ""


@dataclass(frozen=True, slots=True)
class OperationResult:
    """What became of one operation: applied, duplicate, conflict or refused; ``row`` is the item as it is now."""

    op_id: str
    status: str
    code: str
    row: InspectionItem | None = None
    message: DomainError | Reason | None = None


@dataclass(slots=True)
class _Sync:
    """One request of one phone under way: what was read once, and what is to be written at its end."""

    actor: Actor
    device_id: str
    now: dt.datetime
    visits: dict[int, Inspection]
    visible: Collection[int]
    known: dict[str, FieldOperation]
    lists: dict[int, tuple[Checklist, str]] = field(default_factory=dict)
    appointed: dict[int, bool] = field(default_factory=dict)
    changed: dict[int, list[str]] = field(default_factory=dict)
    fresh: list[FieldOperation] = field(default_factory=list)

    def take(self, op: MarkOperation) -> OperationResult:
        """Judge and apply one operation; never raises for what is wrong with it."""
        visit = self.visits.get(op.inspection_id)
        before = self.known.get(op.op_id)
        if before is not None and not self._is_same(before, op):
            return self._refused(op, "taken")
        why = self._refusal(visit, op)
        known_to_him = visit is not None and why not in ("unknown", "moved")
        row = next((i for i in visit.items if i.code == op.code), None) if visit and known_to_him else None
        if before is not None and before.status != "refused":
            status = "duplicate" if before.status == "applied" else before.status
            return OperationResult(op.op_id, status, op.code, row, _reason(status))
        if visit is None or why == "unknown":
            return self._refused(op, "unknown")
        if before is not None and before.taken_over_by is not None:
            return self._refused(op, "taken_over")
        if why is None and row is None:
            why = "item"
        if why is not None or row is None:
            self._log(visit, op, "refused", why or "item", before)
            return OperationResult(op.op_id, "refused", op.code, row, _reason(why or "item"))
        return self._mark(visit, row, op, before)

    def _refusal(self, visit: Inspection | None, op: MarkOperation) -> str | None:
        """The key in :data:`REFUSALS` for a visit that this person can't mark now, or None."""
        if visit is None:
            return "unknown"
        if visit.id not in self.visible or self.actor.person_id not in (visit.lead_id, visit.second_id):
            if visit.id not in self.appointed:
                self.appointed[visit.id] = field_data.was_appointed(self.actor.person_id, visit)
            return "moved" if self.appointed[visit.id] else "unknown"
        if visit.status != "planned":
            return "closed"
        return "list" if op.digest and op.digest != self._list(visit)[1] else None

    def _list(self, visit: Inspection) -> tuple[Checklist, str]:
        if visit.id not in self.lists:
            checklist = checklists.of_visit(visit)
            self.lists[visit.id] = checklist, checklists.digest_of_visit(visit, checklist)
        return self.lists[visit.id]

    def _is_same(self, before: FieldOperation, op: MarkOperation) -> bool:
        """Whether an operation known by this name is this very one, of this very person."""
        sent = (self.actor.person_id, "mark", op.inspection_id, op.code, _values(op))
        kept = {k: v for k, v in before.values.items() if k != "refused"}
        return sent == (before.person_id, before.kind, before.inspection_id, before.code, kept)

    def _mark(
        self, visit: Inspection, row: InspectionItem, op: MarkOperation, before: FieldOperation | None
    ) -> OperationResult:
        try:
            values = marking.read(visit, row, self._list(visit)[0].item(op.code), op.entry)
        except DomainError as error:
            self._log(visit, op, "refused", "invalid", before)
            return OperationResult(op.op_id, "refused", op.code, row, error)
        anothers = row.revision > op.base_revision and row.marked_by != self.actor.person_id
        if anothers and marking.stored(row) != values:
            self._log(visit, op, "conflict", "", before)
            return OperationResult(op.op_id, "conflict", op.code, row, _reason("conflict"))
        if marking.mark(visit, row, values, self.actor, now=self.now, device_at=op.device_at):
            codes = self.changed.setdefault(visit.id, [])
            codes += [op.code] if op.code not in codes else []
        kept = self._log(visit, op, "applied", "", before)
        return OperationResult(op.op_id, "applied", op.code, row, clock_words(kept.clock_off))

    def _log(
        self, visit: Inspection, op: MarkOperation, status: str, why: str, before: FieldOperation | None
    ) -> FieldOperation:
        """Keep the operation as it came; one that was refused before and is sent again is judged again."""
        values = _values(op) | ({"refused": why} if why else {})
        if before is not None:
            before.status, before.values = status, values
            return before
        row = FieldOperation(
            op_id=op.op_id,
            kind="mark",
            inspection_id=visit.id,
            code=op.code[:20],
            values=values,
            base_revision=op.base_revision,
            person_id=self.actor.person_id,
            device_id=self.device_id,
            device_at=op.device_at,
            received_at=self.now,
            clock_off=clock_off(op.device_at, self.now, arranged_at(visit)),
            status=status,
        )
        self.fresh.append(row)
        self.known[op.op_id] = row
        return row

    def write(self) -> None:
        """Write the new operations as one statement, however many there are."""
        names = [c.key for c in inspect(FieldOperation).column_attrs if c.key not in ("id", "taken_over_by")]
        if self.fresh:
            db.session.execute(insert(FieldOperation), [{n: getattr(row, n) for n in names} for row in self.fresh])

    @staticmethod
    def _refused(op: MarkOperation, why: str) -> OperationResult:
        return OperationResult(op.op_id, "refused", op.code, None, _reason(why))


def _reason(key: str) -> Reason | None:
    return Reason(REFUSALS[key]) if key in REFUSALS else None


def _values(op: MarkOperation) -> dict[str, Any]:
    entry = op.entry
    return {
        "result": entry.result,
        "measured": entry.measured,
        "note": entry.note,
        "rectify_by_on": entry.rectify_by_on or "",
    }


def arranged_at(visit: Inspection) -> dt.datetime | None:
    """Since when something can have been done on a visit: its first appointment, or at least the case itself."""
    return visit.appointed_at if visit.sequence == 0 else visit.case.submitted_at


def sync(actor: Actor, device_id: str, operations: Sequence[MarkOperation], now: dt.datetime) -> list[OperationResult]:
    """Apply what a phone did, in its order; every operation stands for itself.

    An operation that is known already has no second effect. One on an item that somebody else changed to other values
    after ``base_revision`` is a conflict: kept, and the item stays. History gets one row a visit with the codes.
    """
    if len(operations) > MAX_OPERATIONS:
        raise Invalid(N_("一次最多上传 %(n)s 条记录。"), n=MAX_OPERATIONS)
    named = {op.inspection_id for op in operations}
    if len(named) > MAX_VISITS:
        raise Invalid(N_("一次最多上传 %(n)s 次核查的记录。"), n=MAX_VISITS)
    visits = field_data.lock_named(named)
    mine = inspections.visible_to(actor).with_only_columns(Inspection.id).where(Inspection.id.in_(visits))
    visible = frozenset(db.session.scalars(mine)) if visits else frozenset()
    known = field_data.operations({op.op_id for op in operations})
    run = _Sync(actor, device_id, now, visits, visible, known)
    with db.session.no_autoflush:
        results = [run.take(op) for op in operations]
    for visit_id, codes in sorted(run.changed.items()):
        inspection_service.record(audit.INSPECTION_SAVED, visits[visit_id], actor, now, {"items": codes})
    run.write()
    db.session.flush()
    return results


def take_over(actor: Actor, inspection_id: int, operation_ids: Collection[int], now: dt.datetime) -> list[str]:
    """Apply marks that another inspector left behind as one's own; returns the codes. The later mark of an item counts.

    :class:`Invalid` at an item's code when what was left there can't be kept.
    """
    visit = inspection_service.own_planned(actor, inspection_id)
    checklist, rows = checklists.of_visit(visit), {i.code: i for i in visit.items}
    codes: list[str] = []
    for op in field_data.left_over(visit.id):
        row = rows.get(op.code)
        if op.id not in operation_ids or row is None:
            continue
        entry = ItemEntry(*(op.values[k] for k in ("result", "measured", "note", "rectify_by_on")))
        values = marking.read(visit, row, checklist.item(op.code), entry)
        marking.mark(visit, row, values, actor, now=now, device_at=op.device_at)
        op.taken_over_by = actor.person_id
        codes += [op.code] if op.code not in codes else []
    if codes:
        inspection_service.record(audit.INSPECTION_SAVED, visit, actor, now, {"items": codes, "taken_over": True})
    return codes


def left_over(actor: Actor, inspection_id: int) -> tuple[Inspection, list[FieldOperation]]:
    """The visit, for one of its two inspectors, and the marks that others left behind on it."""
    visit = inspection_service.get(actor, inspection_id)
    if actor.person_id not in (visit.lead_id, visit.second_id):
        raise NotPermitted(N_("由指定的两名核查员办理"))
    return visit, field_data.left_over(visit.id)


@dataclass(frozen=True, slots=True)
class Conclusion:
    """How a visit is concluded from a phone: the flow's step, words, and the date for what is to be rectified."""

    op_id: str
    action: str
    words: str
    rectify_by_on: dt.date | None
    case_version: int
    device_id: str = ""
    device_at: dt.datetime | None = None


def conclude(actor: Actor, inspection_id: int, conclusion: Conclusion, now: dt.datetime) -> Inspection:
    """Conclude a visit once, however often the phone sends it; raises as the page's own way to conclude does."""
    visit = inspection_service.get(actor, inspection_id)
    cases.lock(visit.case_id)
    before = field_data.operations([conclusion.op_id]).get(conclusion.op_id)
    if before is not None:
        if (before.person_id, before.kind, before.inspection_id) != (actor.person_id, "conclude", visit.id):
            raise Replayed(REFUSALS["taken"])
        if before.values.get("action") != conclusion.action:
            raise Replayed(REFUSALS["taken"])
        return visit
    if db.session.scalar(select(Inspection.status).where(Inspection.id == visit.id)) != "planned":
        raise StepClosed(N_("这次核查已经结束，不能再改。"))
    inspection_service.conclude(
        actor,
        visit.id,
        conclusion.action,
        version=conclusion.case_version,
        words=conclusion.words,
        rectify_by_on=conclusion.rectify_by_on,
        now=now,
    )
    db.session.add(
        FieldOperation(
            op_id=conclusion.op_id,
            kind="conclude",
            inspection_id=visit.id,
            values={"action": conclusion.action},
            person_id=actor.person_id,
            device_id=conclusion.device_id,
            device_at=conclusion.device_at,
            received_at=now,
            clock_off=clock_off(conclusion.device_at, now, arranged_at(visit)),
            status="applied",
        )
    )
    db.session.flush()
    return visit
