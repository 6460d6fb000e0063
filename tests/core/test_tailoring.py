"""A tailored flow is a whole flow: every case can still end, and an extra step can't be gone around."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.scene import FLOWS
from workflow.core import flow_file
from workflow.core.actors import Role
from workflow.core.chart import draw
from workflow.core.engine import Engine
from workflow.core.errors import Invalid
from workflow.core.flow import Flow, StateKind
from workflow.core.tailoring import (
    EXTRA_ROLES,
    MOST_EXTRA_DAYS,
    ExtraStep,
    Tailoring,
    check,
    done_label,
    places_for_a_step,
    position,
    read_tailoring,
    review_is_ahead,
    states_with_a_clock,
    tailor,
)

SMALL = FLOWS["city-small"]
DAYS = st.integers(1, MOST_EXTRA_DAYS)
Drawn = tuple[Flow, str, Tailoring]


def open_states(flow: Flow) -> list[str]:
    """The states in which a case can be tailored."""
    return [s.key for s in flow.states.values() if s.kind is StateKind.OPEN]


@st.composite
def tailorings(draw: st.DrawFn) -> Drawn:
    """A flow of the product, a state of it, and something that a case in that state may be given."""
    flow = FLOWS[draw(st.sampled_from(sorted(FLOWS)))]
    state = draw(st.sampled_from(open_states(flow)))
    places = places_for_a_step(flow, state)
    step = st.builds(ExtraStep, st.sampled_from(places or ["-"]), st.sampled_from(EXTRA_ROLES), DAYS)
    steps = draw(st.lists(step, max_size=4, unique_by=lambda s: s.state)) if places else []
    longer = draw(st.dictionaries(st.sampled_from(states_with_a_clock(flow)), DAYS, max_size=3))
    extra, waived = (), ()
    if review_is_ahead(flow, state):
        slots = [m.slot for m in flow.materials[1:]]
        waived = tuple(draw(st.lists(st.sampled_from(slots), max_size=2, unique=True)))
        extra = tuple(draw(st.lists(st.sampled_from(["extra_a", "extra_b"]), max_size=2, unique=True)))
    if not (steps or longer or extra or waived):
        longer = {states_with_a_clock(flow)[0]: 1}
    return flow, state, Tailoring(extra, waived, tuple(steps), tuple(longer.items()))


def reached(flow: Flow, start: str, closed: frozenset[str]) -> set[str]:
    """Every state to which steps lead from ``start`` without a step whose action is in ``closed``."""
    seen, todo = {start}, [start]
    while todo:
        for step in flow.steps_from(todo.pop()):
            if step.action not in closed and step.dest not in seen:
                seen.add(step.dest)
                todo.append(step.dest)
    return seen


@settings(max_examples=200, deadline=None)
@given(tailorings())
def test_what_may_be_tailored_gives_a_sound_flow(drawn: Drawn) -> None:
    flow, state, wanted = drawn
    check(flow, wanted, state)
    made = tailor(flow, wanted)
    assert list(flow_file._structural_problems(made)) == []
    assert list(flow_file._automatic_problems(made)) == []
    ends = flow_file._can_end(made)
    assert set(made.states) <= ends, "every case can still end"
    assert all(len(key) <= 40 for key in made.states)
    assert all(len(step.action) <= 40 for step in made.steps)
    Engine(made)
    draw(made, state)


@settings(max_examples=200, deadline=None)
@given(tailorings())
def test_nothing_leads_around_an_extra_step(drawn: Drawn) -> None:
    flow, state, wanted = drawn
    made = tailor(flow, wanted)
    for extra in wanted.extra_steps:
        agree = next(s for s in made.steps_from(extra.state) if s.decision)
        found = reached(made, state, frozenset({agree.action}))
        assert extra.state in found
        assert extra.before not in found


@settings(max_examples=100, deadline=None)
@given(tailorings())
def test_it_is_kept_as_json_and_read_back(drawn: Drawn) -> None:
    wanted = drawn[2]
    assert read_tailoring(wanted.as_json()) == wanted
    assert read_tailoring(None).is_empty
    assert Tailoring().merged(wanted) == wanted
    assert wanted.merged(wanted) == wanted


def test_who_has_passed_a_place_can_be_given_no_step_before_it() -> None:
    assert places_for_a_step(SMALL, "submitted") == ["reviewing", "awaiting_inspection", "awaiting_decision"]
    assert places_for_a_step(SMALL, "correcting") == ["awaiting_inspection", "awaiting_decision"]
    assert places_for_a_step(SMALL, "rectifying") == ["awaiting_decision"]
    assert places_for_a_step(SMALL, "awaiting_decision") == []
    assert position(SMALL, "withdrawn") == len(SMALL.main)


def test_a_place_that_a_clock_leads_around_is_not_offered() -> None:
    jump = replace(
        SMALL.step("reviewing", "pass_materials"), action="lapse", role=Role.SYSTEM, dest="awaiting_decision"
    )
    lapsing = replace(SMALL, steps=(*SMALL.steps, jump))
    assert "awaiting_decision" not in places_for_a_step(lapsing, "submitted")


def test_a_second_step_stands_before_the_same_place_and_none_is_put_in_twice() -> None:
    first, second = ExtraStep("awaiting_decision", Role.LEADER), ExtraStep("awaiting_decision", Role.LEADING_GROUP)
    once = tailor(SMALL, Tailoring(extra_steps=(first,)))
    check(once, Tailoring(extra_steps=(second,)), "reviewing")
    both = tailor(SMALL, Tailoring(extra_steps=(first,)).merged(Tailoring(extra_steps=(second,))))
    place = both.main.index("awaiting_decision")
    assert both.main[place - 2 : place] == ("extra-leader-awaiting_decision", "extra-leading_group-awaiting_decision")
    with pytest.raises(Invalid, match="已经加过"):
        check(once, Tailoring(extra_steps=(first,)), "reviewing")


def test_the_company_may_withdraw_from_an_extra_step_too() -> None:
    extra = ExtraStep("awaiting_decision", Role.LEADER)
    made = tailor(SMALL, Tailoring(extra_steps=(extra,)))
    assert made.step(extra.state, "withdraw") is not None


def test_long_keys_stay_apart() -> None:
    names = [f"a_state_whose_key_is_really_long_{n}" for n in (1, 2)]
    keys = {ExtraStep(name, Role.BUREAU_REVIEWER).state for name in names}
    assert len(keys) == 2
    assert all(len(k) <= 40 for k in keys)


def test_history_knows_an_extra_step_by_its_action() -> None:
    made = tailor(SMALL, Tailoring(extra_steps=(ExtraStep("awaiting_decision", Role.BUREAU_REVIEWER),)))
    for step in made.steps_from("extra-bureau_reviewer-awaiting_decision"):
        if step.role is not Role.FILER:
            assert done_label(step.action) == step.done
    assert done_label("agree") is None


@pytest.mark.parametrize(
    ("wanted", "state"),
    [
        (Tailoring(), "reviewing"),
        (Tailoring(("safety",), ("safety",)), "reviewing"),
        (Tailoring(("safety",)), "awaiting_decision"),
        (Tailoring(waived_materials=("licence",)), "inspecting"),
        (Tailoring(longer=(("approved", 2),)), "reviewing"),
        (Tailoring(longer=(("nowhere", 2),)), "reviewing"),
        (Tailoring(longer=(("reviewing", 0),)), "reviewing"),
        (Tailoring(longer=(("reviewing", 31),)), "reviewing"),
        (Tailoring(extra_steps=(ExtraStep("reviewing", Role.LEADER),)), "reviewing"),
        (Tailoring(extra_steps=(ExtraStep("awaiting_decision", Role.INSPECTOR),)), "reviewing"),
        (Tailoring(extra_steps=(ExtraStep("awaiting_decision", Role.LEADER, 31),)), "reviewing"),
    ],
)
def test_what_makes_no_sense_is_refused(wanted: Tailoring, state: str) -> None:
    with pytest.raises(Invalid):
        check(SMALL, wanted, state)
