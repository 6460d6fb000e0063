"""Vehicle passes: a company asks on an approved case; an officer, or the rule, decides; both act on what was granted.

Every act goes by the table of :mod:`workflow.core.pass_life` and through :mod:`workflow.services.pass_life`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from workflow.core.actors import ROLE_PERMISSIONS, SYSTEM, Actor, Permission
from workflow.core.errors import N_, DomainError, Invalid, NotFound, NotPermitted, StepClosed
from workflow.core.pass_life import INSTEAD, Action, Who
from workflow.core.texts import required_line
from workflow.core.times import shanghai_day
from workflow.data import audit, cases, enterprises, passes
from workflow.data.cases import Case
from workflow.data.passes import VehiclePass
from workflow.data.sequences import next_number
from workflow.extensions import db
from workflow.services import cases as case_service
from workflow.services import issuing, keys, pass_life
from workflow.services.pass_offer import Offer, offer, offer_for, standing_of
from workflow.services.pass_requests import LOST_WORDS, Desk, PassRequest, same_again
from workflow.services.telling import tell_of_passes

__all__ = [
    "Offer",
    "PassRequest",
    "decide_many",
    "get",
    "grant",
    "offer",
    "refuse",
    "report_lost",
    "request_many",
    "request_pass",
    "resume",
    "revoke",
    "suspend",
    "withdraw",
]
_NOT_APPROVED = N_("同意复工之后才能申请车辆通行证。")


def _case_to_ask_on(actor: Actor, case_id: int) -> Case:
    """The case, locked, and its company too: two clerks on two cases can't take one place of the quota twice."""
    case = case_service.get(actor, case_id)
    if case.enterprise_id not in actor.enterprise_ids:
        raise NotPermitted()
    case = cases.lock(case_id)
    enterprises.lock(case.enterprise_id)
    if not case.permits:
        raise StepClosed(_NOT_APPROVED)
    return case


def _desk(actor: Actor, case: Case, replaced: set[int], now: dt.datetime) -> Desk:
    standing = standing_of(case.enterprise_id, shanghai_day(now))
    older = {p.id: p for p in standing if p.id in replaced and p.case_id == case.id}
    missing = replaced - older.keys()
    if missing:
        query = select(VehiclePass).where(VehiclePass.case_id == case.id, VehiclePass.id.in_(missing))
        older |= {p.id: p for p in db.session.scalars(query)}
    return Desk(actor, case, now, offer_for(case, standing, now), standing, older)


def request_many(
    actor: Actor, case_id: int, requests: Sequence[PassRequest], now: dt.datetime
) -> list[VehiclePass | DomainError]:
    """Ask for many passes in one act: what became of each, in the order given; bad ones don't hold up the good.

    The rules and what the company has are read once, under one lock; where the rule says so they are granted at once.
    Raises as :func:`request_pass` does for the case itself.
    """
    case = _case_to_ask_on(actor, case_id)
    desk = _desk(actor, case, {r.replaces_id for r in requests if r.replaces_id is not None}, now)
    outcomes: list[VehiclePass | DomainError] = []
    for request in requests:
        try:
            outcomes.append(desk.check(request))
        except DomainError as error:
            outcomes.append(error)
    _store([o for o in outcomes if isinstance(o, VehiclePass)], desk)
    return outcomes


def _store(asked: list[VehiclePass], desk: Desk) -> None:
    """Keep requests that were found good, and grant those that their rule grants by itself."""
    if not asked:
        return
    at_once = [p for p in asked if desk.offer.of_kind(p.purpose).is_automatic(p.plate_kind)]
    _give_numbers(at_once)
    pass_life.change(at_once, "granted", SYSTEM, desk.now)
    db.session.add_all(asked)
    try:
        db.session.flush()
    except IntegrityError as error:
        raise Invalid(N_("这辆车已有申请或有效的通行证。"), field="plate") from error
    pass_life.record_all(audit.PASS_REQUESTED, asked, desk.actor, desk.now, "requested")
    if at_once:
        pass_life.record_all(audit.PASS_GRANTED, at_once, SYSTEM, desk.now)
        _take_their_place(at_once, SYSTEM, desk.now)
        tell_of_passes(desk.case, audit.PASS_GRANTED, len(at_once), desk.now)


def request_pass(actor: Actor, case_id: int, request: PassRequest, now: dt.datetime) -> VehiclePass:
    """Ask for a pass for one vehicle, on an approved case of the actor's company; it may be granted at once.

    Passes of a plate may follow each other; :class:`Invalid` when the days of two would overlap, when the rules in
    force don't allow it, or when the company has as many as they allow.
    """
    (outcome,) = request_many(actor, case_id, [request], now)
    if isinstance(outcome, DomainError):
        raise outcome
    return outcome


