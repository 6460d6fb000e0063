"""People, their accounts and their appointments: one person, one identity."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import CheckConstraint, ColumnElement, Date, ForeignKey, String, and_, or_, select
from sqlalchemy.orm import Mapped, joinedload, mapped_column, relationship

from workflow.core.actors import Actor, Appointment, AreaKind, Role
from workflow.data.areas import Area
from workflow.data.enterprises import EnterpriseMember
from workflow.extensions import HasId, Id, Model, UtcDateTime, db


class Person(HasId, Model):
    """A human being; every separation rule is by person."""

    __tablename__ = "people"

    name: Mapped[str] = mapped_column(String(60))
    mobile: Mapped[str | None] = mapped_column(String(20))
    created_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)


class Account(HasId, Model):
    """A login of a person; ``epoch`` counts up to end all sessions."""

    __tablename__ = "accounts"

    login: Mapped[str] = mapped_column(String(60), unique=True, comment="lower case")
    person_id: Mapped[int] = mapped_column(Id, ForeignKey("people.id"), index=True)
    password_hash: Mapped[str] = mapped_column(String(200))
    is_active: Mapped[bool] = mapped_column(default=True)
    is_demo: Mapped[bool] = mapped_column(default=False)
    failures: Mapped[int] = mapped_column(default=0)
    locked_until_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    epoch: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    last_login_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)

    person: Mapped[Person] = relationship(lazy="joined")


class PersonAppointment(HasId, Model):
    """A role held by a person in an area from a day on, until a day (exclusive) when ended."""

    __tablename__ = "appointments"
    __table_args__ = (
        CheckConstraint(f"role IN ({', '.join(repr(r.value) for r in Role if r is not Role.SYSTEM)})", name="role"),
        CheckConstraint("ends_on IS NULL OR ends_on >= starts_on", name="dates"),
    )

    person_id: Mapped[int] = mapped_column(Id, ForeignKey("people.id"), index=True)
    role: Mapped[str] = mapped_column(String(20))
    area_id: Mapped[int] = mapped_column(Id, ForeignKey("areas.id"), index=True)
    bureau: Mapped[str | None] = mapped_column(String(20))
    starts_on: Mapped[dt.date] = mapped_column(Date)
    ends_on: Mapped[dt.date | None] = mapped_column(Date)

    person: Mapped[Person] = relationship()
    area: Mapped[Area] = relationship()


def account_by_login(login: str) -> Account | None:
    """The account with this login, whatever its case."""
    return db.session.scalar(select(Account).where(Account.login == login.strip().lower()))


def _is_current(today: dt.date) -> ColumnElement[bool]:
    ends_on = PersonAppointment.ends_on
    return and_(PersonAppointment.starts_on <= today, or_(ends_on.is_(None), ends_on > today))


def _holds(person_id: int, today: dt.date) -> ColumnElement[bool]:
    return and_(PersonAppointment.person_id == person_id, _is_current(today))


def current_appointments(person_id: int, today: dt.date) -> list[PersonAppointment]:
    """The appointments of a person that hold on ``today``."""
    query = (
        select(PersonAppointment)
        .join(PersonAppointment.area)
        .where(_holds(person_id, today))
        .options(joinedload(PersonAppointment.area))
        .order_by(PersonAppointment.id)
    )
    return list(db.session.scalars(query))


def actor_of(account: Account, today: dt.date) -> Actor:
    """The actor that ``account`` is on ``today``, read from the database now: a moved person has lost the old area.

    Columns instead of rows: this is asked on every request.
    """
    enterprises = db.session.scalars(
        select(EnterpriseMember.enterprise_id).where(EnterpriseMember.person_id == account.person_id)
    )
    held = db.session.execute(
        select(PersonAppointment.role, PersonAppointment.area_id, Area.kind, Area.name, PersonAppointment.bureau)
        .join(Area, Area.id == PersonAppointment.area_id)
        .where(_holds(account.person_id, today))
        .order_by(PersonAppointment.id)
    )
    appointments = tuple(
        Appointment(Role(role), area_id, AreaKind(kind), name, bureau) for role, area_id, kind, name, bureau in held
    )
    return Actor(account.person_id, account.id, account.person.name, appointments, frozenset(enterprises))


def holders_of(role: Role, area_ids: frozenset[int], today: dt.date) -> list[Person]:
    """People who hold ``role`` today in one of the areas, by name."""
    query = (
        select(Person)
        .join(PersonAppointment, PersonAppointment.person_id == Person.id)
        .where(
            PersonAppointment.role == role,
            PersonAppointment.area_id.in_(area_ids),
            PersonAppointment.starts_on <= today,
            or_(PersonAppointment.ends_on.is_(None), PersonAppointment.ends_on > today),
        )
        .distinct()
        .order_by(Person.name, Person.id)
    )
    return list(db.session.scalars(query))


def is_held(role: Role, area_ids: frozenset[int], bureau: str | None, today: dt.date) -> bool:
    """Whether somebody holds ``role`` today in one of the areas, for a bureau's role in that bureau."""
    clauses = [PersonAppointment.role == role, PersonAppointment.area_id.in_(area_ids), _is_current(today)]
    if role is Role.BUREAU_REVIEWER:
        clauses.append(PersonAppointment.bureau == bureau)
    return db.session.scalar(select(PersonAppointment.id).where(*clauses).limit(1)) is not None


def roles_held(area: Area, today: dt.date) -> frozenset[Role]:
    """The roles that somebody holds today in ``area``, above it, or somewhere inside it."""
    inside = or_(Area.id.in_(area.lineage), Area.city_id == area.id, Area.county_id == area.id, Area.town_id == area.id)
    query = (
        select(PersonAppointment.role)
        .join(Area, Area.id == PersonAppointment.area_id)
        .where(
            inside,
            PersonAppointment.starts_on <= today,
            or_(PersonAppointment.ends_on.is_(None), PersonAppointment.ends_on > today),
        )
        .distinct()
    )
    return frozenset(Role(r) for r in db.session.scalars(query))


def names_of(person_ids: set[int]) -> dict[int, str]:
    """Names by person id."""
    if not person_ids:
        return {}
    rows = db.session.execute(select(Person.id, Person.name).where(Person.id.in_(person_ids)))
    return {row.id: row.name for row in rows}
