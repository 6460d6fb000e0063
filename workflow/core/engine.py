"""The engine: decides whether a step may be taken and what follows, changes nothing; only it uses ``transitions``."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, cast

from transitions import EventData, Machine, MachineError

from workflow.core.actors import Actor
from workflow.core.effects import Effect
from workflow.core.errors import N_, Invalid, NotPermitted, Reason, StepClosed
from workflow.core.facts import CaseFacts
from workflow.core.flow import Flow, NoteRule, State, Step
from workflow.core.guards import GUARDS, NEEDS
from workflow.core.texts import clean_text, says_nothing


@dataclass(frozen=True, slots=True)
class Move:
    """A decided step: everything a caller needs to apply it; nothing has changed yet."""

    step: Step
    source: State
    dest: State
    note: str

    @property
    def effects(self) -> tuple[Effect, ...]:
        """The named effects of the step, in order."""
        return self.step.effects


@dataclass(frozen=True, slots=True)
class OpenStep:
    """A step of the present state as the page shows it: ``reasons`` is empty when it may be taken now."""

    step: Step
    reasons: tuple[Reason, ...]

    @property
    def is_open(self) -> bool:
        """Whether the step may be taken now."""
        return not self.reasons


@dataclass(slots=True)
class _Cursor:
    """A throw-away model for one move; never registered with the machine, so nothing is kept alive by it."""

    state: str
    reasons: list[Reason] = field(default_factory=list)
    step: Step | None = None


@dataclass(frozen=True, slots=True)
class _Question:
    """What a move is asked with: handed to the machine's conditions."""

    actor: Actor
    facts: CaseFacts


def _reasons(names: tuple[str, ...], actor: Actor, facts: CaseFacts) -> list[Reason]:
    return [reason for name in names if (reason := GUARDS[name](actor, facts)) is not None]


class Engine:
    """Executes one flow through a ``transitions`` machine; immutable after construction and safe to share."""

    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        self._machine = Machine(
            model=None,
            states=list(flow.states),
            initial=flow.initial,
            auto_transitions=False,
            send_event=True,
        )
        for step in flow.steps:
            self._machine.add_transition(step.action, list(step.sources), step.dest, conditions=[self._condition(step)])

    @staticmethod
    def _condition(step: Step) -> Any:
        def agrees(event: EventData) -> bool:
            question: _Question = cast("tuple[_Question]", event.args)[0]
            cursor = cast(_Cursor, event.model)
            cursor.step = step
            cursor.reasons += _reasons(step.guards + step.checks, question.actor, question.facts)
            return not cursor.reasons

        return agrees

    def move(self, state: str, action: str, actor: Actor, facts: CaseFacts, note: str = "") -> Move:
        """Decide the step ``action`` from ``state`` for ``actor``.

        Raises :class:`StepClosed` when the state has no such step or a guard refuses (with all reasons),
        :class:`NotPermitted` when the actor lacks the step's role for this case, :class:`Invalid` when the words
        that the step requires are missing.
        """
        step = self.flow.step(state, action)
        if step is None:
            raise StepClosed(N_("案件当前状态不能办理此步骤，请查看最新进展。"))
        if step.role not in self._roles(actor, facts):
            raise NotPermitted()
        note = clean_text(note)
        if step.note is NoteRule.REQUIRED and not note:
            raise Invalid(N_("请填写意见或理由。"), field="note")
        cursor = _Cursor(state)
        try:
            moved = self._machine.events[action].trigger(cursor, _Question(actor, facts))
        except MachineError as error:
            raise StepClosed(N_("案件当前状态不能办理此步骤，请查看最新进展。")) from error
        if not moved:
            raise StepClosed(N_("现在还不能办理此步骤。"), reasons=tuple(cursor.reasons))
        if step.note is NoteRule.REQUIRED and step.tone in ("danger", "warning") and says_nothing(note):
            raise Invalid(N_("“%(words)s”不是理由，请写明为什么，对方会原样看到。"), field="note", words=note[:20])
        return Move(step, self.flow.state(state), self.flow.state(cursor.state), note)

    def needs(self, state: str, action: str) -> frozenset[str]:
        """The groups of facts (see :data:`~workflow.core.guards.FACT_GROUPS`) that the step's guards look at."""
        step = self.flow.step(state, action)
        if step is None:
            return frozenset()
        return frozenset[str]().union(*(NEEDS[g] for g in step.guards + step.checks))

    def open_steps(self, state: str, actor: Actor, facts: CaseFacts) -> list[OpenStep]:
        """The steps of ``state`` that the actor's roles allow, each with the reasons that close it now."""
        roles = self._roles(actor, facts)
        return [
            OpenStep(step, tuple(_reasons(step.guards, actor, facts)))
            for step in self.flow.steps_from(state)
            if step.role in roles
        ]

    @staticmethod
    def _roles(actor: Actor, facts: CaseFacts) -> frozenset[Any]:
        return actor.roles_for(enterprise_id=facts.enterprise_id, area_ids=facts.area_ids, bureau=facts.bureau)
