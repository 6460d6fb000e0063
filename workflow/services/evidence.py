"""Photos from the phone as evidence: hashed when taken, kept as sent, shown without what the camera wrote into them."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import select

from workflow.core.actors import Actor
from workflow.core.errors import N_, Invalid, NotFound, NotPermitted, Stale
from workflow.core.evidence import Place, clock_off
from workflow.core.texts import clean_text
from workflow.data import audit
from workflow.data.inspections import Inspection, InspectionPhoto
from workflow.documents.uploads import ReceivedFile
from workflow.extensions import db
from workflow.services import inspections as inspection_service
from workflow.services import materials as material_service
from workflow.services.field_sheets import arranged_at
from workflow.services.inspections import MAX_PHOTOS

SOURCES = ("camera", "gallery")


@dataclass(frozen=True, slots=True)
class Shot:
    """What a phone says of a photo: its own name for it, what it shows, the hash of its bytes, when, how and where."""

    client_id: str
    sha256: str
    code: str
    caption: str
    taken_at: dt.datetime | None
    source: str
    place: Place


def _named(client_id: str) -> InspectionPhoto | None:
    return db.session.scalar(select(InspectionPhoto).where(InspectionPhoto.client_id == client_id))


def there(actor: Actor, inspection_id: int, client_id: str, sha256: str) -> InspectionPhoto | None:
    """The photo that the phone sent under this name before, or None; :class:`Stale` when it had other bytes.

    Only for the visit's inspectors; a visit that is over still says what it has.
    """
    visit = inspection_service.get(actor, inspection_id)
    if actor.person_id not in (visit.lead_id, visit.second_id):
        raise NotPermitted(N_("由指定的两名核查员办理"))
    found = _named(client_id)
    if found is None:
        return None
    if (found.inspection_id, found.sha256) != (visit.id, sha256):
        raise Stale(N_("此照片的编号已用于另一张照片，请在手机上重新拍摄。"))
    return found


def check_open(actor: Actor, inspection_id: int) -> None:
    """Raise unless this person may add photos to the visit now; asked before the bytes are parsed."""
    inspection_service.refuse_unless_open(actor, inspection_service.get(actor, inspection_id))


def keep(
    actor: Actor, inspection_id: int, shot: Shot, original: ReceivedFile, shown: ReceivedFile, now: dt.datetime
) -> InspectionPhoto:
    """Keep a photo: ``original`` are the bytes as sent, ``shown`` our rendering of them, the only one that is served.

    The temporary files are gone afterwards.
    """
    visit = inspection_service.own_planned(actor, inspection_id)
    known = there(actor, inspection_id, shot.client_id, shot.sha256)
    if known is not None:
        return known  # two requests with the same photo: the second one waited for the case's lock
    _check(visit, shot)
    photo = InspectionPhoto(
        inspection_id=visit.id,
        code=shot.code,
        caption=clean_text(shot.caption)[:200],
        file=material_service.keep_received(shown, now),
        original=material_service.keep_received(original, now),
        added_by=actor.person_id,
        added_at=now,
        client_id=shot.client_id,
        sha256=shot.sha256,
        taken_at=shot.taken_at,
        clock_off=clock_off(shot.taken_at, now, arranged_at(visit)),
        source=shot.source,
        latitude=shot.place.latitude,
        longitude=shot.place.longitude,
        place_status=shot.place.status.value,
    )
    visit.photos.append(photo)
    db.session.flush()
    after = {"photo": photo.id, "sha256": photo.sha256, "shown": photo.file.sha256, "source": photo.source}
    inspection_service.record(audit.PHOTO_ADDED, visit, actor, now, after)
    return photo


def _check(visit: Inspection, shot: Shot) -> None:
    if shot.code and shot.code not in {i.code for i in visit.items}:
        raise Invalid(N_("清单中没有这一项。请在有信号处刷新当日核查。"), field="code")
    if shot.source not in SOURCES:
        raise Invalid(N_("请说明照片是拍摄的还是从相册选的。"), field="source")
    if sum(not p.by_company for p in visit.photos) >= MAX_PHOTOS:
        raise Invalid(N_("每次核查最多 %(n)s 张照片。"), field="photos", n=MAX_PHOTOS)


def sent(actor: Actor, inspection_id: int) -> list[InspectionPhoto]:
    """Every photo of a visit that came from a phone, also those taken back: none of them is to be sent again."""
    visit = inspection_service.get(actor, inspection_id)
    if actor.person_id not in (visit.lead_id, visit.second_id):
        raise NotPermitted(N_("由指定的两名核查员办理"))
    query = (
        select(InspectionPhoto)
        .where(InspectionPhoto.inspection_id == visit.id, InspectionPhoto.client_id.is_not(None))
        .order_by(InspectionPhoto.id)
    )
    return list(db.session.scalars(query))


def take_back(actor: Actor, inspection_id: int, client_id: str, now: dt.datetime) -> InspectionPhoto:
    """Take one's own photo off the sheet before the visit is concluded: row, hash and bytes stay."""
    visit = inspection_service.own_planned(actor, inspection_id)
    photo = _named(client_id)
    if photo is None or photo.inspection_id != visit.id:
        raise NotFound()
    if photo.added_by != actor.person_id:
        raise NotPermitted(N_("照片由拍摄人自己撤回。"))
    if photo.taken_back_at is None:
        photo.taken_back_at, photo.taken_back_by = now, actor.person_id
        db.session.flush()
        db.session.expire(visit, ["photos"])
        after = {"photo": photo.id, "sha256": photo.sha256}
        inspection_service.record(audit.PHOTO_TAKEN_BACK, visit, actor, now, after)
    return photo
