"""What a phone takes along for its person's visits: all that is on a sheet, in the reader's language, as values."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from sqlalchemy import func, select

from workflow.core.actors import Actor
from workflow.core.catalogue import Checklist, ChecklistItem
from workflow.core.engine import OpenStep
from workflow.core.flow import NoteRule
from workflow.data import field, inspections, people, visits
from workflow.data.field import PARTIES, InspectionSignature
from workflow.data.inspections import Inspection, InspectionItem, InspectionPhoto
from workflow.extensions import db
from workflow.i18n import reader_locale, say
from workflow.services import cases as case_service
from workflow.services import checklists, learning

Names = Mapping[int, str]


def _at(instant: dt.datetime | None) -> str | None:
    return instant.isoformat() if instant else None


def mark_of(row: InspectionItem, names: Names) -> dict[str, Any]:
    """An item's mark as it is now."""
    return {
        "result": row.result or "",
        "measured": row.measured,
        "note": row.note,
        "rectify_by_on": row.rectify_by_on.isoformat() if row.rectify_by_on else "",
        "revision": row.revision,
        "marked_by": names.get(row.marked_by or 0, ""),
        "marked_at": _at(row.marked_at),
    }


def _asked(item: ChecklistItem) -> dict[str, Any]:
    limit, locale = item.limit, reader_locale()
    return {
        "code": item.code,
        "text": item.text.text(locale),
        "veto": item.veto,
        "unit": limit.unit if limit else "",
        "minimum": limit.minimum if limit else None,
        "maximum": limit.maximum if limit else None,
        "limit_words": limit.label.text(locale) if limit else "",
    }


def _remedies(visit: Inspection) -> tuple[dict[str, str], dict[str, int]]:
    """On a recheck: by item what the company said, and how many photos it sent, after the visit before."""
    if not visit.is_recheck:
        return {}, {}
    before = [v for v in inspections.of_case(visit.case_id) if v.number < visit.number and v.status == "concluded"]
    if not before:
        return {}, {}
    last, photo = before[-1], InspectionPhoto
    query = (
        select(photo.code, func.count())
        .where(photo.inspection_id == last.id, photo.by_company, photo.taken_back_at.is_(None))
        .group_by(photo.code)
    )
    counts = {code: int(n) for code, n in db.session.execute(query)}
    return {i.code: i.remedy for i in last.items if i.remedy}, counts


def _groups(visit: Inspection, checklist: Checklist, names: Names) -> list[dict[str, Any]]:
    words, photos = _remedies(visit)
    groups: dict[str, list[dict[str, Any]]] = {}
    for row in visit.items:
        item = checklist.item(row.code)
        answer = {"remedy": words.get(row.code, ""), "remedy_photos": photos.get(row.code, 0)}
        line = {**_asked(item), "veto": row.is_veto, **mark_of(row, names), **answer}
        groups.setdefault(item.category.text(reader_locale()), []).append(line)
    return [{"title": title, "items": items} for title, items in groups.items()]


def signature_of(given: InspectionSignature | None, present: str) -> dict[str, Any] | None:
    """What a party said to the sheet; ``stale`` when the sheet was changed since."""
    if given is None:
        return None
    return {
        "status": given.status,
        "name": given.name,
        "post": given.post,
        "reason": given.reason,
        "at": _at(given.at),
        "stale": given.covers != present,
        "clock_off": given.clock_off,
    }


def _photo(photo: InspectionPhoto, names: Names) -> dict[str, Any]:
    return {
        "id": photo.id,
        "client_id": photo.client_id,
        "code": photo.code,
        "caption": photo.caption,
        "sha256": photo.sha256,
        "taken_at": _at(photo.taken_at or photo.added_at),
        "by": names.get(photo.added_by, ""),
        "source": photo.source,
        "clock_off": photo.clock_off,
    }


def _conclusion(open_step: OpenStep) -> dict[str, Any]:
    step = open_step.step
    return {
        "action": step.action,
        "label": step.label.text(reader_locale()),
        "tone": step.tone,
        "outcome": step.outcome.value if step.outcome else "",
        "needs_words": step.note is NoteRule.REQUIRED,
        "needs_date": "rectify_date_set" in step.guards + step.checks,
        "open": open_step.is_open,
        "reasons": [say(r) for r in open_step.reasons],
    }


def _place(visit: Inspection) -> dict[str, Any]:
    case = visit.case
    return {
        "enterprise": case.enterprise_name,
        "address": case.facts.get("address", ""),
        "town": case.town.name,
        "zone": case.zone.name if case.zone else "",
        "building": case.building.name if case.building else "",
        "contact": {"name": case.facts.get("contact_name", ""), "phone": case.facts.get("contact_mobile", "")},
    }


def _conclusions(who: Actor, visit: Inspection, now: dt.datetime) -> list[dict[str, Any]]:
    steps = case_service.open_steps(who, visit.case, now) if visit.status == "planned" else []
    return [_conclusion(s) for s in steps if s.step.form == "sheet"]


def _visit(
    who: Actor, visit: Inspection, names: Names, signed: Mapping[str, InspectionSignature], now: dt.datetime
) -> dict[str, Any]:
    checklist, present = checklists.of_visit(visit), field.covered(visit)
    digest = checklists.digest_of_visit(visit, checklist)
    codes = [i.code for i in visit.items]
    return {
        "id": visit.id,
        "case_id": visit.case_id,
        "reference": visit.case.reference,
        **_place(visit),
        "visit_at": _at(visit.visit_at),
        "meeting_point": visit.meeting_point,
        "is_recheck": visit.is_recheck,
        "number": visit.number,
        "lead": {"id": visit.lead_id, "name": visit.lead.name},
        "second": {"id": visit.second_id, "name": visit.second.name},
        "status": visit.status,
        "outcome": visit.outcome or "",
        "checklist": {"key": visit.checklist, "version": checklist.version, "digest": digest},
        "focus": learning.focus_of(visit.case, codes, now) if visit.status == "planned" else [],
        "groups": _groups(visit, checklist, names),
        "photos": [_photo(p, names) for p in visit.photos if not p.by_company],
        "signatures": {party: signature_of(signed.get(party), present) for party in PARTIES},
        "case_version": visit.case.version,
        "conclusions": _conclusions(who, visit, now),
    }


def day(who: Actor, now: dt.datetime) -> list[dict[str, Any]]:
    """The visits that this person takes along, the next first."""
    found = visits.to_take_along(who, now)
    marked = {i.marked_by for v in found for i in v.items if i.marked_by}
    names = people.names_of(marked | {p.added_by for v in found for p in v.photos})
    signed: dict[int, dict[str, InspectionSignature]] = {}
    for given in field.signatures([v.id for v in found]):
        signed.setdefault(given.inspection_id, {})[given.party] = given
    return [_visit(who, v, names, signed.get(v.id, {}), now) for v in found]
