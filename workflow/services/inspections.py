"""On-site inspections: appointment, the sheet, photos, and the company's answers to failed items.

The result itself is a step of the flow: :func:`conclude` fills in the visit while
:func:`~workflow.services.cases.perform` holds the case, so that veto rules and four eyes are the engine's.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from workflow.core.actors import Actor
from workflow.core.catalogue import ChecklistItem
from workflow.core.errors import N_, Invalid, NotFound, NotPermitted, Stale, StepClosed
from workflow.core.facts import Outcome
from workflow.core.texts import clean_text
from workflow.core.times import shanghai_day
from workflow.data import audit, cases, inspections, item_counts
from workflow.data.cases import Case
from workflow.data.inspections import Inspection, InspectionItem, InspectionPhoto
from workflow.documents.uploads import ReceivedFile
from workflow.extensions import db
from workflow.services import appointments, checklists, item_deadlines, marking
from workflow.services import cases as case_service
from workflow.services import materials as material_service
from workflow.services.appointments import Appointment as Appointment
from workflow.services.appointments import candidates as candidates
from workflow.services.case_facts import facts_of_case
from workflow.services.checklists import ListInForce
from workflow.services.marking import ItemEntry as ItemEntry

MAX_PHOTOS = 40


def get(actor: Actor, inspection_id: int) -> Inspection:
    """The visit, when the actor may see its case."""
    visit = db.session.scalar(inspections.visible_to(actor).where(Inspection.id == inspection_id))
    if visit is None:
        raise NotFound()
    return visit


def _items_for(case: Case, last: Inspection | None, found: ListInForce) -> list[ChecklistItem]:
    """The items of a visit: the flow's checklist for this enterprise, or on a recheck only what failed before."""
    if last is not None and last.outcome == Outcome.RECTIFY:
        failed = {i.code for i in last.items if i.result == "fail"}
        return [i for i in found.checklist.items if i.code in failed]
    return list(found.checklist.items_for(facts_of_case(case), short=not case.flow.full_check))


def _list_for(case: Case, last: Inspection | None, now: dt.datetime) -> ListInForce:
    """The list for a new visit; a recheck goes by that of the visit before, which it repeats."""
    if last is not None and last.outcome == Outcome.RECTIFY and last.checklist_versions:
        return ListInForce(checklists.of_visit(last), tuple(last.checklist_versions))
    return checklists.for_case(case, now)


def schedule(
    actor: Actor, case_id: int, action: str, appointment: Appointment, *, version: int, now: dt.datetime
) -> Case:
    """Arrange a visit or change its appointment (``action`` is the flow's step) with two different inspectors."""

    def prepare(case: Case) -> dict[str, Any]:
        visits = inspections.of_case(case.id)
        arranged = next((v for v in visits if v.status == "planned"), None)
        appointments.check(case, appointment, arranged, now)
        visit = arranged or _new_visit(case, visits, appointment, now)
        appointments.arrange(visit, appointment, now, is_new=arranged is None)
        db.session.add(visit)
        db.session.flush()
        return {"inspection": visit.id, "inspectors": sorted((visit.lead_id, visit.second_id))}

    return case_service.perform(actor, case_id, action, version=version, now=now, prepare=prepare)


def _new_visit(case: Case, visits: list[Inspection], appointment: Appointment, now: dt.datetime) -> Inspection:
    last = next((v for v in reversed(visits) if v.status == "concluded" and v.cycle == case.cycle), None)
    found = _list_for(case, last, now)
    items = _items_for(case, last, found)
    return Inspection(
        case_id=case.id,
        cycle=case.cycle,
        number=len(visits) + 1,
        is_recheck=last is not None and last.outcome == Outcome.RECTIFY,
        visit_at=appointment.visit_at,
        lead_id=appointment.lead_id,
        second_id=appointment.second_id,
        checklist=found.checklist.key,
        checklist_versions=list(found.version_ids),
        items=[InspectionItem(position=n, code=item.code, is_veto=item.veto) for n, item in enumerate(items)],
    )


def own_planned(actor: Actor, inspection_id: int) -> Inspection:
    """The visit with its case locked, for one of its two inspectors: nothing is marked once it is concluded."""
    visit = get(actor, inspection_id)
    cases.lock(visit.case_id)
    db.session.refresh(visit)
    refuse_unless_open(actor, visit)
    return visit


def refuse_unless_open(actor: Actor, visit: Inspection) -> None:
    """Raise unless ``actor`` is one of the visit's two inspectors and the visit is still planned."""
    if actor.person_id not in (visit.lead_id, visit.second_id):
        raise NotPermitted(N_("由指定的两名核查员办理"))
    if visit.status != "planned":
        raise StepClosed(N_("这次核查已经结束，不能再改。"))


