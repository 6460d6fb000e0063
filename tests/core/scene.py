"""What the tests of the core share: the flows of the product, people, and facts under which given guards agree."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from workflow.core.actors import SYSTEM, Actor, Appointment, AreaKind, Role
from workflow.core.facts import CaseFacts, EnterpriseFacts, MaterialFacts, Outcome, Verdict
from workflow.core.flow import Flow, Step
from workflow.core.flow_file import read_flow
from workflow.data.catalogue import flow_keys, flow_text

FLOWS: Mapping[str, Flow] = {key: read_flow(flow_text(key)) for key in flow_keys()}
COMPANY, TOWN, BUREAU = 50, 7, "jingxin"
TODAY = dt.date(2020, 2, 15)
PERSON, OTHER_INSPECTOR, THIRD = 1, 2, 3


def person(role: Role, person_id: int = PERSON) -> Actor:
    """Somebody who holds ``role`` towards the case of :func:`case`."""
    if role is Role.SYSTEM:
        return SYSTEM
    if role is Role.FILER:
        return Actor(person_id, person_id, "某人", enterprise_ids=frozenset({COMPANY}))
    bureau = BUREAU if role is Role.BUREAU_REVIEWER else None
    return Actor(person_id, person_id, "某人", (Appointment(role, TOWN, AreaKind.TOWN, bureau=bureau),))


def material(verdict: Verdict, *, content: bool = True, changed: bool = False, required: bool = True) -> MaterialFacts:
    """A material of the case."""
    return MaterialFacts("M01", required, verdict, content, changed)


def case(**changes: object) -> CaseFacts:
    """A case of the company in the town, as plain as can be."""
    facts = CaseFacts(COMPANY, frozenset({TOWN, 1}), BUREAU, materials=(material(Verdict.OK),), today=TODAY)
    return replace(facts, **changes)  # type: ignore[arg-type]


_OK, _WRONG = material(Verdict.OK), material(Verdict.WRONG)
_Change = Callable[[int], Mapping[str, object]]
AGREES: Mapping[str, _Change] = {
    "materials_marked": lambda p: {},
    "material_flagged": lambda p: {"materials": (_OK, _WRONG)},
    "materials_accepted": lambda p: {"materials": (_OK,)},
    "corrections_made": lambda p: {"materials": (_OK, material(Verdict.WRONG, changed=True))},
    "required_present": lambda p: {},
    "two_inspectors": lambda p: {"appointed_inspectors": (OTHER_INSPECTOR, THIRD)},
    "inspectors_not_of_company": lambda p: {},
    "inspector_not_reviewer": lambda p: {"material_reviewers": frozenset({p})},
    "appointed_inspector": lambda p: {"appointed_inspectors": (p, OTHER_INSPECTOR)},
    "checklist_complete": lambda p: {"checklist_total": 20, "checklist_marked": 20},
    "no_failed_items": lambda p: {"failed_items": 0},
    "some_failed_items": lambda p: {"failed_items": 2},
    "rectify_date_set": lambda p: {"rectify_by_on": TODAY},
    "rectification_answered": lambda p: {"rectification_answered": True},
    "sheet_signed": lambda p: {"signatures_missing": 0, "signatures_stale": 0},
    "inspection_passed": lambda p: {"outcome": Outcome.PASS},
    "not_the_inspector": lambda p: {"past_inspectors": frozenset({OTHER_INSPECTOR, THIRD})},
    "not_of_company": lambda p: {"company_people": frozenset({99})},
    "all_opinions_in": lambda p: {"opinions_open": 0},
    "no_opinion_against": lambda p: {"opinions_against": 0},
}
"""For each guard a change of the case under which it agrees with person ``p``."""

REFUSES: Mapping[str, _Change] = {
    "materials_marked": lambda p: {"materials": (_WRONG, material(Verdict.PENDING))},
    "material_flagged": lambda p: {"materials": (_OK,)},
    "materials_accepted": lambda p: {"materials": (_OK, _WRONG)},
    "corrections_made": lambda p: {"materials": (_OK, _WRONG)},
    "required_present": lambda p: {"materials": (material(Verdict.PENDING, content=False),)},
    "two_inspectors": lambda p: {"appointed_inspectors": (OTHER_INSPECTOR, OTHER_INSPECTOR)},
    "inspectors_not_of_company": lambda p: {
        "appointed_inspectors": (OTHER_INSPECTOR, THIRD),
        "company_people": frozenset({THIRD}),
    },
    "inspector_not_reviewer": lambda p: {
        "appointed_inspectors": (OTHER_INSPECTOR, THIRD),
        "material_reviewers": frozenset({THIRD}),
    },
    "appointed_inspector": lambda p: {"appointed_inspectors": (OTHER_INSPECTOR, THIRD)},
    "checklist_complete": lambda p: {"checklist_total": 20, "checklist_marked": 19},
    "no_failed_items": lambda p: {"failed_items": 1},
    "some_failed_items": lambda p: {"failed_items": 0},
    "rectify_date_set": lambda p: {"rectify_by_on": None},
    "rectification_answered": lambda p: {"rectification_answered": False},
    "sheet_signed": lambda p: {"signatures_missing": 1},
    "inspection_passed": lambda p: {"outcome": Outcome.FAIL},
    "not_the_inspector": lambda p: {"past_inspectors": frozenset({p})},
    "not_of_company": lambda p: {"company_people": frozenset({p})},
    "all_opinions_in": lambda p: {"opinions_open": 2},
    "no_opinion_against": lambda p: {"opinions_against": 1},
}
"""For each guard a change of the case under which it refuses person ``p``."""


def agreeing(names: Iterable[str], person_id: int = PERSON) -> CaseFacts:
    """A case with which the guards ``names`` agree, unless they contradict each other."""
    facts = case()
    for name in names:
        facts = replace(facts, **AGREES[name](person_id))  # type: ignore[arg-type]
    return facts


def needs(step: Step) -> tuple[str, ...]:
    """All guards and checks of a step."""
    return step.guards + step.checks


def enterprise(**values: str | int | dt.date | None) -> EnterpriseFacts:
    """An ordinary small factory, changed by ``values``."""
    usual: dict[str, str | int | dt.date | None] = {
        "purpose": "resume",
        "trade": "none",
        "size": "below",
        "sector": "industry",
        "industry": "34",
        "head_count": 80,
        "resuming_count": 60,
        "county": "330203",
        "town": "330203002",
        "priority_class": "steady",
        "hazardous": "no",
        "key_area_count": 0,
        "filed_on": TODAY,
    }
    return EnterpriseFacts(usual | values)
