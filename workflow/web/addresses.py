"""Ids in addresses: numbers that a row can have; a larger one is an address that does not exist."""

from __future__ import annotations

from typing import Any

from flask import Flask
from werkzeug.routing import IntegerConverter

LARGEST_ID = 2**63 - 1
"""The largest id that both databases can be asked about."""


class RowId(IntegerConverter):
    """``<int:…>`` in a rule, bounded and in ASCII digits: the others would be second addresses of the same thing."""

    regex = r"[0-9]+"

    def __init__(self, map: Any, fixed_digits: int = 0, min: int | None = None, max: int | None = LARGEST_ID) -> None:
        super().__init__(map, fixed_digits, min, max)


def register(app: Flask) -> None:
    """Bound the numbers of the application's addresses; before the blueprints are registered."""
    app.url_map.converters["int"] = RowId
