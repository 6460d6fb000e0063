"""Acts on visits that the tests of inspections share."""

from __future__ import annotations

import datetime as dt
from typing import Any

from tests.builders import World
from workflow.core.times import shanghai_day
from workflow.data.cases import Case
from workflow.data.inspections import Inspection
from workflow.data.people import Account
from workflow.extensions import db
from workflow.services import cases as case_service
from workflow.services import inspections as service
from workflow.services.inspections import Appointment, ItemEntry


def schedule(world: World, case: Case, **changes: Any) -> Case:
    """Arrange a visit by the town's two inspectors tomorrow, unless changed."""
    first, second = world.inspectors()
    values = {
        "visit_at": world.now + dt.timedelta(days=1),
        "lead_id": first.person_id,
        "second_id": second.person_id,
        **changes,
    }
    return service.schedule(
        world.actor(first), case.id, "schedule_inspection", Appointment(**values), version=case.version, now=world.now
    )


def save(world: World, visit: Inspection, **entries: ItemEntry) -> Inspection:
    """Mark items (``-`` in codes is ``_`` here) as the first inspector."""
    marks = {code.replace("_", "-"): entry for code, entry in entries.items()}
    return service.save_sheet(
        world.actor(world.inspectors()[0]), visit.id, marks, revision=visit.revision, now=world.now
    )


def conclude(world: World, visit: Inspection, action: str, **changes: Any) -> Case:
    """Conclude as the first inspector."""
    values: dict[str, Any] = {
        "version": visit.case.version,
        "words": "核查情况属实",
        "rectify_by_on": shanghai_day(world.now) + dt.timedelta(days=3),
        "now": world.now,
        **changes,
    }
    return service.conclude(world.actor(world.inspectors()[0]), visit.id, action, **values)


def planned(case: Case) -> Inspection:
    """The visit that is arranged."""
    visit = service.planned(case)
    assert visit is not None
    return visit


def rectifying(world: World, *codes: str, **answers: str) -> Case:
    """A case whose visit found these items wrong."""
    return world.conclude(world.scheduled(**answers), "order_rectification", *codes, words="请整改")


def report(world: World, case: Case, remedies: dict[str, str]) -> Case:
    """The company's answers to the failed items."""
    (clerk,) = case_service.case_facts(case, world.now).company_people
    account = db.session.query(Account).filter_by(person_id=clerk).one()
    return service.report_rectified(
        world.actor(account), case.id, "report_rectified", remedies, version=case.version, now=world.now
    )
