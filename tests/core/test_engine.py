"""The engine: allowed exactly when the flow file says so, for every state, action, role, guard, and on long walks."""

from __future__ import annotations

import copy
from collections import Counter
from dataclasses import replace
from itertools import product
from typing import ClassVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from tests.core.scene import (
    AGREES,
    BUREAU,
    COMPANY,
    FLOWS,
    OTHER_INSPECTOR,
    PERSON,
    REFUSES,
    TODAY,
    TOWN,
    agreeing,
    case,
    needs,
    person,
)
from workflow.core.actors import SYSTEM, SYSTEM_PERSON, Actor, Appointment, AreaKind, Role
from workflow.core.engine import Engine, Move
from workflow.core.errors import Invalid, NotPermitted, Reason, StepClosed
from workflow.core.facts import CaseFacts, Outcome, Verdict
from workflow.core.flow import Flow, InspectionRule, NoteRule, StateKind, Step
from workflow.core.guards import GUARDS

ENGINES = {key: Engine(flow) for key, flow in FLOWS.items()}
STEPS = [(key, step) for key, flow in FLOWS.items() for step in flow.steps]
STEP_IDS = [f"{key}:{step.action}:{step.sources[0]}" for key, step in STEPS]


@pytest.mark.parametrize("key", FLOWS)
def test_every_state_action_and_role(key: str) -> None:
    """Allowed if and only if the file has the step for the role; the oracle reads the flow, not the engine."""
    flow, engine = FLOWS[key], ENGINES[key]
    allowed = {(source, step.action): step for step in flow.steps for source in step.sources}
    actions = sorted({s.action for s in flow.steps} | {"fly", "", "trigger"})
    moved = 0
    for state, action, role in product([*flow.states, "nowhere"], actions, Role):
        step = allowed.get((state, action))
        facts = agreeing(needs(step)) if step else case()
        if step is None:
            with pytest.raises(StepClosed):
                engine.move(state, action, person(role), facts, "意见")
        elif step.role is not role:
            with pytest.raises(NotPermitted):
                engine.move(state, action, person(role), facts, "意见")
        else:
            move = engine.move(state, action, person(role), facts, "意见")
            assert (move.source.key, move.dest.key, move.step) == (state, step.dest, step)
            assert move.effects == step.effects
            moved += 1
    assert moved == len(allowed)


@pytest.mark.parametrize(("key", "step"), STEPS, ids=STEP_IDS)
def test_each_guard_closes_its_step(key: str, step: Step) -> None:
    actor = person(step.role)
    for name in needs(step):
        facts = replace(agreeing(needs(step)), **REFUSES[name](PERSON))  # type: ignore[arg-type]
        reason = GUARDS[name](actor, facts)
        with pytest.raises(StepClosed) as caught:
            ENGINES[key].move(step.sources[0], step.action, actor, facts, "意见")
        assert reason in caught.value.reasons
        shown = next(o for o in ENGINES[key].open_steps(step.sources[0], actor, facts) if o.step is step)
        assert (reason in shown.reasons) is (name in step.guards)
        assert shown.is_open is not bool(shown.reasons)


@pytest.mark.parametrize(("key", "step"), STEPS, ids=STEP_IDS)
def test_buttons_and_moves_agree(key: str, step: Step) -> None:
    facts = agreeing(needs(step))
    for role in Role:
        shown = [o.step for o in ENGINES[key].open_steps(step.sources[0], person(role), facts) if o.is_open]
        assert (step in shown) is (role is step.role)


@pytest.mark.parametrize(("key", "step"), STEPS, ids=STEP_IDS)
def test_words_are_demanded_where_the_file_says_so(key: str, step: Step) -> None:
    facts, engine = agreeing(needs(step)), ENGINES[key]
    for blank in ("", "  \n", "\u200b\u202e"):
        if step.note is NoteRule.REQUIRED:
            with pytest.raises(Invalid) as caught:
                engine.move(step.sources[0], step.action, person(step.role), facts, blank)
            assert caught.value.field == "note"
        else:
            assert engine.move(step.sources[0], step.action, person(step.role), facts, blank).note == ""
    assert engine.move(step.sources[0], step.action, person(step.role), facts, " 同意\r\n上报 ").note == "同意\n上报"


