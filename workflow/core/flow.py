"""A flow as data: states, steps and what they need; :mod:`workflow.core.flow_file` reads and checks the text.

A flow holds no behaviour: guards and effects are names of things in :mod:`workflow.core.guards` and
:mod:`workflow.core.effects`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from workflow.core.actors import Role
from workflow.core.conditions import Condition
from workflow.core.effects import Effect
from workflow.core.facts import Outcome
from workflow.core.tables import Label as Label  # part of this module's vocabulary


class StateKind(StrEnum):
    """Where in its life a case stands in a state."""

    DRAFT = "draft"
    OPEN = "open"
    APPROVED = "approved"
    ENDED = "ended"


class NoteRule(StrEnum):
    """Whether a step takes words."""

    NONE = "none"
    OPTIONAL = "optional"
    REQUIRED = "required"


class InspectionRule(StrEnum):
    """When the place is looked at: before every approval, after it by lot, or not at all."""

    BEFORE = "before"
    AFTER = "after"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class State:
    """A state of a flow; ``holder`` is the role whose turn it is, ``days`` the working days it should take.

    ``resumes``: coming back from the company the clock goes on instead of starting anew. ``warn``: so many working days
    before the end it is due soon. ``escalate``: the role that is told ``escalate_after`` working days after the end.
    ``lapse``: the step that the system takes when the time is over. ``permits``: the company may work.
    """

    key: str
    label: Label
    kind: StateKind
    holder: Role | None
    days: int | None
    resumes: bool = False
    warn: int = 1
    escalate: Role | None = None
    escalate_after: int = 0
    lapse: str = ""
    permits: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """A permitted move: from ``sources`` to ``dest`` by ``role``; ``guards`` (always) and ``checks`` (on moving) agree.

    ``form`` names the page on which the step is taken: ``note`` is the plain form on the case page, ``schedule`` and
    ``sheet`` have pages of their own. A step of the form ``sheet`` concludes a visit with ``outcome``.
    """

    action: str
    label: Label
    done: Label
    sources: tuple[str, ...]
    dest: str
    role: Role
    guards: tuple[str, ...]
    checks: tuple[str, ...]
    effects: tuple[Effect, ...]
    note: NoteRule
    tone: str
    form: str
    decision: bool
    outcome: Outcome | None = None


@dataclass(frozen=True, slots=True)
class MaterialRule:
    """A material slot of a flow: ``slot`` names an entry of the material catalogue; ``when`` says for whom."""

    slot: str
    required: bool
    when: Condition


@dataclass(frozen=True, slots=True)
class OpinionRule:
    """A department that is asked for its opinion within ``days`` working days; ``when`` says for whom."""

    department: str
    days: int
    when: Condition


@dataclass(frozen=True, slots=True)
class SampleRule:
    """``percent`` of the enterprises that meet ``when`` are drawn for a post-check; the first rule to hold counts."""

    percent: int
    label: Label
    when: Condition


@dataclass(frozen=True, slots=True)
class Flow:
    """A whole flow: immutable, checked, safe to share between threads."""

    key: str
    revision: int
    label: Label
    summary: Label
    states: Mapping[str, State]
    steps: tuple[Step, ...]
    main: tuple[str, ...]
    materials: tuple[MaterialRule, ...]
    checklist: str
    initial: str
    opinions: tuple[OpinionRule, ...] = ()
    samples: tuple[SampleRule, ...] = ()
    sampled: str = ""
    notice: Label | None = None
    inspection: InspectionRule = InspectionRule.NONE
    full_check: bool = False
    """Whether a visit goes through every item of its checklist that is for the enterprise, not only the short check."""

    def state(self, key: str) -> State:
        """The state called ``key``; KeyError when the flow has none."""
        return self.states[key]

    def steps_from(self, state: str) -> Iterator[Step]:
        """The steps that leave ``state``, in the order of the file."""
        return (s for s in self.steps if state in s.sources)

    def step(self, state: str, action: str) -> Step | None:
        """The one step called ``action`` that leaves ``state``, if any."""
        return next((s for s in self.steps_from(state) if s.action == action), None)
