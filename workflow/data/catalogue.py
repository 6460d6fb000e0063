"""The catalogues and flow files that come with the product: read from the package once and shared."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

from workflow.core.catalogue import (
    AreaEntry,
    Checklist,
    MaterialSlot,
    read_areas,
    read_checklist,
    read_industries,
    read_materials,
)
from workflow.core.departments import Department, read_departments
from workflow.core.pass_catalogue import PassCatalogue, read_passes
from workflow.core.rulebook import Rules, read_rulebook
from workflow.core.working_days import WorkingCalendar, read_calendar

_PACKAGE = Path(__file__).resolve().parent.parent
_CATALOGUE = _PACKAGE / "catalogue"
_FLOWS = _PACKAGE / "flows"
_RULES = _PACKAGE / "rules"
FIRST_RULES = "approval"


def _text(folder: Path, name: str) -> str:
    return (folder / name).read_text(encoding="utf-8")


@lru_cache(maxsize=1)
def material_slots() -> Mapping[str, MaterialSlot]:
    """Every material slot by key, in the order in which pages show them."""
    return MappingProxyType(dict(read_materials(_text(_CATALOGUE, "materials.toml"))))


@lru_cache(maxsize=1)
def checklist_texts() -> Mapping[str, str]:
    """The text of every checklist that comes with the product, by key; those that others extend come first."""
    texts = [p.read_text(encoding="utf-8") for p in sorted(_CATALOGUE.glob("checklist*.toml"))]
    read = sorted(((read_checklist(t), t) for t in texts), key=lambda pair: (bool(pair[0].extends), pair[0].key))
    return MappingProxyType({c.key: t for c, t in read})


@lru_cache(maxsize=1)
def _checklists() -> Mapping[str, Checklist]:
    lists = {k: read_checklist(t) for k, t in checklist_texts().items()}
    return MappingProxyType({k: c.after(lists[c.extends]) if c.extends else c for k, c in lists.items()})


def checklist_keys() -> frozenset[str]:
    """The names of the checklists that come with the product."""
    return frozenset(_checklists())


def checklist(key: str = "general") -> Checklist:
    """The checklist called ``key``; KeyError when there is none."""
    return _checklists()[key]


@lru_cache(maxsize=1)
def industries() -> tuple[tuple[str, str], ...]:
    """Code and shown name of each industry division: ``("13", "13 农副食品加工业")``."""
    divisions = read_industries(_text(_CATALOGUE, "industries.json"))
    return tuple((d.code, f"{d.code} {d.name}") for d in divisions)


@lru_cache(maxsize=1)
def areas() -> tuple[AreaEntry, ...]:
    """The area tree, parents before children."""
    return read_areas(_text(_CATALOGUE, "areas.json"))


@lru_cache(maxsize=1)
def flow_keys() -> tuple[str, ...]:
    """The keys of the flow files that come with the product, sorted."""
    return tuple(sorted(p.stem for p in _FLOWS.glob("*.toml")))


@lru_cache
def flow_text(key: str) -> str:
    """The text of the flow file called ``key``; KeyError when there is none."""
    if key not in flow_keys():
        raise KeyError(key)
    return _text(_FLOWS, f"{key}.toml")


@lru_cache(maxsize=1)
def rule_keys() -> tuple[str, ...]:
    """The names of the rulebooks that come with the product, sorted; ``approval`` is the one first in force."""
    return tuple(sorted(p.stem for p in _RULES.glob("*.toml")))


@lru_cache
def rules_text(key: str = FIRST_RULES) -> str:
    """The text of the rulebook called ``key``; KeyError when there is none."""
    if key not in rule_keys():
        raise KeyError(key)
    return _text(_RULES, f"{key}.toml")


@lru_cache
def shipped_rules(key: str = FIRST_RULES) -> Rules:
    """A rulebook that comes with the product, alone."""
    return Rules((read_rulebook(rules_text(key), frozenset(flow_keys())),))


@lru_cache(maxsize=1)
def calendar() -> WorkingCalendar:
    """The working calendar: holidays and moved working days."""
    return read_calendar(_text(_CATALOGUE, "calendar.toml"))


@lru_cache(maxsize=1)
def passes() -> PassCatalogue:
    """The kinds of pass and the weekly schedules."""
    return read_passes(_text(_CATALOGUE, "passes.toml"))


@lru_cache(maxsize=1)
def departments() -> tuple[Department, ...]:
    """Every department in the order of the file."""
    return read_departments(_text(_CATALOGUE, "departments.toml"))


def department(code: str) -> Department:
    """The department called ``code``; KeyError when there is none."""
    for found in departments():
        if found.code == code:
            return found
    raise KeyError(code)


def bureaus() -> tuple[Department, ...]:
    """The industry bureaus: departments that are in charge of a sector."""
    return tuple(d for d in departments() if d.sectors)


def bureau_of(sector: str) -> str:
    """The code of the bureau in charge of ``sector``; KeyError when there is no such sector."""
    for bureau in bureaus():
        if sector in bureau.sectors:
            return bureau.code
    raise KeyError(sector)