@pytest.mark.parametrize(("key", "step"), STEPS, ids=STEP_IDS)
def test_deciding_changes_nothing(key: str, step: Step) -> None:
    facts, actor, engine = agreeing(needs(step)), person(step.role), ENGINES[key]
    before = copy.deepcopy((facts, actor))
    first = engine.move(step.sources[0], step.action, actor, facts, "意见")
    assert engine.move(step.sources[0], step.action, actor, facts, "意见") == first
    assert (facts, actor) == before
    assert not engine._machine.models


def test_all_reasons_are_given_at_once() -> None:
    """Four guards refuse; the inspector reads four reasons, not the first."""
    facts = case(checklist_total=9, failed_items=1, company_people=frozenset({PERSON}))
    with pytest.raises(StepClosed) as caught:
        ENGINES["city-small"].move("inspecting", "pass_inspection", person(Role.INSPECTOR), facts)
    assert len(caught.value.reasons) == 4
    assert caught.value.status == 409


def test_the_role_counts_towards_this_case_only() -> None:
    elsewhere = Actor(PERSON, PERSON, "某人", (Appointment(Role.REVIEWER, TOWN + 1, AreaKind.TOWN),))
    stranger = Actor(PERSON, PERSON, "某人", enterprise_ids=frozenset({COMPANY + 1}))
    for actor, state, action in ((elsewhere, "submitted", "accept"), (stranger, "submitted", "withdraw")):
        with pytest.raises(NotPermitted):
            ENGINES["city-small"].move(state, action, actor, case())
        assert ENGINES["city-small"].open_steps(state, actor, case()) == []


def test_an_inspector_who_is_also_leader_does_not_decide() -> None:
    both = Actor(
        PERSON,
        PERSON,
        "某人",
        (Appointment(Role.INSPECTOR, TOWN, AreaKind.TOWN), Appointment(Role.LEADER, TOWN, AreaKind.TOWN)),
    )
    facts = case(outcome=Outcome.PASS, past_inspectors=frozenset({PERSON, OTHER_INSPECTOR}))
    with pytest.raises(StepClosed, match="现在还不能"):
        ENGINES["city-small"].move("awaiting_decision", "approve", both, facts, "同意")


PEOPLE: dict[int, tuple[Role, ...]] = {
    10: (Role.FILER,),
    11: (Role.REVIEWER,),
    12: (Role.INSPECTOR,),
    13: (Role.INSPECTOR, Role.LEADER),
    14: (Role.INSPECTOR, Role.LEADER, Role.BUREAU_REVIEWER, Role.LEADING_GROUP, Role.REVIEWER),
    15: (Role.LEADER,),
    16: (Role.BUREAU_REVIEWER,),
    17: (Role.LEADING_GROUP,),
    18: (Role.FILER, Role.REVIEWER, Role.INSPECTOR, Role.LEADER),
    19: (Role.ADMIN, Role.AUDITOR, Role.COMMANDER),
    SYSTEM_PERSON: (Role.SYSTEM,),
}
COMPANY_PEOPLE = frozenset({10, 18})


def somebody(person_id: int) -> Actor:
    """A person of :data:`PEOPLE`, or the system."""
    if person_id == SYSTEM_PERSON:
        return SYSTEM
    roles = PEOPLE[person_id]
    appointments = tuple(
        Appointment(r, TOWN, AreaKind.TOWN, bureau=BUREAU if r is Role.BUREAU_REVIEWER else None)
        for r in roles
        if r is not Role.FILER
    )
    company = frozenset({COMPANY}) if Role.FILER in roles else frozenset[int]()
    return Actor(person_id, person_id, "某人", appointments, company)


