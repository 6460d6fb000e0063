"""Leave with a cover: somebody of the same role in the same area, who is there meanwhile."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import select

from workflow.core.actors import ROLE_PERMISSIONS, SYSTEM, Actor, Permission, Role
from workflow.core.errors import N_, Invalid, NotFound, NotPermitted
from workflow.core.times import shanghai_day
from workflow.data import audit, people
from workflow.data.organisation import Absence
from workflow.data.people import Person, PersonAppointment
from workflow.extensions import db
from workflow.services import organisation
from workflow.services.releasing import release_one

LONGEST = dt.timedelta(days=366)


def acting_posts(person_id: int, today: dt.date) -> list[PersonAppointment]:
    """The appointments in which a person handles cases."""
    return [
        a
        for a in people.current_appointments(person_id, today)
        if Permission.ACT_ON_CASE in ROLE_PERMISSIONS[Role(a.role)]
    ]


def _stands_in(cover: PersonAppointment, post: PersonAppointment) -> bool:
    """Whether an appointment reaches all that ``post`` reaches: the same role, there or above, in the same bureau."""
    same = cover.role == post.role and cover.bureau in (None, post.bureau)
    return same and cover.area_id in post.area.lineage_ids


def can_cover(person_id: int, cover_id: int, today: dt.date) -> bool:
    """Whether the cover holds every role in which the person handles cases, there or above."""
    theirs = acting_posts(cover_id, today)
    return all(any(_stands_in(c, p) for c in theirs) for p in acting_posts(person_id, today))


def covers_for(person_id: int, today: dt.date) -> list[Person]:
    """Who could stand in for a person, by name."""
    posts = acting_posts(person_id, today)
    if not posts:
        return []
    found = people.holders_of(Role(posts[0].role), posts[0].area.lineage_ids, today)
    return [p for p in found if p.id != person_id and can_cover(person_id, p.id, today)]


def may_arrange(actor: Actor, person_id: int, today: dt.date) -> bool:
    """Whether the actor arranges leave for a person: the own, or of somebody in an area that the actor manages."""
    if actor is SYSTEM or actor.person_id == person_id:
        return True
    return any(organisation.manages(actor, a.area) for a in people.current_appointments(person_id, today))


def _overlapping(person_ids: list[int], starts_on: dt.date, ends_on: dt.date) -> list[Absence]:
    query = select(Absence).where(
        Absence.person_id.in_(person_ids), Absence.starts_on < ends_on, Absence.ends_on > starts_on
    )
    return list(db.session.scalars(query.order_by(Absence.id)))


def declare(
    actor: Actor,
    person_id: int,
    *,
    starts_on: dt.date,
    last_on: dt.date,
    cover_id: int | None,
    hands_over: bool,
    now: dt.datetime,
) -> Absence:
    """Put a person on leave from a day to a last day, with somebody standing in.

    With ``hands_over`` the open cases are assigned to others while it lasts. Raises :class:`Invalid` for dates that
    are past, turned round or overlap another leave, and for a cover who can't be one.
    """
    today, ends_on = shanghai_day(now), last_on + dt.timedelta(days=1)
    if not may_arrange(actor, person_id, today):
        raise NotPermitted(N_("只能登记本人的请假；他人的请假由其负责人登记。"))
    if db.session.get(Person, person_id) is None:
        raise NotFound()
    if last_on < starts_on:
        raise Invalid(N_("结束日期不能早于开始日期。"), field="last_on")
    if last_on < today or ends_on - starts_on > LONGEST:
        raise Invalid(N_("请假日期应在今天之后的一年之内。"), field="last_on")
    if _overlapping([person_id], starts_on, ends_on):
        raise Invalid(N_("这几天已登记过请假，请先结束原来的登记。"), field="starts_on")
    _check_cover(person_id, cover_id, starts_on, ends_on, today)
    absence = Absence(
        person_id=person_id, cover_id=cover_id, starts_on=starts_on, ends_on=ends_on, hands_over=hands_over
    )
    db.session.add(absence)
    db.session.flush()
    _record(audit.LEAVE_BEGUN, absence, actor, now)
    while hands_over and starts_on <= today and release_one(now) is not None:
        continue
    return absence


def _check_cover(person_id: int, cover_id: int | None, starts_on: dt.date, ends_on: dt.date, today: dt.date) -> None:
    """Raise unless the cover holds the same roles, is there meanwhile, and the person covers nobody who is away."""
    for other in db.session.scalars(
        select(Absence).where(Absence.cover_id == person_id, Absence.starts_on < ends_on, Absence.ends_on > starts_on)
    ):
        raise Invalid(N_("这几天要替%(name)s代办，请先为其另定代办人。"), field="starts_on", name=other.person.name)
    if cover_id is None:
        return
    if cover_id == person_id or db.session.get(Person, cover_id) is None:
        raise Invalid(N_("请另选一名代办人。"), field="cover")
    if not can_cover(person_id, cover_id, today):
        raise Invalid(N_("代办人须在同一区域担任同样的职责。"), field="cover")
    if _overlapping([cover_id], starts_on, ends_on):
        raise Invalid(N_("代办人这几天也请假，请另选一人。"), field="cover")


def end(actor: Actor, absence_id: int, now: dt.datetime) -> Absence:
    """End a leave today: the person is back; one that had not begun is taken back."""
    absence, today = db.session.get(Absence, absence_id), shanghai_day(now)
    if absence is None or not may_arrange(actor, absence.person_id, today):
        raise NotFound(N_("没有找到这项请假登记。"))
    if absence.ends_on > today:
        absence.ends_on = max(today, absence.starts_on)
        _record(audit.LEAVE_ENDED, absence, actor, now)
    return absence


def _record(event: audit.Event, absence: Absence, actor: Actor, now: dt.datetime) -> None:
    posts = people.current_appointments(absence.person_id, shanghai_day(now))
    area = posts[0].area if posts else None
    after: dict[str, object] = {"person": absence.person_id, "cover": absence.cover_id, "leave": absence.id}
    after |= {"from": absence.starts_on.isoformat(), "until": absence.ends_on.isoformat()}
    chain = organisation.chain_of(area) if area else "accounts"
    audit.record(event, chain=chain, actor=actor, at=now, after=after)


def of_person(person_id: int, today: dt.date) -> list[Absence]:
    """The leave of a person that runs or lies ahead, by its first day."""
    query = select(Absence).where(Absence.person_id == person_id, Absence.ends_on > today)
    return list(db.session.scalars(query.order_by(Absence.starts_on, Absence.id)))


def covered_by(person_id: int, today: dt.date) -> list[Absence]:
    """For whom a person stands in, now or later."""
    query = select(Absence).where(Absence.cover_id == person_id, Absence.ends_on > today)
    return list(db.session.scalars(query.order_by(Absence.starts_on, Absence.id)))
