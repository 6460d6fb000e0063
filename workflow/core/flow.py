"""A flow as data: states, steps and what they need, read from TOML and checked before it may be used.

Source of the format: docs/guide/flows.md. A flow holds no behaviour: guards and effects are names of things in
:mod:`workflow.core.guards` and :mod:`workflow.core.effects`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from workflow.core.actors import Role
from workflow.core.effects import Effect
from workflow.core.guards import GUARDS
from workflow.core.routing import Condition, read_condition
from workflow.core.tables import FileInvalid, TableReader, read_toml
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


@dataclass(frozen=True, slots=True)
class State:
    """A state of a flow; ``holder`` is the role whose turn it is, ``days`` the working days it should take."""

    key: str
    label: Label
    kind: StateKind
    holder: Role | None
    days: int | None


@dataclass(frozen=True, slots=True)
class Step:
    """A permitted move: from ``sources`` to ``dest`` by ``role``; ``guards`` (always) and ``checks`` (on moving) agree.

    ``form`` names the page on which the step is taken: ``note`` is the plain form on the case page, ``schedule`` and
    ``sheet`` have pages of their own.
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


@dataclass(frozen=True, slots=True)
class MaterialRule:
    """A material slot of a flow: ``slot`` names an entry of the material catalogue; ``when`` says for whom."""

    slot: str
    required: bool
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

    def state(self, key: str) -> State:
        """The state called ``key``; KeyError when the flow has none."""
        return self.states[key]

    def steps_from(self, state: str) -> Iterator[Step]:
        """The steps that leave ``state``, in the order of the file."""
        return (s for s in self.steps if state in s.sources)

    def step(self, state: str, action: str) -> Step | None:
        """The one step called ``action`` that leaves ``state``, if any."""
        return next((s for s in self.steps_from(state) if s.action == action), None)


class FlowInvalid(FileInvalid):
    """A flow file that can't be used; ``problems`` lists all that is wrong with it."""


TONES = frozenset({"primary", "success", "warning", "danger", "secondary"})
FORMS = frozenset({"note", "schedule", "sheet", "submit", "correct", "rectify"})
TOP_KEYS = frozenset({"key", "revision", "label", "summary", "main", "checklist", "state", "step", "material"})
STATE_KEYS = frozenset({"key", "label", "kind", "holder", "days"})
STEP_KEYS = frozenset(
    {
        "action",
        "label",
        "done",
        "source",
        "dest",
        "role",
        "guards",
        "checks",
        "effects",
        "note",
        "tone",
        "form",
        "decision",
    }
)
MATERIAL_KEYS = frozenset({"slot", "required", "when"})
"""What a flow file may say; docs/guide/flows.md explains each word (a test compares the two)."""

MAX_STATES = 200
_RESERVED_ACTIONS = frozenset({"state"})
"""Names that the state machine library keeps for itself."""


def _read_state(reader: TableReader, table: Mapping[str, Any]) -> State:
    key = reader.slug("state", table, "key")
    where = f"state {key!r}"
    reader.unknown_keys(where, table, STATE_KEYS)
    kind = StateKind(reader.one_of(where, table, "kind", StateKind, StateKind.OPEN))
    holder = reader.one_of(where, table, "holder", ["", *Role], "")
    days = reader.count(where, table, "days", least=1, most=365) if "days" in table else None
    return State(key, reader.label(where, table), kind, Role(holder) if holder else None, days)


def _read_step(reader: TableReader, table: Mapping[str, Any]) -> Step:
    action = reader.slug("step", table, "action")
    where = f"step {action!r}"
    if action in _RESERVED_ACTIONS:
        reader.problems.append(f"{where}: this name is reserved")
    reader.unknown_keys(where, table, STEP_KEYS)
    label = reader.label(where, table)
    return Step(
        action=action,
        label=label,
        done=reader.label(where, table, "done", fallback=label),
        sources=reader.texts(where, table, "source"),
        dest=reader.text(where, table, "dest"),
        role=Role(reader.one_of(where, table, "role", Role, Role.LEADER)),
        guards=reader.texts(where, table, "guards", GUARDS),
        checks=reader.texts(where, table, "checks", GUARDS),
        effects=tuple(Effect(e) for e in reader.texts(where, table, "effects", list(Effect))),
        note=NoteRule(reader.one_of(where, table, "note", NoteRule, NoteRule.OPTIONAL)),
        tone=reader.one_of(where, table, "tone", sorted(TONES), "primary"),
        form=reader.one_of(where, table, "form", sorted(FORMS), "note"),
        decision=reader.flag(where, table, "decision", default=False),
    )


