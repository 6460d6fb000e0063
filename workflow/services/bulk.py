"""One step for many cases: shown beforehand with a reason for each, taken one by one, each in its own savepoint."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm.exc import StaleDataError

from workflow.core.actors import Actor
from workflow.core.engine import OpenStep
from workflow.core.errors import N_, DomainError, Invalid, Reason, Stale
from workflow.data import cases, queue
from workflow.data.cases import Case
from workflow.extensions import db
from workflow.services import cases as case_service

MAX_CASES = 50
_NO_STEP = Reason(N_("案件当前状态不能办理此步骤，请查看最新进展。"))


@dataclass(frozen=True, slots=True)
class BulkRow:
    """One case before the step: ``reasons`` is empty when the step may be taken on it now."""

    case: Case
    reasons: tuple[Reason, ...]

    @property
    def is_open(self) -> bool:
        """Whether the step may be taken now."""
        return not self.reasons


@dataclass(frozen=True, slots=True)
class BulkResult:
    """One case after the step: ``refusal`` is None when it was taken."""

    case_id: int
    refusal: DomainError | None


def _few(case_ids: Sequence[int]) -> list[int]:
    wanted = list(dict.fromkeys(case_ids))
    if not wanted:
        raise Invalid(N_("请先勾选案件。"), field="case")
    if len(wanted) > MAX_CASES:
        raise Invalid(N_("一次最多办理 %(n)s 件。"), field="case", n=MAX_CASES)
    return wanted


def preview(actor: Actor, case_ids: Sequence[int], action: str, now: dt.datetime) -> list[BulkRow]:
    """What ``action`` would do with each of the cases the actor sees, in the order given; unseen ones are left out."""
    wanted = _few(case_ids)
    seen = queue.some(actor, wanted)
    return [BulkRow(seen[i], _reasons(actor, seen[i], action, now)) for i in wanted if i in seen]


def _reasons(actor: Actor, case: Case, action: str, now: dt.datetime) -> tuple[Reason, ...]:
    steps: list[OpenStep] = case_service.open_steps(actor, case, now)
    step = next((s for s in steps if s.step.action == action), None)
    return step.reasons if step else (_NO_STEP,)


def perform(actor: Actor, wanted: Sequence[tuple[int, int]], action: str, now: dt.datetime) -> list[BulkResult]:
    """Take ``action`` on each ``(case id, version)``; what is refused changes nothing and does not stop the others."""
    few = _few([case_id for case_id, _version in wanted])
    cases.lock_all(actor, few)  # all locks before the first history row, in one order: no two of these block each other
    return [BulkResult(i, _take(actor, i, version, action, now)) for i, version in dict(wanted).items()]


def _take(actor: Actor, case_id: int, version: int, action: str, now: dt.datetime) -> DomainError | None:
    try:
        with db.session.begin_nested():
            case_service.perform(actor, case_id, action, version=version, now=now)
    except DomainError as error:
        return error
    except StaleDataError:
        return Stale()
    return None
