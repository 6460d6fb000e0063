"""Risk-sampled post-checks: drawing a case's lot by the town's seed of the day, and drawing it again to prove it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from workflow.core import sampling
from workflow.core.actors import Actor
from workflow.core.times import shanghai_day
from workflow.data import audit, samples
from workflow.data.cases import Case
from workflow.data.samples import SampleDraw
from workflow.extensions import db
from workflow.services.case_facts import facts_of_case


def draw_for(case: Case, actor: Actor, now: dt.datetime) -> SampleDraw:
    """Draw the lot of a case and keep it; the day's seed is made, and told to the history, before its first draw."""
    chain, day = f"town:{case.town_id}", shanghai_day(now)
    seed, is_new = samples.seed_of(case.town_id, day, now)
    if is_new:
        audit.record(
            audit.SEED_MADE, chain=chain, actor=actor, at=now, after={"day": day.isoformat(), "seed": seed.seed}
        )
    lot = sampling.draw(case.flow, facts_of_case(case), seed.seed, case.reference)
    label = {"zh": lot.label.zh, "en": lot.label.en} if lot.label else {}
    drawn = SampleDraw(
        case_id=case.id,
        seed=seed,
        label=label,
        percent=lot.percent,
        value=lot.value,
        drawn=lot.is_drawn,
        at=now,
    )
    db.session.add(drawn)
    after = {"seed": seed.id, "percent": lot.percent, "value": f"{lot.value:.6f}", "drawn": lot.is_drawn}
    audit.record(audit.LOT_DRAWN, chain=chain, actor=actor, at=now, case_id=case.id, after=after)
    return drawn


def wrong_draws() -> Iterator[SampleDraw]:
    """Every draw that drawing again does not give."""
    for drawn, reference in samples.all_draws():
        if not holds(drawn, reference):
            yield drawn


def holds(drawn: SampleDraw, reference: str) -> bool:
    """Whether drawing again by the kept seed gives what is kept."""
    value = sampling.value_of(drawn.seed.seed, reference)
    return abs(value - drawn.value) < 1e-6 and drawn.drawn == (value < drawn.percent)