def _read_material(reader: TableReader, table: Mapping[str, Any]) -> MaterialRule:
    slot = reader.slug("material", table, "slot")
    where = f"material {slot!r}"
    reader.unknown_keys(where, table, MATERIAL_KEYS)
    condition, problems = read_condition(table.get("when", {}))
    reader.problems += [f"{where}: {p}" for p in problems]
    return MaterialRule(slot, reader.flag(where, table, "required", default=True), condition)


def _reachable(flow: Flow) -> set[str]:
    seen = {flow.initial}
    queue = deque(seen)
    while queue:
        here = queue.popleft()
        for step in flow.steps_from(here):
            if step.dest not in seen:
                seen.add(step.dest)
                queue.append(step.dest)
    return seen


def _can_end(flow: Flow) -> set[str]:
    """States from which some end can be reached."""
    good = {s.key for s in flow.states.values() if s.kind in (StateKind.APPROVED, StateKind.ENDED)}
    while True:
        more = {src for step in flow.steps if step.dest in good for src in step.sources} - good
        if not more:
            return good
        good |= more


def _structural_problems(flow: Flow) -> Iterator[str]:
    for step in flow.steps:
        if not step.sources:
            yield f"step {step.action!r}: source is empty"
        for key in (*step.sources, step.dest):
            if key not in flow.states:
                yield f"step {step.action!r}: unknown state {key!r}"
    seen: set[tuple[str, str]] = set()
    for step in flow.steps:
        for source in step.sources:
            if (source, step.action) in seen:
                yield f"step {step.action!r}: a second one from {source!r}"
            seen.add((source, step.action))
    for key in flow.main:
        if key not in flow.states:
            yield f"main: unknown state {key!r}"
    if not flow.main:
        yield "main: names no state"
    drafts = [s.key for s in flow.states.values() if s.kind is StateKind.DRAFT]
    if len(drafts) != 1:
        yield f"exactly one state must be of kind draft, found {len(drafts)}"
        return
    reachable, can_end = _reachable(flow), _can_end(flow)
    for state in flow.states.values():
        if state.key not in reachable:
            yield f"state {state.key!r}: can't be reached"
        elif state.key not in can_end:
            yield f"state {state.key!r}: no way to an end"
        if state.kind is StateKind.OPEN and state.holder is None:
            yield f"state {state.key!r}: an open state needs a holder"
        elif state.kind is StateKind.OPEN and not any(s.role is state.holder for s in flow.steps_from(state.key)):
            yield f"state {state.key!r}: its holder {state.holder} has no step"


def read_flow(text: str) -> Flow:
    """Read and check one flow file.

    Raises :class:`FlowInvalid` with every problem found: bad TOML, unknown names, unreachable states, dead ends,
    a second step of one name from one state, labels missing in a language.
    """
    document, problems = read_toml(text)
    if problems:
        raise FlowInvalid(problems)
    reader = TableReader()
    reader.unknown_keys("flow", document, TOP_KEYS)
    tables = reader.tables(document, "state")
    if len(tables) > MAX_STATES:
        raise FlowInvalid([f"{len(tables)} states; at most {MAX_STATES} are allowed"])
    states = [_read_state(reader, t) for t in tables]
    reader.twice("state", (s.key for s in states))
    flow = Flow(
        key=reader.slug("flow", document, "key"),
        revision=reader.count("flow", document, "revision", least=1, most=1_000_000),
        label=reader.label("flow", document),
        summary=reader.label("flow", document, "summary"),
        states={s.key: s for s in states},
        steps=tuple(_read_step(reader, t) for t in reader.tables(document, "step")),
        main=reader.texts("flow", document, "main"),
        materials=tuple(_read_material(reader, t) for t in reader.tables(document, "material")),
        checklist=reader.text("flow", document, "checklist"),
        initial=next((s.key for s in states if s.kind is StateKind.DRAFT), ""),
    )
    reader.twice("main: state", flow.main)
    reader.twice("material", (m.slot for m in flow.materials))
    reader.problems += _structural_problems(flow)
    if reader.problems:
        raise FlowInvalid(reader.problems)
    return flow
