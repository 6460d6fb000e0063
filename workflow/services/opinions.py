"""Opinions of other departments: asked in parallel, answered by the department, reminded, or taken back."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import joinedload

from workflow.core.actors import ROLE_PERMISSIONS, Actor, Permission, Role
from workflow.core.errors import N_, Invalid, NotFound, NotPermitted, Stale, StepClosed
from workflow.core.texts import clean_text
from workflow.core.times import end_of_day, shanghai_day
from workflow.data import audit, cases, catalogue, opinions
from workflow.data.cases import Case
from workflow.data.opinions import STANCES, OpinionRequest
from workflow.extensions import db
from workflow.services import notices
from workflow.services.interests import refuse_close

MOST_DAYS = 30
MOST_WORDS = 2000
MOST_ANSWERED = 50
"""How many answered requests an inbox lists, the newest first."""
STANCE_LABELS: Mapping[str, str] = {
    "agree": N_("同意"),
    "agree_if": N_("有条件同意"),
    "against": N_("不同意"),
}


def ask(case: Case, department: str, days: int, question: str, actor: Actor, now: dt.datetime) -> OpinionRequest:
    """Ask a department about a locked case within ``days`` working days; a request that is still open is given back."""
    waiting = db.session.scalar(
        select(OpinionRequest).where(
            OpinionRequest.case_id == case.id,
            OpinionRequest.department == department,
            OpinionRequest.status == "open",
        )
    )
    if waiting is not None:
        waiting.cycle = case.cycle  # a case that is taken up again still waits for it
        return waiting
    due_at = end_of_day(catalogue.calendar().after(shanghai_day(now), days))
    request = OpinionRequest(
        case_id=case.id,
        cycle=case.cycle,
        department=department,
        county_id=case.county_id,
        question=question,
        asked_by=actor.person_id,
        asked_at=now,
        due_at=due_at,
        clock_at=due_at,
    )
    db.session.add(request)
    db.session.flush()
    _record(audit.OPINION_ASKED, request, case, actor, now)
    return request


def may_ask(actor: Actor, case: Case) -> bool:
    """Whether the actor's turn it is in the case's present state, so that further departments may be asked."""
    steps = {s.role for s in case.flow.steps_from(case.state)} - {Role.FILER, Role.SYSTEM}
    return case.is_open and bool(_roles(actor, case) & steps)


def may_remind(actor: Actor, case: Case) -> bool:
    """Whether the actor is an officer of this case."""
    return case.is_open and _is_officer(actor, case)


def _is_officer(actor: Actor, case: Case) -> bool:
    return any(Permission.ACT_ON_CASE in ROLE_PERMISSIONS[r] for r in _roles(actor, case))


def _roles(actor: Actor, case: Case) -> frozenset[Role]:
    """The roles towards the case; none for people of its company."""
    if case.enterprise_id in actor.enterprise_ids:
        return frozenset()
    return actor.roles_for(enterprise_id=None, area_ids=case.area_ids, bureau=case.bureau)


def only_as_department(actor: Actor, case: Case) -> bool:
    """Whether the actor sees the case for its department's opinion alone."""
    mine = case.enterprise_id in actor.enterprise_ids
    seeing = {r for r in _roles(actor, case) if Permission.SEE_CASE in ROLE_PERMISSIONS[r]}
    return not mine and seeing == {Role.DEPARTMENT}


def _locked_case(actor: Actor, case_id: int) -> Case:
    case = cases.lock_visible(actor, case_id)
    if case is None:
        raise NotFound(N_("没有找到此案件，或您无权查看。"))
    return case


def _words(text: str, field: str, missing: str = "") -> str:
    """Words as kept; :class:`Invalid` at ``field`` when too long, or missing where ``missing`` says so."""
    words = clean_text(text)
    if len(words) > MOST_WORDS:
        raise Invalid(N_("最多 %(n)s 个字，现为 %(m)s 个字。"), field=field, n=MOST_WORDS, m=len(words))
    if missing and not words:
        raise Invalid(missing, field=field)
    return words


