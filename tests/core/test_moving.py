"""A case goes on in a new version only where that has the same place for it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.core.scene import FLOWS
from workflow.core.actors import Role
from workflow.core.flow import StateKind
from workflow.core.moving import hindrance


@pytest.mark.parametrize("key", FLOWS)
def test_a_flow_takes_over_its_own_cases(key: str) -> None:
    assert [hindrance(FLOWS[key], FLOWS[key], state) for state in FLOWS[key].states] == [None] * len(FLOWS[key].states)


def test_a_state_that_is_gone_or_is_another_now_is_refused_with_its_name() -> None:
    old = FLOWS["city-small"]
    gone = replace(old, states={k: s for k, s in old.states.items() if k != "inspecting"})
    reason = hindrance(old, gone, "inspecting")
    assert reason is not None
    assert reason.params["state"] is old.state("inspecting").label
    for change in ({"holder": Role.LEADING_GROUP}, {"kind": StateKind.ENDED}, {"permits": True}):
        other = replace(old, states={**old.states, "reviewing": replace(old.state("reviewing"), **change)})  # type: ignore[arg-type]
        assert hindrance(old, other, "reviewing") is not None
        assert hindrance(old, other, "inspecting") is None
