"""Rules on passes as data, the ``[[pass]]`` tables of rulebooks: how many, for how long, and who decides."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from workflow.core.conditions import Condition, read_condition
from workflow.core.identifiers import PlateKind
from workflow.core.tables import Label, TableReader

OTHER_PLATE = "other"
"""The plate kind of what GA 36-2018 has no shape for (temporary, military, embassy): always an officer's."""
ORDINARY_PLATES = (PlateKind.ORDINARY.value, PlateKind.NEV_SMALL.value, PlateKind.NEV_LARGE.value)
"""Plates that may be decided automatically where a rule doesn't say which."""
MOST_PASSES, MOST_DAYS, MOST_AHEAD = 5000, 90, 60

PASS_KEYS = frozenset({"kinds", "when", "quota", "days", "ahead", "decision", "plate_kinds", "why"})
QUOTA_KEYS = frozenset({"base", "per_heads", "most"})
"""What a pass rule may say; docs/guide/flows.md explains each word (a test compares the two)."""


class Decision(StrEnum):
    """Who decides on a request that keeps the rule."""

    OFFICER = "officer"
    AUTOMATIC = "automatic"


@dataclass(frozen=True, slots=True)
class Quota:
    """Live passes of one company: ``base``, one more for ``per_heads`` people resuming (0: none), at most ``most``."""

    base: int
    per_heads: int = 0
    most: int = MOST_PASSES

    def allows(self, heads: int) -> int:
        """How many passes a company with so many people resuming may have at a time."""
        more = math.ceil(heads / self.per_heads) if self.per_heads else 0
        return min(self.most, self.base + more)


@dataclass(frozen=True, slots=True)
class PassRule:
    """What holds for passes of ``kinds`` (None: all) of enterprises that meet ``when``.

    ``days`` is the longest validity, ``ahead`` how many days from today it may begin; ``decision`` may be automatic for
    the ``plate_kinds``, all others are an officer's.
    """

    quota: Quota
    days: int
    ahead: int
    decision: Decision
    why: Label
    when: Condition
    kinds: tuple[str, ...] | None = None
    plate_kinds: tuple[str, ...] = ORDINARY_PLATES

    def covers(self, kind: str) -> bool:
        """Whether it is about passes of this kind."""
        return self.kinds is None or kind in self.kinds


CAUTIOUS = PassRule(
    quota=Quota(base=20),
    days=14,
    ahead=14,
    decision=Decision.OFFICER,
    why=Label("本地规则没有另行规定，由镇街专班核发", "No local rule says otherwise: the task force decides"),
    when=Condition(),
)
"""What holds where no rulebook in force has an entry for such passes (books published before there were any)."""


def read_pass_rule(reader: TableReader, number: int, table: Mapping[str, Any]) -> PassRule:
    """Read the ``number``-th ``[[pass]]`` table; what is wrong goes to ``reader``."""
    where = f"pass {number}"
    reader.unknown_keys(where, table, PASS_KEYS)
    condition, wrong = read_condition(table.get("when", {}))
    reader.problems += [f"{where}: {w}" for w in wrong]
    decision = Decision(reader.one_of(where, table, "decision", Decision, Decision.OFFICER))
    plates = reader.texts(where, table, "plate_kinds", PlateKind) if "plate_kinds" in table else ORDINARY_PLATES
    if "plate_kinds" in table and decision is not Decision.AUTOMATIC:
        reader.problems.append(f"{where}: plate_kinds is for automatic decisions")
    return PassRule(
        quota=_quota(reader, where, table),
        days=reader.count(where, table, "days", least=1, most=MOST_DAYS, default=14),
        ahead=reader.count(where, table, "ahead", least=0, most=MOST_AHEAD, default=14),
        decision=decision,
        why=reader.label(where, table, "why", longest=100),
        when=condition,
        kinds=_kinds(reader, where, table),
        plate_kinds=plates,
    )


def _kinds(reader: TableReader, where: str, table: Mapping[str, Any]) -> tuple[str, ...] | None:
    if "kinds" not in table:
        return None
    kinds = reader.texts(where, table, "kinds")
    if not kinds:
        reader.problems.append(f"{where}: kinds must name at least one kind")
    return kinds


def _quota(reader: TableReader, where: str, table: Mapping[str, Any]) -> Quota:
    quota = table.get("quota")
    if not isinstance(quota, dict):
        reader.problems.append(f"{where}: quota must say base, and may say per_heads and most")
        return Quota(0)
    reader.unknown_keys(where, quota, QUOTA_KEYS)
    base = reader.count(where, quota, "base", least=0, most=MOST_PASSES)
    per_heads = reader.count(where, quota, "per_heads", least=0, most=100_000, default=0)
    most = reader.count(where, quota, "most", least=0, most=MOST_PASSES, default=MOST_PASSES)
    if most < base:
        reader.problems.append(f"{where}: quota: most is less than base")
    return Quota(base, per_heads, most)
