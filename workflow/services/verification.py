"""The public check of a pass or paper: by its signed token or its printed short code, without personal data."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum

from workflow.core.identifiers import show_plate
from workflow.core.tables import Label
from workflow.core.times import end_of_day, shanghai_day, start_of_day
from workflow.data import issued, passes
from workflow.data.cases import Case
from workflow.data.issued import IssuedDocument
from workflow.data.passes import VehiclePass
from workflow.documents import tokens
from workflow.documents.pass_kinds import NOTICE, SHEET
from workflow.documents.pass_kinds import kind as kind_called
from workflow.extensions import db
from workflow.services import keys


class Status(StrEnum):
    """What the check says, in one word."""

    VALID = "valid"
    HOURS = "hours"
    NOT_YET = "not_yet"
    EXPIRED = "expired"
    REVOKED = "revoked"
    FORGED = "forged"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Check:
    """The answer: status, and for genuine ones what may be shown to anybody.

    ``HOURS`` says that a pass is good today or tomorrow but not at this hour, ``hours`` when in the week it is. A pass
    that is suspended is ``REVOKED`` like every dead one, and ``is_suspended`` says that it may live again.
    ``outcome`` (a source text) and ``head`` (the hash of the town's history as printed) only for inspection sheets.
    """

    status: Status
    kind: Label | None = None
    is_pass: bool = False
    plate: str = ""
    number: str = ""
    enterprise: str = ""
    area: str = ""
    valid_from_on: dt.date | None = None
    valid_until_on: dt.date | None = None
    outcome: str = ""
    head: str = ""
    hours: Label | None = None
    is_suspended: bool = False


def check_token(token: str, now: dt.datetime) -> Check:
    """Check a token: signature first, then whether the register knows it, then revocation and time."""
    try:
        claims = tokens.verify(token.strip(), keys.public_keys())
    except tokens.TokenForged:
        return Check(Status.FORGED)
    if claims.kind in (NOTICE, SHEET):
        document = issued.by_short_code(claims.number)
        known = document is not None and document.token == token.strip()
        return _check_document(document, claims, now) if document and known else Check(Status.UNKNOWN)
    found = passes.by_number(claims.number)
    if found is None or found.token != token.strip():
        return Check(Status.UNKNOWN)
    return check_pass(found, now)


def check_code(text: str, now: dt.datetime) -> Check:
    """Check a typed short code; a wrong check character or an unknown code gives UNKNOWN."""
    code = keys.parse_short_code(text)
    if code is None:
        return Check(Status.UNKNOWN)
    found = passes.by_short_code(code)
    if found is not None:
        return check_found(found, now)
    document = issued.by_short_code(code)
    if document is None or not document.token:
        return Check(Status.UNKNOWN)
    try:
        claims = tokens.verify(document.token, keys.public_keys())
    except tokens.TokenForged:  # its key was taken away
        return Check(Status.FORGED)
    return _check_document(document, claims, now)


def check_found(found: VehiclePass, now: dt.datetime) -> Check:
    """Check a pass that was found without its token: what a key signed that was taken away is forged here too."""
    try:
        tokens.verify(found.token or "", keys.public_keys())
    except tokens.TokenForged:
        return Check(Status.FORGED)
    return check_pass(found, now)


def check_pass(found: VehiclePass, now: dt.datetime) -> Check:
    """What a pass is at an instant, once it is known to be genuine."""
    if found.is_dead:
        status = Status.REVOKED
    elif now < start_of_day(found.valid_from_on):
        status = Status.NOT_YET
    elif now >= end_of_day(found.valid_until_on):
        status = Status.EXPIRED
    elif not found.hours.admits(now):
        status = Status.HOURS
    else:
        status = Status.VALID
    case = found.case
    return Check(
        status=status,
        kind=kind_called(found.purpose).word,
        is_pass=True,
        plate=show_plate(found.plate),
        number=found.number or "",
        enterprise=case.enterprise_name,
        area=f"{case.county.name}{case.town.name}",
        valid_from_on=found.valid_from_on,
        valid_until_on=found.valid_until_on,
        hours=found.hours.label,
        is_suspended=found.status == "suspended",
    )


def _check_document(document: IssuedDocument, claims: tokens.PassClaims, now: dt.datetime) -> Check:
    """A notice or sheet shows number, enterprise and day of issue, a sheet its result too; both are public acts.

    A notice says that the enterprise may work: while its case doesn't (work was stopped), it isn't valid either.
    """
    status = Status.VALID if now < claims.expires else Status.EXPIRED
    is_sheet = claims.kind == SHEET
    case = db.session.get_one(Case, document.case_id) if claims.kind == NOTICE else None
    is_stopped = case is not None and not case.permits
    head = document.facts.get("head") if is_sheet else None
    return Check(
        status=Status.REVOKED if document.revoked_at or is_stopped else status,
        kind=kind_called(claims.kind).word,
        number=document.number,
        enterprise=str(document.facts.get("enterprise", "")),
        area=str(document.facts.get("issuing_area") or document.facts.get("area", "")),
        valid_from_on=shanghai_day(document.issued_at),
        outcome=str(document.facts.get("outcome", "")) if is_sheet else "",
        head=str(head[1]) if head else "",
        is_suspended=is_stopped and case is not None and case.is_open,
    )
