"""Flow files and rules: reading all that ship against bare TOML parsing, routing against hand-written ifs."""

from __future__ import annotations

import datetime as dt
import tomllib

from bench.harness import Measurement, bench, compare
from workflow.core.engine import Engine
from workflow.core.facts import EnterpriseFacts
from workflow.core.flow_file import read_flow
from workflow.core.rulebook import read_rulebook
from workflow.data import catalogue

FACTS = EnterpriseFacts(
    {
        "purpose": "resume",
        "trade": "none",
        "size": "below",
        "sector": "commerce",
        "industry": "52",
        "head_count": 86,
        "resuming_count": 60,
        "county": "330203",
        "town": "330203002",
        "priority_class": "steady",
        "hazardous": "no",
        "key_area_count": 0,
        "filed_on": dt.date(2020, 2, 15),
    }
)
"""An enterprise that takes one of the last rules, so that all the others are asked first."""


@bench("flows.load", "ms", "tomllib.loads of the same files")
def flows_load() -> Measurement:
    """Read, check and build the engines of every flow and rulebook that ships (goal: 100 ms)."""
    texts = [catalogue.flow_text(key) for key in catalogue.flow_keys()]
    books = [catalogue.rules_text(key) for key in catalogue.rule_keys()]

    def load() -> None:
        for text in texts:
            Engine(read_flow(text))
        for text in books:
            read_rulebook(text)

    def parse() -> None:
        for text in texts + books:
            tomllib.loads(text)

    ours, base = compare(load, parse, calls=3)
    return Measurement(ours.milliseconds, base.milliseconds)


def _by_hand(values: dict[str, object]) -> str:
    """What the older systems did: branches in code, here only those that this enterprise passes."""
    if values["purpose"] != "resume":
        return "other"
    if values["hazardous"] == "yes":
        return "hazardous"
    if values["priority_class"] != "steady":
        return "priority"
    if values["county"] == "330212" and values["sector"] == "industry":
        return "yinzhou-town" if int(str(values["head_count"])) <= 100 else "yinzhou-bureau"
    if values["size"] == "micro":
        return "micro"
    return "city-large" if values["size"] == "above" else "city-small"


@bench("flows.route", "ms", "if/elif in code")
def flows_route() -> Measurement:
    """Regime, area class, negative list and rules for one enterprise (goal: 0.2 ms)."""
    rules = catalogue.shipped_rules()
    values: dict[str, object] = dict(FACTS.values)
    assert rules.choose(FACTS).rule is not None
    ours, base = compare(lambda: rules.choose(FACTS), lambda: _by_hand(values), calls=2000)
    return Measurement(ours.milliseconds, base.milliseconds)
