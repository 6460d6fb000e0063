"""What can be done with many cases at once: for each act, who may, what closes it for a case, and doing it for one.

Every act goes the way it goes for a single case: steps through :func:`workflow.services.cases.perform`, visits through
:mod:`workflow.services.inspections`, handlers through :mod:`workflow.services.assignment`.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from workflow.core.actors import Actor, Permission, Role
from workflow.core.errors import N_, DomainError, Invalid, NotFound, NotPermitted, Reason, StepClosed
from workflow.core.flow import NoteRule, Step
from workflow.core.tables import Label
from workflow.core.times import SHANGHAI, shanghai_day
from workflow.data import audit, people
from workflow.data.audit import AuditEntry
from workflow.data.bulk import BulkRow
from workflow.data.cases import Case
from workflow.extensions import db
from workflow.services import assignment, telling
from workflow.services import cases as case_service
from workflow.services import inspections as inspection_service

REMIND_AGAIN = dt.timedelta(hours=24)
LAST_HOUR = 21
MOST_MINUTES = 8 * 60
NO_STEP = Reason(N_("案件当前状态不能办理此步骤，请查看最新进展。"))
_REMINDER = Label("专班提醒：请尽快办理", "A reminder from the task force: please go on with your application")
Params = Mapping[str, Any]


def is_plain(step: Step) -> bool:
    """Whether a step may be taken for many at once: it needs no words, decides nothing and sends nothing back."""
    return (
        step.form == "note"
        and step.note is not NoteRule.REQUIRED
        and not step.decision
        and step.tone not in ("danger", "warning")
    )


def is_decision(step: Step) -> bool:
    """Whether a step is a decision, which needs an opinion of its own for every case."""
    return step.form == "note" and step.decision


def _roles(actor: Actor, case: Case) -> frozenset[Role]:
    return actor.roles_for(enterprise_id=case.enterprise_id, area_ids=case.area_ids, bureau=case.bureau)


def steps_on_offer(actor: Actor, cases: Sequence[Case], fits: Callable[[Step], bool]) -> list[tuple[Step, int]]:
    """The steps of these cases that are the actor's and fit, each with for how many cases, the commonest first."""
    found: dict[str, Step] = {}
    counts: Counter[str] = Counter()
    for case in cases:
        roles = _roles(actor, case)
        for step in case.flow.steps_from(case.state):
            if step.role in roles and fits(step):
                found.setdefault(step.action, step)
                counts[step.action] += 1
    return [(found[action], number) for action, number in counts.most_common()]


def _step_reasons(actor: Actor, case: Case, action: str, now: dt.datetime) -> tuple[Reason, ...]:
    """What closes a step; reads only the facts that its own guards look at."""
    engine = case.engine
    facts = case_service.case_facts(case, now, needs=engine.needs(case.state, action))
    steps = engine.open_steps(case.state, actor, facts)
    open_step = next((s for s in steps if s.step.action == action), None)
    return open_step.reasons if open_step else (NO_STEP,)


def _plain_reasons(actor: Actor, case: Case, params: Params, now: dt.datetime) -> tuple[Reason, ...]:
    step = case.flow.step(case.state, str(params.get("step", "")))
    return _step_reasons(actor, case, step.action, now) if step and is_plain(step) else (NO_STEP,)


def _decision_reasons(actor: Actor, case: Case, params: Params, now: dt.datetime) -> tuple[Reason, ...]:
    step = case.flow.step(case.state, str(params.get("step", "")))
    return _step_reasons(actor, case, step.action, now) if step and is_decision(step) else (NO_STEP,)


def _take_step(actor: Actor, row: BulkRow, params: Params, now: dt.datetime) -> None:
    """Take the step on a row's case; words come from the row, and a step that needs them is refused without."""
    action = str(params.get("step", ""))

    def agrees(case: Case) -> None:
        step = case.flow.step(case.state, action)
        if step is not None and not (is_plain(step) or (is_decision(step) and row.words)):
            raise Invalid(N_("请填写意见或理由。"), field="note")

    case_service.perform(actor, row.case_id, action, version=row.version, now=now, note=row.words, prepare=agrees)
    row.words = ""  # it is an opinion of the case now


def visit_step(case: Case) -> str:
    """The action that arranges a first visit in the case's present state; empty when there is none."""
    steps = case.flow.steps_from(case.state)
    return next((s.action for s in steps if s.form == "schedule"), "")


def _visit_reasons(actor: Actor, case: Case, params: Params, now: dt.datetime) -> tuple[Reason, ...]:
    if inspection_service.planned(case) is not None:
        return (Reason(N_("已安排核查，改期请到案件页逐件办理。")),)
    action = visit_step(case)
    return _step_reasons(actor, case, action, now) if action else (NO_STEP,)


def slot(params: Params, place: int) -> dt.datetime:
    """When the visit at ``place`` (counted from 0) begins."""
    start = dt.datetime.fromisoformat(str(params["start_at"]))
    return start + dt.timedelta(minutes=int(params["minutes"]) * place)


def _schedule(actor: Actor, row: BulkRow, params: Params, now: dt.datetime) -> None:
    case = case_service.get_locked(actor, row.case_id, row.version)
    action = visit_step(case)
    if not action or inspection_service.planned(case) is not None:
        raise StepClosed(NO_STEP.message)
    when = slot(params, row.place)
    lead, second = int(params["lead_id"]), int(params["second_id"])
    appointment = inspection_service.Appointment(when, lead, second, str(params.get("meeting_point", "")))
    inspection_service.schedule(actor, case.id, action, appointment, version=row.version, now=now)


