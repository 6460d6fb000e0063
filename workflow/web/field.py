"""What an inspector's phone talks to, in JSON: the day to take along, operations, photos, signatures, the conclusion.

Every request names its own parts (operations, photos), so that one whose reply was lost is simply sent again.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

from flask import Blueprint, Response, current_app, g, jsonify, request
from flask_babel import gettext as _
from flask_wtf.csrf import generate_csrf

from workflow.core.actors import Permission
from workflow.core.errors import N_, DomainError, Invalid
from workflow.core.evidence import clock_words, read_device_time, read_place
from workflow.data import people
from workflow.documents.uploads import FileKind, FileTooLarge
from workflow.extensions import settings
from workflow.i18n import say
from workflow.services import evidence, field_sheets, signatures
from workflow.services.evidence import Shot
from workflow.services.field_sheets import Conclusion, OperationResult
from workflow.services.signatures import Given
from workflow.web import field_day, field_parts, intake, sheets
from workflow.web.access import actor, answers_json, requires
from workflow.web.boundary import after_commit, beforehand, names_itself
from workflow.web.clock import now

bp = Blueprint("field", __name__, url_prefix="/field")

MAX_SYNC_BYTES = 1 << 20
PHOTO_KINDS = (FileKind.JPEG, FileKind.HEIC, FileKind.PNG)


class TooLarge(DomainError):
    """A body of more bytes than a phone may send at once."""

    status = 413


@bp.after_request
def _never_kept(response: Response) -> Response:
    """No answer to a phone lies in any cache: the page keeps what it needs in its own store."""
    response.headers["Cache-Control"] = "no-store"
    return response


@bp.get("/day.json")
@requires(Permission.INSPECT)
@answers_json
def day() -> Response:
    """The person's visits for the next days with everything on their sheets."""
    who = actor()
    visits = field_day.day(who, now())
    return jsonify(
        person={"id": who.person_id, "name": who.name}, csrf=generate_csrf(), now=now().isoformat(), visits=visits
    )


def _check_size() -> None:
    if len(request.get_data(cache=True)) > MAX_SYNC_BYTES:
        raise TooLarge(N_("一次上传的记录过多，请分批上传。"))


def _result(found: OperationResult, names: dict[int, str]) -> dict[str, Any]:
    row = found.row
    return {
        "op_id": found.op_id,
        "status": found.status,
        "code": found.code,
        "revision": row.revision if row else None,
        "current": field_day.mark_of(row, names) if row else None,
        "message": say(found.message) if found.message else "",
    }


@bp.post("/sync")
@requires(Permission.INSPECT, Permission.SEE_CASE)
@answers_json
@names_itself
def sync() -> Response:
    """Take a phone's operations in; whoever lost the visit meanwhile is told so, and what he marked is kept."""
    _check_size()
    device_id, good, bad = field_parts.operations(request.get_json(silent=True))
    found = field_sheets.sync(actor(), device_id, good, now()) if good else []
    names = people.names_of({r.row.marked_by for r in found if r.row and r.row.marked_by})
    judged = iter(found)
    results = [_result(r or next(judged), names) for r in bad]
    return jsonify(now=now().isoformat(), results=results)


def _receive_photo(inspection_id: int, client_id: str) -> None:
    """Read the photo off the network and parse it before any lock is taken; what is there already is not parsed."""
    most = settings().max_upload_mb << 20
    if (request.content_length or 0) > most:
        raise TooLarge(N_("照片超过 %(n)s MB，请在手机上压缩后再传。"), n=settings().max_upload_mb)
    client_id, sha256 = field_parts.uuid_of(client_id), field_parts.sha256_of(request.headers.get("X-Sha256", ""))
    if evidence.there(actor(), inspection_id, client_id, sha256) is not None:
        return
    evidence.check_open(actor(), inspection_id)
    try:
        taken = intake.take_in_picture(sha256, PHOTO_KINDS, most)
    except FileTooLarge as error:
        raise TooLarge(error.message, **error.params) from error
    with taken.path.open("rb") as stream:
        intake.render_picture(stream, PHOTO_KINDS, most)


def _shot(client_id: str) -> Shot:
    headers, taken = request.headers, request.headers.get("X-Taken-At", "")
    return Shot(
        client_id=field_parts.uuid_of(client_id),
        sha256=field_parts.sha256_of(headers.get("X-Sha256", "")),
        code=headers.get("X-Code", ""),
        caption=unquote(headers.get("X-Caption", "")),
        taken_at=read_device_time(taken) if taken else None,
        source=headers.get("X-Source", ""),
        place=read_place(headers.get("X-Place", "").strip()),
    )


