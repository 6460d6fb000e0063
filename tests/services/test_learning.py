"""What visits teach is what a count of their items gives, and it comes before the next visit."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from tests.builders import World
from workflow.core.actors import Role
from workflow.core.errors import NotFound
from workflow.data import inspections
from workflow.data.inspections import Inspection, InspectionItem
from workflow.data.item_counts import ItemCount
from workflow.extensions import db
from workflow.services import learning

JIANGXIA = "330203002"


def _visited(world: World, *fail: str, **answers: str) -> Inspection:
    case = world.scheduled(**answers)
    world.conclude(case, "order_rectification" if fail else "pass_inspection", *fail)
    return inspections.of_case(case.id)[-1]


def _failing(world: World) -> str:
    """The code of an item that may fail with rectification: the second of the sheet that has no veto."""
    case = world.scheduled()
    visit = inspections.of_case(case.id)[-1]
    return [i.code for i in visit.items if not i.is_veto][1]


def test_the_rates_are_those_of_the_items(world: World) -> None:
    code = _failing(world)
    for n in range(6):
        _visited(world, *([code] if n < 3 else []))
    reviewer = world.actor(world.officer(Role.REVIEWER))
    found = learning.learned(reviewer, "", "", world.now)
    assert found.area.code == JIANGXIA
    (rate,) = found.rates
    rows = db.session.execute(
        select(InspectionItem.result)
        .join(Inspection, Inspection.id == InspectionItem.inspection_id)
        .where(InspectionItem.code == code, Inspection.status == "concluded")
    ).all()
    assert (
        (rate.code, rate.marked, rate.failed)
        == (code, len(rows), sum(r.result == "fail" for r in rows))
        == (code, 6, 3)
    )
    assert rate.percent == 50
    assert learning.learned(reviewer, "", "commerce", world.now).rates == ()


def test_what_was_seen_too_seldom_is_no_pattern(world: World) -> None:
    _visited(world, _failing(world))
    assert learning.learned(world.actor(world.officer(Role.REVIEWER)), "", "", world.now).rates == ()


def test_counts_of_a_visit_are_taken_once(world: World) -> None:
    visit = _visited(world)
    counted = db.session.scalars(select(ItemCount)).all()
    assert {c.code for c in counted} == {i.code for i in visit.items if i.result != "na"}
    assert {c.marked for c in counted} == {1}


def test_the_next_visit_looks_first_at_what_failed(world: World) -> None:
    code = _failing(world)
    for _ in range(5):
        _visited(world, code)
    case = world.scheduled()
    visit = inspections.of_case(case.id)[-1]
    assert learning.focus_of(case, [i.code for i in visit.items], world.now) == [code]
    assert learning.focus_of(case, ["ORG-99"], world.now) == []


@pytest.mark.parametrize("code", ["330212", "nowhere"])
def test_other_areas_teach_nothing_here(world: World, code: str) -> None:
    with pytest.raises(NotFound):
        learning.learned(world.actor(world.officer(Role.REVIEWER)), code, "", world.now)
