"""On-site inspections: appointment, the sheet, photos, and the company's answers to failed items.

The result itself is a step of the flow: :func:`conclude` fills in the visit while
:func:`~workflow.services.cases.perform` holds the case, so that veto rules and four eyes are the engine's.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from workflow.core.actors import Actor, Role
from workflow.core.catalogue import ChecklistItem
from workflow.core.errors import N_, Invalid, NotFound, NotPermitted, Stale, StepClosed
from workflow.core.facts import Outcome
from workflow.core.texts import clean_text
from workflow.core.times import shanghai_day
from workflow.data import audit, cases, catalogue, inspections, people
from workflow.data.cases import Case
from workflow.data.inspections import Inspection, InspectionItem, InspectionPhoto
from workflow.documents.uploads import ReceivedFile
from workflow.extensions import db
from workflow.services import cases as case_service
from workflow.services import materials as material_service
from workflow.services.case_facts import facts_of_case

MAX_PHOTOS = 40


@dataclass(frozen=True, slots=True)
class Appointment:
    """When two inspectors come: ``visit_at`` is an instant, people are person ids."""

    visit_at: dt.datetime
    lead_id: int
    second_id: int
    meeting_point: str = ""


@dataclass(frozen=True, slots=True)
class ItemEntry:
    """What an inspector marks on one item; texts as typed."""

    result: str
    measured: str = ""
    note: str = ""


def get(actor: Actor, inspection_id: int) -> Inspection:
    """The visit, when the actor may see its case."""
    visit = db.session.scalar(inspections.visible_to(actor).where(Inspection.id == inspection_id))
    if visit is None:
        raise NotFound()
    return visit


def candidates(case: Case, now: dt.datetime) -> list[tuple[int, str]]:
    """Who may be appointed: inspectors of the case's areas, as (person id, name)."""
    return [(p.id, p.name) for p in people.holders_of(Role.INSPECTOR, case.area_ids, shanghai_day(now))]


def checklist_of(case: Case) -> str:
    """The checklist for this case: the one its routing rule named, else the flow's."""
    return case.routed_because.get("checklist") or case.flow.checklist


def _items_for(case: Case, last: Inspection | None) -> list[ChecklistItem]:
    """The items of a visit: the flow's checklist for this enterprise, or on a recheck only what failed before."""
    checklist = catalogue.checklist(checklist_of(case))
    if last is not None and last.outcome == Outcome.RECTIFY:
        failed = {i.code for i in last.items if i.result == "fail"}
        return [i for i in checklist.items if i.code in failed]
    return list(checklist.items_for(facts_of_case(case), short=True))


def _check_appointment(case: Case, appointment: Appointment, now: dt.datetime) -> None:
    allowed = {person_id for person_id, _ in candidates(case, now)}
    for field, person_id in (("lead_id", appointment.lead_id), ("second_id", appointment.second_id)):
        if person_id not in allowed:
            raise Invalid(N_("请选择本辖区在任的核查员。"), field=field)
    if appointment.lead_id == appointment.second_id:
        raise Invalid(N_("需要两名不同的核查员"), field="second_id")
    if appointment.visit_at < now - dt.timedelta(hours=1):
        raise Invalid(N_("核查时间不能早于现在。"), field="visit_at")
    if appointment.visit_at > now + dt.timedelta(days=60):
        raise Invalid(N_("核查时间不能晚于 60 天之后。"), field="visit_at")


def schedule(
    actor: Actor, case_id: int, action: str, appointment: Appointment, *, version: int, now: dt.datetime
) -> Case:
    """Arrange a visit or change its appointment (``action`` is the flow's step) with two different inspectors."""

    def prepare(case: Case) -> dict[str, Any]:
        _check_appointment(case, appointment, now)
        visits = inspections.of_case(case.id)
        visit = next((v for v in visits if v.status == "planned"), None) or _new_visit(case, visits, appointment)
        visit.visit_at, visit.meeting_point = appointment.visit_at, clean_text(appointment.meeting_point)[:200]
        visit.lead_id, visit.second_id = appointment.lead_id, appointment.second_id
        db.session.add(visit)
        db.session.flush()
        return {"inspection": visit.id, "inspectors": sorted((visit.lead_id, visit.second_id))}

    return case_service.perform(actor, case_id, action, version=version, now=now, prepare=prepare)


