"""What routing rules leave open: enterprises that no rule takes, that several take, and rules that never win.

Every fact that some rule asks about is cut at the bounds the rules name, and one enterprise of each kind that results
is tried. So a gap or an overlap is found whatever the numbers are, without trying all of them.
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import prod

from workflow.core.answers import PRIORITY_CLASSES, SECTORS
from workflow.core.facts import EnterpriseFacts, SizeClass
from workflow.core.routing import Routing, Value

MOST_KINDS = 200_000
OTHER = "(other)"
_CHOICES: Mapping[str, tuple[str, ...]] = {
    "size": tuple(s.value for s in SizeClass),
    "sector": tuple(value for value, _ in SECTORS),
    "priority_class": tuple(value for value, _ in PRIORITY_CLASSES),
    "hazardous": ("yes", "no"),
}


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

    def __init__(self, kinds: int) -> None:
        self.kinds = kinds
        super().__init__(f"{kinds} kinds of enterprise; at most {MOST_KINDS} can be tried")


def _around(bound: Value) -> Iterable[Value]:
    """A bound with its neighbours, so that ``<`` and ``<=`` are told apart."""
    if isinstance(bound, int):
        return [n for n in (bound - 1, bound, bound + 1) if n >= 0]
    if isinstance(bound, dt.date):
        return [bound + dt.timedelta(days=n) for n in (-1, 0, 1)]
    return [bound]


def representatives(routing: Routing) -> dict[str, list[Value]]:
    """For each fact that a rule asks about, one value of each part into which the rules cut it."""
    named: dict[str, set[Value]] = {}
    for rule in routing.rules:
        for clause in rule.when.clauses:
            operands = clause.operand if isinstance(clause.operand, tuple) else (clause.operand,)
            named.setdefault(clause.fact, set()).update(v for o in operands for v in _around(o))
    values: dict[str, list[Value]] = {}
    for fact, bounds in sorted(named.items()):
        if fact in _CHOICES:
            values[fact] = list(_CHOICES[fact])
        elif all(isinstance(b, str) for b in bounds):
            values[fact] = [*sorted(map(str, bounds)), OTHER]
        else:
            values[fact] = sorted(bounds, key=str)
    return values


def survey(routing: Routing, most: int = 20) -> Survey:
    """Try one enterprise of each kind; gives at most ``most`` gaps and one example for each pair of rules.

    Raises :class:`TooManyKinds` when there are more than :data:`MOST_KINDS`.
    """
    values = representatives(routing)
    kinds = prod(len(v) for v in values.values())
    if kinds > MOST_KINDS:
        raise TooManyKinds(kinds)
    gaps: list[Gap] = []
    overlaps: dict[tuple[int, int], Overlap] = {}
    winners: set[int] = set()
    for combination in itertools.product(*values.values()):
        example = dict(zip(values, combination, strict=True))
        facts = EnterpriseFacts(example)
        holding = [n for n, rule in enumerate(routing.rules, 1) if rule.when.holds(facts)]
        if not holding:
            gaps.append(Gap(example))
            continue
        winners.add(holding[0])
        for second in holding[1:]:
            overlaps.setdefault((holding[0], second), Overlap(holding[0], second, example))
    unreachable = tuple(n for n in range(1, len(routing.rules) + 1) if n not in winners)
    return Survey(kinds, tuple(gaps[:most]), tuple(overlaps[k] for k in sorted(overlaps)), unreachable)


@dataclass(frozen=True, slots=True)
class Trial:
    """One rule tried on an enterprise: ``failed`` are the clauses that do not hold, in words of the file."""

    number: int
    flow: str
    holds: bool
    failed: tuple[str, ...]


def explain(routing: Routing, facts: EnterpriseFacts) -> list[Trial]:
    """Every rule in order with what speaks against it; the first that holds is the one that counts."""
    trials = []
    for number, rule in enumerate(routing.rules, 1):
        failed = tuple(f"{c.fact} {c.operator} {c.operand!r}" for c in rule.when.clauses if not c.holds(facts))
        trials.append(Trial(number, rule.flow, not failed, failed))
    return trials
