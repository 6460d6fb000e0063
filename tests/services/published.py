"""Two commanders and what they publish, for tests of drafts, simulation and migration."""

from __future__ import annotations

import datetime as dt

from tests.builders import World
from workflow.core.actors import Role
from workflow.core.times import shanghai_day
from workflow.data import areas
from workflow.data.areas import Area
from workflow.data.drafts import Draft
from workflow.data.flows import AnyVersion
from workflow.extensions import db
from workflow.services import drafts, releases

CITY = "3302"


def area(code: str = CITY) -> Area:
    """The area with this code."""
    found = areas.by_code(code)
    assert found is not None
    return found


def commander(world: World, number: int = 1, place: str = CITY):  # type: ignore[no-untyped-def]
    """The first or second commander of a place."""
    key = (f"commander{number}", place)
    if key not in world.staff:
        world.staff[key] = world.new_officer(Role.COMMANDER, place)
    return world.actor(world.staff[key])


def drafted(world: World, kind: str, text: str, place: str = CITY, on: dt.date | None = None) -> Draft:
    """A draft of the first commander, with its day."""
    actor = commander(world)
    draft = drafts.start(actor, kind, "草稿", text, area(place), world.now)
    day = on or shanghai_day(world.now)
    drafts.save(actor, draft.id, revision=draft.revision, now=world.now, effective_on=day)
    db.session.commit()
    return draft


def proposed(world: World, kind: str, text: str, place: str = CITY, on: dt.date | None = None) -> Draft:
    """A proposed draft."""
    draft = drafted(world, kind, text, place, on)
    drafts.propose(commander(world), draft.id, revision=draft.revision, now=world.now)
    db.session.commit()
    return draft


def published(world: World, kind: str, text: str, place: str = CITY, on: dt.date | None = None) -> AnyVersion:
    """A version drafted by the first and approved by the second commander."""
    draft = proposed(world, kind, text, place, on)
    version = releases.publish(commander(world, 2), draft.id, revision=draft.revision, now=world.now)
    db.session.commit()
    return version


def staffed(world: World, town: str) -> None:
    """Everybody whom the small flow needs, in a town."""
    for role in (Role.REVIEWER, Role.LEADER):
        world.officer(role, town)
    world.inspectors(town)
