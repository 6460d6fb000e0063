"""Reading a flow file (TOML): every fault is found at once, and nothing faulty is ever used.

Source of the format: docs/guide/flows.md.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from typing import Any

from workflow.core.actors import ACTING_ROLES, ROLE_PERMISSIONS, SUPERVISORS, Permission, Role
from workflow.core.conditions import Condition, read_condition
from workflow.core.effects import Effect
from workflow.core.facts import Outcome
from workflow.core.flow import (
    Flow,
    InspectionRule,
    MaterialRule,
    NoteRule,
    OpinionRule,
    SampleRule,
    State,
    StateKind,
    Step,
)
from workflow.core.guards import GUARDS
from workflow.core.tables import FileInvalid, TableReader, read_toml


class FlowInvalid(FileInvalid):
    """A flow file that can't be used; ``problems`` lists all that is wrong with it."""


TONES = frozenset({"primary", "success", "warning", "danger", "secondary"})
FORMS = frozenset({"note", "schedule", "sheet", "submit", "correct", "rectify"})
TOP_KEYS = frozenset(
    {
        "key",
        "revision",
        "label",
        "summary",
        "main",
        "checklist",
        "inspection",
        "full_check",
        "notice",
        "sampled",
        "state",
        "step",
        "material",
        "opinion",
        "sample",
    }
)
STATE_KEYS = frozenset(
    {"key", "label", "kind", "holder", "days", "resumes", "warn", "escalate", "escalate_after", "lapse", "permits"}
)
OPINION_KEYS = frozenset({"department", "days", "when"})
SAMPLE_KEYS = frozenset({"percent", "label", "when"})
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
        "outcome",
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
    holder = reader.one_of(where, table, "holder", ["", *ACTING_ROLES], "")
    escalate = reader.one_of(where, table, "escalate", ["", *SUPERVISORS], "")
    return State(
        key=key,
        label=reader.label(where, table),
        kind=kind,
        holder=Role(holder) if holder else None,
        days=reader.count(where, table, "days", least=1, most=365) if "days" in table else None,
        resumes=reader.flag(where, table, "resumes", default=False),
        warn=reader.count(where, table, "warn", least=0, most=30, default=1),
        escalate=Role(escalate) if escalate else None,
        escalate_after=reader.count(where, table, "escalate_after", least=0, most=30, default=0),
        lapse=reader.text(where, table, "lapse") if "lapse" in table else "",
        permits=reader.flag(where, table, "permits", default=kind is StateKind.APPROVED),
    )


def _forms_of(role: Role) -> list[str]:
    """The pages that somebody of this role may enter: a step on any other could never be taken."""
    forms = ["note"]
    if role in (Role.FILER, Role.SYSTEM):
        forms += ["submit", "correct", "rectify"]
    if Permission.PLAN_INSPECTION in ROLE_PERMISSIONS[role]:
        forms.append("schedule")
    return [*forms, "sheet"] if Permission.INSPECT in ROLE_PERMISSIONS[role] else forms


def _read_step(reader: TableReader, table: Mapping[str, Any]) -> Step:
    action = reader.slug("step", table, "action")
    where = f"step {action!r}"
    if action in _RESERVED_ACTIONS:
        reader.problems.append(f"{where}: this name is reserved")
    reader.unknown_keys(where, table, STEP_KEYS)
    label = reader.label(where, table)
    role = Role(reader.one_of(where, table, "role", [*ACTING_ROLES, Role.SYSTEM], Role.LEADER))
    return Step(
        action=action,
        label=label,
        done=reader.label(where, table, "done", fallback=label),
        sources=reader.texts(where, table, "source"),
        dest=reader.text(where, table, "dest"),
        role=role,
        guards=reader.texts(where, table, "guards", GUARDS),
        checks=reader.texts(where, table, "checks", GUARDS),
        effects=tuple(Effect(e) for e in reader.texts(where, table, "effects", list(Effect))),
        note=NoteRule(reader.one_of(where, table, "note", NoteRule, NoteRule.OPTIONAL)),
        tone=reader.one_of(where, table, "tone", sorted(TONES), "primary"),
        form=reader.one_of(where, table, "form", _forms_of(role), "note"),
        decision=reader.flag(where, table, "decision", default=False),
        outcome=_read_outcome(reader, where, table, action),
    )


_USUAL_OUTCOMES: Mapping[str, Outcome] = {
    "pass_inspection": Outcome.PASS,
    "order_rectification": Outcome.RECTIFY,
    "fail_inspection": Outcome.FAIL,
}
"""What the usual names of the three results mean when a file does not say it."""


def _read_outcome(reader: TableReader, where: str, table: Mapping[str, Any], action: str) -> Outcome | None:
    usual = _USUAL_OUTCOMES.get(action)
    if table.get("form") != "sheet":
        if "outcome" in table:
            reader.problems.append(f"{where}: only a step of the form sheet has an outcome")
        return None
    if usual is None and "outcome" not in table:
        reader.problems.append(f"{where}: a step of the form sheet needs an outcome: pass, rectify or fail")
    return Outcome(reader.one_of(where, table, "outcome", Outcome, usual or Outcome.PASS))


