"""An inspector's visits: those ahead, how far their sheets are, and the cases that still wait for one."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import joinedload, selectinload

from workflow.core.actors import Actor, Role
from workflow.core.times import end_of_day, shanghai_day, start_of_day
from workflow.data import cases, inspections
from workflow.data.cases import Case
from workflow.data.inspections import Inspection, InspectionItem
from workflow.extensions import db


def planned_visits(actor: Actor) -> list[Inspection]:
    """The visits ahead that the actor is appointed to, the next first, with case, town and both inspectors."""
    query = (
        inspections.visible_to(actor)
        .where(
            Inspection.status == "planned",
            or_(Inspection.lead_id == actor.person_id, Inspection.second_id == actor.person_id),
        )
        .options(
            joinedload(Inspection.case).joinedload(Case.town),
            joinedload(Inspection.lead),
            joinedload(Inspection.second),
        )
        .order_by(Inspection.visit_at, Inspection.id)
        .limit(200)
    )
    return list(db.session.scalars(query))


DAYS_AHEAD = 3
"""So many days ahead an inspector's phone holds his visits."""


def to_take_along(actor: Actor, now: dt.datetime) -> list[Inspection]:
    """The visits that an inspector's phone holds: planned up to :data:`DAYS_AHEAD` or overdue, and concluded today."""
    today = shanghai_day(now)
    ahead = Inspection.visit_at < end_of_day(today + dt.timedelta(days=DAYS_AHEAD))
    query = (
        inspections.visible_to(actor)
        .where(
            or_(Inspection.lead_id == actor.person_id, Inspection.second_id == actor.person_id),
            or_(
                and_(Inspection.status == "planned", ahead),
                and_(Inspection.status == "concluded", Inspection.concluded_at >= start_of_day(today)),
            ),
        )
        .options(
            *(joinedload(Inspection.case).joinedload(part) for part in (Case.town, Case.zone, Case.building)),
            joinedload(Inspection.case).joinedload(Case.flow_version),
            joinedload(Inspection.lead),
            joinedload(Inspection.second),
            selectinload(Inspection.items),
            selectinload(Inspection.photos),
        )
        .order_by(Inspection.visit_at, Inspection.id)
        .limit(100)
    )
    return list(db.session.scalars(query))


def marked(visits: list[Inspection]) -> dict[int, tuple[int, int]]:
    """How many items of each visit are marked, and how many there are."""
    query = (
        select(InspectionItem.inspection_id, func.count(InspectionItem.result), func.count())
        .where(InspectionItem.inspection_id.in_([v.id for v in visits]))
        .group_by(InspectionItem.inspection_id)
    )
    return {row[0]: (row[1], row[2]) for row in db.session.execute(query)} if visits else {}


def to_arrange(actor: Actor) -> list[Case]:
    """The cases that wait for an inspector of the actor's areas and have no visit arranged, the most urgent first."""
    arranged = select(Inspection.case_id).where(Inspection.status == "planned")
    query = (
        select(Case)
        .where(cases.waiting_for(actor), Case.holder == Role.INSPECTOR.value, Case.id.not_in(arranged))
        .options(joinedload(Case.town), joinedload(Case.flow_version))
        .order_by(Case.due_at, Case.id)
        .limit(100)
    )
    return list(db.session.scalars(query))
