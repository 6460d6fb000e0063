"""How numbers are spread, from how often each occurs: the value that a share of them does not exceed."""

from __future__ import annotations

from collections.abc import Mapping


def nearest_rank(counts: Mapping[int, int], percent: int) -> int | None:
    """The smallest value that at least ``percent`` of a hundred do not exceed (nearest-rank method); None of nothing.

    ``counts`` says how often each value occurs; ``percent`` is from 1 to 100.
    """
    total = sum(counts.values())
    if total <= 0:
        return None
    rank = -(-total * percent // 100)
    reached = 0
    for value in sorted(counts):
        reached += counts[value]
        if reached >= rank:
            return value
    return None