def get(actor: Actor, pass_id: int) -> VehiclePass:
    """A pass of a case the actor may see."""
    found = db.session.scalar(passes.visible_to(actor).where(VehiclePass.id == pass_id))
    if found is None:
        raise NotFound()
    return found


def _check_officer(actor: Actor, case: Case) -> None:
    """Raise unless the actor decides on passes where the case lies, and is not of its company."""
    roles = actor.roles_for(enterprise_id=None, area_ids=case.area_ids, bureau=case.bureau)
    may = any(Permission.DECIDE_PASS in ROLE_PERMISSIONS[r] for r in roles)  # a right held elsewhere does not count
    if not may or case.enterprise_id in actor.enterprise_ids:
        raise NotPermitted()


def _locked(actor: Actor, pass_id: int) -> VehiclePass:
    """The pass, visible to the actor and read anew with its case locked."""
    found = get(actor, pass_id)
    cases.lock(found.case_id)
    db.session.refresh(found)
    return found


def _of_company(actor: Actor, pass_id: int) -> VehiclePass:
    found = _locked(actor, pass_id)
    if found.case.enterprise_id not in actor.enterprise_ids:
        raise NotPermitted()
    return found


def _give_numbers(granted: Sequence[VehiclePass]) -> None:
    """Give each its number, short code and signed token; a number whose fingerprint is taken is not given out."""
    waiting = list(granted)
    while waiting:
        county = waiting[0].case.county.code
        group = [p for p in waiting if p.case.county.code == county]
        last = next_number(f"pass:{county}", len(group))
        free = _free_numbers([f"{county}{serial:06d}" for serial in range(last - len(group) + 1, last + 1)])
        with db.session.no_autoflush:  # a number without its status is no row that the database takes
            for one, (fingerprint, number) in zip(group, free.items(), strict=False):
                one.number, one.fingerprint, one.short_code = number, fingerprint, keys.new_short_code()
                one.token = issuing.pass_token(one)
        waiting = [p for p in waiting if p.number is None]


def _free_numbers(numbers: Sequence[str]) -> dict[int, str]:
    """Those numbers that can be given out, by their fingerprints."""
    by_print: dict[int, str] = {}
    for number in numbers:
        by_print.setdefault(passes.fingerprint_of(number), number)
    with db.session.no_autoflush:
        query = select(VehiclePass.fingerprint).where(VehiclePass.fingerprint.in_(by_print))
        taken = set(db.session.scalars(query))
    return {f: n for f, n in by_print.items() if f not in taken}


def _take_their_place(granted: Sequence[VehiclePass], actor: Actor, now: dt.datetime) -> None:
    """The passes that some were asked for instead of are good no more."""
    olds = [p.replaces for p in granted if p.replaces is not None and p.reason in INSTEAD]
    for status in ("granted", "suspended"):
        pass_life.settle_all([o for o in olds if o.status == status], "replaced", actor, now)


def _grant(found: VehiclePass, actor: Actor, now: dt.datetime) -> None:
    pass_life.require(Action.GRANT, found, Who.OFFICER)
    if not found.case.permits:
        raise StepClosed(_NOT_APPROVED)
    if found.valid_until_on < shanghai_day(now):
        raise StepClosed(N_("申请的有效期已过，请退回让企业重新申请。"))
    old = found.replaces if found.reason in INSTEAD else None
    if old is not None:
        db.session.refresh(old)
        if old.status not in ("granted", "suspended"):
            raise StepClosed(N_("原证已撤销或已换发，不能再据此发证。"))
    _give_numbers([found])
    pass_life.settle(found, "granted", actor, now)
    _take_their_place([found], actor, now)


def _resume(found: VehiclePass, words: str, actor: Actor, now: dt.datetime) -> None:
    pass_life.require(Action.RESUME, found, Who.OFFICER)
    if not found.case.permits:
        raise StepClosed(N_("企业已停工，恢复之前不能单独恢复通行证。"))
    others = select(VehiclePass.id).where(
        VehiclePass.case_id == found.case_id,
        VehiclePass.plate == found.plate,
        VehiclePass.id != found.id,
        VehiclePass.status.in_(("requested", "granted")),
        VehiclePass.valid_from_on <= found.valid_until_on,
        VehiclePass.valid_until_on >= found.valid_from_on,
    )
    if db.session.scalar(others.limit(1)) is not None:
        raise StepClosed(N_("这辆车已另有申请或通行证，请先办理那一份。"))
    pass_life.settle(found, "granted", actor, now, words)


_PLAIN = {Action.REFUSE: "refused", Action.SUSPEND: "suspended", Action.REVOKE: "revoked"}
_EVENTS = {
    Action.GRANT: audit.PASS_GRANTED,
    Action.REFUSE: audit.PASS_REFUSED,
    Action.SUSPEND: audit.PASS_SUSPENDED,
    Action.RESUME: audit.PASS_RESUMED,
    Action.REVOKE: audit.PASS_REVOKED,
}


