"""The pass desk's address: which filters it carries, and what is typed into them made clean."""

from __future__ import annotations

from collections.abc import Mapping

from workflow.core.identifiers import squeeze
from workflow.core.texts import clean_text
from workflow.data import catalogue
from workflow.data.pass_desk import PassFilters, Tab
from workflow.data.passes import REASONS

NAMES = ("tab", "town", "company", "plate", "kind", "reason", "days", "case")
DAYS = (1, 3, 7, 14)
"""Spans of days within which a pass ends, as offered."""
LONGEST_COMPANY, LONGEST_PLATE = 60, 10
_LOOK_ALIKES = str.maketrans("IO", "10")


def number(text: str | None) -> int | None:
    """The id that ``text`` is, or None."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) <= 18 else None


def plate_part(text: str) -> str:
    """Part of a plate as plates are kept; the letters I and O, which none has, are taken for digits."""
    return squeeze(clean_text(text[:40])).translate(_LOOK_ALIKES)[:LONGEST_PLATE]


def read(given: Mapping[str, str], towns: Mapping[str, int]) -> PassFilters:
    """The filters of an address; what is none of them is left out. ``towns`` are ids by code."""
    tab, days, kind = given.get("tab", ""), given.get("days", ""), given.get("kind", "")
    reason = given.get("reason", "")
    return PassFilters(
        tab=Tab(tab) if tab in set(Tab) else Tab.REQUESTED,
        town_id=towns.get(given.get("town", "")),
        company=clean_text(given.get("company", ""))[:LONGEST_COMPANY],
        plate=plate_part(given.get("plate", "")),
        purpose=kind if kind in catalogue.passes().vehicle_kinds else "",
        reason=reason if reason in REASONS else "",
        days=int(days) if days in {str(d) for d in DAYS} else None,
        case_id=number(given.get("case")),
    )


def asked_of(filters: PassFilters, towns: Mapping[str, int]) -> dict[str, str]:
    """The filters as an address carries them."""
    codes = {town_id: code for code, town_id in towns.items()}
    found = {
        "tab": filters.tab.value,
        "town": codes.get(filters.town_id or 0, ""),
        "company": filters.company,
        "plate": filters.plate,
        "kind": filters.purpose,
        "reason": filters.reason,
        "days": "" if filters.days is None else str(filters.days),
        "case": "" if filters.case_id is None else str(filters.case_id),
    }
    return {name: value for name, value in found.items() if value}
