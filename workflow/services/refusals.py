"""Refusals as a job keeps them: message, parameters and reasons as JSON, and what changed a case meanwhile."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from workflow.core.errors import DomainError, Reason, StepClosed
from workflow.core.tables import Label
from workflow.data.audit import AuditEntry
from workflow.data.cases import Case
from workflow.extensions import db
from workflow.services.history import EVENT_LABELS


@dataclass(frozen=True, slots=True)
class Change:
    """The last thing that happened to a case: a step (a label) or another event (a source text), and the state now."""

    what: Label | str
    at: dt.datetime
    state: Label


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a row was refused: ``main`` first, then the reasons of a closed step; ``change`` when the case had moved."""

    main: Reason
    reasons: tuple[Reason, ...]
    change: Change | None


def _kept(value: object) -> Any:
    if isinstance(value, Label):
        return {"zh": value.zh, "en": value.en}
    if isinstance(value, Reason):
        return _kept_reason(value.message, value.params)
    if isinstance(value, tuple | list):
        return [_kept(v) for v in value]
    return value if isinstance(value, str | int | float | bool) or value is None else str(value)


def _kept_reason(message: str, params: Mapping[str, object]) -> dict[str, Any]:
    return {"message": message, "params": {k: _kept(v) for k, v in params.items()}}


def keep(error: DomainError, case: Case | None = None) -> dict[str, Any]:
    """``error`` as JSON; with ``case``, which had moved meanwhile, also the last thing that happened to it."""
    kept = _kept_reason(error.message, error.params)
    if isinstance(error, StepClosed) and error.reasons:
        kept["reasons"] = [_kept_reason(r.message, r.params) for r in error.reasons]
    change = _last_change(case) if case is not None else None
    if change is not None:
        kept["change"] = {"what": _kept(change.what), "at": change.at.isoformat(), "state": _kept(change.state)}
    return kept


def _last_change(case: Case) -> Change | None:
    query = select(AuditEntry).where(AuditEntry.case_id == case.id).order_by(AuditEntry.id.desc()).limit(1)
    entry = db.session.scalar(query)
    if entry is None:
        return None
    step = case.flow.step(str(entry.before.get("state", "")), entry.event)
    what = step.done if step else EVENT_LABELS.get(entry.event, entry.event)
    return Change(what, entry.at, case.flow.state(case.state).label)


def _revived(value: Any) -> object:
    if isinstance(value, dict) and "message" in value:
        return _reason(value)
    if isinstance(value, dict) and "zh" in value:
        return Label(str(value["zh"]), str(value.get("en", "")))
    return tuple(_revived(v) for v in value) if isinstance(value, list) else value


def _reason(kept: Mapping[str, Any]) -> Reason:
    return Reason(str(kept.get("message", "")), {k: _revived(v) for k, v in kept.get("params", {}).items()})


def read(kept: Mapping[str, Any]) -> Refusal:
    """A refusal as :func:`keep` kept it."""
    change = kept.get("change")
    found = None
    if change:
        what, state = _revived(change["what"]), _revived(change["state"])
        at = dt.datetime.fromisoformat(change["at"])
        found = Change(
            what if isinstance(what, Label) else str(what), at, state if isinstance(state, Label) else Label("", "")
        )
    return Refusal(_reason(kept), tuple(_reason(r) for r in kept.get("reasons", [])), found)
