"""Vehicle passes: a company asks on an approved case, an officer grants, refuses or revokes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.exc import IntegrityError

from workflow.core.actors import ROLE_PERMISSIONS, Actor, Permission
from workflow.core.errors import N_, Invalid, NotFound, NotPermitted, StepClosed
from workflow.core.identifiers import parse_plate
from workflow.core.texts import clean_text, required_line
from workflow.core.times import shanghai_day
from workflow.data import audit, cases, passes
from workflow.data.cases import Case
from workflow.data.passes import PURPOSES, VehiclePass
from workflow.data.sequences import next_number
from workflow.documents.pass_kinds import PassKind
from workflow.extensions import db, settings
from workflow.services import cases as case_service
from workflow.services import issuing, keys, pass_life

MAX_LIVE_PASSES = 200


@dataclass(frozen=True, slots=True)
class PassRequest:
    """What a company asks for, as typed; ``drivers`` are names."""

    plate: str
    vehicle_type: str
    purpose: str
    route: str
    drivers: Sequence[str]
    valid_from_on: dt.date | None
    valid_until_on: dt.date | None


def _is_approved(case: Case) -> bool:
    return case.permits


def _days(request: PassRequest, now: dt.datetime) -> tuple[dt.date, dt.date]:
    today, longest = shanghai_day(now), settings().pass_max_days
    first, last = request.valid_from_on, request.valid_until_on
    if first is None or first < today:
        raise Invalid(N_("起始日期不能早于今天。"), field="valid_from_on")
    if last is None or last < first:
        raise Invalid(N_("截止日期不能早于起始日期。"), field="valid_until_on")
    if (last - first).days >= longest or first > today + dt.timedelta(days=60):
        raise Invalid(N_("通行证一次最多 %(n)s 天，到期可再申请。"), field="valid_until_on", n=longest)
    return first, last


def _check_room(case: Case, plate: str, first: dt.date, last: dt.date, today: dt.date) -> None:
    """Raise when the plate has a live pass on one of the days, or the case has too many; ended ones don't count."""
    live = [p for p in passes.of_case(case.id) if p.status in ("requested", "granted") and p.valid_until_on >= today]
    if any(p.plate == plate and p.valid_from_on <= last and first <= p.valid_until_on for p in live):
        raise Invalid(N_("这辆车已有申请或有效的通行证。"), field="plate")
    if len(live) >= MAX_LIVE_PASSES:
        raise Invalid(N_("每个案件最多 %(n)s 张通行证。"), n=MAX_LIVE_PASSES)


def _add(asked: VehiclePass) -> None:
    db.session.add(asked)
    try:
        db.session.flush()
    except IntegrityError as error:
        raise Invalid(N_("这辆车已有申请或有效的通行证。"), field="plate") from error


def request_pass(actor: Actor, case_id: int, request: PassRequest, now: dt.datetime) -> VehiclePass:
    """Ask for a pass for one vehicle, on an approved case of the actor's company.

    Passes of a plate may follow each other; :class:`Invalid` when the days of two would overlap.
    """
    case = case_service.get(actor, case_id)
    if case.enterprise_id not in actor.enterprise_ids:
        raise NotPermitted()
    case = cases.lock(case_id)
    if not _is_approved(case):
        raise StepClosed(N_("同意复工之后才能申请车辆通行证。"))
    plate, kind = parse_plate(request.plate)
    if request.purpose not in PURPOSES:
        raise Invalid(N_("请选择用途。"), field="purpose")
    first, last = _days(request, now)
    drivers = [required_line(d, "drivers", 60) for d in request.drivers if clean_text(d)]
    if not drivers or len(drivers) > 5:
        raise Invalid(N_("请填写 1 至 5 名驾驶员。"), field="drivers")
    _check_room(case, plate, first, last, shanghai_day(now))
    asked = VehiclePass(
        case=case,
        town_id=case.town_id,
        plate=plate,
        plate_kind=kind.value,
        vehicle_type=required_line(request.vehicle_type, "vehicle_type", 40),
        purpose=request.purpose,
        route=required_line(request.route, "route", 200),
        drivers=drivers,
        valid_from_on=first,
        valid_until_on=last,
        requested_by=actor.person_id,
        requested_at=now,
    )
    _add(asked)
    pass_life.record(audit.PASS_REQUESTED, asked, actor, now)
    return asked


def get(actor: Actor, pass_id: int) -> VehiclePass:
    """A pass of a case the actor may see."""
    found = db.session.scalar(passes.visible_to(actor).where(VehiclePass.id == pass_id))
    if found is None:
        raise NotFound()
    return found


def _for_officer(actor: Actor, pass_id: int) -> VehiclePass:
    """The pass with its case locked, for an officer of the case's area who is not of the company."""
    found = get(actor, pass_id)
    case = cases.lock(found.case_id)
    roles = actor.roles_for(enterprise_id=None, area_ids=case.area_ids, bureau=case.bureau)
    may = any(Permission.DECIDE_PASS in ROLE_PERMISSIONS[r] for r in roles)  # a right held elsewhere does not count
    if not may or case.enterprise_id in actor.enterprise_ids:
        raise NotPermitted()
    db.session.refresh(found)
    return found


def grant(actor: Actor, pass_id: int, now: dt.datetime) -> VehiclePass:
    """Grant a requested pass: number, short code and signed token are made in the same transaction."""
    found = _for_officer(actor, pass_id)
    if found.status != "requested":
        raise StepClosed(N_("这份通行证申请已经办理过了。"))
    if not _is_approved(found.case):
        raise StepClosed(N_("同意复工之后才能申请车辆通行证。"))
    today = shanghai_day(now)
    if found.valid_until_on < today:
        raise StepClosed(N_("申请的有效期已过，请退回让企业重新申请。"))
    county = found.case.county.code
    serial = next_number(f"pass:{county}")
    found.number, found.short_code = f"{county}{serial:06d}", keys.new_short_code()
    found.fingerprint = passes.fingerprint_of(found.number)
    found.token = issuing.document_token(
        PassKind(found.purpose), found.number, found.plate, county, found.valid_from_on, found.valid_until_on
    )
    pass_life.settle(found, "granted", actor, now)
    return found


def refuse(actor: Actor, pass_id: int, words: str, now: dt.datetime) -> VehiclePass:
    """Refuse a requested pass with a reason."""
    found = _for_officer(actor, pass_id)
    if found.status != "requested":
        raise StepClosed(N_("这份通行证申请已经办理过了。"))
    pass_life.settle(found, "refused", actor, now, required_line(words, "words", 500))
    return found


def revoke(actor: Actor, pass_id: int, words: str, now: dt.datetime) -> VehiclePass:
    """Revoke a granted pass with a reason; the check page says so from the next look on."""
    found = _for_officer(actor, pass_id)
    if found.status != "granted":
        raise StepClosed(N_("只有已发放的通行证才能撤销。"))
    pass_life.settle(found, "revoked", actor, now, required_line(words, "words", 500))
    return found
