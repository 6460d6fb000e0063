"""Appointments of on-site visits: who may come, what speaks against a time, and what the company says to it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import or_, select
from sqlalchemy.orm import joinedload

from workflow.core.actors import Actor, Permission, Role
from workflow.core.errors import N_, Invalid, NotFound, NotPermitted, Reason, Stale, StepClosed
from workflow.core.tables import Label
from workflow.core.texts import clean_text
from workflow.core.times import shanghai_day, shanghai_time
from workflow.data import audit, cases, catalogue, inspections, organisation, people
from workflow.data.cases import Case
from workflow.data.inspections import Inspection
from workflow.extensions import db
from workflow.services import notices
from workflow.services.telling import tell_company

AHEAD = dt.timedelta(days=60)
LONGEST = dt.timedelta(hours=8)
"""No visit takes longer; so far back others are looked for that may still be going on."""
DURATIONS = (30, 60, 90, 120, 180, 240)
"""The lengths in minutes that pages offer."""
MOST_WORDS = 500


@dataclass(frozen=True, slots=True)
class Appointment:
    """When two inspectors come and for how long: ``visit_at`` is an instant, people are person ids.

    ``overlap_ok`` says that two visits of one inspector at the very same time are meant (firms of one building).
    """

    visit_at: dt.datetime
    lead_id: int
    second_id: int
    meeting_point: str = ""
    duration_minutes: int = 90
    overlap_ok: bool = True

    @property
    def ends_at(self) -> dt.datetime:
        """When it is expected to end."""
        return self.visit_at + dt.timedelta(minutes=self.duration_minutes)


def candidates(case: Case, now: dt.datetime) -> list[tuple[int, str]]:
    """Who may be appointed, as (person id, name): inspectors of the case's areas who have no interest in the firm."""
    today = shanghai_day(now)
    away = organisation.close_to(case.enterprise_id, today)
    return [(p.id, p.name) for p in people.holders_of(Role.INSPECTOR, case.area_ids, today) if p.id not in away]


def check(case: Case, appointment: Appointment, visit: Inspection | None, now: dt.datetime) -> None:
    """:class:`Invalid` at the field that is wrong. ``visit`` is the one that is changed, None for a new one."""
    held = {p.id for p in people.holders_of(Role.INSPECTOR, case.area_ids, shanghai_day(now))}
    for field, person_id in (("lead_id", appointment.lead_id), ("second_id", appointment.second_id)):
        if person_id not in held:
            raise Invalid(N_("请选择本辖区在任的核查员。"), field=field)
    if appointment.lead_id == appointment.second_id:
        raise Invalid(N_("需要两名不同的核查员"), field="second_id")
    _check_time(appointment.visit_at, now)
    if not 15 <= appointment.duration_minutes <= 480:
        raise Invalid(N_("预计用时应在 15 分钟到 8 小时之间。"), field="duration_minutes")
    if not appointment.overlap_ok:
        _refuse_overlap(appointment, visit)


def _check_time(at: dt.datetime, now: dt.datetime, field: str = "visit_at") -> None:
    if at < now - dt.timedelta(hours=1):
        raise Invalid(N_("核查时间不能早于现在。"), field=field)
    if at > now + AHEAD:
        raise Invalid(N_("核查时间不能晚于 60 天之后。"), field=field)


def clashing(begins_at: dt.datetime, ends_at: dt.datetime, person_ids: set[int], but: int | None) -> list[Inspection]:
    """Other planned visits of these people that lie in the same time, the earliest first."""
    query = (
        select(Inspection)
        .where(
            Inspection.status == "planned",
            Inspection.visit_at < ends_at,
            Inspection.visit_at > begins_at - LONGEST,
            or_(Inspection.lead_id.in_(person_ids), Inspection.second_id.in_(person_ids)),
        )
        .options(joinedload(Inspection.lead), joinedload(Inspection.second))
        .order_by(Inspection.visit_at, Inspection.id)
        .limit(50)
    )
    return [v for v in db.session.scalars(query) if v.id != but and v.ends_at > begins_at]


