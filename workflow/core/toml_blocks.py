"""The ``[[name]]`` tables of a TOML text as blocks of lines, so that one moves, goes or comes with its comments."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from typing import Any


def _header(line: str) -> str | None:
    """The name of the table that begins on this line, if one does."""
    found = re.match(r"^\s*\[{1,2}\s*([A-Za-z0-9_.\s-]+?)\s*\]{1,2}\s*(#.*)?$", line)
    return found[1] if found else None


def blocks(text: str, name: str) -> list[tuple[int, int]]:
    """First line and line after the last (from 0) of each ``[[name]]`` table, with the comments right above it."""
    lines = text.splitlines()
    heads = [(n, h) for n, line in enumerate(lines) if (h := _header(line)) is not None]
    tops = [(n, h) for n, h in heads if not h.startswith(f"{name}.")]
    starts = [(_with_comments(lines, n), h) for n, h in tops]
    ends = [*(start for start, _ in starts[1:]), len(lines)]
    return [(start, end) for (start, h), end in zip(starts, ends, strict=False) if h == name]


def _is_comment(line: str) -> bool:
    return line.lstrip().startswith("#")


def _with_comments(lines: list[str], head: int) -> int:
    start = head
    while start > 0 and _is_comment(lines[start - 1]):
        start -= 1
    return start


def _agrees(text: str, name: str, expected: Callable[[list[Any]], list[Any]], before: str) -> bool:
    """Whether ``text`` says what ``before`` said but for the tables called ``name``, which are as ``expected``."""
    try:
        old, new = tomllib.loads(before), tomllib.loads(text)
    except (ValueError, RecursionError):
        return False
    old[name] = expected(list(old.get(name, [])))
    return {k: v for k, v in old.items() if v != []} == new


def _joined(lines: list[str]) -> str:
    return "\n".join(lines).rstrip("\n") + "\n"


def moved(text: str, name: str, number: int, other: int) -> str:
    """``text`` with the tables ``number`` and ``other`` (from 0) exchanged; unchanged where that can't be done."""
    found = blocks(text, name)
    if not (0 <= number < len(found) and 0 <= other < len(found)) or number == other:
        return text
    lines = text.splitlines()
    (a, a_end), (b, b_end) = found[min(number, other)], found[max(number, other)]
    first, second = _closed(lines[a:a_end]), _closed(lines[b:b_end])
    result = _joined(lines[:a] + second + lines[a_end:b] + first + lines[b_end:])

    def exchanged(tables: list[Any]) -> list[Any]:
        tables[number], tables[other] = tables[other], tables[number]
        return tables

    return result if _agrees(result, name, exchanged, text) else text


def _closed(lines: list[str]) -> list[str]:
    """Lines that end with one empty line, so that blocks stay apart."""
    while lines and not lines[-1].strip():
        lines = lines[:-1]
    return [*lines, ""]


def dropped(text: str, name: str, number: int) -> str:
    """``text`` without the table ``number`` (from 0) and the comments above it; unchanged where there is none."""
    found = blocks(text, name)
    if not 0 <= number < len(found):
        return text
    lines = text.splitlines()
    start, end = found[number]
    result = _joined(lines[:start] + lines[end:])

    def without(tables: list[Any]) -> list[Any]:
        return tables[:number] + tables[number + 1 :]

    return result if _agrees(result, name, without, text) else text


def added(text: str, name: str, body: str) -> str:
    """``text`` with one more ``[[name]]`` table behind the last of its kind, or at the end."""
    lines = text.splitlines()
    found = blocks(text, name)
    place = found[-1][1] if found else len(lines)
    block = [f"[[{name}]]", *body.splitlines(), ""]
    return _joined([*_closed(lines[:place]), *block, *lines[place:]])


def with_key(text: str, name: str, number: int, line: str) -> str:
    """``text`` with one more line ``key = value`` at the end of the table ``number`` (from 0) called ``name``.

    The line goes behind the table's last key, not behind comments that belong to the next table.
    """
    found = blocks(text, name)
    if not 0 <= number < len(found):
        return text
    lines = text.splitlines()
    start, end = found[number]
    head = next(n for n in range(start, end) if _header(lines[n]) is not None)
    stop = next((n for n in range(head + 1, end) if _header(lines[n]) is not None), end)
    last = max((n for n in range(head + 1, stop) if lines[n].strip() and not _is_comment(lines[n])), default=head)
    return _joined([*lines[: last + 1], line, *lines[last + 1 :]])
