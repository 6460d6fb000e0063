"""What a gate is told on-line of one pass: by what was scanned, by its short code, or by the plate in front of it."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import Select, select
from sqlalchemy.orm import joinedload

from workflow.core.errors import N_, Reason
from workflow.core.gate_rules import fold_plate, near_plates
from workflow.core.identifiers import show_plate, squeeze
from workflow.core.times import shanghai_day
from workflow.data.cases import Case
from workflow.data.passes import NEVER_GRANTED, VehiclePass
from workflow.documents import tokens
from workflow.documents.pass_kinds import kind as kind_called
from workflow.extensions import db
from workflow.services import keys, verification
from workflow.services.verification import Check, Status

MOST_PASSES = 10
ENDED_SHOWN = dt.timedelta(days=30)
"""A plate's passes that ended longer ago are not shown at a gate."""
_ADDRESS = re.compile(r"https?://[^/\s]+/c/([A-Z2-7]+)", re.IGNORECASE | re.ASCII)
_BEST = (Status.VALID, Status.HOURS, Status.NOT_YET, Status.REVOKED, Status.EXPIRED)


@dataclass(frozen=True, slots=True)
class Answer:
    """The best of what was found, the rest, and words where something has to be said about what was typed."""

    best: Check
    checks: tuple[Check, ...] = ()
    words: Reason | None = None


def token_in(text: str) -> str:
    """The token in what a camera read: the last part of our address, or the text itself."""
    found = _ADDRESS.fullmatch(text.strip())
    return found[1].upper() if found else text.strip()


def claims_in(text: str, ring: Mapping[bytes, Ed25519PublicKey] | None = None) -> tokens.PassClaims | None:
    """What a genuine token says; None for anything that no key of ours signed. ``ring``: the keys, for many at once."""
    try:
        return tokens.verify(token_in(text), keys.public_keys() if ring is None else ring)
    except tokens.TokenForged:
        return None


def looks_like_ours(text: str) -> bool:
    """Whether what was read has the form of our tokens: then it is a forgery, and not just another system's code."""
    return bool(_ADDRESS.fullmatch(text.strip())) or tokens.key_named_by(token_in(text)) is not None


def is_vehicle_pass(claims: tokens.PassClaims) -> bool:
    """Whether the token is a pass for a vehicle or person, and no paper that carries a token of the same make."""
    return kind_called(claims.kind).is_pass


def _with_case() -> Select[VehiclePass]:
    case = joinedload(VehiclePass.case)
    return select(VehiclePass).options(case.joinedload(Case.county), case.joinedload(Case.town))


def by_token(text: str, now: dt.datetime) -> Answer:
    """Check what was scanned: signature, register, and what the pass is at this moment."""
    claims = claims_in(text)
    if claims is None:
        return Answer(Check(Status.FORGED))
    if not is_vehicle_pass(claims):
        return Answer(Check(Status.UNKNOWN), words=Reason(N_("这是文书上的二维码，不是车辆通行证。")))
    found = db.session.scalar(_with_case().where(VehiclePass.number == claims.number))
    if found is None or found.token != token_in(text):
        return Answer(Check(Status.UNKNOWN))
    return Answer(verification.check_pass(found, now))


def by_code(text: str, now: dt.datetime) -> Answer:
    """Check the short code printed below the QR code."""
    code = keys.parse_short_code(text)
    if code is None:
        return Answer(Check(Status.UNKNOWN), words=Reason(N_("编码不对，请逐位核对证上的编码。")))
    found = db.session.scalar(_with_case().where(VehiclePass.short_code == code))
    return Answer(verification.check_pass(found, now) if found is not None else Check(Status.UNKNOWN))


def _of_plates(plates: Iterable[str], now: dt.datetime) -> list[VehiclePass]:
    """Passes once granted of some plates, the newest first."""
    query = _with_case().where(
        VehiclePass.plate.in_(list(plates)),
        VehiclePass.status.not_in(NEVER_GRANTED),
        VehiclePass.valid_until_on >= shanghai_day(now - ENDED_SHOWN),
    )
    return list(db.session.scalars(query.order_by(VehiclePass.valid_until_on.desc(), VehiclePass.id.desc()).limit(50)))


def by_plate(text: str, now: dt.datetime) -> Answer:
    """Look a plate up: its passes, the best first; where there are none, plates that are easily taken for it."""
    plate = fold_plate(text)[:16]
    checks = [verification.check_pass(found, now) for found in _of_plates([plate], now)]
    checks = sorted(checks, key=lambda c: _BEST.index(c.status))[:MOST_PASSES]
    if checks:
        words = Reason(N_("号牌不使用字母 I 和 O，已按数字 1 和 0 查找。")) if plate != squeeze(text) else None
        return Answer(checks[0], tuple(checks), words)
    near = sorted({show_plate(p.plate) for p in _of_plates(near_plates(plate), now)})
    hint = N_("没有这个车牌的通行证；有相近的车牌 %(plates)s，请与车辆再核对一遍。")
    return Answer(Check(Status.UNKNOWN), words=Reason(hint, {"plates": "、".join(near[:3])}) if near else None)
