"""One enterprise, one policy (一企一策): a flow adapted for one case; pure data in, a checked flow out."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from zlib import crc32

from workflow.core.actors import ROLE_LABELS, Role
from workflow.core.conditions import Condition
from workflow.core.effects import Effect
from workflow.core.errors import N_, Invalid
from workflow.core.flow import Flow, MaterialRule, NoteRule, State, StateKind, Step
from workflow.core.tables import Label

EXTRA_ROLES = (Role.REVIEWER, Role.LEADER, Role.BUREAU_REVIEWER, Role.LEADING_GROUP)
"""Who may be put in as an extra step."""
MOST_EXTRA_DAYS = 30
_ADDED = "extra-"
_LONGEST_KEY = 40
"""As long as the columns that keep states and actions."""
_MATERIAL_GUARDS = frozenset({"materials_marked", "materials_accepted"})
_ROLE_EN: Mapping[Role, str] = {
    Role.REVIEWER: "the task force",
    Role.LEADER: "the town's leader",
    Role.BUREAU_REVIEWER: "the industry bureau",
    Role.LEADING_GROUP: "the county leading group",
}


@dataclass(frozen=True, slots=True)
class ExtraStep:
    """One more opinion: ``role`` has to agree before the case comes to the state ``before``."""

    before: str
    role: Role
    days: int = 1

    @property
    def state(self) -> str:
        """The key of the state that is put in."""
        return _key(f"{_ADDED}{self.role.value}-{self.before}")


def _key(text: str) -> str:
    """``text`` itself, or cut with a checksum so that two long ones stay two."""
    if len(text) <= _LONGEST_KEY:
        return text
    return f"{text[: _LONGEST_KEY - 9]}-{crc32(text.encode()):08x}"


@dataclass(frozen=True, slots=True)
class Tailoring:
    """What differs for this case: slots asked for or waived, steps put in, working days added by state."""

    extra_materials: tuple[str, ...] = ()
    waived_materials: tuple[str, ...] = ()
    extra_steps: tuple[ExtraStep, ...] = ()
    longer: tuple[tuple[str, int], ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether nothing differs."""
        return not (self.extra_materials or self.waived_materials or self.extra_steps or self.longer)

    def as_json(self) -> dict[str, Any]:
        """The form in which a case keeps it; :func:`read_tailoring` reads it back."""
        return {
            "extra_materials": list(self.extra_materials),
            "waived_materials": list(self.waived_materials),
            "extra_steps": [[s.before, s.role.value, s.days] for s in self.extra_steps],
            "longer": [list(pair) for pair in self.longer],
        }

    def merged(self, other: Tailoring) -> Tailoring:
        """This and ``other`` together; the later word on a slot, a step or a state counts."""
        extra = [s for s in self.extra_materials if s not in other.waived_materials]
        waived = [s for s in self.waived_materials if s not in other.extra_materials]
        steps = {s.state: s for s in (*self.extra_steps, *other.extra_steps)}
        return Tailoring(
            tuple(dict.fromkeys([*extra, *other.extra_materials])),
            tuple(dict.fromkeys([*waived, *other.waived_materials])),
            tuple(steps.values()),
            tuple({**dict(self.longer), **dict(other.longer)}.items()),
        )


def read_tailoring(kept: Mapping[str, Any] | None) -> Tailoring:
    """The tailoring as a case keeps it; empty for None."""
    if not kept:
        return Tailoring()
    return Tailoring(
        tuple(kept["extra_materials"]),
        tuple(kept["waived_materials"]),
        tuple(ExtraStep(before, Role(role), days) for before, role, days in kept["extra_steps"]),
        tuple((state, days) for state, days in kept["longer"]),
    )


