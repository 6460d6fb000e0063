"""Telling a company two days ahead that its passes end, so that nobody stands at a gate with yesterday's paper."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import exists, select
from sqlalchemy.orm import aliased

from workflow.core.actors import SYSTEM
from workflow.core.times import SHANGHAI, shanghai_day
from workflow.data import audit, cases
from workflow.data.passes import VehiclePass
from workflow.extensions import db
from workflow.services import pass_life
from workflow.services.item_deadlines import TOLD_AT
from workflow.services.telling import tell_of_passes


def remind_one(now: dt.datetime) -> int | None:
    """Tell one company of all passes of a case that end soon; returns the case's id, None when nothing is due.

    Run by the worker, from nine in the morning on. Passes that have been renewed, or whose days are over because the
    worker stood still, are passed over without a word.
    """
    today = shanghai_day(now)
    latest = today if now.astimezone(SHANGHAI).time() >= TOLD_AT else today - dt.timedelta(days=1)
    due = VehiclePass.remind_on <= latest
    first = select(VehiclePass.case_id).where(due).order_by(VehiclePass.remind_on, VehiclePass.case_id).limit(1)
    case_id = db.session.scalar(first)
    if case_id is None:
        return None
    case = cases.lock(case_id)
    after = aliased(VehiclePass)
    followed = exists().where(after.replaces_id == VehiclePass.id, after.status.in_(("requested", "granted")))
    found = db.session.execute(
        select(VehiclePass, followed).where(due, VehiclePass.case_id == case_id).order_by(VehiclePass.id)
    ).all()
    ending = [p for p, is_followed in found if not is_followed and p.valid_until_on >= today]
    for subject, _is_followed in found:
        subject.remind_on = None
    if ending:
        tell_of_passes(case, audit.PASS_ENDING, len(ending), now)
        pass_life.record_all(audit.PASS_ENDING, ending, SYSTEM, now)
    db.session.flush()
    return case_id