def _new_visit(case: Case, visits: list[Inspection], appointment: Appointment) -> Inspection:
    last = next((v for v in reversed(visits) if v.status == "concluded" and v.cycle == case.cycle), None)
    items = _items_for(case, last)
    return Inspection(
        case_id=case.id,
        cycle=case.cycle,
        number=len(visits) + 1,
        is_recheck=last is not None and last.outcome == Outcome.RECTIFY,
        visit_at=appointment.visit_at,
        lead_id=appointment.lead_id,
        second_id=appointment.second_id,
        checklist=checklist_of(case),
        items=[InspectionItem(position=n, code=item.code, is_veto=item.veto) for n, item in enumerate(items)],
    )


def _own_planned(actor: Actor, inspection_id: int) -> Inspection:
    """The visit with its case locked: nothing is marked any more once it is concluded."""
    visit = get(actor, inspection_id)
    cases.lock(visit.case_id)
    db.session.refresh(visit)
    if actor.person_id not in (visit.lead_id, visit.second_id):
        raise NotPermitted(N_("由指定的两名核查员办理"))
    if visit.status != "planned":
        raise StepClosed(N_("这次核查已经结束，不能再改。"))
    return visit


def _measured(item: ChecklistItem, entry: ItemEntry) -> str:
    text = clean_text(entry.measured)[:40]
    if item.limit is None or not text:
        return text
    number = re.sub(r"[^\d.\-]", "", text.replace("，", ""))
    try:
        value = float(number)
    except ValueError as error:
        raise Invalid(N_("“%(code)s”的实测值应为数字。"), field=item.code, code=item.code) from error
    if entry.result == "conform" and not item.limit.within(value):
        raise Invalid(
            N_("“%(code)s”实测 %(value)s，不在限值“%(limit)s”内，不能判为符合。"),
            field=item.code,
            code=item.code,
            value=text,
            limit=item.limit.label.zh,
        )
    return text


def save_sheet(
    actor: Actor, inspection_id: int, entries: Mapping[str, ItemEntry], *, revision: int | None, now: dt.datetime
) -> Inspection:
    """Keep what was marked so far. Not complete is fine; a failed item needs words when concluding."""
    visit = _own_planned(actor, inspection_id)
    if revision is not None and revision != visit.revision:
        raise Stale(N_("另一名核查员刚保存了这张表，请核对最新内容后再存。"))
    checklist = catalogue.checklist(visit.checklist)
    changed = []
    for row in visit.items:
        entry = entries.get(row.code)
        if entry is None:
            continue
        if entry.result not in ("", "conform", "fail", "na"):
            raise Invalid(N_("请选择列表中的一项。"), field=row.code)
        values = (
            entry.result or None,
            _measured(checklist.item(row.code), entry),
            case_service.clean_words(entry.note),
        )
        if (row.result, row.measured, row.note) != values:
            row.result, row.measured, row.note = values
            changed.append(row.code)
    if changed:
        visit.revision += 1
        _record(audit.INSPECTION_SAVED, visit, actor, now, {"inspection": visit.id, "items": changed})
    return visit


def _record(event: audit.Event, visit: Inspection, actor: Actor, now: dt.datetime, after: dict[str, Any]) -> None:
    chain = f"town:{visit.case.town_id}"
    audit.record(event, chain=chain, actor=actor, at=now, case_id=visit.case_id, after=after)


def add_photo(
    actor: Actor, inspection_id: int, received: ReceivedFile, *, code: str, caption: str, now: dt.datetime
) -> InspectionPhoto:
    """Add a photo to a visit, of one item or of the place as a whole (empty code)."""
    visit = _own_planned(actor, inspection_id)
    if received.kind.value not in ("jpeg", "png"):
        received.path.unlink(missing_ok=True)
        raise Invalid(N_("照片只收 JPEG、PNG 或 HEIC。"), field="photos")
    if code and code not in {i.code for i in visit.items}:
        raise Invalid(N_("请选择列表中的一项。"), field="code")
    if len(visit.photos) >= MAX_PHOTOS:
        raise Invalid(N_("每次核查最多 %(n)s 张照片。"), field="photos", n=MAX_PHOTOS)
    stored = material_service.keep_received(received, now)
    photo = InspectionPhoto(
        inspection_id=visit.id,
        code=code,
        caption=clean_text(caption)[:200],
        file=stored,
        added_by=actor.person_id,
        added_at=now,
    )
    visit.photos.append(photo)
    db.session.flush()
    _record(audit.PHOTO_ADDED, visit, actor, now, {"inspection": visit.id, "photo": photo.id, "sha256": stored.sha256})
    return photo