class Walk(RuleBasedStateMachine):
    """One case in the hands of people who try everything: the engine alone must keep the rules."""

    flow: ClassVar[Flow]
    engine: ClassVar[Engine]
    seen: ClassVar[set[str]]

    @initialize()
    def file(self) -> None:
        """A company begins an application."""
        self.state = self.flow.initial
        self.facts: CaseFacts = case(materials=(), company_people=COMPANY_PEOPLE)
        self.visitors: set[int] = set()
        self.outcome: Outcome | None = None

    @rule(data=st.data(), names=st.permutations(sorted(AGREES)), refuse=st.booleans())
    def life_goes_on(self, data: st.DataObject, names: list[str], refuse: bool) -> None:
        """Something about the case changes: files come, marks are set, people are appointed."""
        table = REFUSES if refuse else AGREES
        kept = ("company_people", "past_inspectors", "outcome")
        for name in names[:3]:
            who = data.draw(st.sampled_from(sorted(PEOPLE)))
            changes = {k: v for k, v in table[name](who).items() if k not in kept}
            self.facts = replace(self.facts, **changes)  # type: ignore[arg-type]

    @rule(first=st.sampled_from(sorted(PEOPLE)), second=st.sampled_from(sorted(PEOPLE)))
    def appoint(self, first: int, second: int) -> None:
        """Two people are chosen for the visit."""
        self.facts = replace(self.facts, appointed_inspectors=(first, second))

    @rule(data=st.data(), who=st.sampled_from(sorted(PEOPLE)))
    def try_anything(self, data: st.DataObject, who: int) -> None:
        """Anybody tries any action."""
        self.attempt(data.draw(st.sampled_from(sorted({s.action for s in self.flow.steps}))), who)

    @rule(data=st.data(), prepared=st.booleans())
    def try_a_step(self, data: st.DataObject, prepared: bool) -> None:
        """Somebody with the role tries a step of this state, half the time with everything prepared for it."""
        step = data.draw(st.sampled_from(self.steps()))
        who = data.draw(st.sampled_from([p for p, roles in PEOPLE.items() if step.role in roles]))
        if prepared:
            self.prepare(step, who)
        self.attempt(step.action, who)

    @rule(data=st.data(), steps=st.integers(1, 12))
    def work_goes_on(self, data: st.DataObject, steps: int) -> None:
        """People who may take the steps of the case take them, one after the other."""
        for _ in range(steps):
            onward = [s for s in self.steps() if s.action != "withdraw"]
            step = data.draw(st.sampled_from(onward))
            able = [p for p, roles in PEOPLE.items() if step.role in roles]
            if step.role not in (Role.FILER, Role.SYSTEM):
                able = [p for p in able if p not in COMPANY_PEOPLE]
            if "not_the_inspector" in step.guards:
                able = [p for p in able if p not in self.visitors | set(self.facts.appointed_inspectors)]
            if able:
                who = data.draw(st.sampled_from(able))
                self.prepare(step, who)
                self.attempt(step.action, who)

    def steps(self) -> list[Step]:
        """The steps of the present state; where a case has come to rest another one begins."""
        if not any(self.flow.steps_from(self.state)):
            self.file()
        return list(self.flow.steps_from(self.state))

    def prepare(self, step: Step, who: int) -> None:
        """See to all that ``step`` needs, but for what happened on site and who belongs to the company."""
        ready = agreeing(needs(step), who)
        self.facts = replace(
            ready,
            company_people=COMPANY_PEOPLE,
            past_inspectors=frozenset(self.visitors),
            outcome=self.outcome,
            appointed_inspectors=ready.appointed_inspectors or self.facts.appointed_inspectors,
        )

    def attempt(self, action: str, who: int) -> None:
        """Move when the engine allows it, and hold its answer against the flow file and the guards themselves."""
        actor, step = somebody(who), self.flow.step(self.state, action)
        against = [GUARDS[n](actor, self.facts) for n in needs(step)] if step else []
        refused: StepClosed | NotPermitted
        try:
            move = self.engine.move(self.state, action, actor, self.facts, "意见")
        except (StepClosed, NotPermitted) as error:
            refused = error
        else:
            self.moved(move, step, who, against)
            return
        if isinstance(refused, NotPermitted):
            assert step is not None
            assert step.role not in PEOPLE[who]
        elif step is not None:
            assert refused.reasons == tuple(r for r in against if r)
            assert refused.reasons

    def moved(self, move: Move, step: Step | None, who: int, against: list[Reason | None]) -> None:
        """Check a move that the engine allowed, and let it happen."""
        assert step is not None
        assert step.role in PEOPLE[who]
        assert not any(against)
        if step.decision:
            assert who not in self.visitors
        if step.role is not Role.FILER:
            assert who not in COMPANY_PEOPLE
        if step.outcome is not None:
            self.visitors |= set(self.facts.appointed_inspectors)
            self.outcome = step.outcome
            self.facts = replace(self.facts, past_inspectors=frozenset(self.visitors), outcome=self.outcome)
        if move.dest.kind is StateKind.APPROVED and self.flow.inspection is InspectionRule.BEFORE:
            assert self.outcome is Outcome.PASS
        if step.role is Role.SYSTEM:
            assert who == SYSTEM_PERSON
        self.state = move.dest.key
        self.seen.add(self.state)

    @invariant()
    def the_state_is_declared_and_has_a_way_to_an_end(self) -> None:
        """Wherever a case is, some path of steps ends it."""
        state = getattr(self, "state", self.flow.initial)
        seen, found = {state}, False
        for _ in self.flow.states:
            found = found or any(self.flow.state(k).kind in (StateKind.APPROVED, StateKind.ENDED) for k in seen)
            seen |= {s.dest for k in seen for s in self.flow.steps_from(k)}
        assert found

    @invariant()
    def the_machine_keeps_no_case(self) -> None:
        """No cursor stays registered: the machine is shared by all requests."""
        assert not self.engine._machine.models


