"""Saved views of the queue: what was asked for, under a name, of one officer or shared with an area or a team."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import (
    JSON,
    CheckConstraint,
    ColumnElement,
    ForeignKey,
    Index,
    String,
    UniqueConstraint,
    and_,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.orm import Mapped, joinedload, mapped_column, relationship

from workflow.core.actors import Actor
from workflow.data.areas import Area
from workflow.data.people import Person
from workflow.extensions import HasId, Id, Model, UtcDateTime, db

PRIVATE, TEAM, AREA = "", "team", "area"
"""With whom a view is shared: nobody, whoever is in a team with its owner, or the staff of an area."""
LONGEST_NAME, MOST_VIEWS = 40, 50


class SavedView(HasId, Model):
    """A named view; ``asked`` are the queue's address parameters by name, with the tab, order and columns."""

    __tablename__ = "saved_views"
    __table_args__ = (
        CheckConstraint("shared IN ('','team','area')", name="shared"),
        CheckConstraint("(shared = 'area') = (area_id IS NOT NULL)", name="area"),
        UniqueConstraint("owner_id", "name"),
        Index(
            "uq_saved_views_default",
            "owner_id",
            unique=True,
            sqlite_where=text("is_default = 1"),
            postgresql_where=text("is_default"),
        ),
    )

    owner_id: Mapped[int] = mapped_column(Id, ForeignKey("people.id"))
    name: Mapped[str] = mapped_column(String(LONGEST_NAME))
    asked: Mapped[dict[str, str]] = mapped_column(JSON)
    shared: Mapped[str] = mapped_column(String(10), default=PRIVATE)
    area_id: Mapped[int | None] = mapped_column(Id, ForeignKey("areas.id"), index=True)
    is_default: Mapped[bool] = mapped_column(default=False)
    changed_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    version: Mapped[int] = mapped_column(default=1)

    owner: Mapped[Person] = relationship()
    area: Mapped[Area | None] = relationship()

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 - SQLAlchemy's own way to name it


def _seen(actor: Actor, mates: frozenset[int]) -> ColumnElement[bool]:
    """Own views, those of the actor's teams, and those shared in an area that holds a post of the actor."""
    posts = {a.area_id for a in actor.appointments}
    above = [
        select(column).where(Area.id.in_(posts), column.is_not(None))
        for column in (Area.id, Area.zone_id, Area.town_id, Area.county_id, Area.city_id)
    ]
    shared_here = or_(*(SavedView.area_id.in_(ids) for ids in above))
    return or_(
        SavedView.owner_id == actor.person_id,
        and_(SavedView.shared == TEAM, SavedView.owner_id.in_(sorted(mates))),
        and_(SavedView.shared == AREA, shared_here),
    )


def visible_to(actor: Actor, mates: frozenset[int]) -> list[SavedView]:
    """The views the actor may open with their owners, own ones first, then by name."""
    query = (
        select(SavedView)
        .where(_seen(actor, mates))
        .options(joinedload(SavedView.owner), joinedload(SavedView.area))
        .order_by((SavedView.owner_id == actor.person_id).desc(), SavedView.name, SavedView.id)
        .limit(4 * MOST_VIEWS)
    )
    return list(db.session.scalars(query))


def lock_own(actor: Actor, view_id: int) -> SavedView | None:
    """A view of the actor, locked until the transaction ends and read anew."""
    query = select(SavedView).where(SavedView.id == view_id, SavedView.owner_id == actor.person_id)
    return db.session.scalar(query.with_for_update(of=SavedView).execution_options(populate_existing=True))


def names_of(person_id: int) -> dict[str, int]:
    """The ids of a person's views by name."""
    rows = db.session.execute(select(SavedView.name, SavedView.id).where(SavedView.owner_id == person_id))
    return {row.name: row.id for row in rows}


def no_default(person_id: int) -> None:
    """Let none of a person's views be the one that the queue opens with."""
    mine = update(SavedView).where(SavedView.owner_id == person_id, SavedView.is_default.is_(True))
    db.session.execute(mine.values(is_default=False, version=SavedView.version + 1))