def _reminded_at(case_id: int, now: dt.datetime) -> dt.datetime | None:
    """When the company was last reminded, within the time in which it isn't again."""
    query = (
        select(AuditEntry.at)
        .where(AuditEntry.case_id == case_id, AuditEntry.event == audit.COMPANY_REMINDED)
        .where(AuditEntry.at > now - REMIND_AGAIN)
        .order_by(AuditEntry.id.desc())
        .limit(1)
    )
    return db.session.scalar(query)


def _remind_reasons(actor: Actor, case: Case, params: Params, now: dt.datetime) -> tuple[Reason, ...]:
    if not case.is_open or case.holder != Role.FILER:
        return (Reason(N_("此案件现在不在企业手中，不用提醒。")),)
    if _reminded_at(case.id, now) is not None:
        return (Reason(N_("24 小时内已提醒过这家企业。")),)
    return ()


def _remind(actor: Actor, row: BulkRow, params: Params, now: dt.datetime) -> None:
    case = case_service.get_locked(actor, row.case_id, row.version)
    reasons = _remind_reasons(actor, case, params, now)
    if reasons:
        raise StepClosed(reasons[0].message)
    chain = f"town:{case.town_id}"
    audit.record(audit.COMPANY_REMINDED, chain=chain, actor=actor, at=now, case_id=case.id, after={"state": case.state})
    telling.tell_company(case, str(audit.COMPANY_REMINDED), _REMINDER, now)


def _assign_reasons(actor: Actor, case: Case, params: Params, now: dt.datetime) -> tuple[Reason, ...]:
    if not case.is_open or case.holder in ("", Role.FILER, Role.HOST_FILER):
        return (Reason(N_("此案件现在不由干部办理，不用分派。")),)
    if params.get("person_id") and case.assignee_id == params["person_id"]:
        return (Reason(N_("此案件已由此人办理。")),)
    return ()


def _assign(
    actor: Actor, rows: Sequence[BulkRow], params: Params, now: dt.datetime
) -> Mapping[int, DomainError | None]:
    """Assign a chunk of rows in one act; what became of each by case id."""
    person_id = int(params["person_id"]) if params.get("person_id") else None
    versions = {row.case_id: row.version for row in rows}
    outcomes = assignment.assign_many(actor, list(versions), now, person_id=person_id, versions=versions)
    return {each.case_id: each.refusal for each in outcomes}


@dataclass(frozen=True, slots=True)
class Act:
    """One thing that can be done with many cases: ``label`` is a source text, ``right`` what it takes to ask for it.

    ``reasons`` says what closes it for a case now; ``take`` does it for one row, or ``take_all`` for up to ``at_once``.
    """

    label: str
    done: str
    right: Permission
    reasons: Callable[[Actor, Case, Params, dt.datetime], tuple[Reason, ...]]
    take: Callable[[Actor, BulkRow, Params, dt.datetime], None] | None = None
    take_all: Callable[[Actor, Sequence[BulkRow], Params, dt.datetime], Mapping[int, DomainError | None]] | None = None
    at_once: int = 1
    most: int = 1000


ACTS: Mapping[str, Act] = {
    "accept": Act(N_("批量办理"), N_("已办理"), Permission.ACT_ON_CASE, _plain_reasons, _take_step),
    "decide": Act(N_("逐件审定"), N_("已审定"), Permission.ACT_ON_CASE, _decision_reasons, _take_step, most=50),
    "assign": Act(N_("批量分派"), N_("已分派"), Permission.ASSIGN_CASES, _assign_reasons, take_all=_assign, at_once=50),
    "schedule": Act(N_("批量安排核查"), N_("已安排"), Permission.PLAN_INSPECTION, _visit_reasons, _schedule, most=100),
    "remind": Act(N_("批量提醒企业"), N_("已提醒"), Permission.ACT_ON_CASE, _remind_reasons, _remind),
}
"""Every act by its key."""


def act_of(actor: Actor, action: str) -> Act:
    """The act called ``action``; :class:`NotFound` for none, :class:`NotPermitted` without the right to it."""
    act = ACTS.get(action)
    if act is None:
        raise NotFound()
    if actor.is_company or not actor.may(act.right):
        raise NotPermitted()
    return act


def inspectors_for(cases: Sequence[Case], now: dt.datetime) -> list[tuple[int, str]]:
    """Who may look at every one of these cases: (person id, name)."""
    found: dict[int, str] | None = None
    for areas in {case.area_ids for case in cases}:
        here = {p.id: p.name for p in people.holders_of(Role.INSPECTOR, areas, shanghai_day(now))}
        found = here if found is None else {i: name for i, name in found.items() if i in here}
    return list((found or {}).items())


def plan_day(day: str, start: str, minutes: str, count: int) -> dict[str, Any]:
    """A day of visits as a job's parameters: begins at Shanghai's clock, so many minutes each; :class:`Invalid` when
    it is no time, or would not end that evening."""
    try:
        begins = dt.datetime.strptime(f"{day} {start[:5]}", "%Y-%m-%d %H:%M").replace(tzinfo=SHANGHAI)
    except ValueError as error:
        raise Invalid(N_("请填写核查的日期和开始时间。"), field="day") from error
    length = int(minutes) if minutes.isascii() and minutes.isdigit() and len(minutes) < 4 else 0
    if not 5 <= length <= MOST_MINUTES:
        raise Invalid(N_("每件用时应在 5 到 480 分钟之间。"), field="minutes")
    last = begins + dt.timedelta(minutes=length * (count - 1))
    if last.date() != begins.date() or last.hour > LAST_HOUR:
        raise Invalid(
            N_("%(n)s 件排不完：最后一件要到 %(time)s，请减少件数或缩短用时。"),
            field="minutes",
            n=count,
            time=f"{last:%m-%d %H:%M}",
        )
    return {"start_at": begins.astimezone(dt.UTC).isoformat(), "minutes": length}
