"""Draws for post-checks: one seed a town and day, and what was drawn for each case, so that anybody can draw again."""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Iterator
from typing import Any

from sqlalchemy import JSON, Date, ForeignKey, String, UniqueConstraint, select
from sqlalchemy.orm import Mapped, mapped_column, relationship

from workflow.data.cases import Case
from workflow.extensions import HasId, Id, Model, UtcDateTime, db


class SamplingSeed(HasId, Model):
    """The seed by which a town draws on a day; made once, before the first draw, and kept in the history."""

    __tablename__ = "sampling_seeds"
    __table_args__ = (UniqueConstraint("town_id", "day_on"),)

    town_id: Mapped[int] = mapped_column(Id, ForeignKey("areas.id"))
    day_on: Mapped[dt.date] = mapped_column(Date)
    seed: Mapped[str] = mapped_column(String(64))
    made_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)


class SampleDraw(HasId, Model):
    """The lot of a case: ``value`` below ``percent`` means that it is checked; ``label`` names the class of risk."""

    __tablename__ = "sample_draws"

    case_id: Mapped[int] = mapped_column(Id, ForeignKey("cases.id"), index=True)
    seed_id: Mapped[int] = mapped_column(Id, ForeignKey("sampling_seeds.id"))
    label: Mapped[dict[str, Any]] = mapped_column(JSON)
    percent: Mapped[int]
    value: Mapped[float]
    drawn: Mapped[bool]
    at: Mapped[dt.datetime] = mapped_column(UtcDateTime)

    seed: Mapped[SamplingSeed] = relationship(lazy="joined")


def seed_of(town_id: int, day_on: dt.date, now: dt.datetime) -> tuple[SamplingSeed, bool]:
    """The town's seed of the day, and whether it was made just now."""
    query = select(SamplingSeed).where(SamplingSeed.town_id == town_id, SamplingSeed.day_on == day_on)
    seed = db.session.scalar(query)
    if seed is not None:
        return seed, False
    seed = SamplingSeed(town_id=town_id, day_on=day_on, seed=secrets.token_hex(32), made_at=now)
    db.session.add(seed)
    db.session.flush()
    return seed, True


def all_draws() -> Iterator[tuple[SampleDraw, str]]:
    """Every draw with its case's reference, oldest first; streams, memory is flat."""
    query = (
        select(SampleDraw, Case.reference)
        .join(Case, Case.id == SampleDraw.case_id)
        .order_by(SampleDraw.id)
        .execution_options(yield_per=1000)
    )
    for row in db.session.execute(query):
        yield row[0], row[1]


def of_case(case_id: int) -> list[SampleDraw]:
    """Every draw of a case, oldest first."""
    return list(db.session.scalars(select(SampleDraw).where(SampleDraw.case_id == case_id).order_by(SampleDraw.id)))
