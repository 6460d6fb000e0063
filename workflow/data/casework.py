"""What is written beside a case: officers' internal notes, the thread with the company, and standard phrases."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import (
    JSON,
    CheckConstraint,
    ColumnElement,
    ForeignKey,
    Index,
    Select,
    String,
    Text,
    and_,
    func,
    literal,
    or_,
    select,
    true,
    union,
    union_all,
    update,
)
from sqlalchemy.orm import InstrumentedAttribute, Mapped, mapped_column, relationship

from workflow.core.actors import ROLE_PERMISSIONS, Actor, Permission, Role
from workflow.data.areas import Area
from workflow.data.cases import Case
from workflow.data.enterprises import EnterpriseMember
from workflow.data.people import Account, Person, PersonAppointment
from workflow.extensions import HasId, Id, Model, UtcDateTime, db

COMPANY, STAFF = "company", "staff"
"""The two sides of a thread."""


class Note(HasId, Model):
    """An internal note on a case, for officers only; ``mentions`` are the ids of the people it calls by name."""

    __tablename__ = "case_notes"
    __table_args__ = (Index("ix_case_notes_case", "case_id", "id"),)

    case_id: Mapped[int] = mapped_column(Id, ForeignKey("cases.id"))
    person_id: Mapped[int] = mapped_column(Id, ForeignKey("people.id"))
    words: Mapped[str] = mapped_column(Text)
    mentions: Mapped[list[int]] = mapped_column(JSON, default=list)
    at: Mapped[dt.datetime] = mapped_column(UtcDateTime)

    person: Mapped[Person] = relationship()


class ThreadMessage(HasId, Model):
    """A message in the one thread between a case's company and its officers; ``role`` is the role it was written in."""

    __tablename__ = "thread_messages"
    __table_args__ = (Index("ix_thread_messages_case", "case_id", "id"),)

    case_id: Mapped[int] = mapped_column(Id, ForeignKey("cases.id"))
    person_id: Mapped[int] = mapped_column(Id, ForeignKey("people.id"))
    from_company: Mapped[bool]
    role: Mapped[str] = mapped_column(String(20))
    words: Mapped[str] = mapped_column(Text)
    at: Mapped[dt.datetime] = mapped_column(UtcDateTime)

    person: Mapped[Person] = relationship()


class ThreadMark(Model):
    """How far one side has read a case's thread: up to the message ``up_to_id``."""

    __tablename__ = "thread_marks"
    __table_args__ = (CheckConstraint("side IN ('company','staff')", name="side"),)

    case_id: Mapped[int] = mapped_column(Id, ForeignKey("cases.id"), primary_key=True)
    side: Mapped[str] = mapped_column(String(10), primary_key=True)
    up_to_id: Mapped[int] = mapped_column(Id)
    at: Mapped[dt.datetime] = mapped_column(UtcDateTime)


class Phrase(HasId, Model):
    """A standard phrase: personal (``owner_id``) or shared in an area; ``topic`` says where it is for."""

    __tablename__ = "phrases"
    __table_args__ = (
        CheckConstraint("(owner_id IS NULL) <> (area_id IS NULL)", name="whose"),
        Index("ix_phrases_owner", "owner_id", "topic"),
        Index("ix_phrases_area", "area_id", "topic"),
    )

    owner_id: Mapped[int | None] = mapped_column(Id, ForeignKey("people.id"))
    area_id: Mapped[int | None] = mapped_column(Id, ForeignKey("areas.id"))
    topic: Mapped[str] = mapped_column(String(80))
    words: Mapped[str] = mapped_column(Text)
    uses: Mapped[int] = mapped_column(default=0)
    created_by: Mapped[int] = mapped_column(Id, ForeignKey("people.id"))
    created_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)

    area: Mapped[Area | None] = relationship()


@dataclass(frozen=True, slots=True)
class TalkLine:
    """A note or a message as pages show it; ``role`` and ``from_company`` say nothing about a note."""

    id: int
    person_id: int
    name: str
    from_company: bool
    role: str
    words: str
    at: dt.datetime


@dataclass(frozen=True, slots=True)
class Talk:
    """What was written on a case, oldest first: notes, the thread's newest messages, and both sides' read marks."""

    notes: Sequence[TalkLine] = ()
    messages: Sequence[TalkLine] = ()
    marks: Mapping[str, int] = field(default_factory=dict)


MOST_NOTES, MOST_MESSAGES = 200, 31
"""So many of the newest are read at once; the thread's page goes further back."""


def talk_of(case_id: int, before: int | None = None) -> Talk:
    """Notes, messages (older than the one called ``before``) and marks of a case in one statement.

    A person of the company must not be shown the notes: callers ask :func:`workflow.services.notes.may_read` first.
    """
    older = ThreadMessage.id < before if before is not None else true()
    notes = _lines("note", Note, literal(False), literal(""), MOST_NOTES, true()).where(Note.case_id == case_id)
    written = _lines(
        "message", ThreadMessage, ThreadMessage.from_company, ThreadMessage.role, MOST_MESSAGES, older
    ).where(ThreadMessage.case_id == case_id)
    nobody = literal(0, Id)
    marks = select(
        ThreadMark.side.label("kind"),
        ThreadMark.up_to_id.label("id"),
        nobody.label("person_id"),
        literal("").label("name"),
        literal(False).label("from_company"),
        literal("").label("role"),
        literal("").label("words"),
        ThreadMark.at.label("at"),
    ).where(ThreadMark.case_id == case_id)
    every = union_all(*(select(part.subquery()) for part in (notes, written)), marks).subquery()
    rows = db.session.execute(select(every).order_by(every.c.kind, every.c.id)).all()
    found: dict[str, list[TalkLine]] = {"note": [], "message": []}
    for row in rows:
        if row.kind in found:
            found[row.kind].append(TalkLine(*row[1:]))
    return Talk(found["note"], found["message"], {r.kind: r.id for r in rows if r.kind not in found})