@bp.put("/<int:inspection_id>/photos/<client_id>")
@requires(Permission.INSPECT)
@answers_json
@names_itself
@beforehand(_receive_photo)
@intake.takes(lambda inspection_id, client_id: PHOTO_KINDS)
def put_photo(inspection_id: int, client_id: str) -> tuple[Response, int]:
    """Keep one photo; the same one again is found to be there already."""
    shot = _shot(client_id)
    kept = evidence.there(actor(), inspection_id, shot.client_id, shot.sha256)
    if kept is not None:
        return jsonify(client_id=kept.client_id, sha256=kept.sha256), 200
    original, shown = intake.received(intake.ORIGINAL)[0], intake.received(intake.SHOWN)[0]
    kept = evidence.keep(actor(), inspection_id, shot, original, shown, now())
    words = clock_words(kept.clock_off)
    return jsonify(client_id=kept.client_id, sha256=kept.sha256, message=say(words) if words else ""), 201


@bp.get("/<int:inspection_id>/photos")
@requires(Permission.INSPECT)
@answers_json
def photos(inspection_id: int) -> Response:
    """The photos that are here already, so that a finished one is never sent again."""
    found = evidence.sent(actor(), inspection_id)
    listed = [{"client_id": p.client_id, "sha256": p.sha256, "taken_back": p.taken_back_at is not None} for p in found]
    return jsonify(photos=listed)


@bp.delete("/<int:inspection_id>/photos/<client_id>")
@requires(Permission.INSPECT)
@answers_json
@names_itself
def take_photo_back(inspection_id: int, client_id: str) -> Response:
    """Take one's own photo off the sheet; its row and its hash stay."""
    photo = evidence.take_back(actor(), inspection_id, field_parts.uuid_of(client_id), now())
    return jsonify(client_id=photo.client_id, sha256=photo.sha256, taken_back=True)


def _receive_drawing(inspection_id: int, party: str) -> None:
    """Parse the drawn signature before any lock is taken."""
    data = field_parts.drawing(field_parts.body_of(request.get_json(silent=True)).get("image"))
    g.drawing = intake.render_picture(data, (FileKind.PNG,), field_parts.MAX_DRAWING) if data else None


@bp.put("/<int:inspection_id>/signatures/<party>")
@requires(Permission.INSPECT)
@answers_json
@names_itself
@beforehand(_receive_drawing)
def put_signature(inspection_id: int, party: str) -> Response:
    """Keep what a party says to the sheet: signed, or refused with a reason."""
    body = field_parts.body_of(request.get_json(silent=True))
    texts = {name: field_parts.text_of(body, name) for name in ("status", "name", "post", "reason", "device_id")}
    device_at = field_parts.device_time(body)
    given = Given(op_id=field_parts.uuid_of(body.get("op_id")), device_at=device_at, drawing=g.drawing, **texts)
    signed = signatures.sign(actor(), inspection_id, party, given, now())
    words = clock_words(signed.clock_off)
    shown = field_day.signature_of(signed, signed.covers)
    return jsonify(party=party, signature=shown, message=say(words) if words else "")


@bp.post("/<int:inspection_id>/conclude")
@requires(Permission.INSPECT)
@answers_json
@names_itself
def conclude(inspection_id: int) -> Response:
    """Conclude the visit with a step of the flow, once."""
    body = field_parts.body_of(request.get_json(silent=True))
    version = body.get("case_version")
    if not isinstance(version, int) or isinstance(version, bool):
        raise Invalid(_("表单内容不对，请刷新页面后重试。"), field="case_version")
    conclusion = Conclusion(
        op_id=field_parts.uuid_of(body.get("op_id")),
        action=field_parts.text_of(body, "action"),
        words=field_parts.text_of(body, "words"),
        rectify_by_on=field_parts.date_of(body, "rectify_by_on"),
        case_version=version,
        device_id=field_parts.text_of(body, "device_id"),
        device_at=field_parts.device_time(body),
    )
    visit = field_sheets.conclude(actor(), inspection_id, conclusion, now())
    after_commit(current_app.extensions["wake_worker"])
    document = sheets.document_of(visit)
    return jsonify(status="concluded", document_id=document.id if document else None)
