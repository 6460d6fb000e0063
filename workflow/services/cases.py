"""Cases: the facts guards ask about, the steps open to somebody, and :func:`perform`, the one write path for state."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, inspect, select
from sqlalchemy.orm import joinedload

from workflow.core.actors import SYSTEM, Actor
from workflow.core.engine import Move, OpenStep
from workflow.core.errors import N_, Invalid, NotFound, Stale
from workflow.core.facts import CaseFacts, Outcome
from workflow.core.guards import FACT_GROUPS
from workflow.core.texts import clean_text
from workflow.core.times import shanghai_day
from workflow.data import cases, field, inspections, materials, opinions, organisation
from workflow.data.cases import Case
from workflow.data.decisions import Opinion
from workflow.data.inspections import Inspection, InspectionItem
from workflow.data.materials import Material
from workflow.extensions import db
from workflow.services import effects
from workflow.services.records import CaseRecord

MAX_WORDS = 2000


def get(actor: Actor, case_id: int) -> Case:
    """The case, when the actor may see it; :class:`NotFound` otherwise."""
    parts = [joinedload(p) for p in (Case.flow_version, Case.enterprise, Case.town, Case.county)]
    case = db.session.scalar(cases.visible_to(actor).where(Case.id == case_id).options(*parts))
    if case is None:
        raise NotFound(N_("没有找到此案件，或您无权查看。"))
    return case


MOST_OTHERS = 20


def get_with_others(actor: Actor, case_id: int) -> tuple[Case, list[Case]]:
    """The case, and the newest other cases of its company among those that the actor may see, in one statement."""
    parts = [joinedload(p) for p in (Case.flow_version, Case.enterprise, Case.town, Case.county, Case.assignee)]
    company = select(Case.enterprise_id).where(Case.id == case_id).scalar_subquery()
    query = cases.visible_to(actor).where(Case.enterprise_id == company).options(*parts)
    found = db.session.scalars(query.order_by(Case.id != case_id, Case.id.desc()).limit(MOST_OTHERS + 1)).all()
    if not found or found[0].id != case_id:
        raise NotFound(N_("没有找到此案件，或您无权查看。"))
    return found[0], list(found[1:])


def get_locked(actor: Actor, case_id: int, version: int) -> Case:
    """The case, visible and locked until the transaction ends; :class:`Stale` when it left ``version``."""
    case = cases.lock_visible(actor, case_id)
    if case is None:
        raise NotFound(N_("没有找到此案件，或您无权查看。"))
    if case.version != version:
        raise Stale()
    return case


@dataclass(frozen=True, slots=True)
class _InspectionFacts:
    appointed: tuple[int, ...]
    past: frozenset[int]
    total: int
    marked: int
    failed: int
    failed_veto: int
    rectify_by_on: dt.date | None
    answered: bool
    outcome: Outcome | None


def _item_counts(inspection_id: int) -> tuple[int, int, int, int, int]:
    """Items in all, marked, failed, failed with veto, and failed without the company's answer."""
    fails = InspectionItem.result == "fail"
    query = select(
        func.count(),
        func.count(InspectionItem.result),
        func.count().filter(fails),
        func.count().filter(fails & InspectionItem.is_veto),
        func.count().filter(fails & (InspectionItem.remedy == "")),
    ).where(InspectionItem.inspection_id == inspection_id)
    total, marked, failed, failed_veto, unanswered = db.session.execute(query).one()
    return total, marked, failed, failed_veto, unanswered


def _counts(visit: Inspection) -> tuple[int, int, int, int, int]:
    """As :func:`_item_counts`; from the items when they were read with the visit already."""
    if "items" in inspect(visit).unloaded:
        return _item_counts(visit.id)
    failed = [i for i in visit.items if i.result == "fail"]
    marked = sum(i.result is not None for i in visit.items)
    unanswered = sum(i.remedy == "" for i in failed)
    return len(visit.items), marked, len(failed), sum(i.is_veto for i in failed), unanswered


def _inspection_facts(case: Case, visits: Sequence[Inspection]) -> _InspectionFacts:
    past = frozenset(p for v in visits if v.status == "concluded" for p in (v.lead_id, v.second_id))
    current = next((v for v in reversed(visits) if v.status == "planned"), None)
    last = next((v for v in reversed(visits) if v.status == "concluded" and v.cycle == case.cycle), None)
    counted = current or last
    total, marked, failed, failed_veto, unanswered = _counts(counted) if counted else (0, 0, 0, 0, 0)
    answered = last is not None and (unanswered if counted is last else _counts(last)[-1]) == 0
    return _InspectionFacts(
        appointed=(current.lead_id, current.second_id) if current else (),
        past=past,
        total=total,
        marked=marked,
        failed=failed,
        failed_veto=failed_veto,
        rectify_by_on=current.rectify_by_on if current else None,
        answered=answered,
        outcome=Outcome(last.outcome) if last and last.outcome else None,
    )


def _kept_away(case: Case, now: dt.datetime) -> frozenset[int]:
    """Who must not act on the case for the authorities: the company's people and those with an interest in it."""
    return organisation.close_to(case.enterprise_id, shanghai_day(now))


def _reviewers(case: Case) -> frozenset[int]:
    """Who judged materials of the case; only read where its flow asks for it."""
    asked = any("inspector_not_reviewer" in step.guards + step.checks for step in case.flow.steps)
    return materials.judges_of(case.id) if asked else frozenset()


