"""What visits teach: which items fail most by sector and place, and what the next visit should look at first."""

from __future__ import annotations

import datetime as dt
from collections import Counter as Tally
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import select

from workflow.core.actors import ROLE_PERMISSIONS, Actor, AreaKind, Permission
from workflow.core.errors import NotFound
from workflow.core.times import shanghai_day
from workflow.data import item_counts
from workflow.data.areas import Area
from workflow.data.cases import Case
from workflow.data.inspections import Inspection, InspectionItem
from workflow.extensions import db

MONTHS = 3
LEAST_MARKED = 5
"""An item is spoken of only when it was looked at so often: one failure of one visit is no pattern."""
MOST_FOCUS = 5


@dataclass(frozen=True, slots=True)
class ItemRate:
    """How often an item was looked at and failed; ``places`` are the zones or towns where it failed most, by id."""

    code: str
    marked: int
    failed: int
    places: tuple[tuple[int, int], ...]

    @property
    def percent(self) -> int:
        """The share of failures, in whole per cent."""
        return round(100 * self.failed / self.marked)


@dataclass(frozen=True, slots=True)
class Learned:
    """What an area's visits of the last months teach; ``by`` says what the places of the rates are."""

    area: Area
    since: dt.date
    rates: tuple[ItemRate, ...]
    by: AreaKind
    names: dict[int, str]
    sectors: dict[str, int]


def _since(now: dt.datetime) -> dt.date:
    """The first day of the earliest of the months that count."""
    day = shanghai_day(now).replace(day=1)
    for _ in range(MONTHS - 1):
        day = (day - dt.timedelta(days=1)).replace(day=1)
    return day


def own_areas(actor: Actor) -> list[Area]:
    """City, counties and towns whose visits the actor may see."""
    ids = [a.area_id for a in actor.appointments if Permission.SEE_DESK in ROLE_PERMISSIONS[a.role]]
    found = list(db.session.scalars(select(Area).where(Area.id.in_(ids)))) if ids else []
    towns = {a.town_id or a.id for a in found if a.area_kind in (AreaKind.TOWN, AreaKind.ZONE, AreaKind.BUILDING)}
    wide = {a.id for a in found if a.area_kind in (AreaKind.CITY, AreaKind.COUNTY)}
    return list(db.session.scalars(select(Area).where(Area.id.in_(towns | wide)).order_by(Area.code)))


def learned(actor: Actor, code: str, sector: str, now: dt.datetime) -> Learned:
    """What fails most in the area with this code (the first of the reader's own when empty), in one sector or in all.

    Raises :class:`NotFound` for an area outside of the reader's.
    """
    own = own_areas(actor)
    area = db.session.scalar(select(Area).where(Area.code == code)) if code else next(iter(own), None)
    if area is None or not {a.id for a in own} & set(area.lineage):
        raise NotFound()
    towns = item_counts.towns_in(area)
    by = AreaKind.ZONE if area.area_kind is AreaKind.TOWN else AreaKind.TOWN
    marked, failed, sectors = Tally[str](), Tally[str](), Tally[str]()
    places: dict[str, Tally[int]] = {}
    for item, of_sector, town, zone, many, wrong in item_counts.totals((t.id for t in towns), _since(now)):
        sectors[of_sector] += wrong
        if sector and of_sector != sector:
            continue
        marked[item] += many
        failed[item] += wrong
        if wrong:
            places.setdefault(item, Tally())[zone if by is AreaKind.ZONE else town] += wrong
    rates = [
        ItemRate(c, marked[c], failed[c], tuple(places[c].most_common(3)))
        for c in failed
        if failed[c] and marked[c] >= LEAST_MARKED
    ]
    rates.sort(key=lambda r: (-r.failed / r.marked, -r.failed, r.code))
    return Learned(area, _since(now), tuple(rates), by, _names(rates), dict(sectors))


def _names(rates: Iterable[ItemRate]) -> dict[int, str]:
    ids = {place for rate in rates for place, _n in rate.places}
    rows = db.session.execute(select(Area.id, Area.name).where(Area.id.in_(ids)))
    return {row.id: row.name for row in rows}


def focus_of(case: Case, codes: Iterable[str], now: dt.datetime) -> list[str]:
    """What a visit of this case should look at first, out of its items: what this enterprise failed before, then what
    its sector fails most in its town."""
    asked = set(codes)
    before = (
        select(InspectionItem.code)
        .join(Inspection, Inspection.id == InspectionItem.inspection_id)
        .join(Case, Case.id == Inspection.case_id)
        .where(
            Case.enterprise_id == case.enterprise_id, InspectionItem.result == "fail", Inspection.status == "concluded"
        )
        .order_by(Inspection.id.desc(), InspectionItem.position)
        .limit(50)
    )
    found = [c for c in dict.fromkeys(db.session.scalars(before)) if c in asked]
    marked, failed = Tally[str](), Tally[str]()
    for item, sector, _town, _zone, many, wrong in item_counts.totals([case.town_id], _since(now)):
        if sector == case.sector and item in asked:
            marked[item] += many
            failed[item] += wrong
    common = [c for c in failed if failed[c] and marked[c] >= LEAST_MARKED]
    common.sort(key=lambda c: (-failed[c] / marked[c], c))
    return list(dict.fromkeys([*found, *common]))[:MOST_FOCUS]