def _who(visit: Inspection, person_ids: set[int]) -> str:
    return "、".join(p.name for p in (visit.lead, visit.second) if p.id in person_ids)


def _refuse_overlap(appointment: Appointment, visit: Inspection | None) -> None:
    both = {appointment.lead_id, appointment.second_id}
    others = clashing(appointment.visit_at, appointment.ends_at, both, visit.id if visit else None)
    same = next((v for v in others if v.visit_at == appointment.visit_at), None)
    if same is not None:
        raise Invalid(
            N_("%(who)s 在 %(at)s 已有另一次核查。确需同时进行（如同一楼宇）的，请勾选“仍按此时间安排”。"),
            field="overlap_ok",
            who=_who(same, both),
            at=f"{shanghai_time(same.visit_at):%Y-%m-%d %H:%M}",
        )


def remarks(visit: Inspection) -> list[Reason]:
    """What speaks against the time of a visit without forbidding it: a day off, another visit in the same time."""
    day, found = shanghai_day(visit.visit_at), []
    if not catalogue.calendar().is_working(day):
        found.append(Reason(N_("%(day)s 不是工作日，请确认企业有人在场。"), {"day": day.isoformat()}))
    both = {visit.lead_id, visit.second_id}
    for other in clashing(visit.visit_at, visit.ends_at, both, visit.id):
        begins, ends = shanghai_time(other.visit_at), shanghai_time(other.ends_at)
        params = {"who": _who(other, both), "from": f"{begins:%H:%M}", "until": f"{ends:%H:%M}"}
        found.append(Reason(N_("%(who)s 当天 %(from)s–%(until)s 另有核查，时间有重叠。"), params))
    return found


def arrange(visit: Inspection, appointment: Appointment, now: dt.datetime, *, is_new: bool) -> None:
    """Put an appointment into a visit. What the company said to the time before counts no more, and what it wished is
    answered by the new time."""
    point = clean_text(appointment.meeting_point)[:200]
    before = (visit.visit_at, visit.meeting_point or "")
    terms = (*before, visit.lead_id, visit.second_id, visit.duration_minutes)
    after = (appointment.visit_at, point, appointment.lead_id, appointment.second_id, appointment.duration_minutes)
    visit.visit_at, visit.meeting_point, visit.duration_minutes = appointment.visit_at, point, after[-1]
    visit.lead_id, visit.second_id = appointment.lead_id, appointment.second_id
    if is_new:
        visit.appointed_at = now
        return
    if terms == after:
        return
    visit.appointed_at, visit.sequence = now, visit.sequence + 1
    if before != after[:2]:
        visit.confirmed_at = visit.confirmed_by = None
    if before[0] != visit.visit_at and visit.wish_status == "open":
        as_wished = visit.wish_at == visit.visit_at
        visit.wish_status, visit.wish_answer = "accepted" if as_wished else "moved", ""
        if as_wished:
            visit.confirmed_at, visit.confirmed_by = now, visit.wished_by


def _of_company(actor: Actor, inspection_id: int, sequence: int) -> Inspection:
    """The planned visit of the actor's own company, its case locked, as the company saw it."""
    visit = db.session.scalar(inspections.visible_to(actor).where(Inspection.id == inspection_id))
    if visit is None or visit.case.enterprise_id not in actor.enterprise_ids:
        raise NotFound()
    cases.lock(visit.case_id)
    db.session.refresh(visit)
    if visit.status != "planned":
        raise StepClosed(N_("这次核查已经结束或取消，不用再答复。"))
    if visit.sequence != sequence:
        raise Stale(N_("核查时间刚刚改过，请按新的时间答复。"))
    return visit


