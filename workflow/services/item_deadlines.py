"""The dates by which failed items are to be put right: set with the result, told the day before and the day after.

The state's own clock runs beside them, by working days of the flow; what comes first is told first. These reminders
stop as soon as the case is no longer the company's to act on.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from sqlalchemy import select

from workflow.core.actors import SYSTEM, Role
from workflow.core.errors import N_, Invalid
from workflow.core.tables import Label
from workflow.core.times import SHANGHAI, shanghai_day
from workflow.data import audit, cases
from workflow.data.inspections import Inspection, InspectionItem
from workflow.extensions import db
from workflow.services.telling import tell_company

TOLD_AT = dt.time(9)
"""The time of day in Shanghai at which the company is told."""


def failed(visit: Inspection) -> list[InspectionItem]:
    """The items that did not conform, in order."""
    return [i for i in visit.items if i.result == "fail"]


def due_on(visit: Inspection, item: InspectionItem) -> dt.date | None:
    """The day by which a failed item is to be right: its own, else the visit's; None where nothing is rectified."""
    return (item.rectify_by_on or visit.rectify_by_on) if item.result == "fail" and visit.rectify_by_on else None


def set_date(visit: Inspection, by_on: dt.date | None, today: dt.date) -> None:
    """Set the visit's date: ``by_on``, or the last of its items' own when every failed item has one.

    The items' marks stay as they were signed. :class:`Invalid` at the item whose own date is past or after the
    visit's; without any date the visit has none, and the flow refuses.
    """
    items = failed(visit)
    for item in items:
        own = item.rectify_by_on
        if own is not None and own < today:
            raise Invalid(N_("“%(code)s”的整改期限不能早于今天。"), field=item.code, code=item.code)
        if own is not None and by_on is not None and own > by_on:
            words = N_("“%(code)s”的整改期限（%(own)s）晚于本次核查的整改期限 %(day)s。")
            raise Invalid(words, field=item.code, code=item.code, own=own.isoformat(), day=by_on.isoformat())
    given = [i.rectify_by_on for i in items if i.rectify_by_on is not None]
    visit.rectify_by_on = by_on or (max(given) if given and len(given) == len(items) else None)


def _told(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, TOLD_AT, SHANGHAI).astimezone(dt.UTC)


def moments(days: Iterable[dt.date]) -> list[tuple[dt.datetime, dt.date, bool]]:
    """When something is told about items due on ``days``: (instant, day due, whether it is over by then), in order."""
    one = dt.timedelta(days=1)
    found = [(_told(day - one), day, False) for day in set(days)] + [(_told(day + one), day, True) for day in set(days)]
    return sorted(found)


def _days(visit: Inspection) -> list[dt.date]:
    return [day for i in failed(visit) if (day := due_on(visit, i)) is not None]


def start(visit: Inspection, now: dt.datetime) -> None:
    """Let the reminders of a visit that ordered rectification run from ``now``."""
    visit.remind_at = next((at for at, _day, _over in moments(_days(visit)) if at > now), None)


def remind_one(now: dt.datetime) -> int | None:
    """Tell one company of its items' dates; returns the visit's id, None when nothing is due. Run by the worker."""
    query = select(Inspection).where(Inspection.remind_at <= now).order_by(Inspection.remind_at, Inspection.id).limit(1)
    visit = db.session.scalar(query)
    if visit is None:
        return None
    case = cases.lock(visit.case_id)  # the case before its visit, as everywhere: two who lock never wait for each other
    db.session.refresh(visit)
    since = visit.remind_at
    if since is None or since > now:
        return visit.id  # another worker was first
    visit.remind_at = None
    if case.is_open and case.holder == Role.FILER and _is_last(visit):
        passed = [m for m in moments(_days(visit)) if since <= m[0] <= now]
        if passed:
            _tell(visit, passed[-1][2], now)  # caught up late: only the newest is still true
        start(visit, now)
    db.session.flush()
    return visit.id


def _is_last(visit: Inspection) -> bool:
    query = select(Inspection.id).where(Inspection.case_id == visit.case_id, Inspection.number > visit.number).limit(1)
    return visit.outcome == "rectify" and db.session.scalar(query) is None


def _tell(visit: Inspection, over: bool, now: dt.datetime) -> None:
    today, days = shanghai_day(now), _days(visit)
    if over:
        number = sum(day < today for day in days)
        label = Label(f"有 {number} 项整改已过期限，请尽快报告", f"Rectification is overdue: {number}")
    else:
        number = sum(day == today + dt.timedelta(days=1) for day in days)
        label = Label(f"有 {number} 项整改明天到期", f"Rectification due tomorrow: {number}")
    event = audit.ITEM_OVERDUE if over else audit.ITEM_DUE_SOON
    tell_company(visit.case, event, label, now)
    after = {"inspection": visit.id, "items": number}
    chain = f"town:{visit.case.town_id}"
    audit.record(event, chain=chain, actor=SYSTEM, at=now, case_id=visit.case_id, after=after)