def check(flow: Flow, tailoring: Tailoring, state: str) -> None:
    """Raise :class:`Invalid` when a case in ``state`` can't take ``tailoring``; ``flow`` is the case's present one."""
    if tailoring.is_empty:
        raise Invalid(N_("请至少选择一项调整。"))
    if set(tailoring.extra_materials) & set(tailoring.waived_materials):
        raise Invalid(N_("同一份材料不能既追加又免交。"), field="waived_materials")
    if (tailoring.extra_materials or tailoring.waived_materials) and not review_is_ahead(flow, state):
        message = N_("材料审核已经结束，不能再追加或免交材料；确有必要的，请先退回材料审核。")
        raise Invalid(message, field="extra_materials")
    for key, days in tailoring.longer:
        if key not in states_with_a_clock(flow):
            raise Invalid(N_("这个环节没有时限，不能延长。"), field="longer")
        if not 1 <= days <= MOST_EXTRA_DAYS:
            raise Invalid(N_("延长的工作日应在 1 至 %(n)s 之间。"), field="longer", n=MOST_EXTRA_DAYS)
    for extra in tailoring.extra_steps:
        if extra.role not in EXTRA_ROLES or not 1 <= extra.days <= MOST_EXTRA_DAYS:
            raise Invalid(N_("请选择列表中的一项。"), field="extra_step")
        if extra.state in flow.states:
            raise Invalid(N_("这一步已经加过了。"), field="extra_step")
        if extra.before not in places_for_a_step(flow, state):
            raise Invalid(N_("案件已过此环节，或此环节前不能加步骤。"), field="extra_step")


def states_with_a_clock(flow: Flow) -> list[str]:
    """The open states that have a limit of working days, in the order of the flow."""
    return [s.key for s in flow.states.values() if s.kind is StateKind.OPEN and s.days is not None]


def position(flow: Flow, state: str) -> int:
    """How far along the main line a case in ``state`` is; a side state counts as the main state it leads on to."""
    seen, queue = {state}, deque([state])
    while queue:
        here = queue.popleft()
        if here in flow.main:
            return flow.main.index(here)
        following = [s.dest for s in flow.steps_from(here) if s.dest not in seen]
        seen.update(following)
        queue.extend(following)
    return len(flow.main)


def review_is_ahead(flow: Flow, state: str) -> bool:
    """Whether the materials of a case in ``state`` are still to be judged, without being sent back first."""
    return any(
        _MATERIAL_GUARDS.intersection(step.guards + step.checks)
        for key in flow.main[position(flow, state) :]
        for step in flow.steps_from(key)
    )


def places_for_a_step(flow: Flow, state: str) -> list[str]:
    """The main states before which a case in ``state`` can still be given an extra step that nothing leads around."""
    reached = position(flow, state)
    return [
        key
        for number, key in enumerate(flow.main)
        if number > reached
        and not key.startswith(_ADDED)
        and flow.state(key).kind is StateKind.OPEN
        and flow.state(key).holder is not Role.FILER
        and any(_leads_on(flow, step, key) for step in flow.steps)
        and not _leads_around(flow, state, key)
    ]


def _leads_on(flow: Flow, step: Step, key: str) -> bool:
    """Whether ``step`` brings a case forward into the main state ``key`` by an officer's act on what it found."""
    if step.dest != key or key in step.sources or step.role in (Role.FILER, Role.SYSTEM):
        return False
    place = flow.main.index(key)
    return all(s in flow.main and flow.main.index(s) < place for s in step.sources)


def _leads_around(flow: Flow, state: str, key: str) -> bool:
    """Whether a case in ``state`` can come to ``key`` without any of the steps that would lead to the extra one."""
    seen, queue = {state}, deque([state])
    while queue:
        for step in flow.steps_from(queue.popleft()):
            if _leads_on(flow, step, key):
                continue
            if step.dest == key:
                return True
            if step.dest not in seen:
                seen.add(step.dest)
                queue.append(step.dest)
    return False


def steps_led_around(old: Flow, new: Flow, tailoring: Tailoring, state: str) -> list[str]:
    """The extra steps that a case in ``state`` has ahead of it in ``old`` but could go around in ``new``.

    Both flows have the tailoring worked in.
    """
    return [
        s.state
        for s in tailoring.extra_steps
        if s.before in new.main
        and s.before in old.main
        and _leads_around(new, state, s.before)
        and not _leads_around(old, state, s.before)
    ]


