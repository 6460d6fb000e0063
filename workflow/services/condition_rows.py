"""A condition of a rule as rows of a form: one fact, how it is compared and with what, there and back."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from workflow.core.conditions import choices_of

NUMBERS = frozenset({"head_count", "resuming_count", "key_area_count"})
DATES = frozenset({"filed_on"})
OPERATORS = ("in", "le", "lt", "ge", "gt")
Fields = Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class ConditionRow:
    """One comparison; ``values`` are as typed. ``kind`` is how it is asked: choice, county, number, date or text."""

    fact: str
    operator: str
    values: tuple[str, ...]

    @property
    def kind(self) -> str:
        """How the row's value is asked for."""
        if choices_of(self.fact) is not None:
            return "choice"
        if self.fact == "county":
            return "county"
        return "number" if self.fact in NUMBERS else "date" if self.fact in DATES else "text"


def _texts(operand: object) -> tuple[str, ...]:
    values = operand if isinstance(operand, list) else [operand]
    return tuple(v.isoformat() if isinstance(v, dt.date) else str(v) for v in values)


def rows_of(when: object) -> list[ConditionRow]:
    """The rows of a condition as it stands in a text, right or wrong."""
    if not isinstance(when, Mapping):
        return []
    rows = []
    for fact, test in when.items():
        pairs = test.items() if isinstance(test, Mapping) else [("in", test)]
        rows += [ConditionRow(str(fact), str(operator), _texts(operand)) for operator, operand in pairs]
    return rows


def _value(fact: str, text: str) -> Any:
    text = text.strip()
    if fact in NUMBERS and text.isascii() and text.isdigit() and len(text) < 10:
        return int(text)
    if fact in DATES:
        try:
            return dt.date.fromisoformat(text)
        except ValueError:
            return text
    return text


def table_of(rows: Iterable[ConditionRow]) -> dict[str, Any]:
    """The rows as a condition of a text; what was typed wrongly is kept for the check to name."""
    table: dict[str, Any] = {}
    for row in rows:
        values = [_value(row.fact, v) for v in row.values]
        operand: Any = values if row.operator == "in" else (values[0] if values else "")
        if row.operator == "in" and row.fact not in table:
            table[row.fact] = operand
            continue
        present = table.get(row.fact, {})
        tests = present if isinstance(present, dict) else {"in": present}
        table[row.fact] = {**tests, row.operator: operand}
    return table


def as_fields(prefix: str, rows: Sequence[ConditionRow]) -> dict[str, list[str]]:
    """What a form would send for these rows."""
    fields: dict[str, list[str]] = {}
    for number, row in enumerate(rows):
        fields[f"{prefix}-c{number}-fact"] = [row.fact]
        fields[f"{prefix}-c{number}-op"] = [row.operator]
        fields[f"{prefix}-c{number}-value"] = (
            list(row.values) if row.kind in ("choice", "county") else ["，".join(row.values)]
        )
    return fields


def from_fields(prefix: str, fields: Fields) -> list[ConditionRow]:
    """The rows that a form sent."""
    rows = []
    number = 0
    while f"{prefix}-c{number}-fact" in fields:
        fact = _one(fields, f"{prefix}-c{number}-fact")
        operator = _one(fields, f"{prefix}-c{number}-op") or "in"
        sent = fields.get(f"{prefix}-c{number}-value", [])
        row = ConditionRow(fact, operator if operator in OPERATORS else "in", tuple(sent))
        if row.kind not in ("choice", "county"):
            parts = (p.strip() for text in sent for p in text.replace("，", ",").replace("、", ",").split(","))
            row = ConditionRow(row.fact, row.operator, tuple(p for p in parts if p))
        rows.append(row)
        number += 1
    return rows


def _one(fields: Fields, name: str) -> str:
    return next(iter(fields.get(name, ())), "")
