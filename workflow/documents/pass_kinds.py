"""The kinds and schedules of passes as the makers of documents and tokens read them: from catalogue/passes.toml."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from workflow.core.pass_catalogue import ALWAYS, PassCatalogue, PassKind, Schedule, read_passes

__all__ = ["ALWAYS", "NOTICE", "SHEET", "PassKind", "Schedule", "catalogue", "kind", "schedule"]

_FILE = Path(__file__).resolve().parent.parent / "catalogue" / "passes.toml"

NOTICE, SHEET = "notice", "sheet"
"""The papers that carry a token of the same make as passes."""


@cache
def catalogue() -> PassCatalogue:
    """Every kind and schedule that comes with the product."""
    return read_passes(_FILE.read_text(encoding="utf-8"))


def kind(key: str) -> PassKind:
    """The kind called ``key``; KeyError when there is none."""
    return catalogue().kinds[key]


def schedule(key: str) -> Schedule:
    """The schedule called ``key``; KeyError when there is none."""
    return catalogue().schedules[key]
