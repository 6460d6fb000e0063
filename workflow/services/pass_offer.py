"""What the rules in force allow a company on one of its cases: how many passes, for how long, and who decides."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import func, select

from workflow.core.actors import Actor
from workflow.core.errors import NotFound
from workflow.core.pass_rules import Decision, PassRule
from workflow.core.tables import Label
from workflow.core.times import shanghai_day
from workflow.data.cases import Case
from workflow.data.passes import LIVE, PURPOSES, VehiclePass
from workflow.extensions import db, settings
from workflow.services import routes
from workflow.services.case_facts import facts_of_case


@dataclass(frozen=True, slots=True)
class Offer:
    """What one rule allows for passes of ``kinds``: ``used`` of ``quota`` stand over all cases of the company.

    ``decision`` is ``officer``, or ``automatic`` for ``plate_kinds`` (all others are an officer's). ``others`` are what
    holds for the remaining kinds, when the rules make a difference.
    """

    quota: int
    used: int
    longest_days: int
    ahead: int
    decision: str
    plate_kinds: tuple[str, ...]
    kinds: tuple[str, ...]
    why: Label
    others: tuple[Offer, ...] = ()

    @property
    def left(self) -> int:
        """How many more passes may be asked for."""
        return max(0, self.quota - self.used)

    @property
    def parts(self) -> tuple[Offer, ...]:
        """This and the others: every kind is in exactly one of them."""
        return (self, *self.others)

    def of_kind(self, kind: str) -> Offer:
        """What holds for passes of ``kind``; KeyError for what is no kind of vehicle pass."""
        found = next((o for o in self.parts if kind in o.kinds), None)
        if found is None:
            raise KeyError(kind)
        return found

    def is_automatic(self, plate_kind: str) -> bool:
        """Whether a request within the rule is granted at once."""
        return self.decision == Decision.AUTOMATIC and plate_kind in self.plate_kinds


def standing_of(enterprise_id: int, today: dt.date) -> list[VehiclePass]:
    """Everything that the company asked for or has on ``today``, over all its cases."""
    query = (
        select(VehiclePass)
        .join(Case, Case.id == VehiclePass.case_id)
        .where(Case.enterprise_id == enterprise_id, VehiclePass.status.in_(LIVE), VehiclePass.valid_until_on >= today)
    )
    return list(db.session.scalars(query))


def counted(standing: Sequence[VehiclePass], kinds: Sequence[str]) -> int:
    """How many of these the quota counts: one asked for instead of or after another that stands is the same place."""
    own = [p for p in standing if p.purpose in kinds]
    ids = {p.id for p in own}
    return sum(1 for p in own if p.replaces_id not in ids)


def offer_for(case: Case, standing: Sequence[VehiclePass], now: dt.datetime) -> Offer:
    """What today's rules allow on ``case``, with what stands counted."""
    today = shanghai_day(now)
    rules = routes.rules_at(case.town.code, today)
    facts = rules.choose(facts_of_case(case)).facts
    by_rule: dict[PassRule, list[str]] = {}
    for kind in PURPOSES:
        by_rule.setdefault(rules.pass_rule(facts, kind), []).append(kind)
    heads = _heads(case)
    first, *others = (_offer(rule, tuple(kinds), heads, standing) for rule, kinds in by_rule.items())
    return replace(first, others=tuple(others))


def offer(actor: Actor, case: Case, now: dt.datetime) -> Offer:
    """What the rules allow on a case, for its company and for those who decide on its passes.

    Raises :class:`NotFound` for anybody else.
    """
    roles = actor.roles_for(enterprise_id=case.enterprise_id, area_ids=case.area_ids, bureau=case.bureau)
    if not roles:
        raise NotFound()
    return offer_for(case, standing_of(case.enterprise_id, shanghai_day(now)), now)


def _heads(case: Case) -> int:
    """People resuming: of the largest of the company's cases that may work."""
    query = select(func.max(Case.resuming_count)).where(Case.enterprise_id == case.enterprise_id, Case.permits)
    return max(db.session.scalar(query) or 0, case.resuming_count)


def _offer(rule: PassRule, kinds: tuple[str, ...], heads: int, standing: Sequence[VehiclePass]) -> Offer:
    return Offer(
        quota=rule.quota.allows(heads),
        used=counted(standing, kinds),
        longest_days=min(rule.days, settings().pass_max_days),
        ahead=rule.ahead,
        decision=rule.decision.value,
        plate_kinds=rule.plate_kinds,
        kinds=kinds,
        why=rule.why,
    )
