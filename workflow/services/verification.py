"""The public check of a pass or paper: by its signed token or its printed short code, without personal data."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum

from workflow.core.identifiers import show_plate
from workflow.core.times import end_of_day, shanghai_day, start_of_day
from workflow.data import issued, passes
from workflow.data.issued import IssuedDocument
from workflow.data.passes import VehiclePass
from workflow.documents import tokens
from workflow.documents.pass_kinds import LOOKS, PassKind
from workflow.services import keys


class Status(StrEnum):
    """What the check says, in one word."""

    VALID = "valid"
    NOT_YET = "not_yet"
    EXPIRED = "expired"
    REVOKED = "revoked"
    FORGED = "forged"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Check:
    """The answer: status, and for genuine ones what may be shown to anybody.

    ``outcome`` (a source text) and ``head`` (the hash of the town's history as printed) only for inspection sheets.
    """

    status: Status
    kind: str = ""
    is_pass: bool = False
    plate: str = ""
    number: str = ""
    enterprise: str = ""
    area: str = ""
    valid_from_on: dt.date | None = None
    valid_until_on: dt.date | None = None
    outcome: str = ""
    head: str = ""


def check_token(token: str, now: dt.datetime) -> Check:
    """Check a token: signature first, then whether the register knows it, then revocation and time."""
    try:
        claims = tokens.verify(token.strip(), keys.public_keys())
    except tokens.TokenForged:
        return Check(Status.FORGED)
    if claims.kind in (PassKind.NOTICE, PassKind.SHEET):
        document = issued.by_short_code(claims.number)
        known = document is not None and document.token == token.strip()
        return _check_document(document, claims, now) if document and known else Check(Status.UNKNOWN)
    found = passes.by_number(claims.number)
    if found is None or found.token != token.strip():
        return Check(Status.UNKNOWN)
    return _check_pass(found, now)


def check_code(text: str, now: dt.datetime) -> Check:
    """Check a typed short code; a wrong check character or an unknown code gives UNKNOWN."""
    code = keys.parse_short_code(text)
    if code is None:
        return Check(Status.UNKNOWN)
    found = passes.by_short_code(code)
    if found is not None:
        return _check_pass(found, now)
    document = issued.by_short_code(code)
    if document is None or not document.token:
        return Check(Status.UNKNOWN)
    try:
        claims = tokens.verify(document.token, keys.public_keys())
    except tokens.TokenForged:  # its key was taken away
        return Check(Status.UNKNOWN)
    return _check_document(document, claims, now)


def _check_pass(found: VehiclePass, now: dt.datetime) -> Check:
    if found.is_dead:
        status = Status.REVOKED
    elif now < start_of_day(found.valid_from_on):
        status = Status.NOT_YET
    elif now >= end_of_day(found.valid_until_on):
        status = Status.EXPIRED
    else:
        status = Status.VALID
    case = found.case
    return Check(
        status=status,
        kind=LOOKS[PassKind(found.purpose)].word,
        is_pass=True,
        plate=show_plate(found.plate),
        number=found.number or "",
        enterprise=case.enterprise_name,
        area=f"{case.county.name}{case.town.name}",
        valid_from_on=found.valid_from_on,
        valid_until_on=found.valid_until_on,
    )


def _check_document(document: IssuedDocument, claims: tokens.PassClaims, now: dt.datetime) -> Check:
    """A notice or sheet shows number, enterprise and day of issue, a sheet its result too; both are public acts."""
    status = Status.VALID if now < claims.expires else Status.EXPIRED
    is_sheet = claims.kind is PassKind.SHEET
    head = document.facts.get("head") if is_sheet else None
    return Check(
        status=Status.REVOKED if document.revoked_at else status,
        kind=LOOKS[claims.kind].word,
        number=document.number,
        enterprise=str(document.facts.get("enterprise", "")),
        area=str(document.facts.get("issuing_area") or document.facts.get("area", "")),
        valid_from_on=shanghai_day(document.issued_at),
        outcome=str(document.facts.get("outcome", "")) if is_sheet else "",
        head=str(head[1]) if head else "",
    )
