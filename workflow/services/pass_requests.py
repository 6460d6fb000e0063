"""What a company asks for, checked against the rules, the case and what it has already; nothing is stored here."""

from __future__ import annotations

import datetime as dt
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from workflow.core.actors import Actor
from workflow.core.errors import N_, DomainError, Invalid, NotFound
from workflow.core.identifiers import parse_plate, squeeze
from workflow.core.pass_life import INSTEAD, RENEW_AFTER, RENEW_BEFORE
from workflow.core.pass_rules import OTHER_PLATE
from workflow.core.texts import clean_text, required_line
from workflow.core.times import shanghai_day
from workflow.data import catalogue
from workflow.data.cases import Case
from workflow.data.passes import PURPOSES, REASONS, VehiclePass
from workflow.services.pass_offer import Offer, counted

DAY = dt.timedelta(days=1)
MOST_DRIVERS = 5
_TAKEN = N_("这辆车已有申请或有效的通行证。")
_CLOSED = N_("这张通行证现在不能这样办理。")


@dataclass(frozen=True, slots=True)
class PassRequest:
    """What a company asks for, as typed; ``drivers`` are names.

    ``reason`` says whether it is a first pass or one after, or instead of, that of ``replaces_id``; instead of one it
    is good for that one's remaining days, whatever is typed. ``special`` says that the plate is of a make that the
    standard doesn't know.
    """

    plate: str
    vehicle_type: str
    purpose: str
    route: str
    drivers: Sequence[str]
    valid_from_on: dt.date | None
    valid_until_on: dt.date | None
    schedule: str = "always"
    reason: str = "new"
    replaces_id: int | None = None
    special: bool = False


def special_plate(text: str) -> str:
    """A plate of a make of its own (temporary, military, embassy) as kept; :class:`Invalid` when it can't be one."""
    plate = squeeze(text)
    printable = all(unicodedata.category(c)[0] in "LNS" and c not in "<>&" for c in plate)
    if not 2 <= len(plate) <= 10 or not printable:
        raise Invalid(N_("特殊号牌请按牌面填写，2 至 10 个字。"), field="plate")
    return plate


def read_plate(request: PassRequest) -> tuple[str, str]:
    """The plate and its kind; a special one that has a known shape after all is taken as that."""
    try:
        plate, kind = parse_plate(request.plate)
    except Invalid:
        if not request.special:
            raise
        return special_plate(request.plate), OTHER_PLATE
    return plate, kind.value


@dataclass(slots=True)
class Desk:
    """One act of asking: the case, who asks, what the rules allow, and everything the company has, read once.

    ``taken`` grows with every request that was found good, so that a list is checked against itself too; ``places`` are
    the quota's places taken, by the first kind of each offer.
    """

    actor: Actor
    case: Case
    now: dt.datetime
    offer: Offer
    standing: list[VehiclePass]
    older: dict[int, VehiclePass]
    places: dict[str, int] = field(default_factory=dict)
    taken: dict[str, list[VehiclePass]] = field(default_factory=dict)
    followed: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.places = {o.kinds[0]: counted(self.standing, o.kinds) for o in self.offer.parts}
        for one in self.standing:
            if one.case_id == self.case.id:
                self.taken.setdefault(one.plate, []).append(one)
            if one.replaces_id is not None:
                self.followed.add(one.replaces_id)

    @property
    def today(self) -> dt.date:
        """Shanghai's day."""
        return shanghai_day(self.now)

    def check(self, request: PassRequest) -> VehiclePass:
        """The request as a row that is not stored yet; :class:`Invalid` and its kin say what is wrong, at its field."""
        old = self._older(request)
        plate, plate_kind = read_plate(request)
        if request.purpose not in PURPOSES:
            raise Invalid(N_("请选择用途。"), field="purpose")
        if request.schedule not in catalogue.passes().schedules:
            raise Invalid(N_("请选择通行时段。"), field="schedule")
        offer = self.offer.of_kind(request.purpose)
        first, last = _days(_with_days(request, old, self.today), offer, self.today)
        drivers = [required_line(d, "drivers", 60) for d in request.drivers if clean_text(d)]
        if not drivers or len(drivers) > MOST_DRIVERS:
            raise Invalid(N_("请填写 1 至 5 名驾驶员。"), field="drivers")
        asked = VehiclePass(
            case=self.case,
            town_id=self.case.town_id,
            plate=plate,
            plate_kind=plate_kind,
            vehicle_type=required_line(request.vehicle_type, "vehicle_type", 40),
            purpose=request.purpose,
            route=required_line(request.route, "route", 200),
            schedule=request.schedule,
            drivers=drivers,
            valid_from_on=first,
            valid_until_on=last,
            reason=request.reason,
            replaces_id=request.replaces_id,
            status="requested",
            is_dead=False,
            requested_by=self.actor.person_id,
            requested_at=self.now,
        )
        self._take(asked, old, offer)
        return asked

    def _older(self, request: PassRequest) -> VehiclePass | None:
        """The pass that this is asked for instead of or after; it has to be the case's and open to it."""
        if request.reason not in REASONS or (request.reason == "new") != (request.replaces_id is None):
            raise Invalid(_CLOSED)
        if request.replaces_id is None:
            return None
        old = self.older.get(request.replaces_id)
        if old is None:
            raise NotFound()
        reasons = {"renewal": _why_no_renewal, "plate": _why_no_other_plate, "lost": _why_no_duplicate}
        why = reasons[request.reason](old, self.today)
        if old.id in self.followed:
            why = N_("这张通行证已经申请过续期或换发。")
        if why:
            raise Invalid(why)
        return old

    def _take(self, asked: VehiclePass, old: VehiclePass | None, offer: Offer) -> None:
        """Take the days for its plate and a place of the quota; refused when there is none."""
        same = self.taken.get(asked.plate, ())
        first, last = asked.valid_from_on, asked.valid_until_on
        instead = old is not None and asked.reason in INSTEAD
        overlaps = (p for p in same if p.valid_from_on <= last and first <= p.valid_until_on)
        if any(not (instead and p is old) for p in overlaps):
            raise Invalid(_TAKEN, field="plate")
        same_place = old is not None and old in self.standing and old.purpose in offer.kinds
        if not same_place:
            if self.places[offer.kinds[0]] >= offer.quota:
                raise Invalid(N_("名额已满：贵企业同时最多 %(n)s 张，到期或撤回后可再申请。"), n=offer.quota)
            self.places[offer.kinds[0]] += 1
        self.taken.setdefault(asked.plate, []).append(asked)
        if old is not None:
            self.followed.add(old.id)


