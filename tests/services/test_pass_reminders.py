"""The reminder before passes end: once, from nine in the morning two days ahead, and not for what was renewed."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest
from sqlalchemy import select

from tests.builders import World
from workflow.core.actors import Role
from workflow.core.times import SHANGHAI, shanghai_day
from workflow.data import audit
from workflow.data.audit import AuditEntry
from workflow.data.outbox import OutboxItem
from workflow.data.passes import VehiclePass
from workflow.data.people import Account
from workflow.extensions import db
from workflow.services import passes as service
from workflow.services.pass_reminders import remind_one
from workflow.services.pass_requests import renewal_days, same_again

DAY = dt.timedelta(days=1)


@pytest.fixture
def clerk(world: World) -> Account:
    """The clerk of the company whose passes end."""
    return world.company()


def granted(world: World, clerk: Account, *plates: str, days: int = 5) -> list[VehiclePass]:
    """Passes of one case from today on."""
    case, today = world.approved(clerk), shanghai_day(world.now)
    officer = world.actor(world.officer(Role.REVIEWER))
    made = []
    for plate in plates:
        wanted = world.pass_request(plate=plate, valid_from_on=today, valid_until_on=today + (days - 1) * DAY)
        asked = service.request_pass(world.actor(clerk), case.id, wanted, world.now)
        made.append(service.grant(officer, asked.id, world.now))
    db.session.commit()
    return made


def told() -> list[str]:
    """The Chinese words of every message on passes that end."""
    items = db.session.scalars(select(OutboxItem).where(OutboxItem.kind == "message").order_by(OutboxItem.id))
    return [i.payload["details"]["done"]["zh"] for i in items if i.payload["event"] == audit.PASS_ENDING]


def morning(day: dt.date, hour: int, minute: int = 0) -> dt.datetime:
    """An instant by Shanghai's clock."""
    return dt.datetime.combine(day, dt.time(hour, minute), SHANGHAI)


def test_a_company_is_told_once_of_all_that_end(world: World, clerk: Account) -> None:
    first, *_others = granted(world, clerk, "浙B10001", "浙B10002", "浙B10003")
    day = first.valid_until_on - 2 * DAY
    assert remind_one(morning(day, 8, 59)) is None
    assert remind_one(morning(day, 9)) == first.case_id
    db.session.commit()
    assert told() == ["3 张车辆通行证即将到期，可以续期"]
    assert remind_one(morning(day, 9, 1)) is None
    (row,) = db.session.scalars(select(AuditEntry).where(AuditEntry.event == audit.PASS_ENDING))
    assert len(row.after["passes"]) == 3


def test_what_was_renewed_suspended_or_is_over_is_not_spoken_of(world: World, clerk: Account) -> None:
    renewed, suspended, standing = granted(world, clerk, "浙B10001", "浙B10002", "浙B10003")
    service.suspend(world.actor(world.officer(Role.REVIEWER)), suspended.id, "核实中", world.now)
    world.later(days=2)
    first, last = renewal_days(renewed, 5, shanghai_day(world.now))
    wanted = replace(same_again(renewed, "renewal"), valid_from_on=first, valid_until_on=last)
    service.request_pass(world.actor(clerk), renewed.case_id, wanted, world.now)
    db.session.commit()
    day = standing.valid_until_on - 2 * DAY
    assert remind_one(morning(day, 10)) == standing.case_id
    db.session.commit()
    assert told() == ["1 张车辆通行证即将到期，可以续期"]


def test_a_worker_that_stood_still_says_nothing_of_passes_that_are_over(world: World, clerk: Account) -> None:
    (over,) = granted(world, clerk, "浙B10001")
    assert remind_one(morning(over.valid_until_on + DAY, 9)) == over.case_id
    db.session.commit()
    assert (told(), over.remind_on) == ([], None)
