"""Which checklist a visit goes by: the versions in force where and when it is arranged, kept with the visit."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import select

from workflow.core.catalogue import Checklist
from workflow.core.errors import N_, StepClosed
from workflow.core.times import shanghai_day
from workflow.data import catalogue, flows
from workflow.data.cases import Case
from workflow.data.flows import ChecklistVersion, checklist_of
from workflow.data.inspections import Inspection
from workflow.extensions import db


@dataclass(frozen=True, slots=True)
class ListInForce:
    """A whole list with what it extends worked in, and the ids of the versions it is made of, the base first."""

    checklist: Checklist
    version_ids: tuple[int, ...]


def _whole(lists: Iterable[Checklist]) -> Checklist:
    """Lists of which each extends the one before, as one."""
    first, *others = lists
    for following in others:
        first = following.after(first)
    return first


def in_force(key: str, on: dt.date, lineage: tuple[int, ...]) -> ListInForce:
    """The list ``key`` as it holds on a day in a place; :class:`StepClosed` when every version was withdrawn."""
    found: list[ChecklistVersion] = []
    wanted = key
    while wanted and wanted not in {v.key for v in found}:
        version = flows.newest_list(wanted, on, lineage)
        if version is None:
            raise StepClosed(N_("勘定清单“%(key)s”没有施行中的版本，请复工指挥部先发布。"), key=wanted)
        found.insert(0, version)
        wanted = version.checklist.extends
    return ListInForce(_whole(v.checklist for v in found), tuple(v.id for v in found))


def for_case(case: Case, now: dt.datetime) -> ListInForce:
    """The list for a visit of this case arranged now: the one its routing rule named, else its flow's."""
    key = case.routed_because.get("checklist") or case.flow.checklist
    above = (case.building_id, case.zone_id, case.town_id, case.county_id, case.city_id)
    return in_force(key, shanghai_day(now), tuple(i for i in above if i is not None))


_texts: dict[str, str] = {}
"""Texts of versions by their SHA-256, which never change, so that a page need not read them again."""


def _versions(ids: list[int]) -> list[Checklist]:
    query = select(ChecklistVersion.id, ChecklistVersion.digest).where(ChecklistVersion.id.in_(ids))
    digests = {row.id: row.digest for row in db.session.execute(query)}
    unknown = [i for i in ids if digests[i] not in _texts]
    if unknown:
        texts = select(ChecklistVersion.digest, ChecklistVersion.text).where(ChecklistVersion.id.in_(unknown))
        _texts.update({row.digest: row.text for row in db.session.execute(texts)})
    return [checklist_of(_texts[digests[i]]) for i in ids]


def of_visit(visit: Inspection) -> Checklist:
    """The list that a visit goes by; visits from before lists were published go by the one that ships."""
    ids = list(visit.checklist_versions or [])
    return _whole(_versions(ids)) if ids else catalogue.checklist(visit.checklist)


def digest_of_visit(visit: Inspection, checklist: Checklist) -> str:
    """The SHA-256 of what a visit asks of its list: the codes, texts, bounds and veto marks of its items, in order."""
    asked = [checklist.item(row.code) for row in visit.items]
    words = [
        f"{i.code}\t{i.text.zh}\t{i.veto}\t{i.limit.minimum if i.limit else ''}\t{i.limit.maximum if i.limit else ''}"
        for i in asked
    ]
    return hashlib.sha256("\n".join(words).encode()).hexdigest()
