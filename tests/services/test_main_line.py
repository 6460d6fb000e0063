"""The main line through the services, both flows, from submission to a pass that verifies."""

from __future__ import annotations

import pytest

from tests.builders import World
from workflow.core.actors import Role
from workflow.data import audit, issued, passes
from workflow.extensions import db
from workflow.services import passes as pass_service
from workflow.services import verification


@pytest.mark.parametrize(("size", "flow"), [("below", "city-small"), ("micro", "city-small"), ("above", "city-large")])
def test_an_application_becomes_an_approved_case_with_a_pass(world: World, size: str, flow: str) -> None:
    clerk = world.company()
    head_count = "18" if size == "micro" else "860"
    case = world.approved(clerk, size=size, head_count=head_count, resuming_count="12")
    assert case.flow_version.key == flow
    assert case.state == "approved"
    assert case.reference == "复工-海曙-20200215-0001"
    kinds = [d.kind for d in issued.of_case(case.id)]
    assert kinds == ["receipt", "inspection_sheet", "notice"]
    assert (case.city_filed_at is not None) == (size == "above")

    asked = pass_service.request_pass(world.actor(clerk), case.id, world.pass_request(), world.now)
    granted = pass_service.grant(world.actor(world.officer(Role.REVIEWER)), asked.id, world.now)
    db.session.commit()
    check = verification.check_token(granted.token or "", world.now)
    assert check.status == "valid"
    assert check.plate == "浙B·12345"
    pass_service.revoke(world.actor(world.officer(Role.LEADER)), asked.id, "车辆已出售", world.now)
    db.session.commit()
    assert verification.check_token(granted.token or "", world.now).status == "revoked"
    assert [p.status for p in passes.of_case(case.id)] == ["revoked"]
    assert list(audit.verify()) == []
