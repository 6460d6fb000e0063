"""Trying a draft on the cases there are: which would take another flow, which could not go on, what they would lack."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from workflow.core.actors import Actor
from workflow.core.errors import Reason
from workflow.core.facts import EnterpriseFacts
from workflow.core.flow import Flow
from workflow.core.rulebook import NO_FLOW, Choice, Rulebook, Rules
from workflow.core.tables import Label
from workflow.core.times import shanghai_day
from workflow.data import cases
from workflow.data.areas import Area
from workflow.data.cases import Case
from workflow.data.drafts import Draft
from workflow.data.flows import FlowVersion, RuleVersion
from workflow.data.materials import FORM_SLOT
from workflow.extensions import db
from workflow.services import migration
from workflow.services.case_facts import facts_of_case

MOST_CLOSED = 5000
MOST_EXAMPLES = 20
_BATCH = 500


@dataclass(frozen=True, slots=True)
class Example:
    """A case to look at."""

    case_id: int
    reference: str
    name: str


@dataclass(slots=True)
class Tally:
    """How many open and closed cases, with the first :data:`MOST_EXAMPLES` of them, the open ones first."""

    open: int = 0
    closed: int = 0
    examples: list[Example] = field(default_factory=list)

    def add(self, case: Case) -> None:
        """Count one case."""
        if case.is_open:
            self.open += 1
        else:
            self.closed += 1
        if len(self.examples) < MOST_EXAMPLES:
            self.examples.append(Example(case.id, case.reference, case.enterprise_name))


@dataclass(slots=True)
class RulesTrial:
    """Rules tried on cases: ``changes`` by the keys of the old and the new flow (``none``: nothing to file, empty: no
    rule takes it), ``lacking`` by slot the open cases that another flow would ask for more."""

    open: int = 0
    closed: int = 0
    same: int = 0
    changes: dict[tuple[str, str], Tally] = field(default_factory=dict)
    lacking: dict[str, Tally] = field(default_factory=dict)
    short: int = 0

    @property
    def moved_open(self) -> int:
        """How many open cases would take another flow."""
        return sum(t.open for t in self.changes.values())

    def total(self, after: str) -> int:
        """How many cases the new rules send to ``after`` that went elsewhere before."""
        return sum(t.open + t.closed for (_old, new), t in self.changes.items() if new == after)


@dataclass(slots=True)
class StateTrial:
    """The open cases in one state of one version: ``reason`` says why they can't go on in the draft."""

    label: Label
    revision: int
    reason: Reason | None
    tally: Tally = field(default_factory=Tally)


@dataclass(slots=True)
class FlowTrial:
    """A flow tried on the open cases of its key, by state; ``lacking`` by slot."""

    open: int = 0
    movable: int = 0
    states: dict[tuple[int, str, str], StateTrial] = field(default_factory=dict)
    lacking: dict[str, Tally] = field(default_factory=dict)
    short: int = 0


class _World:
    """What holds on a day, with a draft's book in place of its area's; every table is read once."""

    def __init__(self, on: dt.date, area: Area, book: Rulebook | None) -> None:
        self.on, self.area, self.book = on, area, book
        held = (RuleVersion.effective_on <= on) & RuleVersion.withdrawn_at.is_(None)
        books = select(RuleVersion).where(held).order_by(RuleVersion.effective_on, RuleVersion.revision)
        rows = db.session.scalars(books)
        self._books = {v.area_id: v.book for v in rows}
        held = (FlowVersion.effective_on <= on) & FlowVersion.withdrawn_at.is_(None)
        flows = select(FlowVersion).where(held).order_by(FlowVersion.effective_on, FlowVersion.revision)
        self._flows = {(v.key, v.area_id): v for v in db.session.scalars(flows)}
        self._rules: dict[tuple[tuple[int, ...], bool], Rules] = {}

    def rules(self, lineage: tuple[int, ...], *, drafted: bool) -> Rules:
        """The rules of a place, with the draft's book or without."""
        if (lineage, drafted) not in self._rules:
            books = {**self._books, self.area.id: self.book} if drafted and self.book else self._books
            self._rules[lineage, drafted] = Rules(tuple(b for a in (*lineage, None) if (b := books.get(a))))
        return self._rules[lineage, drafted]

    def flow(self, key: str, lineage: tuple[int, ...]) -> Flow | None:
        """The flow of this key in a place."""
        found = next((v for a in (*lineage, None) if (v := self._flows.get((key, a)))), None)
        return found.engine.flow if found else None