def save_sheet(
    actor: Actor,
    inspection_id: int,
    entries: Mapping[str, ItemEntry],
    *,
    revision: int | None,
    now: dt.datetime,
    whole: bool = False,
) -> Inspection:
    """Keep what was marked so far. Not complete is fine; a failed item needs words when concluding.

    Two inspectors on two pages are told item by item: :class:`Stale` when somebody changed the same item to something
    else after ``revision``; with ``whole`` when anything was changed, for a script that merges by itself.
    """
    visit = own_planned(actor, inspection_id)
    if whole and revision is not None and revision != visit.revision:
        raise Stale(N_("另一名核查员刚保存了这张表，请核对最新内容后再存。"))
    checklist, changed = checklists.of_visit(visit), []
    for row in visit.items:
        entry = entries.get(row.code)
        if entry is None:
            continue
        newer = revision is not None and row.revision > revision
        if newer and marking.is_untouched(entry):
            continue
        values = marking.read(visit, row, checklist.item(row.code), entry)
        if newer and marking.stored(row) != values:
            raise Stale(N_("另一名核查员刚改过“%(code)s”，请核对最新内容后再存。"), code=row.code)
        if marking.mark(visit, row, values, actor, now=now):
            changed.append(row.code)
    if changed:
        record(audit.INSPECTION_SAVED, visit, actor, now, {"items": changed})
    return visit


def record(event: audit.Event, visit: Inspection, actor: Actor, now: dt.datetime, after: dict[str, Any]) -> None:
    """Write what happened on a visit into its town's history; ``after`` holds keys only."""
    chain, after = f"town:{visit.case.town_id}", {"inspection": visit.id, **after}
    audit.record(event, chain=chain, actor=actor, at=now, case_id=visit.case_id, after=after)


def add_photo(
    actor: Actor, inspection_id: int, received: ReceivedFile, *, code: str, caption: str, now: dt.datetime
) -> InspectionPhoto:
    """Add a photo to a visit, of one item or of the place as a whole (empty code)."""
    visit = own_planned(actor, inspection_id)
    if code and code not in {i.code for i in visit.items}:
        raise Invalid(N_("请选择列表中的一项。"), field="code")
    if len(visit.photos) >= MAX_PHOTOS:
        raise Invalid(N_("每次核查最多 %(n)s 张照片。"), field="photos", n=MAX_PHOTOS)
    photo = keep_photo(visit, received, actor, now, code=code, caption=caption, field="photos")
    record(audit.PHOTO_ADDED, visit, actor, now, {"photo": photo.id, "sha256": photo.sha256})
    return photo


def keep_photo(
    visit: Inspection,
    received: ReceivedFile,
    actor: Actor,
    now: dt.datetime,
    *,
    code: str,
    caption: str,
    field: str,
    by_company: bool = False,
) -> InspectionPhoto:
    """Keep a received picture with a visit; :class:`Invalid` at ``field`` when it is none. The caller records it."""
    if received.kind.value not in ("jpeg", "png"):
        received.path.unlink(missing_ok=True)
        raise Invalid(N_("照片只收 JPEG、PNG 或 HEIC。"), field=field)
    stored = material_service.keep_received(received, now)
    photo = InspectionPhoto(
        inspection_id=visit.id,
        code=code,
        caption=clean_text(caption)[:200],
        file=stored,
        sha256=stored.sha256,
        by_company=by_company,
        added_by=actor.person_id,
        added_at=now,
    )
    visit.photos.append(photo)
    db.session.flush()
    return photo


def get_photo(actor: Actor, photo_id: int) -> InspectionPhoto:
    """A photo of a visit the actor may see; one that was taken back is shown to nobody."""
    photo = db.session.scalar(inspections.visible_photos(actor).where(InspectionPhoto.id == photo_id))
    if photo is None or photo.taken_back_at is not None:
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
        visit.rectify_by_on = None
        if outcome is Outcome.RECTIFY:
            item_deadlines.set_date(visit, rectify_by_on, shanghai_day(now))
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
    checklist = checklists.of_visit(visit)
    limited = {i.code for i in checklist.items if i.limit is not None}
    unmeasured = [i.code for i in visit.items if i.result == "conform" and i.code in limited and not i.measured]
    if unmeasured:
        codes = "、".join(unmeasured[:5])
        raise Invalid(N_("有限值的项目要填实测值：%(codes)s。"), field=unmeasured[0], codes=codes)


def _close(visit: Inspection, outcome: Outcome, words: str, now: dt.datetime) -> None:
    visit.status, visit.outcome, visit.words, visit.concluded_at = "concluded", outcome.value, words, now
    if outcome is Outcome.RECTIFY:
        item_deadlines.start(visit, now)
    db.session.flush()
    item_counts.count(visit, now)


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
