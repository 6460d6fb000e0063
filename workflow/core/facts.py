"""Facts about an enterprise and about a case, as the core sees them: plain values, no rows."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from workflow.core.errors import N_


class SizeClass(StrEnum):
    """企业规模, as the statistical reporting threshold divides enterprises."""

    ABOVE = "above"
    BELOW = "below"
    MICRO = "micro"


SIZE_LABELS: Mapping[SizeClass, str] = {
    SizeClass.ABOVE: N_("规上（限上）"),
    SizeClass.BELOW: N_("规下（限下）"),
    SizeClass.MICRO: N_("20 人以下微型"),
}


class Verdict(StrEnum):
    """What a reviewer says of one material."""

    PENDING = "pending"
    OK = "ok"
    WRONG = "wrong"
    MISSING = "missing"
    EXPIRED = "expired"


VERDICT_LABELS: Mapping[Verdict, str] = {
    Verdict.PENDING: N_("待审"),
    Verdict.OK: N_("符合"),
    Verdict.WRONG: N_("有误"),
    Verdict.MISSING: N_("缺项"),
    Verdict.EXPIRED: N_("过期"),
}
FLAGS = frozenset({Verdict.WRONG, Verdict.MISSING, Verdict.EXPIRED})


class Outcome(StrEnum):
    """The result of an on-site inspection."""

    PASS = "pass"  # noqa: S105 - a result, not a password
    RECTIFY = "rectify"
    FAIL = "fail"


OUTCOME_LABELS: Mapping[Outcome, str] = {
    Outcome.PASS: N_("通过"),
    Outcome.RECTIFY: N_("限期整改后复查"),
    Outcome.FAIL: N_("不通过"),
}


@dataclass(frozen=True, slots=True)
class EnterpriseFacts:
    """What routing decides on; ``values`` maps a fact's name to a string, number or date."""

    values: Mapping[str, str | int | dt.date | None]

    def with_values(self, **values: str | int | dt.date | None) -> EnterpriseFacts:
        """These facts with others added or replaced."""
        return EnterpriseFacts({**self.values, **values})

    def get(self, name: str) -> str | int | dt.date | None:
        """The fact called ``name`` or None."""
        return self.values.get(name)


@dataclass(frozen=True, slots=True)
class MaterialFacts:
    """One material of a case in the present round."""

    slot: str
    required: bool
    verdict: Verdict
    has_content: bool
    changed_since_verdict: bool


@dataclass(frozen=True, slots=True)
class CaseFacts:
    """Everything guards may ask about a case at the moment of a move; times are UTC, people are person ids."""

    enterprise_id: int
    area_ids: frozenset[int]
    bureau: str | None
    materials: tuple[MaterialFacts, ...] = ()
    company_people: frozenset[int] = field(default_factory=frozenset)
    material_reviewers: frozenset[int] = field(default_factory=frozenset)
    appointed_inspectors: tuple[int, ...] = ()
    past_inspectors: frozenset[int] = field(default_factory=frozenset)
    checklist_total: int = 0
    checklist_marked: int = 0
    failed_items: int = 0
    failed_veto_items: int = 0
    rectify_by_on: dt.date | None = None
    rectification_answered: bool = False
    outcome: Outcome | None = None
    signatures_missing: int = 0
    signatures_stale: int = 0
    opinions_open: int = 0
    opinions_against: int = 0
    today: dt.date | None = None
