"""Open cases move to a new version one by one or many at once, and only where it has a place for them."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import select

from tests.builders import World
from tests.services.published import commander, published, staffed
from workflow.core.actors import Role
from workflow.core.errors import Invalid, NotPermitted, Stale, StepClosed
from workflow.core.tailoring import ExtraStep, Tailoring
from workflow.core.times import shanghai_day
from workflow.data import applications, audit, catalogue, materials, opinions
from workflow.data.cases import Case
from workflow.data.flows import FlowVersion
from workflow.data.outbox import OutboxItem
from workflow.extensions import db
from workflow.jobs import drain
from workflow.services import migration

TOWN = "330203002"


def _version(world: World, *changes: tuple[str, str], place: str = "3302") -> FlowVersion:
    staffed(world, TOWN)
    text = catalogue.flow_text("city-small")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    version = published(world, "flow", text, place)
    assert isinstance(version, FlowVersion)
    return version


_SUBMITTED = 'label = { zh = "已提交，待受理", en = "Submitted" }\nholder = "reviewer"\ndays = '
SLOWER = (f"{_SUBMITTED}1", f"{_SUBMITTED}4")
"""A change of the flow: three more days for taking an application in."""


def test_a_case_goes_on_by_the_new_version(world: World) -> None:
    case = world.submitted()
    before, due, old = case.version, case.due_at, case.flow_version_id
    version = _version(world, SLOWER, ('slot = "licence"', 'slot = "health_proof"'))
    (fit,) = migration.preview(commander(world), version)
    assert (fit.may_move, fit.lacking) == (True, ("health_proof",))
    migration.move(commander(world), case.id, version, case_version=before, now=world.now)
    db.session.commit()
    assert case.flow_version_id == version.id
    assert case.due_at > due
    assert case.state == "submitted"
    slots = {m.slot: m.required for m in materials.of_application(applications.of_case(case.id).id)}
    assert slots["health_proof"] is True
    assert slots["licence"] is False
    (row,) = [e for e in audit.of_case(case.id) if e.event == "flow_migrated"]
    assert (row.before["flow_version"], row.after["flow_version"]) == (old, version.id)
    told = db.session.scalars(select(OutboxItem).where(OutboxItem.kind == "message")).all()
    assert any(item.payload["event"] == "flow_migrated" for item in told)
    assert list(audit.verify()) == []
    assert migration.preview(commander(world), version) == []


def test_the_moved_case_runs_to_its_end(world: World) -> None:
    case = world.submitted()
    version = _version(world, SLOWER)
    migration.move(commander(world), case.id, version, case_version=case.version, now=world.now)
    db.session.commit()
    world.step(world.officer(Role.REVIEWER), case, "accept")
    world.judge_all(case)
    world.step(world.officer(Role.REVIEWER), case, "pass_materials")
    world.decide(world.conclude(world.schedule(case)))
    assert case.permits


def test_a_state_without_counterpart_is_refused(world: World) -> None:
    case = world.submitted()
    version = _version(world, ('"submitted"', '"received"'))
    (fit,) = migration.preview(commander(world), version)
    assert not fit.may_move
    with pytest.raises(StepClosed) as refused:
        migration.move(commander(world), case.id, version, case_version=case.version, now=world.now)
    assert "没有" in str(refused.value.reasons[0])
    assert case.flow_version_id != version.id


def test_a_tailoring_that_has_no_place_is_refused(world: World) -> None:
    case = world.submitted()
    kept = Tailoring(extra_steps=(ExtraStep("awaiting_decision", Role.BUREAU_REVIEWER),))
    case.tailoring = kept.as_json()
    db.session.commit()
    good = _version(world, SLOWER)
    (fit,) = migration.preview(commander(world), good)
    assert fit.may_move
    bad = _version(world, ('"awaiting_decision"', '"deciding"'))
    (fit,) = migration.preview(commander(world), bad)
    assert "一企一策" in str(fit.reason)
    with pytest.raises(StepClosed):
        migration.move(commander(world), case.id, bad, case_version=case.version, now=world.now)


def _with_silence(state: str, dest: str) -> tuple[tuple[str, str], ...]:
    """Changes of the small flow after which ``state`` goes on to ``dest`` by itself when its time is over."""
    lines = catalogue.flow_text("city-small").splitlines()
    start = lines.index(f'key = "{state}"')
    end = next(n for n in range(start, len(lines)) if lines[n].startswith("days"))
    table = "\n".join(lines[start : end + 1])
    step = (
        '[[step]]\naction = "by_silence"\nlabel = { zh = "期满视为通过", en = "By silence" }\n'
        f'source = ["{state}"]\ndest = "{dest}"\nrole = "system"\n'
    )
    first = '[[material]]\nslot = "M01"'
    return (table, f'{table}\nlapse = "by_silence"'), (first, f"{step}\n{first}")


def test_an_extra_step_that_the_new_version_leads_around_is_refused(world: World) -> None:
    world.officer(Role.LEADING_GROUP, "330203")
    case = world.submitted()
    case.tailoring = Tailoring(extra_steps=(ExtraStep("awaiting_decision", Role.LEADING_GROUP),)).as_json()
    db.session.commit()
    version = _version(world, *_with_silence("inspecting", "awaiting_decision"))
    (fit,) = migration.preview(commander(world), version)
    assert "一企一策" in str(fit.reason)


def test_a_late_case_is_not_decided_by_silence_the_moment_it_is_moved(world: World) -> None:
    case = world.submitted()
    world.later(days=20)
    version = _version(world, *_with_silence("submitted", "reviewing"))
    migration.move(commander(world), case.id, version, case_version=case.version, now=world.now)
    db.session.commit()
    drain.run_clocks(lambda: world.now)
    db.session.refresh(case)
    assert case.state == "submitted"
    assert case.due_at > world.now
    drain.run_clocks(lambda: case.due_at)
    db.session.refresh(case)
    assert case.state == "reviewing"


def test_many_move_each_on_its_own(world: World) -> None:
    moving, stuck, changed = world.submitted(), world.reviewed(), world.submitted()
    seen = changed.version
    world.step(world.officer(Role.REVIEWER), changed, "accept")
    version = _version(world, ('"awaiting_inspection"', '"to_be_arranged"'))
    wanted = [(moving.id, moving.version), (stuck.id, stuck.version), (changed.id, seen)]
    results = migration.move_many(commander(world), version, wanted, world.now)
    db.session.commit()
    assert [r.refusal is None for r in results] == [True, False, False]
    assert isinstance(results[2].refusal, Stale)
    done, left = migration.outcome(commander(world), version, [c for c, _v in wanted])
    assert [c.id for c in done] == [moving.id]
    assert {f.case.id for f in left} == {stuck.id, changed.id}
    again = migration.move_many(commander(world), version, [(moving.id, moving.version)], world.now)
    assert isinstance(again[0].refusal, StepClosed)


def test_too_many_and_none_are_refused(world: World) -> None:
    version = _version(world, SLOWER)
    with pytest.raises(Invalid):
        migration.move_many(commander(world), version, [], world.now)
    with pytest.raises(Invalid, match="200"):
        migration.move_many(commander(world), version, [(n, 1) for n in range(201)], world.now)


def test_only_the_versions_area_and_only_its_commanders(world: World) -> None:
    far = world.submitted(town="330206004")
    near = world.submitted()
    version = _version(world, SLOWER, place="330203")
    assert [f.case.id for f in migration.preview(commander(world), version)] == [near.id]
    with pytest.raises(StepClosed):
        migration.move(commander(world), far.id, version, case_version=far.version, now=world.now)
    with pytest.raises(NotPermitted):
        migration.target(commander(world, place="330206"), version.id)


def test_a_coming_version_can_be_prepared_but_a_decided_case_stays(world: World) -> None:
    case = world.approved()
    staffed(world, TOWN)
    later = shanghai_day(world.now) + dt.timedelta(days=5)
    text = catalogue.flow_text("city-small").replace(*SLOWER)
    version = published(world, "flow", text, on=later)
    assert isinstance(version, FlowVersion)
    assert migration.preview(commander(world), version) == []
    assert db.session.get_one(Case, case.id).flow_version_id != version.id


def test_a_case_that_is_moved_past_the_asking_still_waits_for_the_opinion(world: World) -> None:
    """The new version hears the health bureau on accepting; cases moved before and after that step both wait for it."""
    waiting, accepted = world.submitted(), world.submitted()
    world.step(world.officer(Role.REVIEWER), accepted, "accept")
    opinion = '[[opinion]]\ndepartment = "weijian"\ndays = 2\n\n[[material]]\nslot = "M01"'
    asking = 'dest = "reviewing"\nrole = "reviewer"\nguards = ["not_of_company"]\neffects = ["tell_company"'
    version = _version(
        world,
        ('[[material]]\nslot = "M01"', opinion),
        (asking, asking.replace('["tell_company"', '["ask_opinions", "tell_company"')),
        ('"not_the_inspector", "inspection_passed"', '"not_the_inspector", "inspection_passed", "all_opinions_in"'),
    )
    for case in (waiting, accepted):
        migration.move(commander(world), case.id, version, case_version=case.version, now=world.now)
    db.session.commit()
    assert opinions.of_case(waiting.id) == []
    assert [r.department for r in opinions.of_case(accepted.id)] == ["weijian"]
    world.step(world.officer(Role.REVIEWER), waiting, "accept")
    assert [r.department for r in opinions.of_case(waiting.id)] == ["weijian"]
