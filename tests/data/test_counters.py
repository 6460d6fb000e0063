"""The counters beside the cases are what a count of the cases gives, after whatever happened to them."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import select

from tests.builders import World
from workflow.core.actors import SYSTEM, Role
from workflow.core.grams import grams, wanted_grams
from workflow.core.times import shanghai_day
from workflow.data import cases, counters, names
from workflow.data.cases import Case
from workflow.extensions import db
from workflow.services import cases as case_service


def _agree() -> None:
    db.session.commit()
    assert counters.kept() == +counters.recount()


def test_counters_follow_a_case_from_filing_to_its_decision(world: World) -> None:
    """Filed, accepted, approved: each step is in the counters at once."""
    first = world.submitted()
    _agree()
    assert sum(n for (kind, *_), n in counters.kept().items() if kind == "open") == 1
    reviewer = world.officer(Role.REVIEWER)
    case_service.perform(world.actor(reviewer), first.id, "accept", version=first.version, now=world.later(hours=3))
    _agree()
    case = cases.lock(first.id)
    case.release(by=SYSTEM, at=world.now, assign_at=world.now)
    _agree()
    case.assign(reviewer.person_id, because={"how": "test"}, by=SYSTEM, at=world.now)
    _agree()
    assert (counters.kept()[("load", counters.NO_DAY, case.town_id, str(reviewer.person_id))]) == 1


def test_what_is_rolled_back_is_not_counted(world: World) -> None:
    """A savepoint that is taken back takes its counts along."""
    case_id, reviewer = world.submitted().id, world.officer(Role.REVIEWER).person_id
    before = counters.kept()
    nested = db.session.begin_nested()
    cases.lock(case_id).assign(reviewer, because={"how": "test"}, by=SYSTEM, at=world.later(hours=1))
    db.session.flush()
    assert counters.kept() != before
    nested.rollback()
    assert counters.kept() == before
    _agree()


def test_wrong_counters_are_repaired(world: World) -> None:
    """Repair says how many were wrong, and makes them right."""
    world.submitted()
    assert counters.repair() == 0
    row = db.session.scalars(select(counters.Counter).where(counters.Counter.kind == "open")).first()
    assert row is not None
    row.number += 5
    db.session.commit()
    assert counters.repair() == 1
    _agree()


def test_the_pieces_of_a_name_follow_it(world: World) -> None:
    """A case that is renamed is found by its new name only."""
    case_id = world.submitted().id
    case = db.session.get_one(Case, case_id)
    query = select(names.NameGram.gram).where(names.NameGram.case_id == case_id)
    assert set(db.session.scalars(query)) == grams(case.enterprise_name)
    case.enterprise_name = "宁波海曙新名科技有限公司"
    db.session.commit()
    assert set(db.session.scalars(query)) == grams("宁波海曙新名科技有限公司")


def test_grams_of_short_and_latin_words() -> None:
    """Every character begins a piece; one character asks for no whole piece."""
    assert grams("三A 社") == {"三a", "a社", "社$"}
    assert wanted_grams("社") == frozenset()
    assert wanted_grams("A社") == {"a社"}
    assert grams("") == frozenset()


def test_limits_of_past_days_that_nobody_missed_are_forgotten(world: World) -> None:
    """Only rows at nothing go, and only those of days that are over."""
    case = world.submitted()
    due_on = shanghai_day(case.due_at) - dt.timedelta(days=1)
    world.step(world.officer(Role.REVIEWER), case, "accept")
    query = select(counters.Counter.number).where(counters.Counter.kind == "due", counters.Counter.day == due_on)
    kept = set(db.session.scalars(query))
    assert counters.sweep(due_on) == 0
    counters.sweep(due_on + dt.timedelta(days=1))
    assert set(db.session.scalars(query)) == kept - {0}
    _agree()