def ask_more(
    actor: Actor, case_id: int, department: str, question: str, days: int, *, version: int, now: dt.datetime
) -> OpinionRequest:
    """Ask a further department; for an officer whose turn it is. :class:`StepClosed` while it is asked already."""
    case = _locked_case(actor, case_id)
    if not _is_officer(actor, case):
        raise NotPermitted()
    if case.version != version:
        raise Stale()
    if not case.is_open:
        raise StepClosed(N_("案件已办结，不再征求意见。"))
    if not may_ask(actor, case):
        raise NotPermitted()
    if department not in {d.code for d in catalogue.departments()}:
        raise Invalid(N_("请选择要征求意见的部门。"), field="department")
    if not 1 <= days <= MOST_DAYS:
        raise Invalid(N_("期限应在 1 至 %(n)s 个工作日之间。"), field="days", n=MOST_DAYS)
    words = _words(question, "question", N_("请写明要部门答复什么。"))
    if any(r.department == department and r.status == "open" for r in opinions.of_case(case.id)):
        raise StepClosed(N_("正在征求这个部门的意见，请等待答复。"))
    return ask(case, department, days, words, actor, now)


def get(actor: Actor, request_id: int) -> OpinionRequest:
    """A request put to one of the actor's departments; :class:`NotFound` otherwise."""
    found = db.session.scalar(opinions.visible_to(actor).where(OpinionRequest.id == request_id))
    if found is None:
        raise NotFound(N_("没有找到这项意见征求，或不属于您的部门。"))
    return found


def answer(actor: Actor, request_id: int, stance: str, words: str, now: dt.datetime) -> OpinionRequest:
    """Give the department's opinion, once; conditions and objections need words.

    Only for people of that department in that county who are not of the company; :class:`StepClosed` when it was
    answered or taken back meanwhile, or the case is closed.
    """
    case = _locked_case(actor, get(actor, request_id).case_id)
    if case.enterprise_id in actor.enterprise_ids:
        raise NotPermitted(N_("您是该企业人员，应当回避"))
    refuse_close(actor, case, now)
    request = opinions.lock(request_id)
    if request.status == "answered":
        raise StepClosed(N_("这项意见已经答复过了，不能再改。"))
    if request.status == "withdrawn":
        raise StepClosed(N_("这项意见征求已被撤回，不用再答复。"))
    if not case.is_open:
        raise StepClosed(N_("案件已办结，不再征求意见。"))
    if stance not in STANCES:
        raise Invalid(N_("请选择部门意见。"), field="stance")
    missing = {"agree_if": N_("有条件同意的，请写明条件。"), "against": N_("不同意的，请写明理由。")}.get(stance, "")
    request.words = _words(words, "words", missing)
    request.status, request.stance, request.clock_at = "answered", stance, None
    request.cycle = case.cycle  # asked before the case was reopened, it is an answer about the case as it is now
    request.answered_by, request.answered_at = actor.person_id, now
    _record(audit.OPINION_GIVEN, request, case, actor, now, Role.DEPARTMENT)
    asking = {request.asked_by, case.assignee_id or request.asked_by} - {actor.person_id}
    notices.tell_people(asking, "opinion_given", case, {}, now)
    return request


def _for_officer(actor: Actor, request_id: int) -> tuple[Case, OpinionRequest]:
    """The open request with its case, both locked, for an officer of the case."""
    known = db.session.get(OpinionRequest, request_id)
    if known is None:
        raise NotFound()
    case = _locked_case(actor, known.case_id)
    if not _is_officer(actor, case):
        raise NotPermitted()
    request = opinions.lock(request_id)
    if request.status == "answered":
        raise StepClosed(N_("部门已经答复了，请刷新查看。"))
    if request.status == "withdrawn":
        raise StepClosed(N_("这项意见征求已经撤回。"))
    if not case.is_open:
        raise StepClosed(N_("案件已办结，不再征求意见。"))
    return case, request


