"""Post-check lots: the same seed draws the same, every value is in range, and the share is what the rule says."""

from __future__ import annotations

import hashlib
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from tests.core.scene import FLOWS, enterprise
from workflow.core.conditions import Clause, Condition
from workflow.core.flow import SampleRule
from workflow.core.sampling import draw, value_of
from workflow.core.tables import Label

RISKY = SampleRule(100, Label("高风险", "High risk"), Condition((Clause("hazardous", "in", ("yes",)),)))
USUAL = SampleRule(10, Label("一般", "Ordinary"), Condition())
FLOW = replace(FLOWS["city-small"], samples=(RISKY, USUAL))


@given(
    seed=st.text(st.characters(exclude_categories=["Cs"]), max_size=70),
    reference=st.text(st.characters(exclude_categories=["Cs"]), max_size=40),
)
def test_a_lot_is_what_another_program_draws_too(seed: str, reference: str) -> None:
    value = value_of(seed, reference)
    assert 0 <= value < 100
    number = int(hashlib.sha256(f"{seed}:{reference}".encode()).hexdigest()[:16], 16)
    assert abs(value - number / 2**64 * 100) < 1e-5


def test_the_first_rule_that_holds_gives_the_share() -> None:
    assert draw(FLOW, enterprise(hazardous="yes"), "s", "r").percent == 100
    assert draw(FLOW, enterprise(hazardous="yes"), "s", "r").is_drawn
    ordinary = draw(FLOW, enterprise(), "s", "r")
    assert (ordinary.percent, ordinary.label) == (10, USUAL.label)
    nobody = draw(replace(FLOW, samples=()), enterprise(), "s", "r")
    assert (nobody.percent, nobody.label, nobody.is_drawn) == (0, None, False)


def test_about_a_tenth_is_drawn_and_other_seeds_draw_others() -> None:
    def drawn(seed: str) -> set[int]:
        return {n for n in range(5000) if draw(FLOW, enterprise(), seed, f"复工-海曙-{n}").is_drawn}

    first, second = drawn("a" * 64), drawn("b" * 64)
    assert 400 < len(first) < 600
    assert 400 < len(second) < 600
    assert len(first & second) < 120
    assert drawn("a" * 64) == first
