"""Reading an application's stored answers with what holds now: lookups, the calendar, and the facts a case keeps."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from workflow.core.actors import AreaKind
from workflow.core.answers import Answer, AnswerContext, Reading, read_answers
from workflow.core.times import shanghai_day
from workflow.data import areas, catalogue
from workflow.data.applications import Application


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


def answer_context(raw: Mapping[str, str], now: dt.datetime) -> AnswerContext:
    """What reading these answers depends on now."""
    today = shanghai_day(now)
    lookups = {k: frozenset(v for v, _ in options) for k, options in lookup_options(raw).items()}
    return AnswerContext(today, catalogue.routing().earliest_day(today), lookups)


def read(application: Application, now: dt.datetime, topic: str | None = None) -> Reading:
    """Read the stored answers, all or one topic's errors."""
    raw = application.answers
    if application.status != "submitted":
        return read_answers(raw, answer_context(raw, now), topic)
    # The first allowed day and the places were judged when filing: the day may be past by now, and where the
    # company lies can't change while a case is open.
    lookups = {key: frozenset({raw.get(key, "")}) for key in ("town", "zone", "building")}
    lookups["industry"] = frozenset(code for code, _ in catalogue.industries())
    return read_answers(raw, AnswerContext(shanghai_day(now), dt.date.min, lookups), topic)


def kept_facts(clean: Mapping[str, Answer]) -> dict[str, str | int]:
    """Clean answers as a case keeps them in ``facts``: days as ISO texts."""
    return {k: v.isoformat() if isinstance(v, dt.date) else v for k, v in clean.items()}
