"""Every shipped flow through the services: from submission to a pass that verifies, and to each of its other ends."""

from __future__ import annotations

import pytest

from tests import walking
from tests.builders import World
from tests.core.scene import FLOWS
from workflow.core.actors import Role
from workflow.core.effects import Effect
from workflow.core.flow import InspectionRule, StateKind
from workflow.data import audit, catalogue, issued, opinions, passes
from workflow.data.cases import Case
from workflow.data.passes import VehiclePass
from workflow.data.people import Account
from workflow.extensions import db
from workflow.services import issuing, verification
from workflow.services import passes as pass_service

SHOUNAN, LUOTUO = "330212013", "330211003"
ROUTES: dict[str, tuple[dict[str, str], str]] = {
    "city-small": ({"size": "below", "head_count": "860"}, "复工-海曙"),
    "micro": ({"size": "micro", "head_count": "18"}, "复工-海曙"),
    "city-large": ({"size": "above", "head_count": "860"}, "复工-海曙"),
    "yinzhou-town": ({"size": "above", "head_count": "100", "town": SHOUNAN}, "复工-鄞州"),
    "yinzhou-bureau": ({"size": "below", "head_count": "101", "town": SHOUNAN}, "复工-鄞州"),
    "zhenhai-town": ({"size": "below", "town": LUOTUO}, "复工-镇海"),
    "zhenhai-bureau": ({"size": "above", "town": LUOTUO}, "复工-镇海"),
    "host-building": ({"purpose": "host"}, "复工-海曙"),
    "construction": ({"purpose": "site"}, "复工-海曙"),
    "hazardous": ({"hazardous": "yes"}, "复工-海曙"),
    "priority": ({"priority_class": "daily_life"}, "复工-海曙"),
    "reopen": ({"purpose": "reopen"}, "复工-海曙"),
    "extra-staff": ({"purpose": "extra_staff"}, "复工-海曙"),
    "filing": ({}, "复工-海曙"),
}
"""Answers that lead to each shipped flow, and how the reference begins."""


def begun(world: World, flow: str, clerk: Account) -> Case:
    """A case submitted to ``flow``; what must be there before is made first."""
    answers, _reference = ROUTES[flow]
    if flow == "filing":
        world.publish_rules("filing")
    if answers.get("purpose") == "extra_staff":
        world.approved(clerk)
    case = world.submitted(clerk, **{"head_count": "86", "resuming_count": "12", **answers})
    assert case.flow.key == flow
    return case


def decided(world: World, asked: VehiclePass) -> VehiclePass:
    """The pass once it is decided on: by an officer, unless the rule did it at once."""
    if asked.status == "requested":
        reviewer = world.officer(Role.REVIEWER, asked.case.town.code)
        pass_service.grant(world.actor(reviewer), asked.id, world.now)
    db.session.commit()
    return asked


def test_every_shipped_flow_is_walked_here() -> None:
    assert set(ROUTES) == set(catalogue.flow_keys())


@pytest.mark.parametrize("flow", ROUTES)
def test_an_application_becomes_an_approved_case_with_a_pass(world: World, flow: str) -> None:
    clerk = world.company()
    case = begun(world, flow, clerk)
    assert case.reference.startswith(f"{ROUTES[flow][1]}-202002")
    walking.walk(world, case, {case.flow.main[-1]})
    assert case.flow.state(case.state).kind is StateKind.APPROVED
    assert case.permits
    kinds = [d.kind for d in issued.of_case(case.id)]
    seen = ["inspection_sheet"] if case.flow.inspection is InspectionRule.BEFORE else []
    assert [k for k in kinds if k != "inspection_sheet" or seen] == ["receipt", *seen, "notice"]
    files_with_city = any(Effect.FILE_WITH_CITY in s.effects for s in case.flow.steps)
    assert (case.city_filed_at is not None) == files_with_city
    assert {r.department for r in opinions.of_case(case.id)} == {o.department for o in case.flow.opinions}

    asked = pass_service.request_pass(world.actor(clerk), case.id, world.pass_request(), world.now)
    granted = decided(world, asked)
    assert issuing.render_pass_pdf(granted).startswith(b"%PDF")
    check = verification.check_token(granted.token or "", world.now)
    assert check.status == "valid"
    assert check.plate == "浙B·12345"
    pass_service.revoke(world.actor(world.officer(Role.LEADER, case.town.code)), asked.id, "车辆已出售", world.now)
    db.session.commit()
    assert verification.check_token(granted.token or "", world.now).status == "revoked"
    assert [p.status for p in passes.of_case(case.id)] == ["revoked"]
    assert list(audit.verify()) == []


@pytest.mark.parametrize("flow", ["filing", "extra-staff", "reopen", "construction"])
def test_a_notice_has_the_title_of_its_flow(world: World, flow: str) -> None:
    case = begun(world, flow, world.company())
    walking.walk(world, case, {case.flow.main[-1]})
    (notice,) = (d for d in issued.of_case(case.id) if d.kind == "notice")
    assert case.flow.notice is not None
    assert notice.facts["title"] == case.flow.notice.zh
    assert issuing.render_pdf(notice).startswith(b"%PDF")


OTHER_ENDS = [(key, s.key) for key, flow in FLOWS.items() for s in flow.states.values() if s.kind is StateKind.ENDED]


@pytest.mark.parametrize(("flow", "end"), OTHER_ENDS)
def test_every_other_end_is_reached(world: World, flow: str, end: str) -> None:
    case = begun(world, flow, world.company())
    walking.walk(world, case, {end})
    assert (case.state, case.is_open, case.permits, case.holder) == (end, False, False, "")
    assert list(audit.verify()) == []


@pytest.mark.parametrize("flow", ROUTES)
def test_every_state_can_be_visited_and_left(world: World, flow: str) -> None:
    """Through all open states one after another, as far as each can be reached from where the case stands."""
    case = begun(world, flow, world.company())
    visited = {case.state}
    for state in case.flow.states.values():
        if state.kind is StateKind.OPEN and state.key not in visited:
            try:
                walking.find_way(case.flow, walking.stand_of(world, case), {state.key})
            except LookupError:
                continue
            walking.walk(world, case, {state.key})
            visited.add(state.key)
    wanted = {s.key for s in case.flow.states.values() if s.kind is StateKind.OPEN}
    assert wanted - visited == set()


def test_a_stopped_enterprise_loses_its_passes(world: World) -> None:
    clerk = world.company()
    case = begun(world, "filing", clerk)
    walking.walk(world, case, {"filed"})
    asked = pass_service.request_pass(world.actor(clerk), case.id, world.pass_request(), world.now)
    assert decided(world, asked).status == "granted"
    walking.walk(world, case, {"stopped"})
    assert [p.status for p in passes.of_case(case.id)] == ["revoked"]
    assert not case.permits
