"""Bringing the data that ships with the product into the database: the area tree and the flow versions."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import select

from workflow.core.actors import SYSTEM, AreaKind
from workflow.core.flow import FlowInvalid, read_flow
from workflow.core.times import shanghai_day
from workflow.data import audit, catalogue
from workflow.data.areas import Area
from workflow.data.flows import FlowVersion, digest_of
from workflow.extensions import db


def sync_areas() -> int:
    """Add areas that are missing and rename those whose name changed; returns how many rows changed. Never deletes."""
    known = {a.code: a for a in db.session.scalars(select(Area))}
    changed = 0
    for entry in catalogue.areas():
        area = known.get(entry.code)
        if area is None:
            parent = known[entry.parent_code] if entry.parent_code else None
            area = known[entry.code] = Area(
                code=entry.code, name=entry.name, short_name=entry.short_name, kind=entry.kind, **_above(parent)
            )
            db.session.add(area)
            db.session.flush()
            changed += 1
        elif (area.name, area.short_name) != (entry.name, entry.short_name):
            area.name, area.short_name = entry.name, entry.short_name
            changed += 1
    return changed


def _above(parent: Area | None) -> dict[str, int | None]:
    """The ids of the levels above an area, from its parent."""
    if parent is None:
        return {"parent_id": None}
    columns = {
        AreaKind.CITY: "city_id",
        AreaKind.COUNTY: "county_id",
        AreaKind.TOWN: "town_id",
        AreaKind.ZONE: "zone_id",
    }
    above = {c: getattr(parent, c) for c in columns.values()}
    above["parent_id"] = parent.id
    if parent.area_kind in columns:
        above[columns[parent.area_kind]] = parent.id
    return above


def sync_flows(now: dt.datetime, effective_on: dt.date | None = None) -> list[FlowVersion]:
    """Publish each shipped flow whose text is new; returns the new versions.

    Raises :class:`FlowInvalid` when a shipped file is wrong or its text changed without a new revision.
    """
    published = []
    for key in catalogue.flow_keys():
        text = catalogue.flow_text(key)
        flow = read_flow(text)
        same = db.session.scalar(
            select(FlowVersion).where(FlowVersion.key == key, FlowVersion.revision == flow.revision)
        )
        if same is not None:
            if same.digest != digest_of(text):
                raise FlowInvalid([f"{key}: the text of revision {flow.revision} changed; raise its revision"])
            continue
        version = FlowVersion(
            key=key,
            revision=flow.revision,
            text=text,
            digest=digest_of(text),
            effective_on=effective_on or min(shanghai_day(now), dt.date(2020, 2, 4)),
            published_at=now,
        )
        db.session.add(version)
        db.session.flush()
        after = {"flow": key, "revision": flow.revision, "digest": version.digest}
        audit.record(audit.FLOW_PUBLISHED, chain="flows", actor=SYSTEM, at=now, after=after)
        published.append(version)
    return published
