"""How often each item of the checklists was looked at and failed, by town, zone, sector and month."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from sqlalchemy import Date, String, func, select
from sqlalchemy.orm import Mapped, mapped_column

from workflow.core.times import shanghai_day
from workflow.data import sums
from workflow.data.areas import Area
from workflow.data.inspections import Inspection
from workflow.extensions import Id, Model, db

NO_ZONE = 0


class ItemCount(Model):
    """The visits concluded in a month (its first day) in one place and sector on which an item was marked and failed.

    ``zone_id`` is 0 outside of every zone. Items that were not applicable are not counted.
    """

    __tablename__ = "item_counts"

    town_id: Mapped[int] = mapped_column(Id, primary_key=True)
    month_on: Mapped[dt.date] = mapped_column(Date, primary_key=True)
    code: Mapped[str] = mapped_column(String(20), primary_key=True)
    sector: Mapped[str] = mapped_column(String(20), primary_key=True)
    zone_id: Mapped[int] = mapped_column(Id, primary_key=True, default=NO_ZONE)
    marked: Mapped[int] = mapped_column(default=0)
    failed: Mapped[int] = mapped_column(default=0)


def count(visit: Inspection, at: dt.datetime) -> None:
    """Count a visit that is being concluded, in one statement of the same transaction."""
    case = visit.case
    rows = [
        {
            "town_id": case.town_id,
            "month_on": shanghai_day(at).replace(day=1),
            "code": item.code,
            "sector": case.sector,
            "zone_id": case.zone_id or NO_ZONE,
            "marked": 1,
            "failed": int(item.result == "fail"),
        }
        for item in sorted(visit.items, key=lambda i: i.code)
        if item.result in ("conform", "fail")
    ]
    sums.add(db.session.connection(), ItemCount, rows, ("marked", "failed"))


def totals(town_ids: Iterable[int], since: dt.date) -> list[tuple[str, str, int, int, int, int]]:
    """Sums since a month by item: code, sector, town, zone, marked, failed."""
    query = (
        select(
            ItemCount.code,
            ItemCount.sector,
            ItemCount.town_id,
            ItemCount.zone_id,
            func.sum(ItemCount.marked),
            func.sum(ItemCount.failed),
        )
        .where(ItemCount.town_id.in_(list(town_ids)), ItemCount.month_on >= since)
        .group_by(ItemCount.code, ItemCount.sector, ItemCount.town_id, ItemCount.zone_id)
    )
    return [(c, s, t, z, int(m), int(f)) for c, s, t, z, m, f in db.session.execute(query)]


def towns_in(area: Area) -> list[Area]:
    """The towns of an area, itself when it is one."""
    column = {"city": Area.city_id, "county": Area.county_id}.get(area.kind, Area.id)
    return list(db.session.scalars(select(Area).where(column == area.id, Area.kind == "town").order_by(Area.code)))
