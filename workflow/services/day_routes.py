"""A day's visits in the order of the way, each with what to look at first; and visits as calendar entries."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from sqlalchemy import or_
from sqlalchemy.orm import joinedload, selectinload

from workflow.core.actors import Actor
from workflow.core.errors import N_, Reason
from workflow.core.tables import Label
from workflow.core.times import end_of_day, start_of_day
from workflow.data import inspections
from workflow.data.cases import Case
from workflow.data.inspections import Inspection
from workflow.documents.calendar_file import CalendarEntry
from workflow.extensions import db, settings
from workflow.services import checklists

MOST_VISITS = 300
MOST_ITEMS = 6
"""Items of a recheck that are written out on the route."""


@dataclass(frozen=True, slots=True)
class Stop:
    """One visit on the way: ``first`` says what to look at first, ``items`` are what a recheck is about."""

    visit: Inspection
    first: list[Reason]
    items: list[Label]
    more_items: int


@dataclass(frozen=True, slots=True)
class Stretch:
    """The stops in one building, or in a zone outside of known buildings; names are empty where there is none."""

    zone: str
    building: str
    stops: list[Stop] = field(default_factory=list)


def planned_between(
    actor: Actor, begins_at: dt.datetime, ends_at: dt.datetime | None, *, mine: bool
) -> list[Inspection]:
    """Planned visits that the actor sees (``mine``: is appointed to) in a span of time, the first first."""
    query = inspections.visible_to(actor).where(Inspection.status == "planned", Inspection.visit_at >= begins_at)
    if ends_at is not None:
        query = query.where(Inspection.visit_at < ends_at)
    if mine:
        query = query.where(or_(Inspection.lead_id == actor.person_id, Inspection.second_id == actor.person_id))
    whole = [joinedload(Inspection.case).joinedload(p) for p in (Case.town, Case.zone, Case.building)]
    people = [joinedload(Inspection.lead), joinedload(Inspection.second), selectinload(Inspection.items)]
    query = query.options(*whole, *people).order_by(Inspection.visit_at, Inspection.id).limit(MOST_VISITS)
    return list(db.session.scalars(query))


def route(actor: Actor, on: dt.date, *, mine: bool) -> list[Stretch]:
    """The visits of a day in stretches; a stretch comes where its first visit does."""
    found: dict[tuple[str, str], Stretch] = {}
    for visit in planned_between(actor, start_of_day(on), end_of_day(on), mine=mine):
        case = visit.case
        place = (case.zone.name if case.zone else "", case.building.name if case.building else "")
        found.setdefault(place, Stretch(*place)).stops.append(_stop(visit))
    return list(found.values())


def _stop(visit: Inspection) -> Stop:
    if visit.is_recheck:
        checklist = checklists.of_visit(visit)
        items = [checklist.item(i.code).text for i in visit.items]
        return Stop(
            visit,
            [Reason(N_("只复查上次不符合的 %(n)s 项"), {"n": len(items)})],
            items[:MOST_ITEMS],
            max(0, len(items) - MOST_ITEMS),
        )
    return Stop(visit, _facts_first(visit), [], 0)


def _facts_first(visit: Inspection) -> list[Reason]:
    """What the application itself says should be looked at first."""
    facts, found = visit.case.facts, []
    if facts.get("hazardous") == "yes":
        found.append(Reason(N_("涉及危险化学品")))
    if count := int(facts.get("key_area_count") or 0):
        found.append(Reason(N_("重点疫情地区人员 %(n)s 人"), {"n": count}))
    if vetoes := sum(i.is_veto for i in visit.items):
        found.append(Reason(N_("一票否决项 %(n)s 项"), {"n": vetoes}))
    found.append(Reason(N_("复工 %(n)s 人"), {"n": visit.case.resuming_count}))
    return found


def place_of(visit: Inspection) -> str:
    """Where a visit is, as an address."""
    return f"{visit.case.county.name}{visit.case.town.name} {visit.case.facts.get('address', '')}".strip()


def entries(visits: Iterable[Inspection], *, check: str, recheck: str, meet: str, url: str = "") -> list[CalendarEntry]:
    """Visits as calendar entries, without people's names; the words are the reader's. ``url`` has ``%d`` for the id."""
    host = urlsplit(settings().public_url).hostname or "localhost"
    found = []
    for visit in visits:
        lines = [visit.case.reference, *([f"{meet}{visit.meeting_point}"] if visit.meeting_point else [])]
        found.append(
            CalendarEntry(
                uid=f"visit-{visit.id}@{host}",
                title=f"{recheck if visit.is_recheck else check}{visit.case.enterprise_name}",
                place=place_of(visit),
                words="\n".join(lines),
                begins_at=visit.visit_at,
                ends_at=visit.ends_at,
                sequence=visit.sequence,
                changed_at=visit.appointed_at or visit.visit_at,
                cancelled=visit.status == "cancelled",
                url=url % visit.id if url else "",
            )
        )
    return found
