"""What a company answers to the items that failed: words kept as they are typed, and photos, item by item.

Reporting the whole is a step of the flow (:func:`workflow.services.inspections.report_rectified`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from sqlalchemy import select

from workflow.core.actors import Actor
from workflow.core.errors import N_, Invalid, NotFound, Stale, StepClosed
from workflow.data import audit, cases, inspections
from workflow.data.cases import Case
from workflow.data.inspections import Inspection, InspectionPhoto
from workflow.documents.uploads import ReceivedFile
from workflow.extensions import db
from workflow.services import cases as case_service
from workflow.services import inspections as inspection_service
from workflow.services import item_deadlines

MOST_PHOTOS = 6
"""Photos that a company may add to one item."""


def _open_visit(actor: Actor, case_id: int) -> Inspection:
    """The visit whose failed items the actor's company is putting right now, its case locked."""
    case = case_service.get(actor, case_id)
    if case.enterprise_id not in actor.enterprise_ids:
        raise NotFound()
    case = cases.lock(case_id)
    visit = inspection_service.last_concluded(case)
    if visit is None or not is_open(case):
        raise StepClosed(N_("案件当前不在整改中，请查看最新进展。"))
    db.session.refresh(visit)
    return visit


def is_open(case: Case) -> bool:
    """Whether the company is to report a rectification now."""
    return case.is_open and any(step.form == "rectify" for step in case.flow.steps_from(case.state))


def save_draft(
    actor: Actor, case_id: int, remedies: Mapping[str, str], *, revision: int, now: dt.datetime
) -> Inspection:
    """Keep the words for items as they are typed; :class:`Stale` when another window saved after ``revision``."""
    visit = _open_visit(actor, case_id)
    if revision != visit.revision:
        raise Stale(N_("整改情况刚在另一处保存过，请核对最新内容。"))
    changed = False
    for item in item_deadlines.failed(visit):
        words = case_service.clean_words(remedies.get(item.code, item.remedy), f"remedy_{item.code}")
        changed, item.remedy = changed or words != item.remedy, words
    visit.revision += changed
    return visit


def photos_of(visit: Inspection, code: str) -> list[InspectionPhoto]:
    """The company's photos of one item, without those that it took back."""
    return [p for p in visit.photos if p.by_company and p.code == code and p.taken_back_at is None]


def add_photo(
    actor: Actor, case_id: int, code: str, received: ReceivedFile, *, caption: str, now: dt.datetime
) -> InspectionPhoto:
    """Add the company's photo of a failed item as it is now."""
    visit = _open_visit(actor, case_id)
    if code not in {i.code for i in item_deadlines.failed(visit)}:
        raise NotFound()
    field = f"remedy_{code}"
    if len(photos_of(visit, code)) >= MOST_PHOTOS:
        raise Invalid(N_("每项最多 %(n)s 张照片。"), field=field, n=MOST_PHOTOS)
    photo = inspection_service.keep_photo(
        visit, received, actor, now, code=code, caption=caption, field=field, by_company=True
    )
    _record(audit.REMEDY_PHOTO_ADDED, visit, photo, actor, now)
    return photo


def take_photo_back(actor: Actor, photo_id: int, now: dt.datetime) -> InspectionPhoto:
    """Take a photo of one's own company back before the rectification is reported; its row and hash stay."""
    query = inspections.visible_photos(actor).where(InspectionPhoto.id == photo_id, InspectionPhoto.by_company)
    photo = db.session.scalar(query)
    if photo is None:
        raise NotFound()
    case_id = db.session.scalars(select(Inspection.case_id).where(Inspection.id == photo.inspection_id)).one()
    visit = _open_visit(actor, case_id)
    if photo.inspection_id != visit.id:
        raise StepClosed(N_("这张照片已随整改报告提交，不能再移除。"))
    if photo.taken_back_at is None:
        photo.taken_back_at, photo.taken_back_by = now, actor.person_id
        _record(audit.REMEDY_PHOTO_REMOVED, visit, photo, actor, now)
    return photo


def _record(event: audit.Event, visit: Inspection, photo: InspectionPhoto, actor: Actor, now: dt.datetime) -> None:
    after = {"inspection": visit.id, "item": photo.code, "photo": photo.id, "sha256": photo.sha256}
    chain = f"town:{visit.case.town_id}"
    audit.record(event, chain=chain, actor=actor, at=now, case_id=visit.case_id, after=after)
