"""Reading the tables of data files (TOML, JSON): every problem is collected in words, so that an author sees all."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

_SLUG = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,39}")
_FORBIDDEN_IN_LABELS = frozenset("<>{}&")
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})
"""Unicode categories without a place in a label: control and direction-changing characters, line ends."""


@dataclass(frozen=True, slots=True)
class Label:
    """A text in both languages, as data files carry it."""

    zh: str
    en: str

    def text(self, locale: str) -> str:
        """The text for ``locale`` (``en…`` gives English, all else Chinese)."""
        return self.en if locale.startswith("en") else self.zh


class FileInvalid(ValueError):
    """A data file that can't be used; ``problems`` lists all that is wrong with it."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(self.problems))


def read_toml(text: str) -> tuple[dict[str, Any], list[str]]:
    """The document, and what is wrong: tomllib also fails on endless digits (ValueError) and on deep nesting."""
    try:
        return tomllib.loads(text), []
    except (ValueError, RecursionError) as error:
        return {}, [f"not TOML: {error}"]


class TableReader:
    """Reads the tables of one file; ``problems`` grows instead of the first one stopping the reading."""

    def __init__(self) -> None:
        self.problems: list[str] = []

    def unknown_keys(self, where: str, table: Mapping[str, Any], known: Iterable[str]) -> None:
        """Note every key of ``table`` that the format does not have: a typing error would go unseen otherwise."""
        self.problems += [f"{where}: unknown key {k!r}" for k in sorted(set(table) - set(known))]

    def text(self, where: str, table: Mapping[str, Any], key: str, default: str | None = None) -> str:
        """A text that is not empty."""
        value = table.get(key, default)
        if not isinstance(value, str) or not value:
            self.problems.append(f"{where}: {key} must be a text")
            return ""
        return value

    def slug(self, where: str, table: Mapping[str, Any], key: str) -> str:
        """A name that goes into addresses and records: ASCII letters, digits, ``-`` and ``_``."""
        value = self.text(where, table, key)
        if value and not _SLUG.fullmatch(value):
            self.problems.append(f"{where}: {key} must be a short name of letters, digits, - and _")
        return value

    def label(
        self,
        where: str,
        table: Mapping[str, Any],
        key: str = "label",
        *,
        fallback: Label | None = None,
        longest: int = 60,
    ) -> Label:
        """A label in both languages, without characters that mean something to HTML or templates."""
        value = table.get(key)
        if value is None and fallback is not None:
            return fallback
        if (
            not isinstance(value, dict)
            or set(value) != {"zh", "en"}
            or not all(_is_label(v, longest) for v in value.values())
        ):
            self.problems.append(f"{where}: {key} needs zh and en, each a plain text of at most {longest} characters")
            return Label("?", "?")
        return Label(value["zh"], value["en"])

    def texts(
        self, where: str, table: Mapping[str, Any], key: str, known: Iterable[str] | None = None
    ) -> tuple[str, ...]:
        """A list of texts, each one of ``known`` when that is given."""
        value = table.get(key, [])
        if not isinstance(value, list) or not all(isinstance(v, str) for v in value):
            self.problems.append(f"{where}: {key} must be a list of texts")
            return ()
        if known is not None:
            names = list(known)
            self.problems += [f"{where}: unknown name {v!r} in {key}" for v in value if v not in names]
            value = [v for v in value if v in names]
        return tuple(value)

    def one_of(self, where: str, table: Mapping[str, Any], key: str, known: Iterable[str], default: str) -> str:
        """One of the ``known`` texts."""
        value = table.get(key, default)
        names = list(known)
        if value not in names:
            self.problems.append(f"{where}: {key} {value!r} is not one of {', '.join(names)}")
            return default
        return str(value)

    def flag(self, where: str, table: Mapping[str, Any], key: str, *, default: bool) -> bool:
        """True or false, written as such."""
        value = table.get(key, default)
        if not isinstance(value, bool):
            self.problems.append(f"{where}: {key} must be true or false")
            return default
        return value

    def count(
        self, where: str, table: Mapping[str, Any], key: str, *, least: int, most: int, default: int | None = None
    ) -> int:
        """A whole number from ``least`` to ``most``."""
        value = table.get(key, default)
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            self.problems.append(f"{where}: {key} must be a whole number from {least} to {most}")
            return least
        return value

    def number(self, where: str, table: Mapping[str, Any], key: str) -> float | None:
        """A finite number, or None when it isn't there."""
        value = table.get(key)
        if value is None:
            return None
        if not isinstance(value, int | float) or isinstance(value, bool) or not abs(value) < 1e12:
            self.problems.append(f"{where}: {key} must be a number")
            return None
        return float(value)

    def tables(self, document: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
        """The ``[[key]]`` tables."""
        value = document.get(key, [])
        if not isinstance(value, list) or not all(isinstance(v, dict) for v in value):
            self.problems.append(f"{key} must be written as [[{key}]] tables")
            return []
        return value

    def twice(self, what: str, keys: Iterable[str]) -> None:
        """Note every key that comes more than once."""
        all_keys = list(keys)
        self.problems += [f"{what} {k!r}: named twice" for k in sorted({k for k in all_keys if all_keys.count(k) > 1})]


def _is_label(value: object, longest: int) -> bool:
    if not isinstance(value, str) or not value.strip() or len(value) > longest:
        return False
    return not set(value) & _FORBIDDEN_IN_LABELS and all(unicodedata.category(c) not in _UNSEEN for c in value)