def _cases(actor: Actor, area: Area, *, is_open: bool) -> Iterator[Sequence[Case]]:
    """The open cases of an area, or its newest closed ones, in batches."""
    reached = (cases.reach(actor), migration.in_area(area), Case.is_open.is_(is_open))
    query = select(Case).where(*reached).order_by(Case.id.desc()).options(joinedload(Case.county))
    query = query if is_open else query.limit(MOST_CLOSED)
    yield from db.session.scalars(query.execution_options(yield_per=_BATCH)).partitions()


def _known_enterprises(actor: Actor, area: Area) -> frozenset[int]:
    """Enterprises of the area with an approval that holds."""
    query = select(Case.enterprise_id).where(cases.reach(actor), migration.in_area(area), Case.permits)
    return frozenset(db.session.scalars(query.distinct()))


def try_rules(actor: Actor, draft: Draft, book: Rulebook, now: dt.datetime) -> RulesTrial:
    """Run the rules with and without the draft over every open case of its area and the newest closed ones."""
    on = max(draft.effective_on or shanghai_day(now), shanghai_day(now))
    world, trial = _World(on, draft.area, book), RulesTrial()
    known = _known_enterprises(actor, draft.area)
    for is_open in (True, False):
        for batch in _cases(actor, draft.area, is_open=is_open):
            have = migration.slots_with_content([c.id for c in batch]) if is_open else {}
            for case in batch:
                _try_case(world, trial, case, known, have.get(case.id, frozenset()))
    return trial


def _key(choice: Choice) -> str:
    return choice.rule.flow if choice.rule else ""


def _facts(case: Case, known: frozenset[int], on: dt.date) -> EnterpriseFacts:
    """What the enterprise would be judged by if it filed on ``on``."""
    facts = facts_of_case(case).with_values(filed_on=on)
    if facts.get("purpose") == "extra_staff":
        return facts.with_values(approved_before="yes" if case.enterprise_id in known else "no")
    return facts


def _try_case(world: _World, trial: RulesTrial, case: Case, known: frozenset[int], have: frozenset[str]) -> None:
    if case.is_open:
        trial.open += 1
    else:
        trial.closed += 1
    facts, lineage = _facts(case, known, world.on), (case.town_id, case.county_id, case.city_id)
    before = world.rules(lineage, drafted=False).choose(facts)
    after = world.rules(lineage, drafted=True).choose(facts)
    if _key(before) == _key(after):
        trial.same += 1
    else:
        trial.changes.setdefault((_key(before), _key(after)), Tally()).add(case)
    if not case.is_open or after.rule is None or after.rule.flow == NO_FLOW:
        return
    flow = world.flow(after.rule.flow, lineage)
    asked = {m.slot for m in flow.materials if m.required and m.when.holds(after.facts)} if flow else set()
    _note_lacking(trial, case, (asked | set(after.rule.materials)) - have)


def _note_lacking(trial: RulesTrial | FlowTrial, case: Case, slots: set[str]) -> None:
    slots = slots - {FORM_SLOT}
    trial.short += bool(slots)
    for slot in slots:
        trial.lacking.setdefault(slot, Tally()).add(case)


def try_flow(actor: Actor, draft: Draft, flow: Flow) -> FlowTrial:
    """See for every open case of the flow's key in the draft's area whether it could go on in the draft."""
    trial, drafted = FlowTrial(), FlowVersion(key=flow.key, text=draft.text)
    reached = (cases.reach(actor), migration.in_area(draft.area), Case.is_open)
    same_key = select(FlowVersion.id).where(FlowVersion.key == flow.key)
    query = select(Case).where(*reached, Case.flow_version_id.in_(same_key)).order_by(Case.id.desc())
    query = query.options(joinedload(Case.county), joinedload(Case.flow_version))
    for batch in db.session.scalars(query.execution_options(yield_per=_BATCH)).partitions():
        have = migration.slots_with_content([c.id for c in batch])
        for case in batch:
            fit = migration.fit_of(case, drafted, have.get(case.id, frozenset()))
            trial.open += 1
            trial.movable += fit.may_move
            place = (case.flow_version_id, case.state, str(fit.reason or ""))
            found = trial.states.get(place)
            if found is None:
                found = trial.states[place] = StateTrial(fit.state, case.flow_version.revision, fit.reason)
            found.tally.add(case)
            _note_lacking(trial, case, set(fit.lacking))
    return trial


def try_draft(actor: Actor, draft: Draft, now: dt.datetime, read: Flow | Rulebook) -> RulesTrial | FlowTrial:
    """Try a draft whose text was read; what is tried depends on its kind."""
    return try_flow(actor, draft, read) if isinstance(read, Flow) else try_rules(actor, draft, read, now)
