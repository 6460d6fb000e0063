"""The facts of a case's enterprise as it filed them, for conditions that are asked later."""

from __future__ import annotations

import datetime as dt

from workflow.core.facts import EnterpriseFacts
from workflow.core.times import shanghai_day
from workflow.data.cases import Case


def facts_of_case(case: Case) -> EnterpriseFacts:
    """What the enterprise answered, with where and when it filed and what the rules derived from that."""
    values: dict[str, str | int | dt.date | None] = {"purpose": "resume", "trade": "none", **case.facts}
    values["county"] = case.county.code
    values["filed_on"] = shanghai_day(case.submitted_at)
    values["regime"] = case.routed_because.get("regime")
    values["area_class"] = case.routed_because.get("area_class")
    values["listed"] = "yes" if case.routed_because.get("listed") else "no"
    return EnterpriseFacts(values)
