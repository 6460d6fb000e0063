"""Bringing the data that ships with the product into the database: area tree, flows, checklists, rules."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import select

from workflow.core.actors import SYSTEM, AreaKind
from workflow.core.catalogue import CatalogueInvalid
from workflow.core.flow_file import FlowInvalid, read_flow
from workflow.core.rulebook import read_rulebook
from workflow.core.times import shanghai_day
from workflow.data import audit, catalogue
from workflow.data.areas import Area
from workflow.data.flows import ChecklistVersion, FlowVersion, RuleVersion, checklist_of, digest_of
from workflow.extensions import db

CHAIN = "flows"
FIRST_DAY = dt.date(2020, 2, 4)
"""From when on what ships is in force: the day of 甬防〔2020〕9号."""


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
    """Publish each shipped flow whose text is new, and the first rulebook; returns the new flow versions.

    Raises :class:`FlowInvalid` when a shipped file is wrong or its text changed without a new revision.
    """
    published = []
    for key in catalogue.flow_keys():
        text = catalogue.flow_text(key)
        flow, digest = read_flow(text), digest_of(text)
        known = db.session.execute(
            select(FlowVersion.revision, FlowVersion.digest, FlowVersion.text, FlowVersion.drafted_by).where(
                FlowVersion.key == key
            )
        ).all()
        shipped = [row for row in known if row.drafted_by is None]  # people publish under the same key for an area
        if any(row.digest == digest for row in shipped):
            continue
        if any(read_flow(row.text).revision == flow.revision for row in shipped):
            raise FlowInvalid([f"{key}: the text of revision {flow.revision} changed; raise its revision"])
        version = FlowVersion(
            key=key,
            revision=max([flow.revision, *(row.revision + 1 for row in known)]),
            text=text,
            digest=digest,
            effective_on=effective_on or min(shanghai_day(now), FIRST_DAY),
            published_at=now,
        )
        db.session.add(version)
        db.session.flush()
        after = {"flow": key, "revision": version.revision, "digest": digest}
        audit.record(audit.FLOW_PUBLISHED, chain=CHAIN, actor=SYSTEM, at=now, after=after)
        published.append(version)
    sync_rules(now)
    sync_checklists(now)
    return published


def sync_checklists(now: dt.datetime) -> list[ChecklistVersion]:
    """Publish each shipped checklist whose text is new, for everywhere; returns the new versions.

    Raises :class:`CatalogueInvalid` when a text changed without a new version number.
    """
    added = []
    for key, text in catalogue.checklist_texts().items():
        query = select(ChecklistVersion).where(ChecklistVersion.key == key)
        known = list(db.session.scalars(query))
        shipped = [v for v in known if v.drafted_by is None]
        if any(v.digest == digest_of(text) for v in shipped):
            continue
        number = checklist_of(text).version
        if any(v.checklist.version == number for v in shipped):
            raise CatalogueInvalid([f"{key}: the text of version {number} changed; raise its version"])
        version = ChecklistVersion(
            key=key,
            revision=max([number, *(v.revision + 1 for v in known)]),
            text=text,
            digest=digest_of(text),
            effective_on=min(shanghai_day(now), FIRST_DAY),
            published_at=now,
        )
        db.session.add(version)
        db.session.flush()
        after = {"checklist": key, "revision": version.revision, "digest": version.digest}
        audit.record(audit.CHECKLIST_PUBLISHED, chain=CHAIN, actor=SYSTEM, at=now, after=after)
        added.append(version)
    return added


def sync_rules(now: dt.datetime) -> RuleVersion | None:
    """Publish the shipped rulebook for everywhere when none is there yet; people publish all that follow."""
    if db.session.scalar(select(RuleVersion.id).limit(1)) is not None:
        return None
    text = catalogue.rules_text()
    read_rulebook(text, frozenset(catalogue.flow_keys()))
    version = RuleVersion(
        revision=1,
        text=text,
        digest=digest_of(text),
        effective_on=min(shanghai_day(now), FIRST_DAY),
        published_at=now,
    )
    db.session.add(version)
    db.session.flush()
    after = {"revision": 1, "digest": version.digest}
    audit.record(audit.RULES_PUBLISHED, chain=CHAIN, actor=SYSTEM, at=now, after=after)
    return version