def confirm(actor: Actor, inspection_id: int, sequence: int, now: dt.datetime) -> Inspection:
    """The company confirms the appointment as it saw it (``sequence``); the inspectors are told. Twice is once."""
    visit = _of_company(actor, inspection_id, sequence)
    if visit.confirmed_at is not None:
        return visit
    visit.confirmed_at, visit.confirmed_by = now, actor.person_id
    if visit.wish_status == "open":
        visit.wish_status, visit.wish_answer = "", ""
    _record(audit.VISIT_CONFIRMED, visit, actor, now)
    notices.tell_people([visit.lead_id, visit.second_id], "visit_confirmed", visit.case, {}, now)
    return visit


def ask_for_another_time(
    actor: Actor, inspection_id: int, sequence: int, wish_at: dt.datetime | None, words: str, now: dt.datetime
) -> Inspection:
    """The company asks for another time (or, without one, says why this one does not suit); the inspectors are told."""
    visit = _of_company(actor, inspection_id, sequence)
    text = clean_text(words)
    if visit.visit_at <= now:
        raise StepClosed(N_("约定的时间已到，请直接联系核查员。"))
    if not text:
        raise Invalid(N_("请说明为什么要改时间。"), field="words")
    if len(text) > MOST_WORDS:
        raise Invalid(N_("最多 %(n)s 个字，现为 %(m)s 个字。"), field="words", n=MOST_WORDS, m=len(text))
    if wish_at is not None:
        if wish_at <= now:
            raise Invalid(N_("希望的时间不能早于现在。"), field="wish_at")
        _check_time(wish_at, now, "wish_at")
        if wish_at == visit.visit_at:
            raise Invalid(N_("希望的时间与现在的约定相同。"), field="wish_at")
    visit.wish_status, visit.wish_at, visit.wish_words, visit.wish_answer = "open", wish_at, text, ""
    visit.wished_at, visit.wished_by = now, actor.person_id
    visit.confirmed_at = visit.confirmed_by = None
    _record(audit.VISIT_WISHED, visit, actor, now)
    notices.tell_people([visit.lead_id, visit.second_id], "visit_wished", visit.case, {}, now)
    return visit


def keep_time(actor: Actor, inspection_id: int, words: str, now: dt.datetime) -> Inspection:
    """An officer keeps the time although the company wished for another, with words that the company reads."""
    visit = open_wish(actor, inspection_id)
    cases.lock(visit.case_id)
    db.session.refresh(visit)
    if visit.status != "planned" or visit.wish_status != "open":
        raise StepClosed(N_("企业的改期请求已经答复过了。"))
    text = clean_text(words)
    if not text:
        raise Invalid(N_("请写明为什么不改，企业会看到。"), field="words")
    if len(text) > MOST_WORDS:
        raise Invalid(N_("最多 %(n)s 个字，现为 %(m)s 个字。"), field="words", n=MOST_WORDS, m=len(text))
    visit.wish_status, visit.wish_answer = "kept", text
    _record(audit.WISH_ANSWERED, visit, actor, now)
    tell_company(
        visit.case, "visit_kept", Label("核查时间不变，已答复您的改期请求", "The visit stays as arranged"), now
    )
    return visit


def open_wish(actor: Actor, inspection_id: int) -> Inspection:
    """A visit whose wish the actor may answer: an officer who plans visits where the case lies, not of the company."""
    visit = db.session.scalar(inspections.visible_to(actor).where(Inspection.id == inspection_id))
    if visit is None:
        raise NotFound()
    if not may_plan(actor, visit.case):
        raise NotPermitted()
    return visit


def may_plan(actor: Actor, case: Case) -> bool:
    """Whether the actor is an officer who plans visits and does not belong to the case's company."""
    return actor.may(Permission.PLAN_INSPECTION) and case.enterprise_id not in actor.enterprise_ids


def _record(event: audit.Event, visit: Inspection, actor: Actor, now: dt.datetime) -> None:
    after = {"inspection": visit.id, "sequence": visit.sequence, "wish": visit.wish_status}
    chain = f"town:{visit.case.town_id}"
    audit.record(event, chain=chain, actor=actor, at=now, case_id=visit.case_id, after=after)
