"""Finds the people that a text calls by name: ``@姓名``, where names follow each other without blanks."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

_AT = re.compile(r"(?<![A-Za-z0-9._%+-])[@＠]")
_WORD = re.compile(r"[^\s@＠，。；：、！？,;:!?（）()“”\"']{1,20}")
LONGEST_SHOWN = 8
"""So many characters of a name that nobody has are quoted back."""


@dataclass(frozen=True, slots=True)
class Mentions:
    """The names that were called, in order and each once, and what follows an ``@`` without being anybody's name."""

    names: tuple[str, ...]
    unknown: tuple[str, ...]


def find_mentions(text: str, names: Collection[str]) -> Mentions:
    """Find the names called in ``text``; of two that fit, the longer one counts. An e-mail address calls nobody."""
    longest_first = sorted(names, key=len, reverse=True)
    found: dict[str, None] = {}
    unknown: dict[str, None] = {}
    for at in _AT.finditer(text):
        rest = text[at.end() :]
        name = next((n for n in longest_first if n and rest.startswith(n)), None)
        word = _WORD.match(rest)
        if name is not None:
            found[name] = None
        elif word is not None:
            unknown[word.group()[:LONGEST_SHOWN]] = None
    return Mentions(tuple(found), tuple(unknown))
