"""Phones on site that the tests of field sheets share: operations, sending them, and what is stored then."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from tests.builders import World
from workflow.core.actors import Actor
from workflow.data.inspections import Inspection
from workflow.extensions import db
from workflow.services import checklists, field_sheets
from workflow.services.field_sheets import MarkOperation, OperationResult
from workflow.services.inspections import ItemEntry
from workflow.services.signatures import Given

DEVICE = str(uuid.UUID(int=7))


def op(visit: Inspection, number: int, result: str = "conform", **changes: Any) -> MarkOperation:
    """The operation ``number`` of a phone, on the item that ``code`` or the number says."""
    texts = {k: changes.pop(k) for k in ("measured", "note", "rectify_by_on") if k in changes}
    values: dict[str, Any] = {
        "op_id": name(number),
        "inspection_id": visit.id,
        "code": free_codes(visit)[number % len(free_codes(visit))],
        "base_revision": 0,
        "entry": ItemEntry(result, **{"rectify_by_on": "", **texts}),
        "device_at": None,
        **changes,
    }
    return MarkOperation(**values)


def name(number: int) -> str:
    """The name a phone gives its operation."""
    return str(uuid.UUID(int=1000 + number))


def free_codes(visit: Inspection) -> list[str]:
    """The items without a limit, which need no measured value."""
    checklist = checklists.of_visit(visit)
    return [i.code for i in visit.items if checklist.item(i.code).limit is None]


def limited(visit: Inspection) -> str:
    """An item with a limit."""
    checklist = checklists.of_visit(visit)
    return next(i.code for i in visit.items if checklist.item(i.code).limit is not None)


def sync(world: World, who: Actor, *ops: MarkOperation, now: dt.datetime | None = None) -> list[OperationResult]:
    """Send operations and commit, as a request does."""
    found = field_sheets.sync(who, DEVICE, ops, now or world.now)
    db.session.commit()
    return found


def statuses(found: list[OperationResult]) -> list[str]:
    """What became of each."""
    return [r.status for r in found]


def two(world: World) -> tuple[Actor, Actor]:
    """The visit's inspectors."""
    first, second = world.inspectors()
    return world.actor(first), world.actor(second)


def mark(visit: Inspection, code: str) -> tuple[str | None, int, int | None]:
    """Result, revision and marker of an item as stored."""
    db.session.expire_all()
    row = next(i for i in visit.items if i.code == code)
    return row.result, row.revision, row.marked_by


def given(number: int, status: str = "signed", **changes: Any) -> Given:
    """A signature with a typed name."""
    values = {"name": "周试验", "post": "厂长", "reason": "", "device_at": None, **changes}
    return Given(op_id=name(number), status=status, **values)