def reminded_today(request: OpinionRequest, now: dt.datetime) -> bool:
    """Whether the department was reminded already since the last working day began."""
    if request.reminded_at is None:
        return False
    return catalogue.calendar().between(shanghai_day(request.reminded_at), shanghai_day(now)) < 1


def remind(actor: Actor, request_id: int, now: dt.datetime) -> OpinionRequest:
    """Remind the department; at most once a working day, the clock's own reminders counted."""
    case, request = _for_officer(actor, request_id)
    if reminded_today(request, now):
        raise StepClosed(N_("今天已经催办过，下一个工作日可以再催。"))
    request.reminders += 1
    request.reminded_at = now
    _record(audit.OPINION_REMINDED, request, case, actor, now)
    return request


def may_withdraw(actor: Actor, case: Case, request: OpinionRequest) -> bool:
    """Whether the actor asked, or could ask now; the asker must still be an officer of the case."""
    return may_ask(actor, case) or (request.asked_by == actor.person_id and may_remind(actor, case))


def withdraw(actor: Actor, request_id: int, words: str, now: dt.datetime) -> OpinionRequest:
    """Take a request back with a reason; it stays in the record and holds nothing up any more."""
    case, request = _for_officer(actor, request_id)
    if not may_withdraw(actor, case, request):
        raise NotPermitted()
    request.words = _words(words, "words", N_("请写明为何撤回。"))
    request.status, request.clock_at = "withdrawn", None
    _record(audit.OPINION_WITHDRAWN, request, case, actor, now)
    return request


@dataclass(frozen=True, slots=True)
class InboxLine:
    """A request with the case it is about."""

    request: OpinionRequest
    case: Case


def inbox(actor: Actor) -> tuple[list[InboxLine], list[InboxLine]]:
    """What waits for the actor's departments, the most urgent first, and what they answered, the newest first."""
    query = (
        select(OpinionRequest, Case)
        .join(Case, Case.id == OpinionRequest.case_id)
        .where(OpinionRequest.id.in_(opinions.visible_to(actor).with_only_columns(OpinionRequest.id)))
        .options(joinedload(Case.town), joinedload(Case.county))
    )
    waiting = query.where(OpinionRequest.status == "open", Case.is_open)
    done = query.where(OpinionRequest.status == "answered").limit(MOST_ANSWERED)
    first = waiting.order_by(OpinionRequest.due_at, OpinionRequest.id).limit(500)
    found = db.session.execute(first), db.session.execute(done.order_by(OpinionRequest.answered_at.desc()))
    lists = [[InboxLine(request, case) for request, case in rows] for rows in found]
    return lists[0], lists[1]


def count_waiting(actor: Actor) -> int:
    """How many requests :func:`inbox` lists as waiting."""
    waiting = opinions.visible_to(actor).where(OpinionRequest.status == "open").subquery()
    query = select(func.count()).select_from(waiting).join(Case, Case.id == waiting.c.case_id).where(Case.is_open)
    return db.session.scalar(query) or 0


def newest_of(actor: Actor, case_id: int) -> OpinionRequest | None:
    """The last request on a case that was put to one of the actor's departments."""
    query = opinions.visible_to(actor).where(OpinionRequest.case_id == case_id)
    return db.session.scalar(query.order_by(OpinionRequest.id.desc()).limit(1))


def _record(
    event: audit.Event, request: OpinionRequest, case: Case, actor: Actor, now: dt.datetime, role: str = ""
) -> None:
    after = {"request": request.id, "department": request.department, "stance": request.stance}
    chain = f"town:{case.town_id}"
    audit.record(event, chain=chain, actor=actor, at=now, role=role, case_id=case.id, after=after)