def _decide(found: VehiclePass, action: Action, words: str, actor: Actor, now: dt.datetime) -> None:
    """Do an officer's act on a pass that is locked and read anew."""
    _check_officer(actor, found.case)
    if action is Action.GRANT:
        _grant(found, actor, now)
        return
    pass_life.require(action, found, Who.OFFICER)
    reason = required_line(words, "words", 500)
    if action is Action.RESUME:
        _resume(found, reason, actor, now)
    else:
        pass_life.settle(found, _PLAIN[action], actor, now, reason)


def _decide_one(actor: Actor, pass_id: int, action: Action, words: str, now: dt.datetime) -> VehiclePass:
    found = _locked(actor, pass_id)
    _decide(found, action, words, actor, now)
    tell_of_passes(found.case, _EVENTS[action], 1, now)
    return found


def grant(actor: Actor, pass_id: int, now: dt.datetime) -> VehiclePass:
    """Grant a requested pass: number, short code and signed token are made in the same transaction.

    What it was asked for instead of is ``replaced`` in the same commit.
    """
    return _decide_one(actor, pass_id, Action.GRANT, "", now)


def refuse(actor: Actor, pass_id: int, words: str, now: dt.datetime) -> VehiclePass:
    """Refuse a requested pass with a reason; one that was reported lost stays suspended."""
    return _decide_one(actor, pass_id, Action.REFUSE, words, now)


def suspend(actor: Actor, pass_id: int, words: str, now: dt.datetime) -> VehiclePass:
    """Suspend a granted pass with a reason; the next check refuses it."""
    return _decide_one(actor, pass_id, Action.SUSPEND, words, now)


def resume(actor: Actor, pass_id: int, words: str, now: dt.datetime) -> VehiclePass:
    """Make a suspended pass good again, with a reason; not while its case is stopped or another took its place."""
    return _decide_one(actor, pass_id, Action.RESUME, words, now)


def revoke(actor: Actor, pass_id: int, words: str, now: dt.datetime) -> VehiclePass:
    """Revoke a granted or suspended pass with a reason; the check page says so from the next look on."""
    return _decide_one(actor, pass_id, Action.REVOKE, words, now)


def decide_many(
    actor: Actor, pass_ids: Sequence[int], act: str, words: str, now: dt.datetime
) -> dict[int, DomainError | None]:
    """Do one act of an officer (``grant``, ``refuse``, ``suspend``, ``resume``, ``revoke``) on many passes.

    Each is done or refused by itself; the result says why by id, None for what was done. Cases are locked by rising id;
    a company gets one message a case.
    """
    action = Action(act)
    if action not in _EVENTS:
        raise NotFound()
    query = passes.visible_to(actor).where(VehiclePass.id.in_(pass_ids))
    seen = {p.id: p for p in db.session.scalars(query)}
    cases.lock_all(actor, sorted({p.case_id for p in seen.values()}))
    fresh = query.order_by(VehiclePass.case_id, VehiclePass.id).execution_options(populate_existing=True)
    outcomes: dict[int, DomainError | None] = {i: NotFound() for i in pass_ids}
    done: dict[int, list[VehiclePass]] = {}
    for found in db.session.scalars(fresh).all():
        try:
            with db.session.begin_nested():
                _decide(found, action, words, actor, now)
            outcomes[found.id] = None
            done.setdefault(found.case_id, []).append(found)
        except DomainError as error:
            outcomes[found.id] = error
    for decided in done.values():
        tell_of_passes(decided[0].case, _EVENTS[action], len(decided), now)
    return outcomes


def withdraw(actor: Actor, pass_id: int, now: dt.datetime) -> VehiclePass:
    """The company takes back a request that is not decided; a pass it was asked for instead of stays as it is."""
    found = _of_company(actor, pass_id)
    pass_life.require(Action.WITHDRAW, found, Who.COMPANY)
    pass_life.settle(found, "withdrawn", actor, now)
    return found


def report_lost(actor: Actor, pass_id: int, now: dt.datetime) -> VehiclePass:
    """The company lost a pass: it is suspended at once, and another for its remaining days is asked for.

    Returns the new request, or the new pass where the rule grants it at once. When an earlier one was refused or
    withdrawn, it is asked for again. Raises :class:`StepClosed` unless the pass is good.
    """
    old = _of_company(actor, pass_id)
    case = _case_to_ask_on(actor, old.case_id)
    if old.valid_until_on < shanghai_day(now):
        raise StepClosed(N_("这张通行证已到期，请直接续期或重新申请。"))
    if old.words != LOST_WORDS or old.status != "suspended":
        pass_life.require(Action.REPORT_LOST, old, Who.COMPANY)
        pass_life.settle(old, "suspended", actor, now, LOST_WORDS)
        db.session.flush()
    return request_pass(actor, case.id, same_again(old, "lost"), now)
