"""Who sees what, as one table over people and things; not yours is not there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import func, select

from tests.builders import NOW, TOWN, World
from workflow.core.actors import SYSTEM, Actor, Role
from workflow.core.errors import NotFound
from workflow.core.times import shanghai_day
from workflow.data import applications, areas, cases, inspections, issued, materials, messages, passes, people
from workflow.data.applications import Application
from workflow.data.cases import Case
from workflow.data.materials import Material, MaterialFile
from workflow.data.people import Account
from workflow.extensions import db
from workflow.jobs import drain
from workflow.services import accounts
from workflow.services import applications as application_service
from workflow.services import cases as case_service
from workflow.services import inspections as inspection_service
from workflow.services import materials as material_service
from workflow.services import passes as pass_service

OTHER_TOWN, OTHER_COUNTY, CITY = "330203003", "330212", "3302"
QUERIES: dict[str, Callable[[Actor], Any]] = {
    "case": cases.visible_to,
    "application": applications.visible_to,
    "material": materials.visible_to,
    "file": materials.visible_files,
    "inspection": inspections.visible_to,
    "photo": inspections.visible_photos,
    "document": issued.visible_to,
    "pass": passes.visible_to,
    "message": messages.visible_to,
}
CASE_THINGS = frozenset(QUERIES) - {"message"}


@dataclass(frozen=True)
class Things:
    """Ids of one approved large case with a photo, a pass and messages, and of a draft beside it."""

    case: int
    application: int
    draft: int
    file: int
    draft_file: int
    visit: int
    photo: int
    vehicle_pass: int


def make_things(world: World, clerk: Account) -> Things:
    """One case with everything that a case can have, and another draft of the same company."""
    case = world.scheduled(clerk, size="above", head_count="860")
    inspector = world.inspectors()[0]
    visit = inspection_service.planned(case)
    assert visit is not None
    photo = inspection_service.add_photo(
        world.actor(inspector), visit.id, world.file(), code="", caption="大门", now=world.now
    )
    world.conclude(case)
    county = case.county.code
    world.step(world.officer(Role.LEADER), case, "endorse")
    world.step(world.officer(Role.BUREAU_REVIEWER, county, case.bureau), case, "agree")
    world.step(world.officer(Role.LEADING_GROUP, county), case, "approve")
    asked = pass_service.request_pass(world.actor(clerk), case.id, world.pass_request(), world.now)
    db.session.commit()
    drain.drain(lambda: world.now)
    draft = world.draft(clerk)
    application = applications.of_case(case.id)
    file, draft_file = (
        db.session.scalars(select(MaterialFile.id).join(Material).where(Material.application_id == a).limit(1)).one()
        for a in (application.id, draft.id)
    )
    return Things(case.id, application.id, draft.id, file, draft_file, visit.id, photo.id, asked.id)


def seen(actor: Actor) -> frozenset[str]:
    """The kinds of things of which the actor sees any."""
    found = set()
    for kind, visible_to in QUERIES.items():
        query = visible_to(actor).order_by(None).subquery()
        if db.session.scalar(select(func.count()).select_from(query)):
            found.add(kind)
    return frozenset(found)


@pytest.fixture
def cast(world: World, monkeypatch: pytest.MonkeyPatch) -> tuple[Things, dict[str, Account]]:
    """One company's things and everybody who may or may not see them."""
    monkeypatch.setattr(drain.issuing, "render_pdf", lambda document: b"%PDF-1.7 stand-in")
    clerk = world.company()
    things = make_things(world, clerk)
    moved = world.new_officer(Role.REVIEWER)
    (held,) = people.current_appointments(moved.person_id, shanghai_day(world.now))
    accounts.move_person(SYSTEM, held.id, OTHER_TOWN, world.now)
    ended = world.new_officer(Role.LEADER)
    (held,) = people.current_appointments(ended.person_id, shanghai_day(world.now))
    accounts.end_appointment(SYSTEM, held.id, world.now)
    db.session.commit()
    people_by_name = {
        "own": clerk,
        "other_company": world.company(),
        "moved": moved,
        "ended": ended,
        "bureau": world.officer(Role.BUREAU_REVIEWER, "330203", "jingxin"),
        "other_bureau": world.officer(Role.BUREAU_REVIEWER, "330203", "shangwu"),
        "same_bureau_other_county": world.officer(Role.BUREAU_REVIEWER, OTHER_COUNTY, "jingxin"),
        "commander_city": world.officer(Role.COMMANDER, CITY),
        "auditor_county": world.officer(Role.AUDITOR, "330203"),
        "group": world.officer(Role.LEADING_GROUP, "330203"),
        "group_other_county": world.officer(Role.LEADING_GROUP, OTHER_COUNTY),
        "admin": world.officer(Role.ADMIN, CITY),
        "guard": world.officer(Role.GUARD),
        "department": world.officer(Role.DEPARTMENT, "330203", "weijian"),
    }
    for role in (Role.REVIEWER, Role.INSPECTOR, Role.LEADER):
        people_by_name[f"{role.value}_here"] = world.officer(role)
        people_by_name[f"{role.value}_other_town"] = world.officer(role, OTHER_TOWN)
    return things, people_by_name


