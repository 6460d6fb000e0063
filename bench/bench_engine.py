"""The engine's decision against a bare ``transitions`` machine that takes the same step without asking anybody."""

from __future__ import annotations

from transitions import Machine

from bench.harness import Measurement, bench, compare
from workflow.core.actors import Actor, Appointment, AreaKind, Role
from workflow.core.engine import Engine
from workflow.core.facts import CaseFacts
from workflow.core.flow_file import read_flow
from workflow.data import catalogue


class _Plain:
    """A model for the bare machine."""

    state = "submitted"


@bench("engine.move", "moves/s", "bare transitions trigger on a shared machine")
def engine_move() -> Measurement:
    """Accept a submitted case: role, guards, step look-up and the move."""
    flow = read_flow(catalogue.flow_text("city-large"))
    engine = Engine(flow)
    actor = Actor(1, 1, "甲", (Appointment(Role.REVIEWER, 5, AreaKind.TOWN),))
    facts = CaseFacts(9, frozenset({1, 2, 5}), None)
    machine = Machine(model=None, states=list(flow.states), initial="draft", auto_transitions=False)
    for step in flow.steps:
        machine.add_transition(step.action, list(step.sources), step.dest)

    def bare() -> None:
        model = _Plain()
        machine.events["accept"].trigger(model)

    ours, base = compare(lambda: engine.move("submitted", "accept", actor, facts), bare, calls=2000)
    return Measurement(ours.per_second, base.per_second)


@bench("engine.open_steps", "calls/s", "bare transitions trigger on a shared machine")
def engine_open_steps() -> Measurement:
    """All the buttons of a page with their reasons, against one bare trigger."""
    flow = read_flow(catalogue.flow_text("city-large"))
    engine = Engine(flow)
    actor = Actor(1, 1, "甲", (Appointment(Role.REVIEWER, 5, AreaKind.TOWN),))
    facts = CaseFacts(9, frozenset({1, 2, 5}), None)
    machine = Machine(model=None, states=["submitted", "reviewing"], initial="submitted", auto_transitions=False)
    machine.add_transition("accept", "submitted", "reviewing")
    ours, base = compare(
        lambda: engine.open_steps("reviewing", actor, facts),
        lambda: machine.events["accept"].trigger(_Plain()),
        calls=2000,
    )
    return Measurement(ours.per_second, base.per_second)
