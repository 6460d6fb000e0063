"""Hours of the week are signed and checked; a code whose pass was signed by a retired key is as forged as its QR."""

from __future__ import annotations

import datetime as dt

import pytest

from tests.builders import World
from workflow.core.actors import Role
from workflow.core.times import SHANGHAI, shanghai_day
from workflow.data import issued
from workflow.data.passes import VehiclePass
from workflow.documents import tokens
from workflow.services import key_changes, keys, verification
from workflow.services import passes as service


def granted(world: World, schedule: str) -> VehiclePass:
    """A pass for these hours of the week, good for ten days from now."""
    clerk = world.company()
    case = world.approved(clerk)
    asked = service.request_pass(world.actor(clerk), case.id, world.pass_request(), world.now)
    asked.schedule = schedule
    service.grant(world.actor(world.officer(Role.REVIEWER)), asked.id, world.now)
    return asked


@pytest.mark.parametrize(
    ("schedule", "day", "hour", "status"),
    [
        ("always", 6, 3, "valid"),
        ("daytime", 6, 3, "hours"),
        ("daytime", 6, 6, "valid"),
        ("weekdays", 6, 12, "hours"),
        ("weekdays", 5, 12, "valid"),
        ("night", 5, 12, "hours"),
        ("night", 5, 23, "valid"),
    ],
)
def test_outside_its_hours_a_pass_says_so(world: World, schedule: str, day: int, hour: int, status: str) -> None:
    found = granted(world, schedule)
    today = shanghai_day(world.now)
    wanted = next(d for d in (today + dt.timedelta(days=n) for n in range(1, 8)) if d.isoweekday() == day)
    moment = dt.datetime.combine(wanted, dt.time(hour), SHANGHAI)
    for check in (
        verification.check_token(found.token or "", moment),
        verification.check_code(found.short_code or "", moment),
    ):
        assert check.status == status
        assert check.hours == found.hours.label
    assert tokens.verify(found.token or "", keys.public_keys()).schedule == schedule


def test_a_code_of_a_retired_keys_pass_or_paper_is_forged_like_its_qr(world: World) -> None:
    found = granted(world, "always")
    papers = [d for d in issued.of_case(found.case_id) if d.token]
    assert papers
    key_changes.retire(keys.signing_key().kid, world.actor(world.officer(Role.COMMANDER)), world.now)
    assert verification.check_token(found.token or "", world.now) == verification.Check(verification.Status.FORGED)
    assert verification.check_code(found.short_code or "", world.now) == verification.Check(verification.Status.FORGED)
    for paper in papers:
        assert verification.check_code(paper.short_code, world.now).status == "forged"


def test_a_suspended_pass_is_refused_and_says_that_it_may_live_again(world: World) -> None:
    found = granted(world, "always")
    found.settle("suspended", by=None, at=world.now)
    check = verification.check_token(found.token or "", world.now)
    assert (check.status, check.is_suspended) == ("revoked", True)
    found.settle("granted", by=None, at=world.now)
    assert verification.check_token(found.token or "", world.now).status == "valid"
