"""What routing rules leave open: enterprises that no rule takes, that several take, and rules that never win.

Every fact that some rule asks about is cut at the bounds the rules name; of the values that the rules can't tell apart
one is tried. So a gap or an overlap is found whatever the numbers are, without trying all enterprises.
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import prod

from workflow.core.conditions import Clause, Value, choices_of
from workflow.core.facts import EnterpriseFacts
from workflow.core.rulebook import Rule

MOST_KINDS = 200_000
MOST_TRIALS = 3_000_000
"""So many times at most a rule is tried on a kind of enterprise: a few seconds, whatever somebody uploads."""
OTHER = "(other)"


@dataclass(frozen=True, slots=True)
class Gap:
    """A kind of enterprise that no rule takes; ``example`` gives its facts."""

    example: Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Overlap:
    """Two rules (numbered from 1) that both hold for ``example``; the first one wins."""

    first: int
    second: int
    example: Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Survey:
    """What was found; ``unreachable`` are numbers of rules that never win. ``kinds`` were tried."""

    kinds: int
    gaps: tuple[Gap, ...]
    overlaps: tuple[Overlap, ...]
    unreachable: tuple[int, ...]


class TooManyKinds(ValueError):
    """The rules cut the facts into more kinds of enterprise than can be tried; ``kinds`` says how many."""

    def __init__(self, kinds: int, most: int = MOST_KINDS) -> None:
        self.kinds = kinds
        super().__init__(f"{kinds} kinds of enterprise; at most {most} can be tried")


def _around(bound: Value) -> Iterable[Value]:
    """A bound with its neighbours, so that ``<`` and ``<=`` are told apart."""
    if isinstance(bound, int):
        return [n for n in (bound - 1, bound, bound + 1) if n >= 0]
    if isinstance(bound, dt.date):
        days = range(max(bound.toordinal() - 1, 1), min(bound.toordinal() + 1, dt.date.max.toordinal()) + 1)
        return [dt.date.fromordinal(n) for n in days]
    return [bound]


def _candidates(fact: str, clauses: Sequence[Clause]) -> list[Value]:
    closed = choices_of(fact)
    if closed is not None:
        return sorted(closed)
    operands = [o for c in clauses for o in (c.operand if isinstance(c.operand, tuple) else (c.operand,))]
    bounds = {v for o in operands for v in _around(o)}
    if all(isinstance(b, str) for b in bounds):
        return [*sorted(map(str, bounds)), OTHER]
    return sorted(bounds, key=str)


def representatives(rules: Sequence[Rule], fixed: Mapping[str, Value] | None = None) -> dict[str, list[Value]]:
    """For each fact that a rule asks about, one value of each part into which the rules cut it; ``fixed`` facts as
    given (those of a book's own area)."""
    asked: dict[str, list[Clause]] = {}
    for rule in rules:
        for clause in rule.when.clauses:
            asked.setdefault(clause.fact, []).append(clause)
    values: dict[str, list[Value]] = {}
    for fact, clauses in sorted(asked.items()):
        if fixed and fact in fixed:
            values[fact] = [fixed[fact]]
            continue
        told_apart: dict[tuple[bool, ...], Value] = {}
        for value in _candidates(fact, clauses):
            told_apart.setdefault(tuple(c.holds_for(value) for c in clauses), value)
        values[fact] = list(told_apart.values())
    return values


def survey(rules: Sequence[Rule], most: int = 20, fixed: Mapping[str, Value] | None = None) -> Survey:
    """Try one enterprise of each kind; gives at most ``most`` gaps and one example for each pair of rules.

    Raises :class:`TooManyKinds` when there are more than :data:`MOST_KINDS`, fewer for very many rules.
    """
    values = representatives(rules, fixed)
    kinds = prod(len(v) for v in values.values())
    limit = min(MOST_KINDS, MOST_TRIALS // max(1, len(rules)))
    if kinds > limit:
        raise TooManyKinds(kinds, limit)
    gaps: list[Gap] = []
    overlaps: dict[tuple[int, int], Overlap] = {}
    winners: set[int] = set()
    for combination in itertools.product(*values.values()):
        example = dict(zip(values, combination, strict=True))
        facts = EnterpriseFacts(example)
        holding = [n for n, rule in enumerate(rules, 1) if rule.when.holds(facts)]
        if not holding:
            gaps.append(Gap(example))
            continue
        winners.add(holding[0])
        for second in holding[1:]:
            overlaps.setdefault((holding[0], second), Overlap(holding[0], second, example))
    unreachable = tuple(n for n in range(1, len(rules) + 1) if n not in winners)
    return Survey(kinds, tuple(gaps[:most]), tuple(overlaps[k] for k in sorted(overlaps)), unreachable)


@dataclass(frozen=True, slots=True)
class Trial:
    """One rule tried on an enterprise: ``failed`` are the clauses that do not hold, in words of the file."""

    number: int
    flow: str
    holds: bool
    failed: tuple[str, ...]


def explain(rules: Sequence[Rule], facts: EnterpriseFacts) -> list[Trial]:
    """Every rule in order with what speaks against it; the first that holds is the one that counts."""
    trials = []
    for number, rule in enumerate(rules, 1):
        failed = tuple(f"{c.fact} {c.operator} {c.operand!r}" for c in rule.when.clauses if not c.holds(facts))
        trials.append(Trial(number, rule.flow, not failed, failed))
    return trials
