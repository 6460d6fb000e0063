"""On-site checks: two people, their appointment, limits, and what is saved when both write."""

from __future__ import annotations

import datetime as dt

import pytest

from tests.builders import World
from tests.services.together import failures, together
from tests.services.visits import planned, save, schedule
from workflow.core.actors import Role
from workflow.core.errors import Invalid, NotPermitted, Stale
from workflow.data import inspections
from workflow.data.inspections import InspectionItem
from workflow.extensions import db
from workflow.services import inspections as service
from workflow.services.inspections import Appointment, ItemEntry


def test_two_different_people_are_needed(world: World) -> None:
    case = world.reviewed()
    first = world.inspectors()[0]
    with pytest.raises(Invalid) as refused:
        schedule(world, case, second_id=first.person_id)
    assert refused.value.field == "second_id"
    assert inspections.of_case(case.id) == []


def test_only_inspectors_of_the_place_are_appointed(world: World) -> None:
    case = world.reviewed()
    far = world.officer(Role.INSPECTOR, "330212002")
    reviewer = world.officer(Role.REVIEWER)
    for person_id in (far.person_id, reviewer.person_id, 10**9):
        for field in ("lead_id", "second_id"):
            with pytest.raises(Invalid) as refused:
                schedule(world, case, **{field: person_id})
            assert refused.value.field == field
    assert {i for i, _ in service.candidates(case, world.now)} == {i.person_id for i in world.inspectors()}


@pytest.mark.parametrize("hours", [-2, 24 * 61])
def test_the_time_of_a_visit_is_soon_and_not_past(world: World, hours: int) -> None:
    case = world.reviewed()
    with pytest.raises(Invalid) as refused:
        schedule(world, case, visit_at=world.now + dt.timedelta(hours=hours))
    assert refused.value.field == "visit_at"


def test_changing_an_appointment_keeps_the_visit_and_its_marks(world: World) -> None:
    case = world.scheduled()
    visit = planned(case)
    code = visit.items[0].code
    save(world, visit, **{code.replace("-", "_"): ItemEntry("conform")})
    first, second = world.inspectors()
    third = world.new_officer(Role.INSPECTOR)
    other_day = world.now + dt.timedelta(days=2)
    service.schedule(
        world.actor(second),
        case.id,
        "change_appointment",
        Appointment(other_day, third.person_id, second.person_id, " 南门\u202e "),
        version=case.version,
        now=world.now,
    )
    db.session.commit()
    (kept,) = inspections.of_case(case.id)
    assert (kept.id, kept.visit_at, kept.lead_id, kept.meeting_point) == (visit.id, other_day, third.person_id, "南门")
    assert kept.items[0].result == "conform"
    with pytest.raises(NotPermitted):
        save(world, kept, **{code.replace("-", "_"): ItemEntry("fail", "", "x")})
    assert first.person_id not in (kept.lead_id, kept.second_id)


@pytest.mark.parametrize(
    ("code", "measured", "fits"),
    [
        ("GATE-07", "37.3", True),
        ("GATE-07", "37.3 ℃", True),
        ("GATE-07", "37.4", False),
        ("GATE-07", "３７．４", False),
        ("MEAL-02", "2", True),
        ("MEAL-02", "1.9 米", False),
        ("SUP-01", "3", True),
        ("SUP-01", "2.99", False),
        ("SUP-01", "-5", False),
        ("ENV-05", "250", True),
        ("ENV-05", "501", False),
        ("SUP-01", "", True),
    ],
)
def test_a_measured_value_beyond_its_limit_does_not_conform(world: World, code: str, measured: str, fits: bool) -> None:
    visit = planned(world.scheduled())
    if code not in {i.code for i in visit.items}:  # items of the long form, which the short one leaves out
        db.session.add(InspectionItem(inspection_id=visit.id, position=99, code=code))
        db.session.commit()
        db.session.refresh(visit)
    entry = ItemEntry("conform", measured)
    if fits:
        save(world, visit, **{code.replace("-", "_"): entry})
        assert next(i for i in visit.items if i.code == code).result == "conform"
        return
    with pytest.raises(Invalid) as refused:
        save(world, visit, **{code.replace("-", "_"): entry})
    assert refused.value.field == code
    save(world, visit, **{code.replace("-", "_"): ItemEntry("fail", measured, "超出限值")})
    assert next(i for i in visit.items if i.code == code).measured == measured


def test_what_is_no_number_is_not_measured(world: World) -> None:
    visit = planned(world.scheduled())
    for text in ("很多", "1.2.3", "3-5", "--"):
        with pytest.raises(Invalid) as refused:
            save(world, visit, SUP_01=ItemEntry("conform", text))
        assert refused.value.field == "SUP-01"


def test_marks_are_one_of_three(world: World) -> None:
    visit = planned(world.scheduled())
    with pytest.raises(Invalid):
        save(world, visit, SUP_01=ItemEntry("perfect"))
    save(world, visit, SUP_01=ItemEntry("na"), NO_SUCH=ItemEntry("conform"))
    save(world, visit, SUP_01=ItemEntry(""))
    assert next(i for i in visit.items if i.code == "SUP-01").result is None


def test_a_stale_sheet_is_not_saved_over(world: World) -> None:
    visit = planned(world.scheduled())
    seen = visit.revision
    save(world, visit, SUP_01=ItemEntry("conform", "5"))
    db.session.commit()
    second = world.actor(world.inspectors()[1])
    with pytest.raises(Stale):
        service.save_sheet(second, visit.id, {"SUP-01": ItemEntry("na")}, revision=seen, now=world.now)


def test_of_two_inspectors_who_save_at_once_one_is_told(world: World) -> None:
    visit = planned(world.scheduled())
    visit_id, revision, now = visit.id, visit.revision, world.now
    both = [world.actor(i) for i in world.inspectors()]
    acts = [
        lambda a=a, r=r: service.save_sheet(a, visit_id, {"SUP-01": ItemEntry(r)}, revision=revision, now=now).revision
        for a, r in zip(both, ("conform", "na"), strict=True)
    ]
    outcomes = together(world.app, *acts)
    assert [type(e) for e in failures(outcomes)] == [Stale]
    assert revision + 1 in outcomes
