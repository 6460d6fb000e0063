"""The area tree: city, counties, towns, zones and buildings."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import CheckConstraint, ColumnElement, ForeignKey, Select, String, or_, select
from sqlalchemy.orm import Mapped, mapped_column

from workflow.core.actors import AreaKind
from workflow.extensions import HasId, Id, Model, db


class Area(HasId, Model):
    """One area; ``code`` is official down to towns (NBS 2023), ours below; the ids above it stand in the row."""

    __tablename__ = "areas"
    __table_args__ = (CheckConstraint("kind IN ('city','county','town','zone','building')", name="kind"),)

    code: Mapped[str] = mapped_column(String(40), unique=True)
    name: Mapped[str] = mapped_column(String(80))
    short_name: Mapped[str] = mapped_column(String(20), comment="as in reference numbers: 海曙")
    kind: Mapped[str] = mapped_column(String(10), index=True)
    parent_id: Mapped[int | None] = mapped_column(Id, ForeignKey("areas.id"), index=True)
    city_id: Mapped[int | None] = mapped_column(Id)
    county_id: Mapped[int | None] = mapped_column(Id)
    town_id: Mapped[int | None] = mapped_column(Id)
    zone_id: Mapped[int | None] = mapped_column(Id)

    @property
    def area_kind(self) -> AreaKind:
        """``kind`` as the core's enumeration."""
        return AreaKind(self.kind)

    @property
    def lineage_ids(self) -> frozenset[int]:
        """This area and all above it, as ids."""
        above = (self.city_id, self.county_id, self.town_id, self.zone_id)
        return frozenset({self.id, *(i for i in above if i is not None)})

    @property
    def lineage(self) -> tuple[int, ...]:
        """The ids of this area and all above it, the narrowest first."""
        above = (self.zone_id, self.town_id, self.county_id, self.city_id)
        return (self.id, *(i for i in above if i is not None and i != self.id))


def by_code(code: str) -> Area | None:
    """The area with this code."""
    return db.session.scalar(select(Area).where(Area.code == code))


def lies_in(area_ids: Collection[int]) -> ColumnElement[bool]:
    """Whether an area is one of ``area_ids`` or below one."""
    own = (Area.id, Area.city_id, Area.county_id, Area.town_id, Area.zone_id)
    return or_(*(column.in_(area_ids) for column in own))


def of_kind(kind: AreaKind, parent_id: int | None = None) -> Select[Area]:
    """Areas of a kind, by code; only those below ``parent_id`` when given."""
    query = select(Area).where(Area.kind == kind).order_by(Area.code)
    return query if parent_id is None else query.where(Area.parent_id == parent_id)


def counties_and_towns() -> list[Area]:
    """Every county and town, by code, in one statement."""
    kinds = (AreaKind.COUNTY.value, AreaKind.TOWN.value)
    return list(db.session.scalars(select(Area).where(Area.kind.in_(kinds)).order_by(Area.code)))


def places_below(town_id: int) -> list[Area]:
    """Every zone and building below a town, by code, in one statement."""
    return list(db.session.scalars(select(Area).where(Area.town_id == town_id).order_by(Area.code)))
