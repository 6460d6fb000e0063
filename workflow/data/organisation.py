"""The task force as rows: teams and their members and areas, named officers of buildings, leave, declared interests."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    JSON,
    CheckConstraint,
    ColumnElement,
    Date,
    ForeignKey,
    Index,
    String,
    and_,
    or_,
    select,
    text,
)
from sqlalchemy.orm import InstrumentedAttribute, Mapped, joinedload, mapped_column, relationship

from workflow.data.areas import Area
from workflow.data.enterprises import Enterprise, EnterpriseMember
from workflow.data.people import Person
from workflow.extensions import HasId, Id, Model, UtcDateTime, db


class TeamKind(StrEnum):
    """What a team is: an area's headquarters, a task force, or a squad for parks, buildings or business circles."""

    HEADQUARTERS = "headquarters"
    TEAM = "team"
    SQUAD = "squad"


class Duty(StrEnum):
    """What a member does in a team; «123+N» is one leader, two deputies, three members and N in support."""

    LEADER = "leader"
    DEPUTY = "deputy"
    MEMBER = "member"
    SUPPORT = "support"


class Relation(StrEnum):
    """Why a person keeps away from a company: it is the own one, a relative's, or another interest."""

    OWN = "own"
    RELATIVE = "relative"
    OTHER = "other"


def _in(column: str, kinds: type[StrEnum]) -> str:
    return f"{column} IN ({', '.join(repr(k.value) for k in kinds)})"


_RUNNING = text("ends_on IS NULL")


class Team(HasId, Model):
    """A team in an area; ``group_name`` is a squad's group (园区组 …), ``sectors`` the industries that it takes care of
    (none: all of them), ``closed_on`` the day it was dissolved."""

    __tablename__ = "teams"
    __table_args__ = (
        CheckConstraint(_in("kind", TeamKind), name="kind"),
        CheckConstraint("parent_id IS NULL OR parent_id <> id", name="parent"),
    )

    code: Mapped[str] = mapped_column(String(40), unique=True)
    name: Mapped[str] = mapped_column(String(80))
    kind: Mapped[str] = mapped_column(String(20))
    area_id: Mapped[int] = mapped_column(Id, ForeignKey("areas.id"), index=True)
    parent_id: Mapped[int | None] = mapped_column(Id, ForeignKey("teams.id"), index=True)
    group_name: Mapped[str] = mapped_column(String(40), default="")
    sectors: Mapped[list[Any]] = mapped_column(JSON, default=list)
    created_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    closed_on: Mapped[dt.date | None] = mapped_column(Date)

    area: Mapped[Area] = relationship()


class TeamMember(HasId, Model):
    """A person's duty in a team from a day on, until a day (exclusive) when ended."""

    __tablename__ = "team_members"
    __table_args__ = (
        CheckConstraint(_in("duty", Duty), name="duty"),
        CheckConstraint("ends_on IS NULL OR ends_on >= starts_on", name="dates"),
        Index(
            "uq_team_members_running",
            "team_id",
            "person_id",
            unique=True,
            sqlite_where=_RUNNING,
            postgresql_where=_RUNNING,
        ),
        Index(
            "uq_team_members_leader",
            "team_id",
            unique=True,
            sqlite_where=text("ends_on IS NULL AND duty = 'leader'"),
            postgresql_where=text("ends_on IS NULL AND duty = 'leader'"),
        ),
    )

    team_id: Mapped[int] = mapped_column(Id, ForeignKey("teams.id"), index=True)
    person_id: Mapped[int] = mapped_column(Id, ForeignKey("people.id"), index=True)
    duty: Mapped[str] = mapped_column(String(10))
    starts_on: Mapped[dt.date] = mapped_column(Date)
    ends_on: Mapped[dt.date | None] = mapped_column(Date)

    person: Mapped[Person] = relationship()
    team: Mapped[Team] = relationship()


class TeamArea(Model):
    """An area that a team covers: a zone, a building, a park, a business circle."""

    __tablename__ = "team_areas"

    team_id: Mapped[int] = mapped_column(Id, ForeignKey("teams.id"), primary_key=True)
    area_id: Mapped[int] = mapped_column(Id, ForeignKey("areas.id"), primary_key=True, index=True)


class BuildingOfficer(HasId, Model):
    """The one named officer of a building (一楼一员) from a day on, until a day (exclusive) when handed on."""

    __tablename__ = "building_officers"
    __table_args__ = (
        CheckConstraint("ends_on IS NULL OR ends_on >= starts_on", name="dates"),
        Index("uq_building_officers_running", "area_id", unique=True, sqlite_where=_RUNNING, postgresql_where=_RUNNING),
    )

    area_id: Mapped[int] = mapped_column(Id, ForeignKey("areas.id"), index=True)
    person_id: Mapped[int] = mapped_column(Id, ForeignKey("people.id"), index=True)
    starts_on: Mapped[dt.date] = mapped_column(Date)
    ends_on: Mapped[dt.date | None] = mapped_column(Date)

    person: Mapped[Person] = relationship()
    area: Mapped[Area] = relationship()


