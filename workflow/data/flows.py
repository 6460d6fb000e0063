"""Published flow versions and rulebooks: immutable texts for an area from a day on, read once and kept checked."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Iterable
from functools import lru_cache
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Date, ForeignKey, Index, String, Text, UniqueConstraint, or_, select
from sqlalchemy.orm import Mapped, mapped_column

from workflow.core.catalogue import Checklist, read_checklist
from workflow.core.engine import Engine
from workflow.core.flow_file import read_flow
from workflow.core.rulebook import Rulebook, Rules, read_rulebook
from workflow.core.tailoring import read_tailoring, tailor
from workflow.extensions import HasId, Id, Model, UtcDateTime, db


class Published(HasId):
    """What flow versions and rulebooks have in common: the text never changes, ``digest`` is its SHA-256.

    ``area_id`` is None for everywhere; ``drafted_by`` and ``approved_by`` are two people, None for what ships.
    ``withdrawn_at`` ends its use for new applications; open cases keep it.
    """

    text: Mapped[str] = mapped_column(Text)
    digest: Mapped[str] = mapped_column(String(64))
    area_id: Mapped[int | None] = mapped_column(Id, ForeignKey("areas.id"))
    effective_on: Mapped[dt.date] = mapped_column(Date)
    published_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    drafted_by: Mapped[int | None] = mapped_column(Id, ForeignKey("people.id"))
    approved_by: Mapped[int | None] = mapped_column(Id, ForeignKey("people.id"))
    withdrawn_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    withdrawn_by: Mapped[int | None] = mapped_column(Id, ForeignKey("people.id"))


class FlowVersion(Published, Model):
    """One published version of a flow; ``revision`` counts the versions of its key."""

    __tablename__ = "flow_versions"
    __table_args__ = (UniqueConstraint("key", "revision"), Index("ix_flow_versions_digest", "key", "digest"))

    key: Mapped[str] = mapped_column(String(40))
    revision: Mapped[int]

    @property
    def engine(self) -> Engine:
        """The engine of this version; built once a process and text."""
        return engine_for(self.text)


class RuleVersion(Published, Model):
    """One published rulebook of an area; ``revision`` counts all rulebooks."""

    __tablename__ = "rule_versions"
    __table_args__ = (UniqueConstraint("revision"), Index("ix_rule_versions_area", "area_id", "effective_on"))

    revision: Mapped[int]

    @property
    def book(self) -> Rulebook:
        """The checked rulebook; read once a process and text."""
        return book_of(self.text)


class ChecklistVersion(Published, Model):
    """One published version of a checklist, without the items of the list that it extends."""

    __tablename__ = "checklist_versions"
    __table_args__ = (UniqueConstraint("key", "revision"), Index("ix_checklist_versions_digest", "key", "digest"))

    key: Mapped[str] = mapped_column(String(40))
    revision: Mapped[int]

    @property
    def checklist(self) -> Checklist:
        """The checked list; read once a process and text."""
        return checklist_of(self.text)


@lru_cache(maxsize=256)
def checklist_of(text: str) -> Checklist:
    """The checklist of a text, alone."""
    return read_checklist(text)


@lru_cache(maxsize=256)
def engine_for(text: str) -> Engine:
    """The engine of a flow text."""
    return Engine(read_flow(text))


@lru_cache(maxsize=1024)
def _tailored(text: str, changes: str) -> Engine:
    return Engine(tailor(engine_for(text).flow, read_tailoring(json.loads(changes))))


def tailored_engine(text: str, changes: dict[str, Any] | None) -> Engine:
    """The engine of a flow text as adapted for one case; the plain one when ``changes`` is empty."""
    return _tailored(text, json.dumps(changes, sort_keys=True)) if changes else engine_for(text)


@lru_cache(maxsize=256)
def book_of(text: str) -> Rulebook:
    """The rulebook of a text; flow keys were checked when it was published."""
    return read_rulebook(text)


def digest_of(text: str) -> str:
    """The SHA-256 of a text."""
    return hashlib.sha256(text.encode()).hexdigest()


AnyVersion = FlowVersion | RuleVersion | ChecklistVersion
_Keyed = TypeVar("_Keyed", FlowVersion, ChecklistVersion)


def _in_force(kind: type[AnyVersion], on: dt.date, area_ids: Iterable[int]) -> ColumnElement[bool]:
    reached = or_(kind.area_id.is_(None), kind.area_id.in_(sorted(area_ids)))
    return reached & (kind.effective_on <= on) & kind.withdrawn_at.is_(None)


def _newest(kind: type[_Keyed], key: str, on: dt.date, lineage: tuple[int, ...]) -> _Keyed | None:
    query = select(kind).where(kind.key == key, _in_force(kind, on, lineage))
    found = list(db.session.scalars(query.order_by(kind.effective_on.desc(), kind.revision.desc())))
    order = {area_id: n for n, area_id in enumerate(lineage)}
    return min(found, key=lambda v: order.get(v.area_id or 0, len(order)), default=None)


def newest(key: str, on: dt.date, lineage: tuple[int, ...] = ()) -> FlowVersion | None:
    """The version of ``key`` in force on a day in a place: of the narrowest area, then the latest effective.

    ``lineage`` are the ids of the place and the areas above it, the narrowest first.
    """
    return _newest(FlowVersion, key, on, lineage)


def newest_list(key: str, on: dt.date, lineage: tuple[int, ...] = ()) -> ChecklistVersion | None:
    """The version of the checklist ``key`` in force on a day in a place, chosen like a flow's."""
    return _newest(ChecklistVersion, key, on, lineage)


def list_keys_in_force(on: dt.date, lineage: tuple[int, ...] = ()) -> frozenset[str]:
    """The keys of the checklists that can be taken on a day in a place."""
    query = select(ChecklistVersion.key).where(_in_force(ChecklistVersion, on, lineage)).distinct()
    return frozenset(db.session.scalars(query))


def rulebooks(on: dt.date, lineage: tuple[int, ...]) -> list[RuleVersion]:
    """The rulebooks in force on a day in a place, one for each area that has any, the narrowest area's first."""
    query = select(RuleVersion).where(_in_force(RuleVersion, on, lineage))
    newest_of: dict[int | None, RuleVersion] = {}
    for version in db.session.scalars(query.order_by(RuleVersion.effective_on, RuleVersion.revision)):
        newest_of[version.area_id] = version
    return [newest_of[a] for a in (*lineage, None) if a in newest_of]


def rules_of(books: list[RuleVersion]) -> Rules:
    """The rules that some rulebooks make together."""
    return Rules(tuple(v.book for v in books))


def keys_in_force(on: dt.date, lineage: tuple[int, ...] = ()) -> frozenset[str]:
    """The keys of the flows that can be taken on a day in a place."""
    query = select(FlowVersion.key).where(_in_force(FlowVersion, on, lineage)).distinct()
    return frozenset(db.session.scalars(query))
