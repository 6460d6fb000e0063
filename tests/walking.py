"""Walks a case through any flow to any of its states: the way is found by forms and guards, never by the flow's key."""

from __future__ import annotations

import datetime as dt
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from workflow.core.actors import Role
from workflow.core.effects import Effect
from workflow.core.facts import Outcome
from workflow.core.flow import Flow, Step
from workflow.data import applications, materials
from workflow.data import cases as case_data
from workflow.data.cases import Case
from workflow.extensions import db
from workflow.services import cases
from workflow.services import inspections as inspection_service
from workflow.services import materials as material_service

if TYPE_CHECKING:
    from tests.builders import World


@dataclass(frozen=True, slots=True)
class Stand:
    """Where a case stands, as far as the way on depends on it: its state, its visit, its departments' word."""

    state: str
    is_planned: bool = False
    outcome: Outcome | None = None


def _is_open(step: Step, stand: Stand) -> bool:
    guards = step.guards + step.checks
    if step.form == "submit" or (step.form == "sheet" and not stand.is_planned):
        return False
    return "inspection_passed" not in guards or stand.outcome is Outcome.PASS


def _after(step: Step, stand: Stand) -> Stand:
    after = replace(stand, state=step.dest)
    if step.form == "schedule":
        after = replace(after, is_planned=True)
    if step.form == "sheet":
        after = replace(after, is_planned=False, outcome=step.outcome)
    if Effect.START_NEW_CYCLE in step.effects:
        after = replace(after, outcome=None)
    return after


def find_way(flow: Flow, stand: Stand, targets: Iterable[str]) -> list[Step]:
    """The shortest way from ``stand`` to one of ``targets``; LookupError when there is none."""
    goals, ways = set(targets), deque([(stand, list[Step]())])
    seen = {stand}
    while ways:
        here, way = ways.popleft()
        if here.state in goals:
            return way
        for step in flow.steps_from(here.state):
            there = _after(step, here)
            if _is_open(step, here) and there not in seen:
                seen.add(there)
                ways.append((there, [*way, step]))
    raise LookupError(f"{flow.key}: no way from {stand.state} to {sorted(goals)}")


def stand_of(world: World, case: Case) -> Stand:
    """Where the case stands now."""
    facts = cases.case_facts(case, world.now)
    return Stand(case.state, bool(facts.appointed_inspectors), facts.outcome)


def walk(world: World, case: Case, targets: Iterable[str]) -> Case:
    """Take the case to one of the states ``targets``, each step by who is in charge, on the form that it has."""
    goals = set(targets)
    for _ in range(60):
        if case.state in goals:
            return case
        take(world, case, find_way(case.flow, stand_of(world, case), goals)[0])
    raise AssertionError(f"{case.flow.key}: walked in circles at {case.state}")


def take(world: World, case: Case, step: Step) -> Case:
    """Take one step, doing first what its guards ask for."""
    _prepare(world, case, step)
    acts: dict[str, Callable[[World, Case, Step], object]] = {
        "schedule": lambda w, c, s: w.schedule(c, s.action),
        "sheet": _conclude,
        "correct": _correct,
        "rectify": _rectify,
    }
    act = _by_system if step.role is Role.SYSTEM else acts.get(step.form, _plain)
    act(world, case, step)
    db.session.commit()
    db.session.refresh(case)
    return case


def _prepare(world: World, case: Case, step: Step) -> None:
    guards = step.guards + step.checks
    if "all_opinions_in" in guards:
        world.answer_opinions(case)
    reviewer = world.actor(world.officer(Role.REVIEWER, case.town.code))
    if not material_service.may_judge(reviewer, case):
        return
    if "material_flagged" in guards:
        application = applications.of_case(case.id)
        first = next(m for m in materials.of_application(application.id) if m.is_due and m.slot != materials.FORM_SLOT)
        world.judge_all(case, **{first.slot: "请补正"})
    elif {"materials_accepted", "materials_marked"} & set(guards):
        world.judge_all(case)


def _plain(world: World, case: Case, step: Step) -> None:
    account = world.clerk_of(case) if step.role is Role.FILER else world.in_charge(step.role, case)
    world.step(account, case, step.action, "同意" if step.tone == "success" else "意见")


def _by_system(world: World, case: Case, step: Step) -> None:
    cases.perform_by_system(case_data.lock(case.id), step.action, world.later(days=1), "期满")


def _conclude(world: World, case: Case, step: Step) -> None:
    visit = inspection_service.planned(case)
    assert visit is not None
    failed = [] if step.outcome is Outcome.PASS else [next(i.code for i in visit.items if not i.is_veto)]
    world.conclude(case, step.action, *failed)


def _correct(world: World, case: Case, step: Step) -> None:
    clerk = world.actor(world.clerk_of(case))
    application = applications.of_case(case.id)
    for material in materials.of_application(application.id):
        if material.is_flagged:
            material_service.add_file(clerk, application.id, material.slot, world.file(), world.later(minutes=5))
    db.session.commit()
    _plain(world, case, step)


def _rectify(world: World, case: Case, step: Step) -> None:
    visit = inspection_service.last_concluded(case)
    assert visit is not None
    remedies = {i.code: "已整改" for i in visit.items if i.result == "fail"}
    clerk, at = world.actor(world.clerk_of(case)), world.now + dt.timedelta(hours=3)
    inspection_service.report_rectified(clerk, case.id, step.action, remedies, version=case.version, now=at)