def get_photo(actor: Actor, photo_id: int) -> InspectionPhoto:
    """A photo of a visit the actor may see."""
    photo = db.session.scalar(inspections.visible_photos(actor).where(InspectionPhoto.id == photo_id))
    if photo is None:
        raise NotFound()
    return photo


def conclude(
    actor: Actor,
    inspection_id: int,
    action: str,
    *,
    version: int,
    words: str,
    rectify_by_on: dt.date | None,
    now: dt.datetime,
) -> Case:
    """Conclude a visit with the step ``action`` of the flow (pass, rectify or fail)."""
    visit = get(actor, inspection_id)
    case = cases.lock(visit.case_id)
    step = case.flow.step(case.state, action)
    outcome = step.outcome if step else None
    if outcome is None or visit.status != "planned":
        raise StepClosed(N_("这次核查已经结束，不能再改。"))

    def prepare(case: Case) -> dict[str, Any]:
        db.session.refresh(visit)
        _check_words_and_values(visit)
        visit.rectify_by_on = rectify_by_on if outcome is Outcome.RECTIFY else None
        return {"inspection": visit.id, "outcome": outcome.value}

    # The engine judges the visit while it is still planned; only then is it closed, before the sheet is issued.
    return case_service.perform(
        actor,
        visit.case_id,
        action,
        version=version,
        now=now,
        note=words,
        prepare=prepare,
        settle=lambda case, move: _close(visit, outcome, move.note, now),
    )


def _check_words_and_values(visit: Inspection) -> None:
    """A failed item needs words, and an item with a limit can't conform without a measured value."""
    unexplained = [i.code for i in visit.items if i.result == "fail" and not i.note]
    if unexplained:
        codes = "、".join(unexplained[:5])
        raise Invalid(N_("不符合的项目要写明情况：%(codes)s。"), field=unexplained[0], codes=codes)
    checklist = catalogue.checklist(visit.checklist)
    limited = {i.code for i in checklist.items if i.limit is not None}
    unmeasured = [i.code for i in visit.items if i.result == "conform" and i.code in limited and not i.measured]
    if unmeasured:
        codes = "、".join(unmeasured[:5])
        raise Invalid(N_("有限值的项目要填实测值：%(codes)s。"), field=unmeasured[0], codes=codes)


def _close(visit: Inspection, outcome: Outcome, words: str, now: dt.datetime) -> None:
    visit.status, visit.outcome, visit.words, visit.concluded_at = "concluded", outcome.value, words, now
    db.session.flush()


def report_rectified(
    actor: Actor, case_id: int, action: str, remedies: Mapping[str, str], *, version: int, now: dt.datetime
) -> Case:
    """The company says per failed item what it did; the case goes on to the recheck."""

    def prepare(case: Case) -> dict[str, Any]:
        visit = last_concluded(case)
        failed = [i for i in visit.items if i.result == "fail"] if visit else []
        for item in failed:
            field = f"remedy_{item.code}"
            item.remedy = case_service.clean_words(remedies.get(item.code, item.remedy), field)
            if not item.remedy:
                raise Invalid(N_("请说明此项的整改情况。"), field=field)
        return {"items": [i.code for i in failed]}

    return case_service.perform(actor, case_id, action, version=version, now=now, prepare=prepare)


def last_concluded(case: Case) -> Inspection | None:
    """The last finished visit of the case's present cycle."""
    query = (
        select(Inspection)
        .where(Inspection.case_id == case.id, Inspection.status == "concluded", Inspection.cycle == case.cycle)
        .order_by(Inspection.number.desc())
        .limit(1)
    )
    return db.session.scalar(query)


def planned(case: Case) -> Inspection | None:
    """The visit that is arranged and not finished."""
    query = select(Inspection).where(Inspection.case_id == case.id, Inspection.status == "planned")
    return db.session.scalar(query)
