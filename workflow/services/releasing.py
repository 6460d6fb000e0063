"""Taking cases from people who can no longer handle them: moved, switched off, on leave, too close to the company."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import ColumnElement, and_, exists, or_, select, true
from sqlalchemy.orm import joinedload

from workflow.core.actors import SYSTEM, Actor
from workflow.core.times import shanghai_day
from workflow.data import organisation
from workflow.data.cases import Case
from workflow.data.organisation import Absence
from workflow.data.people import Account, PersonAppointment
from workflow.extensions import db

LOOK_BACK = dt.timedelta(days=3)
"""For how long after its end the worker looks for cases of an appointment; longer than any worker stands still."""


def _still_held(today: dt.date) -> ColumnElement[bool]:
    """That the assignee of a case holds its role where it lies, with an account that works."""
    held = PersonAppointment
    where = or_(
        *(held.area_id == c for c in (Case.city_id, Case.county_id, Case.town_id, Case.zone_id, Case.building_id))
    )
    return exists(
        select(held.id).where(
            held.person_id == Case.assignee_id,
            held.role == Case.holder,
            organisation.running(held.starts_on, held.ends_on, today),
            where,
            or_(held.bureau.is_(None), held.bureau == Case.bureau),
            held.person_id.in_(select(Account.person_id).where(Account.is_active == true())),
        )
    )


def _take_from(condition: ColumnElement[bool], by: Actor, now: dt.datetime, limit: int | None = None) -> list[int]:
    """Release the open cases under ``condition``; they are assigned anew at once. Returns their ids."""
    query = (
        select(Case)
        .where(condition, Case.is_open == true(), Case.assignee_id.is_not(None))
        .order_by(Case.id)
        .options(joinedload(Case.flow_version))
        .with_for_update(of=Case, skip_locked=limit is not None)
        .limit(limit)
    )
    found = list(db.session.scalars(query.execution_options(populate_existing=True)))
    for case in found:
        case.release(by=by, at=now, assign_at=now)
    db.session.flush()
    return [case.id for case in found]


def release_unheld(person_id: int, by: Actor, now: dt.datetime) -> int:
    """Take from a person the cases whose role is no longer held there; returns how many."""
    db.session.flush()
    mine = Case.assignee_id == person_id
    return len(_take_from(and_(mine, ~_still_held(shanghai_day(now))), by, now))


def release_close(person_id: int, enterprise_id: int, by: Actor, now: dt.datetime) -> int:
    """Take from a person the cases of a company that the person must keep away from; returns how many."""
    return len(_take_from(and_(Case.assignee_id == person_id, Case.enterprise_id == enterprise_id), by, now))


def release_one(now: dt.datetime) -> int | None:
    """Take one case from somebody whose appointment ended, or who went on leave and hands over; returns its id."""
    today = shanghai_day(now)
    ended = select(PersonAppointment.person_id).where(
        PersonAppointment.ends_on <= today, PersonAppointment.ends_on >= today - LOOK_BACK
    )
    away = select(Absence.person_id).where(
        Absence.starts_on <= today, Absence.ends_on > today, Absence.hands_over == true()
    )
    condition = or_(and_(Case.assignee_id.in_(ended), ~_still_held(today)), Case.assignee_id.in_(away))
    found = _take_from(condition, SYSTEM, now, limit=1)
    return found[0] if found else None