def _signature_gaps(case: Case, visits: Sequence[Inspection]) -> tuple[int, int]:
    """Signatures that lack, or that a later mark outran, on the planned visit; only read where the flow asks for it."""
    if not any("sheet_signed" in step.guards + step.checks for step in case.flow.steps):
        return 0, 0
    planned = next((v for v in reversed(visits or inspections.of_case(case.id)) if v.status == "planned"), None)
    return field.signature_gaps(planned) if planned else (0, 0)


def case_facts(
    case: Case, now: dt.datetime, record: CaseRecord | None = None, needs: Container[str] = tuple(FACT_GROUPS)
) -> CaseFacts:
    """Everything guards may ask about ``case`` as it is in this transaction; ``record`` when the caller has read it.

    ``needs`` names the groups of facts to read; the others stay empty.
    """
    visits: Sequence[Inspection] = ()
    handed_in: Sequence[Material] = ()
    if "visits" in needs:
        visits = record.visits if record else inspections.of_case(case.id)
    if "materials" in needs:
        handed_in = record.materials if record else materials.of_case(case.id)
    looked = _inspection_facts(case, visits)
    unanswered, against = 0, 0
    if "opinions" in needs:
        unanswered, against = opinions.tally(record.requests if record else opinions.of_case(case.id), case.cycle)
    missing, stale = _signature_gaps(case, visits) if "signatures" in needs else (0, 0)
    return CaseFacts(
        enterprise_id=case.enterprise_id,
        area_ids=case.area_ids,
        bureau=case.bureau,
        materials=tuple(m.facts for m in handed_in if m.is_due),
        company_people=_kept_away(case, now) if "people" in needs else frozenset(),
        material_reviewers=_reviewers(case) if "reviewers" in needs else frozenset(),
        appointed_inspectors=looked.appointed,
        past_inspectors=looked.past,
        checklist_total=looked.total,
        checklist_marked=looked.marked,
        failed_items=looked.failed,
        failed_veto_items=looked.failed_veto,
        rectify_by_on=looked.rectify_by_on,
        rectification_answered=looked.answered,
        outcome=looked.outcome,
        signatures_missing=missing,
        signatures_stale=stale,
        opinions_open=unanswered,
        opinions_against=against,
        today=shanghai_day(now),
    )


def open_steps(actor: Actor, case: Case, now: dt.datetime) -> list[OpenStep]:
    """The steps that the actor's roles allow in the case's present state, and what closes each now."""
    return case.engine.open_steps(case.state, actor, case_facts(case, now))


def clean_words(words: str, field: str = "note") -> str:
    """Opinion words as kept; :class:`Invalid` at ``field`` when longer than :data:`MAX_WORDS`."""
    text = clean_text(words)
    if len(text) > MAX_WORDS:
        raise Invalid(N_("最多 %(n)s 个字，现为 %(m)s 个字。"), field=field, n=MAX_WORDS, m=len(text))
    return text


def _keep_opinion(case: Case, move: Move, actor: Actor, now: dt.datetime) -> None:
    if actor is SYSTEM or (not move.note and not move.step.decision):
        return  # what the system does is in the history; an opinion is a person's
    db.session.add(
        Opinion(
            case_id=case.id,
            cycle=case.cycle,
            move=case.moves,
            action=move.step.action,
            state=move.source.key,
            is_decision=move.step.decision,
            words=move.note,
            person_id=actor.person_id,
            role=move.step.role.value,
            at=now,
        )
    )


def perform(
    actor: Actor,
    case_id: int,
    action: str,
    *,
    version: int,
    now: dt.datetime,
    note: str = "",
    prepare: Callable[[Case], dict[str, Any] | None] | None = None,
    settle: Callable[[Case, Move], None] | None = None,
) -> Case:
    """Take one step of a case: lock, version check, ``prepare`` (what the step's own page adds), engine, state,
    history, opinion, ``settle`` (what the page closes) and effects, all in the caller's transaction.

    ``prepare`` gets the locked case and may return details for the history row (keys only). Raises
    :class:`NotFound`, :class:`Stale`, :class:`~workflow.core.errors.StepClosed`,
    :class:`~workflow.core.errors.NotPermitted` or :class:`Invalid`; then nothing has changed.
    """
    case = get_locked(actor, case_id, version)
    return _take(case, action, actor, now, clean_words(note), prepare, settle)


def perform_by_system(case: Case, action: str, now: dt.datetime, note: str) -> Case:
    """Take a step that nobody takes (role ``system``) on a locked case: a clock ran out, a lot was drawn.

    Raises :class:`~workflow.core.errors.StepClosed` when a guard refuses; then nothing has changed.
    """
    return _take(case, action, SYSTEM, now, note)


def _take(
    case: Case,
    action: str,
    actor: Actor,
    now: dt.datetime,
    words: str,
    prepare: Callable[[Case], dict[str, Any] | None] | None = None,
    settle: Callable[[Case, Move], None] | None = None,
) -> Case:
    engine = case.engine
    details = prepare(case) if prepare else None
    db.session.flush()
    facts = case_facts(case, now, needs=engine.needs(case.state, action))
    move = engine.move(case.state, action, actor, facts, words)
    case.apply(move, by=actor, at=now, details=details)
    _keep_opinion(case, move, actor, now)
    if settle:
        settle(case, move)
    occasion = effects.Occasion(case, move, actor, now)
    effects.carry_out(occasion)
    db.session.flush()
    for following, why in occasion.follow:
        perform_by_system(case, following, now, why)
    return case