def _read_material(reader: TableReader, table: Mapping[str, Any]) -> MaterialRule:
    slot = reader.slug("material", table, "slot")
    where = f"material {slot!r}"
    reader.unknown_keys(where, table, MATERIAL_KEYS)
    return MaterialRule(slot, reader.flag(where, table, "required", default=True), _read_when(reader, where, table))


def _read_when(reader: TableReader, where: str, table: Mapping[str, Any]) -> Condition:
    condition, problems = read_condition(table.get("when", {}))
    reader.problems += [f"{where}: {p}" for p in problems]
    return condition


def _read_opinion(reader: TableReader, table: Mapping[str, Any]) -> OpinionRule:
    department = reader.slug("opinion", table, "department")
    where = f"opinion {department!r}"
    reader.unknown_keys(where, table, OPINION_KEYS)
    days = reader.count(where, table, "days", least=1, most=365)
    return OpinionRule(department, days, _read_when(reader, where, table))


def _read_sample(reader: TableReader, number: int, table: Mapping[str, Any]) -> SampleRule:
    where = f"sample {number}"
    reader.unknown_keys(where, table, SAMPLE_KEYS)
    percent = reader.count(where, table, "percent", least=0, most=100)
    return SampleRule(percent, reader.label(where, table), _read_when(reader, where, table))


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


def _automatic_problems(flow: Flow) -> Iterator[str]:
    """What is wrong with steps that nobody takes, with clocks, opinions and samples."""
    named = {flow.sampled}
    for state in flow.states.values():
        named.add(state.lapse)
        if state.days is None and (state.escalate or state.lapse):
            yield f"state {state.key!r}: escalate and lapse need days"
        lapse = flow.step(state.key, state.lapse) if state.lapse else None
        if state.lapse and (lapse is None or lapse.role is not Role.SYSTEM):
            yield f"state {state.key!r}: lapse {state.lapse!r} is no step of the role system from here"
    for step in flow.steps:
        if step.role is Role.SYSTEM and step.action not in named:
            yield f"step {step.action!r}: nothing takes it: name it as lapse of a state or as sampled"
        if step.role is Role.SYSTEM and step.form != "note":
            yield f"step {step.action!r}: a step of the system has no form"
        if step.role is Role.SYSTEM and step.action == flow.sampled and step.guards + step.checks:
            yield f"step {step.action!r}: what is drawn by lot can't be refused by guards or checks"
        if Effect.DRAW_SAMPLE in step.effects and not _can_be_drawn(flow, step):
            yield f"step {step.action!r}: draw_sample needs sampled, a step of the role system from {step.dest!r}"
    effects = {e for s in flow.steps for e in s.effects}
    if (Effect.DRAW_SAMPLE in effects) != bool(flow.samples and flow.sampled):
        yield "flow: sampled, [[sample]] and the effect draw_sample belong together"
    if (Effect.ASK_OPINIONS in effects) != bool(flow.opinions):
        yield "flow: [[opinion]] and the effect ask_opinions belong together"


def _inspection_problems(flow: Flow) -> Iterator[str]:
    """Where a flow does not keep what it says of the on-site check."""
    if flow.inspection is InspectionRule.AFTER and not flow.samples:
        yield "flow: inspection after approval needs [[sample]]"
    if flow.inspection is not InspectionRule.BEFORE:
        return
    seen = {flow.initial}
    for _ in flow.states:
        seen |= {
            s.dest
            for s in flow.steps
            if seen.intersection(s.sources) and "inspection_passed" not in s.guards + s.checks
        }
    for key in flow.states:
        if key in seen and flow.states[key].kind is StateKind.APPROVED:
            yield f"state {key!r}: can be reached without a step that demands inspection_passed"


def _can_be_drawn(flow: Flow, step: Step) -> bool:
    follower = flow.step(step.dest, flow.sampled)
    return follower is not None and follower.role is Role.SYSTEM


def _names_once(reader: TableReader, flow: Flow) -> None:
    reader.twice("main: state", flow.main)
    reader.twice("material", (m.slot for m in flow.materials))
    reader.twice("opinion", (o.department for o in flow.opinions))


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
        opinions=tuple(_read_opinion(reader, t) for t in reader.tables(document, "opinion")),
        samples=tuple(_read_sample(reader, n, t) for n, t in enumerate(reader.tables(document, "sample"), 1)),
        sampled=reader.text("flow", document, "sampled") if "sampled" in document else "",
        notice=reader.label("flow", document, "notice") if "notice" in document else None,
        inspection=InspectionRule(reader.one_of("flow", document, "inspection", InspectionRule, InspectionRule.NONE)),
        full_check=reader.flag("flow", document, "full_check", default=False),
    )
    _names_once(reader, flow)
    reader.problems += [*_structural_problems(flow), *_automatic_problems(flow), *_inspection_problems(flow)]
    if reader.problems:
        raise FlowInvalid(reader.problems)
    return flow