def _with_days(request: PassRequest, old: VehiclePass | None, today: dt.date) -> PassRequest:
    """Instead of another pass: for what is left of its days."""
    if old is None or request.reason not in INSTEAD:
        return request
    return replace(request, valid_from_on=max(today, old.valid_from_on), valid_until_on=old.valid_until_on)


def _days(request: PassRequest, offer: Offer, today: dt.date) -> tuple[dt.date, dt.date]:
    first, last = request.valid_from_on, request.valid_until_on
    if first is None or first < today:
        raise Invalid(N_("起始日期不能早于今天。"), field="valid_from_on")
    if last is None or last < first:
        raise Invalid(N_("截止日期不能早于起始日期。"), field="valid_until_on")
    if request.reason in INSTEAD:
        return first, last  # what was granted stays, also when the rules have become stricter
    if first > today + offer.ahead * DAY:
        raise Invalid(N_("起始日期最多提前 %(n)s 天。"), field="valid_from_on", n=offer.ahead)
    if (last - first).days >= offer.longest_days:
        raise Invalid(N_("通行证一次最多 %(n)s 天，到期可再申请。"), field="valid_until_on", n=offer.longest_days)
    return first, last


def may_renew(old: VehiclePass, today: dt.date) -> bool:
    """Whether the next days can be asked for: near the end of a pass that is good, or shortly after."""
    until = old.valid_until_on
    return old.status == "granted" and until - RENEW_BEFORE * DAY <= today <= until + RENEW_AFTER * DAY


def _why_no_renewal(old: VehiclePass, today: dt.date) -> str:
    return "" if may_renew(old, today) else N_("到期前 5 天至到期后 7 天可以续期。")


def may_change_plate(old: VehiclePass, today: dt.date) -> bool:
    """Whether another plate can be asked for instead: of a pass that is good and has days left."""
    return old.status == "granted" and old.valid_until_on >= today


def _why_no_other_plate(old: VehiclePass, today: dt.date) -> str:
    return "" if may_change_plate(old, today) else N_("只有有效的通行证才能换号牌。")


def _why_no_duplicate(old: VehiclePass, today: dt.date) -> str:
    """A lost pass was suspended when it was reported; what an officer or the case suspended is not replaced."""
    lost = old.status == "suspended" and not old.with_case and old.valid_until_on >= today
    return "" if lost and old.words == LOST_WORDS else N_("先报告遗失，才能补发。")


LOST_WORDS = N_("企业报告遗失，原证停用。")
"""Why a lost pass is suspended; it is also what tells it from one that an officer suspended."""


def renewal_days(old: VehiclePass, longest: int, today: dt.date) -> tuple[dt.date, dt.date]:
    """The next days after ``old``: as many as it had, at most ``longest``, from the day after its end or today."""
    first = max(today, old.valid_until_on + DAY)
    length = min((old.valid_until_on - old.valid_from_on).days + 1, longest)
    return first, first + (length - 1) * DAY


def same_again(old: VehiclePass, reason: str) -> PassRequest:
    """A request with everything as ``old`` has it."""
    return PassRequest(
        plate=old.plate,
        vehicle_type=old.vehicle_type,
        purpose=old.purpose,
        route=old.route,
        drivers=[str(n) for n in old.drivers],
        valid_from_on=old.valid_from_on,
        valid_until_on=old.valid_until_on,
        schedule=old.schedule,
        reason=reason,
        replaces_id=old.id,
        special=old.plate_kind == OTHER_PLATE,
    )


Outcome = VehiclePass | DomainError
"""What became of one request of many."""
