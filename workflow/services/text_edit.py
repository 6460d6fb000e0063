"""Changing single values of a TOML text where they stand: comments, order and style stay as the author left them."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from typing import Any

import tomlkit
from tomlkit.exceptions import ParseError

from workflow.core import toml_blocks
from workflow.core.errors import N_, Invalid
from workflow.core.tables import read_toml

_BARE = re.compile(r"[A-Za-z0-9_-]+")


def source(value: Any) -> str:
    """A value as these files write it: ``{ zh = "…", en = "…" }``, ``["a", "b"]``, ``3``, ``true``, ``2020-02-10``."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, Mapping):
        pairs = [f"{k if _BARE.fullmatch(k) else source(k)} = {source(v)}" for k, v in value.items()]
        return "{ " + ", ".join(pairs) + " }" if pairs else "{}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "[" + ", ".join(source(v) for v in value) + "]"
    return str(tomlkit.string(str(value)).as_string())


class TextEdit:
    """Edits one text; :meth:`finish` gives the new one. Tables are addressed by name and number from 0."""

    def __init__(self, text: str) -> None:
        try:
            self._document: Any = tomlkit.parse(text)
        except (ParseError, ValueError, RecursionError) as error:
            raise Invalid(N_("文本有语法错误，请先在文本里改好。"), field="text") from error
        self._new: list[tuple[str, int, str]] = []

    def _table(self, name: str, number: int) -> Any:
        return self._document[name][number] if name else self._document

    def put(self, name: str, number: int, key: str, value: Any) -> None:
        """Set ``key`` of a table to a plain value; None removes it."""
        table = self._table(name, number)
        if value is None:
            if key in table:
                del table[key]
        elif key in table or not name:
            table[key] = tomlkit.value(source(value))
        else:
            self._new.append((name, number, f"{key} = {source(value)}"))

    def put_listed(self, name: str, number: int, key: str, values: Sequence[str]) -> None:
        """Set a list of texts: what stays keeps its place, what is new comes behind."""
        present = [str(v) for v in self._table(name, number).get(key, [])]
        kept = [v for v in present if v in values]
        self.put(name, number, key, kept + [v for v in values if v not in kept])

    def put_label(self, name: str, number: int, key: str, words: Mapping[str, str]) -> None:
        """Set the languages given in ``words`` of a label; the others stay."""
        table = self._table(name, number)
        present = table.get(key)
        if isinstance(present, dict):
            for language, text in words.items():
                present[language] = text
        else:
            self.put(name, number, key, {"zh": words.get("zh", ""), "en": words.get("en", "")})

    def put_in(self, section: str, key: str, value: Any) -> None:
        """Set a key of the table ``[section]``, which is added at the end when there is none."""
        if section not in self._document:
            self._document[section] = tomlkit.table()
        if value is None:
            self._document[section].pop(key, None)
        else:
            self._document[section][key] = tomlkit.value(source(value))

    def drop_section(self, section: str) -> None:
        """Take the table ``[section]`` out."""
        self._document.pop(section, None)

    def finish(self) -> str:
        """The edited text; :class:`Invalid` when it could not be made, so that nothing broken is kept."""
        text = str(tomlkit.dumps(self._document))
        for name, number, line in self._new:
            text = toml_blocks.with_key(text, name, number, line)
        if read_toml(text)[1]:
            raise Invalid(N_("这处改动没法写进文本，请直接在文本里改。"), field="text")
        return text