@pytest.mark.parametrize("key", FLOWS)
def test_thousands_of_steps(key: str) -> None:
    seen = {FLOWS[key].initial}
    walk = type("WalkOfOneFlow", (Walk,), {"flow": FLOWS[key], "engine": ENGINES[key], "seen": seen})
    sure = settings(max_examples=60, stateful_step_count=60, deadline=None, derandomize=True)
    run_state_machine_as_test(walk, settings=sure)
    assert seen == set(FLOWS[key].states)


def test_ten_thousand_legal_steps_over_every_flow() -> None:
    """The same walk, counted: never an undeclared state, a skipped guard or a broken four eyes, and no dead end."""
    taken = Counter[str]()

    class Counted(Walk):
        def moved(self, move: Move, step: Step | None, who: int, against: list[Reason | None]) -> None:
            super().moved(move, step, who, against)
            taken[self.flow.key] += 1

    for key, flow in FLOWS.items():
        walk = type("CountedWalk", (Counted,), {"flow": flow, "engine": ENGINES[key], "seen": set()})
        sure = settings(max_examples=40, stateful_step_count=50, deadline=None, derandomize=True)
        run_state_machine_as_test(walk, settings=sure)
    assert taken.keys() == FLOWS.keys()
    assert taken.total() >= 10_000, taken


def test_today_is_given_never_read() -> None:
    facts = case(rectify_by_on=TODAY, today=None, appointed_inspectors=(PERSON, 2), failed_items=1)
    assert ENGINES["city-small"].move("inspecting", "order_rectification", person(Role.INSPECTOR), facts, "限期").note


def test_a_case_without_verdicts_is_not_passed() -> None:
    with pytest.raises(StepClosed):
        ENGINES["city-small"].move(
            "reviewing",
            "pass_materials",
            person(Role.REVIEWER),
            replace(case(), materials=tuple(replace(m, verdict=Verdict.PENDING) for m in case().materials)),
        )
