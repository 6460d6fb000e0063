"""Reads the queue's address into filters: what the reader's posts offer is asked for, the rest is named and dropped."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from workflow.core.actors import SUPERVISORS, Actor, AreaKind, Permission
from workflow.core.questions import SECTORS
from workflow.core.texts import clean_text
from workflow.core.times import shanghai_day
from workflow.data import catalogue, organisation
from workflow.data import filters as data
from workflow.data.filters import ME, NOBODY, Due, Filters, Group, KnownFlow, OwnArea, Sort, Tab

PARAMETERS = (
    "tab",
    "q",
    "group",
    "flow",
    "area",
    "overdue",
    "assignee",
    "due",
    "filed_from",
    "filed_to",
    "heads_from",
    "heads_to",
    "sector",
    "bureau",
    "again",
    "opinions",
    "unread",
    "sort",
)
"""The names in an address that are read, in the order in which conditions are shown."""
OPEN_GROUPS = (Group.REVIEW, Group.INSPECTION, Group.DECISION, Group.COMPANY)
CLOSED_GROUPS = (Group.APPROVED, Group.ENDED)
_MOST_HEADS = 10**6


def tabs_of(actor: Actor) -> list[Tab]:
    """The tabs that concern this reader, in order."""
    without = set() if actor.may(Permission.ACT_ON_CASE) else {Tab.MINE, Tab.TEAM, Tab.RETURNED}
    without |= {Tab.ESCALATED} if actor.roles.isdisjoint(SUPERVISORS) else set()
    return [t for t in Tab if t not in without]


def groups_of(tab: Tab) -> tuple[Group, ...]:
    """The groups of states that can be told apart in a tab."""
    if tab is Tab.COMPANY:
        return ()
    return CLOSED_GROUPS if tab is Tab.DONE else OPEN_GROUPS


@dataclass(frozen=True, slots=True)
class Offer:
    """What the reader may choose from: areas, flows, people and tabs."""

    tabs: tuple[Tab, ...]
    areas: tuple[OwnArea, ...]
    known: tuple[KnownFlow, ...]
    people: Mapping[int, str]
    mates: frozenset[int]


def offer(actor: Actor, now: dt.datetime) -> Offer:
    """What there is to choose from for ``actor`` at this moment."""
    today = shanghai_day(now)
    return Offer(
        tabs=tuple(tabs_of(actor)),
        areas=tuple(data.own_areas(actor)),
        known=tuple(data.flows()),
        people=data.colleagues(actor, today),
        mates=organisation.mates_of(actor.person_id, today),
    )


@dataclass(frozen=True, slots=True)
class Reading:
    """An address that was read: the filters, the parameters that hold, and the names of those that were left out."""

    filters: Filters
    asked: dict[str, str]
    dropped: tuple[str, ...]


@dataclass(slots=True)
class _Reader:
    """Reads one parameter after the other and keeps which of them hold."""

    given: Mapping[str, str]
    asked: dict[str, str] = field(default_factory=dict)
    dropped: list[str] = field(default_factory=list)

    def take(self, name: str, parse: Callable[[str], Any]) -> Any:
        """The parameter as ``parse`` makes it; None, and noted, when that is None or a ValueError."""
        text = clean_text(self.given.get(name) or "")
        if not text:
            return None
        try:
            value = parse(text)
        except ValueError:
            value = None
        if value is None:
            self.dropped.append(name)
        else:
            self.asked[name] = text
        return value

    def one_of(self, name: str, options: Iterable[Any]) -> Any:
        """The option whose text the parameter is."""
        return self.take(name, lambda text: next((o for o in options if str(o) == text), None))

    def tick(self, name: str) -> bool:
        """Whether the parameter is ticked."""
        return self.take(name, lambda text: True if text == "1" else None) is True


def _day(text: str) -> dt.date | None:
    day = dt.date.fromisoformat(text)
    return day if 2000 <= day.year <= 2100 else None


def _heads(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and int(text[:9]) <= _MOST_HEADS else None


def read(given: Mapping[str, str], actor: Actor, offered: Offer) -> Reading:
    """Read an address; without a tab, or with one that is not the reader's, the first of the reader's tabs is asked."""
    reader = _Reader(given)
    tab: Tab = reader.one_of("tab", offered.tabs) or offered.tabs[0]
    text = reader.take("q", lambda q: q[: data.LONGEST_SEARCH + 1]) or ""
    if text:
        reader.asked["q"] = text
    group = reader.one_of("group", groups_of(tab))
    flow = reader.one_of("flow", sorted({k.key for k in offered.known})) or ""
    area = reader.take("area", lambda code: next((a for a in offered.areas if a.code == code), None))
    filters = Filters(
        tab=tab,
        text=text,
        group=group,
        flow=flow,
        known=offered.known,
        mates=offered.mates,
        overdue=tab is not Tab.DONE and reader.tick("overdue"),
        area_id=area.id if area else None,
        area_kind=AreaKind(area.kind) if area else None,
        assignee=str(reader.one_of("assignee", (ME, NOBODY, *offered.people)) or ""),
        due=reader.one_of("due", Due) if tab is not Tab.DONE else None,
        **_of_the_case(reader),
    )
    return Reading(filters, {n: reader.asked[n] for n in PARAMETERS if n in reader.asked}, tuple(reader.dropped))


def _of_the_case(reader: _Reader) -> dict[str, Any]:
    return {
        "filed_from": reader.take("filed_from", _day),
        "filed_to": reader.take("filed_to", _day),
        "heads_from": reader.take("heads_from", _heads),
        "heads_to": reader.take("heads_to", _heads),
        "sector": reader.one_of("sector", [key for key, _label in SECTORS]) or "",
        "bureau": reader.one_of("bureau", [b.code for b in catalogue.bureaus()]) or "",
        "again": reader.tick("again"),
        "opinions": reader.tick("opinions"),
        "unread": reader.tick("unread"),
        "sort": reader.one_of("sort", Sort),
    }


def filters_of(given: Mapping[str, str], actor: Actor, now: dt.datetime) -> Filters:
    """The filters that a view's address asks for at this moment; what no longer holds is left out."""
    return read(given, actor, offer(actor, now)).filters
