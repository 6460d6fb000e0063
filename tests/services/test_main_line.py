"""The main line through the services, both flows, from submission to a pass that verifies."""

from __future__ import annotations

import pytest

from tests.builders import World
from workflow.core.actors import Role
from workflow.data import audit, catalogue, issued, passes
from workflow.extensions import db
from workflow.services import passes as pass_service
from workflow.services import verification

SHOUNAN = "330212013"
ROUTES = {
    "city-small": ({"size": "below", "head_count": "860"}, "复工-海曙"),
    "micro": ({"size": "micro", "head_count": "18"}, "复工-海曙"),
    "city-large": ({"size": "above", "head_count": "860"}, "复工-海曙"),
    "yinzhou-town": ({"size": "above", "head_count": "100", "town": SHOUNAN}, "复工-鄞州"),
    "yinzhou-bureau": ({"size": "below", "head_count": "101", "town": SHOUNAN}, "复工-鄞州"),
}
"""Answers that lead to each shipped flow, and how the reference begins."""


def test_every_shipped_flow_is_walked_here() -> None:
    assert set(ROUTES) == set(catalogue.flow_keys())


@pytest.mark.parametrize("flow", ROUTES)
def test_an_application_becomes_an_approved_case_with_a_pass(world: World, flow: str) -> None:
    clerk = world.company()
    answers, reference = ROUTES[flow]
    case = world.approved(clerk, resuming_count="12", **answers)
    assert case.flow_version.key == flow
    assert case.state == "approved"
    assert case.reference == f"{reference}-20200215-0001"
    kinds = [d.kind for d in issued.of_case(case.id)]
    assert kinds == ["receipt", "inspection_sheet", "notice"]
    assert (case.city_filed_at is not None) == (flow not in ("city-small", "micro"))

    asked = pass_service.request_pass(world.actor(clerk), case.id, world.pass_request(), world.now)
    granted = pass_service.grant(world.actor(world.officer(Role.REVIEWER, case.town.code)), asked.id, world.now)
    db.session.commit()
    check = verification.check_token(granted.token or "", world.now)
    assert check.status == "valid"
    assert check.plate == "浙B·12345"
    pass_service.revoke(world.actor(world.officer(Role.LEADER, case.town.code)), asked.id, "车辆已出售", world.now)
    db.session.commit()
    assert verification.check_token(granted.token or "", world.now).status == "revoked"
    assert [p.status for p in passes.of_case(case.id)] == ["revoked"]
    assert list(audit.verify()) == []
