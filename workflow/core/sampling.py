"""Drawing cases for post-checks so that anybody can draw again and get the same: seed and reference decide."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from workflow.core.facts import EnterpriseFacts
from workflow.core.flow import Flow
from workflow.core.tables import Label


@dataclass(frozen=True, slots=True)
class Draw:
    """What was drawn: ``value`` from 0 up to 100 (exclusive), drawn when it lies below ``percent``."""

    label: Label | None
    percent: int
    value: float

    @property
    def is_drawn(self) -> bool:
        """Whether the case is to be checked."""
        return self.value < self.percent


def value_of(seed: str, reference: str) -> float:
    """The lot of a case: the first 8 bytes of SHA-256 over ``seed:reference``, scaled to [0, 100) in millionths."""
    digest = hashlib.sha256(f"{seed}:{reference}".encode()).digest()
    return int.from_bytes(digest[:8], "big") * 100_000_000 // 2**64 / 1_000_000


def draw(flow: Flow, facts: EnterpriseFacts, seed: str, reference: str) -> Draw:
    """Draw a lot for a case under the first sampling rule of ``flow`` that holds; no rule means 0 %."""
    rule = next((r for r in flow.samples if r.when.holds(facts)), None)
    return Draw(rule.label if rule else None, rule.percent if rule else 0, value_of(seed, reference))
