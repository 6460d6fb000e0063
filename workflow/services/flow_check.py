"""Checking a flow, rulebook or checklist against everything it names: every problem at once, each with its line."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from sqlalchemy import select

from workflow.core.actors import COMPANY_ROLES, Role
from workflow.core.catalogue import CatalogueInvalid, Checklist, read_checklist
from workflow.core.conditions import Condition
from workflow.core.coverage import Overlap, TooManyKinds, survey
from workflow.core.flow import Flow
from workflow.core.flow_file import FlowInvalid, read_flow
from workflow.core.lines import line_of
from workflow.core.rulebook import Rulebook, RulebookInvalid, read_rulebook
from workflow.data import catalogue, flows
from workflow.data.areas import Area
from workflow.data.people import roles_held
from workflow.extensions import db

LONGEST_TEXT = 200_000
MOST_RULES = 200


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong, in the words of the file format, and the line (from 1) it lies on, when there is one."""

    words: str
    line: int | None = None

    def __str__(self) -> str:
        return f"{self.line}: {self.words}" if self.line else self.words


@dataclass(frozen=True, slots=True)
class Checked:
    """The outcome: ``flow``, ``book`` or ``checklist`` when the text can be read; it may be published when there are no
    problems.

    ``notes`` are remarks that hinder nothing; ``overlaps`` pairs of rules that hold for the same enterprise.
    """

    problems: tuple[Problem, ...]
    flow: Flow | None = None
    book: Rulebook | None = None
    checklist: Checklist | None = None
    notes: tuple[Problem, ...] = ()
    overlaps: tuple[Overlap, ...] = ()

    @property
    def is_good(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems


def _located(text: str, words: Iterable[str]) -> tuple[Problem, ...]:
    found = {w: Problem(w, line_of(text, w)) for w in words}
    return tuple(sorted(found.values(), key=lambda p: (p.line or 0, p.words)))


def _too_long(text: str) -> Checked | None:
    if len(text) > LONGEST_TEXT:
        return Checked((Problem(f"{len(text)} characters; at most {LONGEST_TEXT} are allowed"),))
    return None


def _unknown_values(where: str, condition: Condition) -> Iterator[str]:
    """Areas and industries that do not exist: nobody would ever meet such a condition, and nobody would notice."""
    for clause in condition.clauses:
        known = _codes(clause.fact)
        for value in clause.operand if isinstance(clause.operand, tuple) else ():
            if known is not None and value not in known:
                yield f"{where}: {clause.fact}: no answer is {value!r}"


def _codes(fact: str) -> set[str] | None:
    """Every code that such a fact can be; None when the check of conditions itself knows its values."""
    if fact in ("county", "town", "building"):
        return {a.code for a in catalogue.areas() if a.kind == fact}
    return {code for code, _name in catalogue.industries()} if fact == "industry" else None


def _unknown_names(flow: Flow, lists: frozenset[str]) -> Iterator[str]:
    slots = catalogue.material_slots()
    for material in flow.materials:
        if material.slot not in slots:
            yield f"material {material.slot!r}: slot is not in the material catalogue"
        yield from _unknown_values(f"material {material.slot!r}", material.when)
    if flow.checklist and flow.checklist not in lists:
        yield f"flow: checklist {flow.checklist!r} does not exist"
    known = {d.code for d in catalogue.departments()}
    for opinion in flow.opinions:
        if opinion.department not in known:
            yield f"opinion {opinion.department!r}: department does not exist"
        yield from _unknown_values(f"opinion {opinion.department!r}", opinion.when)
    for number, sample in enumerate(flow.samples, 1):
        yield from _unknown_values(f"sample {number}", sample.when)


def _unheld_roles(flow: Flow, area: Area, on: dt.date) -> Iterator[str]:
    """Roles that the flow needs and nobody holds where it is to be used."""
    held = roles_held(area, on)
    wanted = {s.role for s in flow.steps} - COMPANY_ROLES - {Role.SYSTEM}
    for step in flow.steps:
        if step.role in wanted - held:
            wanted.discard(step.role)
            yield f"step {step.action!r}: role {step.role.value!r} is held by nobody in {area.name}"


def check_flow(text: str, area: Area | None = None, on: dt.date | None = None) -> Checked:
    """Check a flow; with ``area`` and a day also that every role it needs is held there."""
    too_long = _too_long(text)
    if too_long:
        return too_long
    try:
        flow = read_flow(text)
    except FlowInvalid as error:
        return Checked(_located(text, error.problems))
    words = list(_unknown_names(flow, _list_keys(area, on)))
    if area is not None and on is not None:
        words += _unheld_roles(flow, area, on)
    return Checked(_located(text, words), flow=flow)


def _unknown_in_rules(book: Rulebook, lists: frozenset[str]) -> Iterator[str]:
    slots = catalogue.material_slots()
    for number, rule in enumerate(book.rules, 1):
        for slot in rule.materials:
            if slot not in slots:
                yield f"rule {number}: materials: {slot!r} is not in the material catalogue"
        if rule.checklist and rule.checklist not in lists:
            yield f"rule {number}: checklist {rule.checklist!r} does not exist"
        yield from _unknown_values(f"rule {number}", rule.when)
    for number, regime in enumerate(book.regimes, 1):
        yield from _unknown_values(f"regime {number}", regime.when)
    for number, entry in enumerate(book.negative or (), 1):
        yield from _unknown_values(f"listed {number}", entry.when)
    yield from _unknown_in_passes(book)
    codes = {t for c in book.classes for t in c.towns}
    known = (
        set(db.session.scalars(select(Area.code).where(Area.code.in_(codes), Area.kind == "town"))) if codes else set()
    )
    for found in book.classes:
        for town in found.towns:
            if town not in known:
                yield f"area_class {found.key!r}: towns: {town!r} is no town"


def _unknown_in_passes(book: Rulebook) -> Iterator[str]:
    """Kinds that no pass has, values that no enterprise has, and rules that an earlier one always comes before."""
    known = catalogue.passes().vehicle_kinds
    open_kinds = set(known)
    for number, rule in enumerate(book.passes, 1):
        for kind in rule.kinds or ():
            if kind not in known:
                yield f"pass {number}: kinds: {kind!r} is no kind of vehicle pass"
        yield from _unknown_values(f"pass {number}", rule.when)
        covered = {k for k in open_kinds if rule.covers(k)}
        if not covered:
            yield f"pass {number}: never wins"
        if not rule.when.clauses:
            open_kinds -= covered


def check_rules(text: str, area: Area | None = None, on: dt.date | None = None) -> Checked:
    """Check a rulebook as it would stand on ``on`` in ``area`` (None: everywhere), before those of the wider areas."""
    too_long = _too_long(text)
    if too_long:
        return too_long
    lineage = area.lineage if area else ()
    known = flows.keys_in_force(on, lineage) if on else None
    try:
        book = read_rulebook(text, known)
    except RulebookInvalid as error:
        return Checked(_located(text, error.problems))
    if len(book.rules) > MOST_RULES:
        return Checked((Problem(f"rulebook: {len(book.rules)} rules; at most {MOST_RULES} are allowed"),))
    words = list(_unknown_in_rules(book, _list_keys(area, on)))
    wider = [v.book for v in flows.rulebooks(on, lineage[1:])] if on and area else []
    rules = (*book.rules, *(r for b in wider for r in b.rules))
    own = len(book.rules)
    try:
        found = survey(rules, fixed=_fixed_facts(area))
    except TooManyKinds as error:
        return Checked(_located(text, [*words, f"rulebook: {error}"]), book=book)
    # A book without rules leaves them to the wider area's, which may be published later.
    words += [f"rulebook: no rule takes {_example(g.example)}" for g in found.gaps if rules]
    words += [f"rule {n}: never wins" for n in found.unreachable if n <= own]
    overlaps = tuple(o for o in found.overlaps if o.second <= own)
    notes = list(_overlap_notes(book, overlaps))
    return Checked(_located(text, words), book=book, notes=_located(text, notes), overlaps=overlaps)


def _overlap_notes(book: Rulebook, overlaps: Iterable[Overlap]) -> Iterator[str]:
    """For each rule those before it that take some of the same, with an example of the facts that the first two ask."""
    by_rule: dict[int, list[Overlap]] = {}
    for overlap in overlaps:
        by_rule.setdefault(overlap.second, []).append(overlap)
    for second, found in sorted(by_rule.items()):
        asked = {c.fact for n in (found[0].first, second) for c in book.rules[n - 1].when.clauses}
        example = _example({k: v for k, v in found[0].example.items() if k in asked})
        earlier = ", ".join(str(o.first) for o in found)
        yield f"rule {second}: comes after {earlier} for some of the same, as {example}"


def _fixed_facts(area: Area | None) -> dict[str, str | int | dt.date]:
    if area is None or area.kind == "city":
        return {}
    return {"county": area.code[:6], **({"town": area.code} if area.kind == "town" else {})}


def _example(example: object) -> str:
    pairs = dict(example).items() if isinstance(example, dict) else []
    return ", ".join(f"{k}={v}" for k, v in pairs) or "anybody"


def check_checklist(text: str, area: Area | None = None, on: dt.date | None = None) -> Checked:
    """Check a checklist; with a day also that the list it extends is in force there."""
    too_long = _too_long(text)
    if too_long:
        return too_long
    try:
        checklist = read_checklist(text)
    except CatalogueInvalid as error:
        return Checked(_located(text, error.problems))
    words = [w for i in checklist.items for w in _unknown_values(f"item {i.code!r}", i.when)]
    known = _list_keys(area, on)
    if checklist.extends == checklist.key:
        words.append("checklist: extends itself")
    elif checklist.extends and checklist.extends not in known:
        words.append(f"checklist: extends {checklist.extends!r} does not exist")
    elif checklist.extends:
        base = flows.newest_list(checklist.extends, on, area.lineage if area else ()) if on else None
        if base is not None and base.checklist.extends:
            words.append(f"checklist: extends {checklist.extends!r}, which extends another itself")
    return Checked(_located(text, words), checklist=checklist)


def _list_keys(area: Area | None, on: dt.date | None) -> frozenset[str]:
    """The checklists that can be named on a day in an area; without a day those that ship."""
    return flows.list_keys_in_force(on, area.lineage if area else ()) if on else catalogue.checklist_keys()


def check(kind: str, text: str, area: Area | None = None, on: dt.date | None = None) -> Checked:
    """Check a text of ``kind`` ``flow``, ``rules`` or ``checklist``."""
    return {"flow": check_flow, "checklist": check_checklist}.get(kind, check_rules)(text, area, on)
