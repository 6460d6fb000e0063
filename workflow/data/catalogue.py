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
from workflow.core.routing import Bureau, Routing, read_routing
from workflow.core.working_days import WorkingCalendar, read_calendar

_PACKAGE = Path(__file__).resolve().parent.parent
_CATALOGUE = _PACKAGE / "catalogue"
_FLOWS = _PACKAGE / "flows"
_CHECKLISTS = {"general": "checklist.toml"}


def _text(folder: Path, name: str) -> str:
    return (folder / name).read_text(encoding="utf-8")


@lru_cache(maxsize=1)
def material_slots() -> Mapping[str, MaterialSlot]:
    """Every material slot by key, in the order in which pages show them."""
    return MappingProxyType(dict(read_materials(_text(_CATALOGUE, "materials.toml"))))


@lru_cache
def checklist(key: str = "general") -> Checklist:
    """The checklist called ``key``; KeyError when there is none."""
    return read_checklist(_text(_CATALOGUE, _CHECKLISTS[key]))


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
    return tuple(sorted(p.stem for p in _FLOWS.glob("*.toml") if p.stem != "routing"))


@lru_cache
def flow_text(key: str) -> str:
    """The text of the flow file called ``key``; KeyError when there is none."""
    if key not in flow_keys():
        raise KeyError(key)
    return _text(_FLOWS, f"{key}.toml")


@lru_cache(maxsize=1)
def routing() -> Routing:
    """The rules that choose a flow, the calendar and the bureaus."""
    return read_routing(_text(_FLOWS, "routing.toml"), frozenset(flow_keys()))


@lru_cache(maxsize=1)
def calendar() -> WorkingCalendar:
    """The working calendar: holidays and moved working days."""
    return read_calendar(_text(_CATALOGUE, "calendar.toml"))


def bureaus() -> tuple[Bureau, ...]:
    """The industry bureaus in the order of the file."""
    return routing().bureaus


def bureau_of(sector: str) -> str:
    """The code of the bureau in charge of ``sector``; KeyError when there is no such sector."""
    return routing().bureau_of(sector).code
