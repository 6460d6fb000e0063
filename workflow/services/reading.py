"""Reading an application's stored answers with what holds now: lookups, the calendar, and the facts a case keeps."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from workflow.core.actors import AreaKind
from workflow.core.answers import Answer, AnswerContext, Reading, read_answers
from workflow.core.times import shanghai_day
from workflow.data import areas, catalogue
from workflow.data.applications import Application
from workflow.services import routes
from workflow.services.routes import Place

_BEFORE_THEY_WERE_ASKED = {"purpose": "resume", "trade": "none"}
"""What applications filed before these questions existed would have answered."""


def lookup_options(raw: Mapping[str, str]) -> dict[str, list[tuple[str, str]]]:
    """The options of the lookup questions: (value, label) pairs; zones and buildings are those of the chosen town."""
    found = areas.counties_and_towns()
    counties = {a.id: a.name for a in found if a.kind == AreaKind.COUNTY}
    towns = {a.code: a for a in found if a.kind == AreaKind.TOWN}
    town = towns.get(raw.get("town", ""))
    below = areas.places_below(town.id) if town else []
    return {
        "industry": list(catalogue.industries()),
        "town": [(t.code, f"{counties.get(t.county_id or 0, '')} {t.name}") for t in towns.values()],
        "zone": [(a.code, a.name) for a in below if a.kind == AreaKind.ZONE],
        "building": [(a.code, a.name) for a in below if a.kind == AreaKind.BUILDING],
    }


def answer_context(raw: Mapping[str, str], now: dt.datetime, place: Place | None = None) -> AnswerContext:
    """What reading these answers depends on now."""
    today = shanghai_day(now)
    place = place or routes.place_of(raw.get("town", ""), today)
    lookups = {k: frozenset(v for v, _ in options) for k, options in lookup_options(raw).items()}
    return AnswerContext(today, place.rules.earliest_day(today), lookups)


def read(application: Application, now: dt.datetime, topic: str | None = None, place: Place | None = None) -> Reading:
    """Read the stored answers, all or one topic's errors; ``place`` when the caller knows the rules there already."""
    raw = application.answers
    if application.status != "submitted":
        return read_answers(raw, answer_context(raw, now, place), topic)
    # The first allowed day and the places were judged when filing: the day may be past by now, and where the
    # company lies can't change while a case is open.
    lookups = {key: frozenset({raw.get(key, "")}) for key in ("town", "zone", "building")}
    lookups["industry"] = frozenset(code for code, _ in catalogue.industries())
    raw = {**_BEFORE_THEY_WERE_ASKED, **raw}
    return read_answers(raw, AnswerContext(shanghai_day(now), dt.date.min, lookups), topic)


def kept_facts(clean: Mapping[str, Answer]) -> dict[str, Any]:
    """Clean answers as a case keeps them in ``facts``: days as ISO texts, tenants as lists."""
    return {key: _plain(value) for key, value in clean.items()}


def _plain(value: Answer) -> Any:
    if isinstance(value, dt.date):
        return value.isoformat()
    return [list(tenant) for tenant in value] if isinstance(value, tuple) else value