def _lines(
    kind: str,
    model: type[Note] | type[ThreadMessage],
    from_company: ColumnElement[bool] | InstrumentedAttribute[bool],
    role: ColumnElement[str] | InstrumentedAttribute[str],
    most: int,
    only: ColumnElement[bool],
) -> Select[*tuple[Any, ...]]:
    """The newest rows of one kind, with the same columns for both."""
    return (
        select(
            literal(kind).label("kind"),
            model.id.label("id"),
            model.person_id.label("person_id"),
            Person.name.label("name"),
            from_company.label("from_company"),
            role.label("role"),
            model.words.label("words"),
            model.at.label("at"),
        )
        .join(Person, Person.id == model.person_id)
        .where(only)
        .order_by(model.id.desc())
        .limit(most)
    )


def mark_read(case_id: int, side: str, up_to: int, at: dt.datetime) -> None:
    """Keep that ``side`` has read the thread up to a message; a mark never goes back."""
    mark = db.session.get(ThreadMark, (case_id, side), with_for_update=True)
    if mark is None:
        db.session.add(ThreadMark(case_id=case_id, side=side, up_to_id=up_to, at=at))
    elif up_to > mark.up_to_id:
        mark.up_to_id, mark.at = up_to, at


def last_message_id(case_id: int) -> int:
    """The id of the newest message of a case's thread; 0 when there is none."""
    return db.session.scalar(select(func.max(ThreadMessage.id)).where(ThreadMessage.case_id == case_id)) or 0


def unread_by_company(case_ids: list[int]) -> dict[int, int]:
    """How many messages of officers the company has not read, by case; cases without any are missing."""
    if not case_ids:
        return {}
    mark = and_(ThreadMark.case_id == ThreadMessage.case_id, ThreadMark.side == COMPANY)
    query = (
        select(ThreadMessage.case_id, func.count())
        .outerjoin(ThreadMark, mark)
        .where(
            ThreadMessage.case_id.in_(case_ids),
            ThreadMessage.from_company.is_(False),
            ThreadMessage.id > func.coalesce(ThreadMark.up_to_id, 0),
        )
        .group_by(ThreadMessage.case_id)
    )
    return {row[0]: row[1] for row in db.session.execute(query)}


def staff_who_see(case: Case, today: dt.date) -> list[tuple[int, str, str, str]]:
    """Person id, name, role and area of every officer who may see the case and its notes today, by name.

    People of the case's own company are left out: they must not read what is written about it.
    """
    roles = [r.value for r in Role if Permission.SEE_DESK in ROLE_PERMISSIONS[r]]
    held = PersonAppointment
    company = select(EnterpriseMember.person_id).where(EnterpriseMember.enterprise_id == case.enterprise_id)
    query = (
        select(Person.id, Person.name, held.role, Area.name)
        .join(held, held.person_id == Person.id)
        .join(Area, Area.id == held.area_id)
        .where(
            held.role.in_(roles),
            held.area_id.in_(case.area_ids),
            or_(held.bureau.is_(None), held.bureau == case.bureau),
            held.starts_on <= today,
            or_(held.ends_on.is_(None), held.ends_on > today),
            Person.id.in_(select(Account.person_id).where(Account.is_active)),
            Person.id.not_in(company),
        )
        .distinct()
        .order_by(Person.name, Person.id, held.role, Area.name)
    )
    found: dict[int, tuple[int, str, str, str]] = {}
    for person_id, name, role, area in db.session.execute(query):
        found.setdefault(person_id, (person_id, name, role, area))
    return list(found.values())


def _own_areas(actor: Actor) -> Select[tuple[int | None]]:
    """The areas that the actor's appointments lie in, and all above them, as a subquery of ids."""
    own = [a.area_id for a in actor.appointments]
    levels = (Area.id, Area.zone_id, Area.town_id, Area.county_id, Area.city_id)
    every = union(*(select(level.label("id")).where(Area.id.in_(own)) for level in levels)).subquery()
    return select(every.c.id)


def phrases_for(actor: Actor, case: Case | None) -> ColumnElement[bool]:
    """The condition that a phrase is the actor's own, or shared where the case lies (without one: where they work)."""
    where = Phrase.area_id.in_(case.area_ids) if case is not None else Phrase.area_id.in_(_own_areas(actor))
    return or_(Phrase.owner_id == actor.person_id, where)


def phrases(actor: Actor, topics: list[str], case: Case | None, most: int) -> list[Phrase]:
    """The phrases of these topics, most used first, then the newest."""
    query = select(Phrase).where(phrases_for(actor, case), Phrase.topic.in_(topics))
    return list(db.session.scalars(query.order_by(Phrase.uses.desc(), Phrase.id.desc()).limit(most)))


def phrases_visible_to(actor: Actor) -> Select[Phrase]:
    """Every phrase the actor may use: their own and those shared where they work."""
    return select(Phrase).where(phrases_for(actor, None))


def count_uses(phrase_ids: list[int]) -> None:
    """Count one more use of each phrase."""
    if phrase_ids:
        db.session.execute(
            update(Phrase)
            .where(Phrase.id.in_(sorted(phrase_ids)))
            .values(uses=Phrase.uses + 1)
            .execution_options(synchronize_session=False)
        )


def phrases_of(owner_id: int | None, area_id: int | None) -> list[Phrase]:
    """The phrases that one person keeps, or that are shared in one area."""
    whose = Phrase.owner_id == owner_id if owner_id is not None else Phrase.area_id == area_id
    return list(db.session.scalars(select(Phrase).where(whose).order_by(Phrase.id)))
