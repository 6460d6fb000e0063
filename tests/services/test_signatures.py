"""Signatures on a sheet: who speaks for whom, what they cover, and a flow that demands them."""

from __future__ import annotations

import pytest

from tests.builders import World
from tests.services.phones import free_codes, given, two
from tests.services.test_clocks import publish
from tests.services.visits import conclude, planned, save
from workflow.core.actors import Role
from workflow.core.errors import NotPermitted, Replayed, StepClosed
from workflow.data import audit
from workflow.extensions import db
from workflow.services import signatures as signature_service
from workflow.services.inspections import ItemEntry


def test_a_flow_may_demand_signatures_that_cover_the_sheet_as_it_is(world: World) -> None:
    unsigned = 'checklist_complete", "no_failed_items"]\n'
    publish(world, unsigned, f'{unsigned}checks = ["sheet_signed"]\n')
    case = world.scheduled()
    visit = world.fill_sheet(case)
    first, second = two(world)

    def refusal() -> str:
        with pytest.raises(StepClosed) as refused:
            conclude(world, visit, "pass_inspection")
        db.session.rollback()
        return str(refused.value.reasons[0])

    assert "还缺 3 方" in refusal()
    signature_service.sign(first, visit.id, "lead", given(1), world.now)
    signature_service.sign(second, visit.id, "second", given(2), world.now)
    signature_service.sign(second, visit.id, "company", given(3, "refused", reason="负责人不在场"), world.now)
    db.session.commit()
    save(world, visit, **{free_codes(visit)[0].replace("-", "_"): ItemEntry("na", "", "改判")})
    db.session.commit()
    assert "请 3 方重新签字" in refusal()
    for number, who, party in ((4, first, "lead"), (5, second, "second"), (6, first, "company")):
        signature_service.sign(who, visit.id, party, given(number), world.now)
    db.session.commit()
    assert conclude(world, visit, "pass_inspection").state == "awaiting_decision"


def test_each_inspector_speaks_for_himself(world: World) -> None:
    visit, (first, second) = planned(world.scheduled()), two(world)
    with pytest.raises(NotPermitted):
        signature_service.sign(first, visit.id, "second", given(1), world.now)
    with pytest.raises(NotPermitted):
        signature_service.sign(world.actor(world.new_officer(Role.INSPECTOR)), visit.id, "company", given(2), world.now)
    row = signature_service.sign(second, visit.id, "second", given(3, name="冒名"), world.now)
    assert row.name == second.name
    again = signature_service.sign(second, visit.id, "second", given(3), world.now)
    assert again.id == row.id
    with pytest.raises(Replayed):
        signature_service.sign(first, visit.id, "company", given(3), world.now)
    signed = [e.after for e in audit.of_case(visit.case_id) if e.event == audit.SHEET_SIGNED]
    assert [(s["party"], s["status"]) for s in signed] == [("second", "signed")]
