"""The clocks of open cases: due soon, lapsed, overdue, escalated; run by the worker, each case in one commit.

What a clock did is kept with the case, so that a worker that dies in between goes on where it stopped, and two workers
never do one thing twice.
"""

from __future__ import annotations

import datetime as dt

import structlog
from sqlalchemy import select

from workflow.core.actors import SYSTEM
from workflow.core.clocks import Tick
from workflow.core.errors import N_, DomainError
from workflow.core.tables import Label
from workflow.core.times import end_of_day, shanghai_day
from workflow.data import audit, catalogue
from workflow.data.cases import Case
from workflow.data.cases import lock_due as lock_due_case
from workflow.data.opinions import OpinionRequest
from workflow.extensions import db
from workflow.services import cases as case_service
from workflow.services import notices
from workflow.services.telling import tell_company

log = structlog.get_logger()
LAPSED_WORDS = N_("期满未作决定，依流程由系统办理。")
RETRY = dt.timedelta(hours=1)
_TOLD = {
    Tick.SOON: Label("办理时限将到", "The deadline is near"),
    Tick.OVERDUE: Label("已超过办理时限", "The deadline has passed"),
    Tick.ESCALATED: Label("案件超期，已报上级督办", "The case is late and was escalated"),
}
REMIND_EVERY_DAYS = 1
MOST_REMINDERS = 5


def run_one(now: dt.datetime) -> int | None:
    """Let the clock of one case that is due do its next thing; returns the case's id, None when none is due."""
    case = lock_due_case(now)
    if case is None:
        return None
    try:
        with db.session.begin_nested():
            _run(case, now)
    except Exception as error:  # a case that can't be handled must not stop the clocks of all the others
        log.error("clock_failed", case=case.id, error=type(error).__name__)
        db.session.refresh(case)
        case.clock_at = now + RETRY
    db.session.flush()
    return case.id


def _run(case: Case, now: dt.datetime) -> None:
    tick = case.next_tick()
    if tick is None:
        case.clock_at = None
        return
    case.tick(tick, now)
    if tick is Tick.LAPSED:
        _lapse(case, now)
    else:
        _tell(case, tick, now)


def _lapse(case: Case, now: dt.datetime) -> None:
    """Take the state's own step for a time that ran out; a refusal is written down and the clock goes on."""
    action = case.flow.state(case.state).lapse
    try:
        with db.session.begin_nested():
            case_service.perform_by_system(case, action, now, LAPSED_WORDS)
    except DomainError as error:
        db.session.refresh(case)
        case.tick(Tick.LAPSED, now)
        after = {"state": case.state, "action": action, "why": type(error).__name__}
        audit.record(
            audit.LAPSE_REFUSED, chain=f"town:{case.town_id}", actor=SYSTEM, at=now, case_id=case.id, after=after
        )


def _tell(case: Case, tick: Tick, now: dt.datetime) -> None:
    """Tell the officers, and the company what concerns it: its own deadlines, and that somebody higher sees to it."""
    if tick is not Tick.SOON or now < case.due_at:
        notices.tell_of_clock(case, tick.value, now)
    if case.holder != "filer" and tick is not Tick.ESCALATED:
        return
    if tick is Tick.SOON and now >= case.due_at:
        return  # caught up after the end: what follows says so
    tell_company(case, tick.value, _TOLD[tick], now)


def remind_one(now: dt.datetime) -> int | None:
    """Remind one department whose answer is late; returns the request's id, None when none is due."""
    query = (
        select(OpinionRequest)
        .where(OpinionRequest.clock_at <= now)
        .order_by(OpinionRequest.clock_at)
        .limit(1)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    )
    request = db.session.scalar(query)
    if request is None:
        return None
    case = db.session.get_one(Case, request.case_id)
    if request.status != "open" or not case.is_open:
        request.clock_at = None
        return request.id
    request.reminders += 1
    request.reminded_at = now
    next_at = end_of_day(catalogue.calendar().after(shanghai_day(now), REMIND_EVERY_DAYS))
    request.clock_at = next_at if request.reminders < MOST_REMINDERS else None
    after = {"request": request.id, "department": request.department, "reminders": request.reminders}
    audit.record(
        audit.OPINION_REMINDED, chain=f"town:{case.town_id}", actor=SYSTEM, at=now, case_id=case.id, after=after
    )
    db.session.flush()
    return request.id