def tailor(flow: Flow, tailoring: Tailoring) -> Flow:
    """``flow`` with the tailoring worked in: one more state and two more steps for each extra step."""
    made = replace(flow, materials=_materials(flow, tailoring))
    for extra in tailoring.extra_steps:
        if extra.before in made.main:
            made = _with_step(made, extra)
    longer = dict(tailoring.longer)
    states = {
        k: replace(s, days=s.days + longer[k]) if k in longer and s.days is not None else s
        for k, s in made.states.items()
    }
    return replace(made, states=states)


def _materials(flow: Flow, tailoring: Tailoring) -> tuple[MaterialRule, ...]:
    kept = tuple(m for m in flow.materials if m.slot not in (*tailoring.waived_materials, *tailoring.extra_materials))
    return kept + tuple(MaterialRule(slot, True, Condition()) for slot in tailoring.extra_materials)


def _with_step(flow: Flow, extra: ExtraStep) -> Flow:
    """``flow`` with one more state before ``extra.before``: every step forward into that leads to the new one first."""
    entering = [s for s in flow.steps if _leads_on(flow, s, extra.before)]
    if not entering or extra.state in flow.states:
        return flow
    followed = flow.state(extra.before)
    role = Label(ROLE_LABELS[extra.role], _ROLE_EN[extra.role])
    state = State(
        key=extra.state,
        label=Label(f"加办：{role.zh}", f"Extra step: {role.en}"),
        kind=StateKind.OPEN,
        holder=extra.role,
        days=extra.days,
        escalate=followed.escalate,
        escalate_after=followed.escalate_after,
    )
    steps = [_rerouted(s, state.key, extra.before, entering=s in entering) for s in flow.steps]
    number = flow.main.index(extra.before)
    return replace(
        flow,
        states={**flow.states, state.key: state},
        steps=(*steps, *_steps_of(extra, role, back=entering[0].sources[0])),
        main=(*flow.main[:number], state.key, *flow.main[number:]),
    )


def _rerouted(step: Step, added: str, before: str, *, entering: bool) -> Step:
    """``step`` as it is with the state ``added`` before ``before``; the company may leave it as it may leave that."""
    if entering:
        return replace(step, dest=added)
    if step.role is Role.FILER and step.form == "note" and before in step.sources:
        return replace(step, sources=(*step.sources, added))
    return step


def _done(role: Role, *, agrees: bool) -> Label:
    zh, en = ROLE_LABELS[role], _ROLE_EN[role]
    if agrees:
        return Label(f"{zh}同意（加办）", f"Agreed by {en} (extra step)")
    return Label(f"{zh}退回（加办）", f"Returned by {en} (extra step)")


def done_label(action: str) -> Label | None:
    """What history calls an extra step that was taken, by its action alone; None for any other action."""
    for role in EXTRA_ROLES:
        for verb in ("agree", "return"):
            if action.startswith(f"{verb}-{_ADDED}{role.value}-"):
                return _done(role, agrees=verb == "agree")
    return None


def _steps_of(extra: ExtraStep, role: Label, back: str) -> tuple[Step, Step]:
    common: dict[str, Any] = {
        "sources": (extra.state,),
        "role": extra.role,
        "guards": ("not_of_company", "not_the_inspector"),
        "checks": (),
        "effects": (Effect.TELL_COMPANY,),
        "note": NoteRule.REQUIRED,
        "form": "note",
    }
    agree = Step(
        action=_key(f"agree-{extra.state}"),
        label=Label(f"{role.zh}同意", f"Agreed by {role.en}"),
        done=_done(extra.role, agrees=True),
        dest=extra.before,
        tone="success",
        decision=True,
        **common,
    )
    send_back = Step(
        action=_key(f"return-{extra.state}"),
        label=Label("退回上一环节", "Return to the step before"),
        done=_done(extra.role, agrees=False),
        dest=back,
        tone="warning",
        decision=False,
        **common,
    )
    return agree, send_back
