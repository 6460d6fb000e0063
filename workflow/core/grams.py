"""Two-character pieces of names, by which part of a Chinese name is found without reading every name."""

from __future__ import annotations

from itertools import pairwise

from workflow.core.texts import clean_text

END = "$"
"""Follows the last character of a name, so that every character begins a piece."""


def folded(text: str) -> str:
    """``text`` as names are compared: cleaned, without blanks, in small letters."""
    return "".join(clean_text(text).split()).lower()


def grams(name: str) -> frozenset[str]:
    """Every piece of ``name``: each character with the one after it, the last one with :data:`END`."""
    letters = folded(name)
    return frozenset(a + b for a, b in zip(letters, letters[1:] + END, strict=True)) if letters else frozenset()


def wanted_grams(part: str) -> frozenset[str]:
    """The pieces that every name holding ``part`` has; empty for fewer than two characters, for which any piece that
    begins with the character will do."""
    letters = folded(part)
    return frozenset(a + b for a, b in pairwise(letters))
