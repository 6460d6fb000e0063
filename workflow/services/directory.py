"""Looking people up: the demo logins and the names behind appointments."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import or_, select

from workflow.core.actors import ROLE_LABELS, Role
from workflow.data.areas import Area
from workflow.data.enterprises import Enterprise, EnterpriseMember
from workflow.data.organisation import Team, TeamMember, running
from workflow.data.people import Account, Person, PersonAppointment
from workflow.extensions import db


@dataclass(frozen=True, slots=True)
class DemoLogin:
    """One demo person: ``role`` is the source text of the role's label, ``place`` where it is held."""

    login: str
    name: str
    role: str
    place: str


def demo_logins() -> list[DemoLogin]:
    """One login per role, in the order of the main line: the first demo account that holds it."""
    query = (
        select(Account.login, Person.name, PersonAppointment.role, Area.name.label("place"))
        .join(Person, Person.id == Account.person_id)
        .join(PersonAppointment, PersonAppointment.person_id == Person.id)
        .join(Area, Area.id == PersonAppointment.area_id)
        .where(Account.is_demo, Account.is_active, PersonAppointment.ends_on.is_(None))
        .order_by(Account.id)
    )
    first: dict[str, DemoLogin] = {}
    for row in db.session.execute(query):
        first.setdefault(row.role, DemoLogin(row.login, row.name, ROLE_LABELS[Role(row.role)], row.place))
    company = db.session.execute(
        select(Account.login, Person.name, Enterprise.name.label("place"))
        .join(Person, Person.id == Account.person_id)
        .join(EnterpriseMember, EnterpriseMember.person_id == Person.id)
        .join(Enterprise, Enterprise.id == EnterpriseMember.enterprise_id)
        .where(Account.is_demo, Account.is_active)
        .order_by(Account.id)
        .limit(1)
    ).first()
    if company:
        first[Role.FILER] = DemoLogin(company.login, company.name, ROLE_LABELS[Role.FILER], company.place)
    return [first[r] for r in Role if r in first]


def people_around(area: Area, today: dt.date) -> list[tuple[int, str, str]]:
    """Whom a duty in ``area`` can be given to, as (id, name, login or empty), by name: the staff of its town and of the
    areas above, and whoever is in a team there."""
    top = area.town_id or area.id
    inside = select(Area.id).where(or_(Area.id == top, Area.town_id == top))
    above = [i for i in (area.city_id, area.county_id) if i is not None]
    held = PersonAppointment
    staff = select(held.person_id).where(
        running(held.starts_on, held.ends_on, today), or_(held.area_id.in_(above), held.area_id.in_(inside))
    )
    teamed = (
        select(TeamMember.person_id)
        .join(Team, Team.id == TeamMember.team_id)
        .where(running(TeamMember.starts_on, TeamMember.ends_on, today), Team.area_id.in_(inside))
    )
    query = (
        select(Person.id, Person.name, Account.login)
        .outerjoin(Account, Account.person_id == Person.id)
        .where(Person.id.in_(staff.union(teamed)))
        .order_by(Person.name, Person.id)
    )
    return [(person_id, name, login or "") for person_id, name, login in db.session.execute(query)]