class Absence(HasId, Model):
    """A person's leave: from ``starts_on`` until ``ends_on``, the day back at work; ``cover_id`` stands in, if anybody.

    ``hands_over`` says that the open cases are assigned to others while it lasts.
    """

    __tablename__ = "absences"
    __table_args__ = (
        CheckConstraint("ends_on >= starts_on", name="dates"),
        CheckConstraint("cover_id IS NULL OR cover_id <> person_id", name="cover"),
    )

    person_id: Mapped[int] = mapped_column(Id, ForeignKey("people.id"), index=True)
    cover_id: Mapped[int | None] = mapped_column(Id, ForeignKey("people.id"), index=True)
    starts_on: Mapped[dt.date] = mapped_column(Date)
    ends_on: Mapped[dt.date] = mapped_column(Date)
    hands_over: Mapped[bool] = mapped_column(default=True)

    person: Mapped[Person] = relationship(foreign_keys=[person_id])
    cover: Mapped[Person | None] = relationship(foreign_keys=[cover_id])


class Interest(HasId, Model):
    """A company that a person keeps away from, and why; ``ends_on`` when it was withdrawn."""

    __tablename__ = "interests"
    __table_args__ = (
        CheckConstraint(_in("relation", Relation), name="relation"),
        Index(
            "uq_interests_running",
            "enterprise_id",
            "person_id",
            unique=True,
            sqlite_where=_RUNNING,
            postgresql_where=_RUNNING,
        ),
    )

    person_id: Mapped[int] = mapped_column(Id, ForeignKey("people.id"), index=True)
    enterprise_id: Mapped[int] = mapped_column(Id, ForeignKey("enterprises.id"))
    relation: Mapped[str] = mapped_column(String(10))
    declared_by: Mapped[int] = mapped_column(Id, ForeignKey("people.id"))
    starts_on: Mapped[dt.date] = mapped_column(Date)
    ends_on: Mapped[dt.date | None] = mapped_column(Date)

    person: Mapped[Person] = relationship(foreign_keys=[person_id])
    enterprise: Mapped[Enterprise] = relationship()


def running(
    starts_on: InstrumentedAttribute[dt.date], ends_on: InstrumentedAttribute[Any], today: dt.date
) -> ColumnElement[bool]:
    """The condition that dated rows hold on ``today``."""
    return and_(starts_on <= today, or_(ends_on.is_(None), ends_on > today))


def _members_now(today: dt.date) -> ColumnElement[bool]:
    return running(TeamMember.starts_on, TeamMember.ends_on, today)


def teams_of(person_id: int, today: dt.date) -> list[Team]:
    """The teams in which a person has a duty today, by code."""
    query = (
        select(Team)
        .join(TeamMember, TeamMember.team_id == Team.id)
        .where(TeamMember.person_id == person_id, _members_now(today), Team.closed_on.is_(None))
        .order_by(Team.code)
    )
    return list(db.session.scalars(query).unique())


def duties_of(person_id: int, today: dt.date) -> list[TeamMember]:
    """The duties of a person in teams today."""
    query = select(TeamMember).where(TeamMember.person_id == person_id, _members_now(today)).order_by(TeamMember.id)
    return list(db.session.scalars(query.options(joinedload(TeamMember.team).joinedload(Team.area))))


def buildings_of(person_id: int, today: dt.date) -> list[BuildingOfficer]:
    """The buildings whose officer a person is today."""
    query = select(BuildingOfficer).where(
        BuildingOfficer.person_id == person_id, running(BuildingOfficer.starts_on, BuildingOfficer.ends_on, today)
    )
    return list(db.session.scalars(query.options(joinedload(BuildingOfficer.area)).order_by(BuildingOfficer.id)))


def mates_of(person_id: int, today: dt.date) -> frozenset[int]:
    """The ids of everybody in the person's teams today, the person among them."""
    own = (
        select(TeamMember.team_id)
        .join(Team, Team.id == TeamMember.team_id)
        .where(TeamMember.person_id == person_id, _members_now(today), Team.closed_on.is_(None))
    )
    mates = select(TeamMember.person_id).where(TeamMember.team_id.in_(own), _members_now(today))
    return frozenset(db.session.scalars(mates)) | {person_id}


def members_of(team_ids: Iterable[int], today: dt.date) -> list[TeamMember]:
    """Who has which duty in the teams today: leaders first, then deputies, members and support."""
    query = (
        select(TeamMember)
        .where(TeamMember.team_id.in_(list(team_ids)), _members_now(today))
        .options(joinedload(TeamMember.person))
        .order_by(TeamMember.id)
    )
    order = list(Duty)
    return sorted(db.session.scalars(query), key=lambda m: (order.index(Duty(m.duty)), m.id))


