"""Signatures on a sheet: the company's on glass or its refusal, and each inspector's own confirmation."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import select

from workflow.core.actors import Actor
from workflow.core.errors import N_, Invalid, NotFound, NotPermitted, Replayed
from workflow.core.evidence import clock_off
from workflow.core.texts import clean_text
from workflow.data import audit, field
from workflow.data.field import PARTIES, FieldOperation, InspectionSignature
from workflow.data.inspections import Inspection
from workflow.documents.uploads import ReceivedFile
from workflow.extensions import db
from workflow.services import inspections as inspection_service
from workflow.services import materials as material_service
from workflow.services.cases import clean_words
from workflow.services.field_sheets import REFUSALS, arranged_at

LONGEST_NAME = 60


@dataclass(frozen=True, slots=True)
class Given:
    """A signature as the phone sends it; ``drawing`` is None where the name was typed or signing was refused."""

    op_id: str
    status: str
    name: str
    post: str
    reason: str
    device_at: dt.datetime | None
    device_id: str = ""
    drawing: ReceivedFile | None = None


def _line(text: str) -> str:
    return " ".join(clean_text(text).split())[:LONGEST_NAME]


def _check(visit: Inspection, party: str, given: Given, actor: Actor) -> tuple[str, str]:
    """The name and the reason as kept; raises for a party that this person can't speak for, or words that lack."""
    own = {"lead": visit.lead_id, "second": visit.second_id}.get(party)
    if own is not None and own != actor.person_id:
        raise NotPermitted(N_("核查员只能用自己的账号为自己确认。"))
    if given.status not in ("signed", "refused"):
        raise Invalid(N_("请选择列表中的一项。"), field="status")
    name, reason = _line(given.name), clean_words(given.reason, "reason")
    if own is not None:
        name = actor.name
        if given.status == "refused":
            raise Invalid(N_("核查员对记录有异议的，请先改正记录，再确认。"), field="status")
    if given.status == "refused" and not reason:
        raise Invalid(N_("请写明企业拒签的理由。"), field="reason")
    if given.status == "signed" and not name:
        raise Invalid(N_("请填写签字人的姓名。"), field="name")
    return name, reason


def sign(actor: Actor, inspection_id: int, party: str, given: Given, now: dt.datetime) -> InspectionSignature:
    """Keep what a party says to the sheet as it stands now; a later one of the same party takes its place.

    Each inspector speaks for himself; the company signs, or refuses with a reason, on either inspector's phone.
    """
    if party not in PARTIES:
        raise NotFound()
    visit = inspection_service.own_planned(actor, inspection_id)
    before = field.operations([given.op_id]).get(given.op_id)
    kept = _of_party(visit, party)
    if before is not None:
        same = (before.person_id, before.kind, before.inspection_id, before.code)
        if same != (actor.person_id, "sign", visit.id, party) or kept is None:
            raise Replayed(REFUSALS["taken"])
        return kept
    name, reason = _check(visit, party, given, actor)
    row = kept or InspectionSignature(inspection_id=visit.id, party=party)
    row.person_id, row.name, row.post, row.status, row.reason = (
        actor.person_id,
        name,
        _line(given.post),
        given.status,
        reason,
    )
    row.file = material_service.keep_received(given.drawing, now) if given.drawing else None
    row.covers, row.at, row.device_at = field.covered(visit), now, given.device_at
    row.clock_off = clock_off(given.device_at, now, arranged_at(visit))
    db.session.add_all([row, _operation(visit, party, given, actor, row.clock_off, now)])
    db.session.flush()
    after: dict[str, object] = {"party": party, "status": row.status, "covers": row.covers}
    if row.file is not None:
        after |= {"signature": row.id, "sha256": row.file.sha256}
    inspection_service.record(audit.SHEET_SIGNED, visit, actor, now, after)
    return row


def _of_party(visit: Inspection, party: str) -> InspectionSignature | None:
    query = select(InspectionSignature).where(
        InspectionSignature.inspection_id == visit.id, InspectionSignature.party == party
    )
    return db.session.scalar(query)


def _operation(visit: Inspection, party: str, given: Given, actor: Actor, off: int, now: dt.datetime) -> FieldOperation:
    return FieldOperation(
        op_id=given.op_id,
        kind="sign",
        inspection_id=visit.id,
        code=party,
        values={"status": given.status},
        person_id=actor.person_id,
        device_id=given.device_id,
        device_at=given.device_at,
        received_at=now,
        clock_off=off,
        status="applied",
    )
