"""Where in a data file a problem lies: the line of the table and key that its words name."""

from __future__ import annotations

import re

_NAMED = re.compile(r"^(state|step|material|opinion|area_class|department|item) '([^']+)'")
_NUMBERED = re.compile(r"^(rule|sample|regime|listed|pass) (\d+)")
_KEYS = {"state": "key", "step": "action", "material": "slot", "opinion": "department"}
_KEYS |= {"area_class": "key", "department": "code", "item": "code"}
_TOML_LINE = re.compile(r"\(at line (\d+)")
_WORD = re.compile(r"[a-z_]+")
_QUOTED = re.compile(r"'([^']*)'")
_NAMELESS = re.compile(r"^(state|step|material|opinion|area_class|item): ")


def _tables(lines: list[str], name: str) -> list[int]:
    """The lines (from 0) on which a ``[[name]]`` table begins."""
    head = re.compile(rf"^\s*\[\[\s*{name}\s*\]\]")
    return [n for n, line in enumerate(lines) if head.match(line)]


def _end(lines: list[str], start: int) -> int:
    """The line (from 0, exclusive) at which the table that begins on ``start`` ends."""
    return next((n for n in range(start + 1, len(lines)) if lines[n].lstrip().startswith("[")), len(lines))


def _within(lines: list[str], start: int, end: int, problem: str) -> int:
    """The line between ``start`` and ``end`` that holds what ``problem`` quotes, or the key that it names; ``start``
    when there is neither."""
    quoted = [re.escape(name) for name in _QUOTED.findall(problem)]
    wanted = [rf"^\s*{name}\s*[=.]" for name in quoted]
    wanted += [rf"[\"']{name}[\"']" for name in quoted] + [rf"[{{,]\s*{name}\s*=" for name in quoted]
    wanted += [rf"^\s*{word}\s*[=.]" for word in _WORD.findall(problem)]
    for pattern in map(re.compile, wanted):
        found = next((n for n in range(max(start, 0), end) if pattern.search(lines[n])), None)
        if found is not None:
            return found
    return start


def line_of(text: str, problem: str) -> int | None:
    """The line (from 1) of ``text`` that ``problem`` speaks of, or None when it speaks of none."""
    told = _TOML_LINE.search(problem)
    if told is not None:
        return int(told[1])
    lines = text.splitlines()
    named, numbered, nameless = _NAMED.match(problem), _NUMBERED.match(problem), _NAMELESS.match(problem)
    if named is not None:
        start = _named(lines, named[1], named[2], second="twice" in problem or "a second one" in problem)
    elif numbered is not None:
        start = dict(enumerate(_tables(lines, numbered[1]), 1)).get(int(numbered[2]))
    elif nameless is not None:
        found = _nameless(lines, nameless[1])
        return None if found is None else found + 1
    elif problem.startswith("calendar"):
        start = next((n for n, line in enumerate(lines) if line.strip() == "[calendar]"), None)
    else:
        top = next((n for n, line in enumerate(lines) if line.lstrip().startswith("[")), len(lines))
        return _within(lines, -1, top, problem) + 1 or None
    return None if start is None else _within(lines, start, _end(lines, start), problem.partition(":")[2]) + 1


def _named(lines: list[str], table: str, name: str, *, second: bool) -> int | None:
    """Where the table of this name begins; a name used twice is wrong where it comes the ``second`` time."""
    wanted = re.compile(rf"^\s*{_KEYS[table]}\s*=\s*[\"']{re.escape(name)}[\"']")
    found = [n for n in _tables(lines, table) if any(wanted.match(x) for x in lines[n : _end(lines, n)])]
    return next(iter((found[1:] if second else []) or found), None)


def _nameless(lines: list[str], table: str) -> int | None:
    """Where the first table begins whose name is missing or no name."""
    key = re.compile(rf'^\s*{_KEYS[table]}\s*=\s*"[A-Za-z][A-Za-z0-9_-]{{0,39}}"')
    return next((n for n in _tables(lines, table) if not any(key.match(x) for x in lines[n : _end(lines, n)])), None)