def past_members(team_id: int, today: dt.date) -> list[TeamMember]:
    """Who had a duty in the team before, the last to leave first."""
    query = select(TeamMember).where(TeamMember.team_id == team_id, TeamMember.ends_on <= today)
    newest = query.options(joinedload(TeamMember.person)).order_by(TeamMember.ends_on.desc(), TeamMember.id.desc())
    return list(db.session.scalars(newest.limit(100)))


def past_officers(area_id: int, today: dt.date) -> list[BuildingOfficer]:
    """Who was the officer of the building before, the last first."""
    query = select(BuildingOfficer).where(BuildingOfficer.area_id == area_id, BuildingOfficer.ends_on <= today)
    newest = query.options(joinedload(BuildingOfficer.person)).order_by(BuildingOfficer.ends_on.desc())
    return list(db.session.scalars(newest.limit(100)))


def by_code(code: str) -> Team | None:
    """The team with this code."""
    return db.session.scalar(select(Team).where(Team.code == code))


def teams_in(area_ids: Iterable[int]) -> list[Team]:
    """The teams that stand in one of the areas, by code."""
    query = select(Team).where(Team.area_id.in_(list(area_ids)), Team.closed_on.is_(None)).order_by(Team.code)
    return list(db.session.scalars(query.options(joinedload(Team.area))))


def areas_of(team_ids: Iterable[int]) -> dict[int, list[Area]]:
    """The areas that each of the teams covers, by code."""
    query = (
        select(TeamArea.team_id, Area)
        .join(Area, Area.id == TeamArea.area_id)
        .where(TeamArea.team_id.in_(list(team_ids)))
        .order_by(Area.code)
    )
    found: dict[int, list[Area]] = {}
    for team_id, area in db.session.execute(query):
        found.setdefault(team_id, []).append(area)
    return found


def officers_of(area_ids: Iterable[int], today: dt.date) -> dict[int, BuildingOfficer]:
    """Today's named officer of each of the buildings that has one, by the building's id."""
    query = (
        select(BuildingOfficer)
        .where(
            BuildingOfficer.area_id.in_(list(area_ids)),
            running(BuildingOfficer.starts_on, BuildingOfficer.ends_on, today),
        )
        .options(joinedload(BuildingOfficer.person))
        .order_by(BuildingOfficer.id)
    )
    return {officer.area_id: officer for officer in db.session.scalars(query)}


def absences_of(person_ids: Iterable[int], today: dt.date) -> dict[int, Absence]:
    """Who of the people is on leave today."""
    query = select(Absence).where(
        Absence.person_id.in_(list(person_ids)), Absence.starts_on <= today, Absence.ends_on > today
    )
    return {absence.person_id: absence for absence in db.session.scalars(query.order_by(Absence.id))}


def _interested(today: dt.date) -> ColumnElement[bool]:
    return running(Interest.starts_on, Interest.ends_on, today)


def close_to(enterprise_id: int, today: dt.date) -> frozenset[int]:
    """The ids of everybody who must keep away from the company's cases: its own people and who declared an interest."""
    members = select(EnterpriseMember.person_id).where(EnterpriseMember.enterprise_id == enterprise_id)
    declared = select(Interest.person_id).where(Interest.enterprise_id == enterprise_id, _interested(today))
    return frozenset(db.session.scalars(members.union(declared)))


def close_to_each(enterprise_ids: Iterable[int], today: dt.date) -> dict[int, frozenset[int]]:
    """What :func:`close_to` says, for many companies in one statement; companies without anybody are left out."""
    ids = list(enterprise_ids)
    members = select(EnterpriseMember.enterprise_id, EnterpriseMember.person_id).where(
        EnterpriseMember.enterprise_id.in_(ids)
    )
    declared = select(Interest.enterprise_id, Interest.person_id).where(
        Interest.enterprise_id.in_(ids), _interested(today)
    )
    found: dict[int, set[int]] = {}
    for enterprise_id, person_id in db.session.execute(members.union(declared)):
        found.setdefault(enterprise_id, set()).add(person_id)
    return {enterprise_id: frozenset(people) for enterprise_id, people in found.items()}


def interests_of(person_id: int, today: dt.date) -> list[Interest]:
    """The companies that a person keeps away from today, by name."""
    query = (
        select(Interest)
        .join(Enterprise, Enterprise.id == Interest.enterprise_id)
        .where(Interest.person_id == person_id, _interested(today))
        .options(joinedload(Interest.enterprise))
        .order_by(Enterprise.name, Interest.id)
    )
    return list(db.session.scalars(query))