SEES_ALL_OF_CASE = (
    "reviewer_here",
    "inspector_here",
    "leader_here",
    "bureau",
    "commander_city",
    "auditor_county",
    "group",
)
SEES_NOTHING = (
    "other_company",
    "moved",
    "ended",
    "other_bureau",
    "same_bureau_other_county",
    "group_other_county",
    "admin",
    "guard",
    "department",
    "reviewer_other_town",
    "inspector_other_town",
    "leader_other_town",
)


def doors(things: Things, actor: Actor) -> dict[str, Callable[[], object]]:
    """Every service that fetches one of the things by its id."""
    return {
        "case": lambda: case_service.get(actor, things.case),
        "application": lambda: application_service.get(actor, things.application),
        "file": lambda: material_service.get_file(actor, things.file),
        "visit": lambda: inspection_service.get(actor, things.visit),
        "photo": lambda: inspection_service.get_photo(actor, things.photo),
        "pass": lambda: pass_service.get(actor, things.vehicle_pass),
        "draft": lambda: application_service.get(actor, things.draft),
        "draft_file": lambda: material_service.get_file(actor, things.draft_file),
    }


def test_the_table(world: World, cast: tuple[Things, dict[str, Account]]) -> None:
    things, everybody = cast
    assert set(everybody) == {"own", *SEES_ALL_OF_CASE, *SEES_NOTHING}
    table = {name: seen(world.actor(account)) for name, account in everybody.items()}
    expected = {"own": frozenset(QUERIES)}
    expected |= dict.fromkeys(SEES_ALL_OF_CASE, CASE_THINGS) | dict.fromkeys(SEES_NOTHING, frozenset())
    assert table == expected

    opens = {}
    for name, account in everybody.items():
        opened = set()
        for door, enter in doors(things, world.actor(account)).items():
            try:
                enter()
            except NotFound:
                continue
            opened.add(door)
        opens[name] = opened
    every_door = set(doors(things, SYSTEM))
    assert opens["own"] == every_door
    for name in SEES_ALL_OF_CASE:
        assert opens[name] == every_door - {"draft", "draft_file"}, f"{name}: a draft is its company's alone"
    for name in SEES_NOTHING:
        assert opens[name] == set(), name


def test_staff_see_drafts_of_nobody_and_change_nothing_of_a_company(
    world: World, cast: tuple[Things, dict[str, Account]]
) -> None:
    things, everybody = cast
    for name in SEES_ALL_OF_CASE:
        actor = world.actor(everybody[name])
        ids = list(db.session.scalars(applications.visible_to(actor).with_only_columns(Application.id)))
        assert ids == [things.application], name
        with pytest.raises(NotFound):
            application_service.get_own(actor, things.application)
        with pytest.raises(NotFound):
            material_service.remove_file(actor, things.file, world.now)


def test_somebody_moved_has_lost_the_old_area_and_gained_the_new_one(world: World) -> None:
    here, there = world.submitted(), world.submitted(town=OTHER_TOWN)
    officer = world.new_officer(Role.REVIEWER)
    before = world.actor(officer)
    assert case_service.get(before, here.id) is here
    (held,) = people.current_appointments(officer.person_id, shanghai_day(world.now))
    accounts.move_person(SYSTEM, held.id, OTHER_TOWN, world.now)
    db.session.commit()
    after = world.actor(officer)
    assert case_service.get(after, there.id) is there
    with pytest.raises(NotFound):
        case_service.perform(after, here.id, "accept", version=here.version, now=world.now)
    assert [a.area_name for a in after.appointments] == [there.town.name]


def test_an_appointment_counts_from_its_day_to_the_day_it_ends(world: World) -> None:
    officer = world.new_officer(Role.REVIEWER)
    today = shanghai_day(NOW)
    (held,) = people.current_appointments(officer.person_id, today)
    held.starts_on, held.ends_on = today, today.replace(day=today.day + 2)
    db.session.commit()
    counts = {
        day: len(people.current_appointments(officer.person_id, today.replace(day=today.day + day)))
        for day in (-1, 0, 1, 2, 3)
    }
    assert counts == {-1: 0, 0: 1, 1: 1, 2: 0, 3: 0}


def test_a_zone_or_building_appointment_reaches_only_cases_inside_it(world: World) -> None:
    town = areas.by_code(TOWN)
    assert town is not None
    below = [a for a in areas.places_below(town.id) if a.kind == "building"]
    if not below:
        below = [a for a in areas.places_below(town.id) if a.kind == "zone"]
    place = below[0]
    inside = world.submitted(**{place.kind: place.code})
    outside = world.submitted()
    guide = world.officer(Role.INSPECTOR, place.code)
    visible = set(db.session.scalars(cases.visible_to(world.actor(guide)).with_only_columns(Case.id)))
    assert visible == {inside.id}
    assert outside.id not in visible
