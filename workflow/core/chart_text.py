"""Measuring and breaking the words of a flow chart: no font is at hand, so widths are bounds that real fonts keep."""

from __future__ import annotations

import re
from functools import lru_cache

_NARROW = frozenset("iljtfrI.,:;'|!()[]/ -")
_WIDE = frozenset("mwMW@%—&")
_SQUARE_FROM = 0x2E80
_PIECE = re.compile(
    r"[（《「『“‘]?[\u2e80-\U0010ffff][，。、；：！？）》」』”’]?"  # Chinese: no line begins with a closing mark
    r"|[^\s\u2e80-\U0010ffff]+[，。、；：！？）》]?[^\S\n]*"  # a word with the space behind it
    r"|\n|[^\S\n]+"
)


def em(char: str) -> float:
    """The width of a character in em: Chinese and its marks are square, the rest has four widths."""
    if ord(char) >= _SQUARE_FROM or 0x2000 <= ord(char) <= 0x206F or char == "·":
        return 1.0
    if char in _NARROW:
        return 0.4
    return 0.95 if char in _WIDE else 0.7 if char.isupper() else 0.58


def width_of(text: str, size: float) -> float:
    """The width of one line of ``text`` in user units at ``size``."""
    return sum(em(c) for c in text) * size


def _pieces(text: str, width: float, size: float) -> list[str]:
    """What may not be parted; a word longer than a line may be parted anywhere."""
    found: list[str] = []
    for piece in _PIECE.findall(text):
        rest = piece
        while width_of(rest.rstrip(), size) > width and len(rest) > 1:
            count = 1
            while count < len(rest) - 1 and width_of(rest[: count + 1], size) <= width:
                count += 1
            found.append(rest[:count])
            rest = rest[count:]
        found.append(rest)
    return found


def _filled(pieces: list[str], width: float, size: float) -> list[str]:
    lines = [""]
    for piece in pieces:
        if piece == "\n" or (lines[-1] and width_of((lines[-1] + piece).rstrip(), size) > width):
            lines.append("")
        if piece.strip() or lines[-1]:
            lines[-1] += piece.strip("\n")
    return [line.rstrip() for line in lines if line.strip()] or [""]


@lru_cache(maxsize=4096)
def wrap(text: str, width: float, size: float = 15.0) -> str:
    """``text`` with line breaks so that each line fits into ``width`` units at ``size``, all about equally long.

    Breaks are between words or anywhere in Chinese; a break in ``text`` stays.
    """
    pieces = _pieces(text.strip(), width, size)
    lines = _filled(pieces, width, size)
    narrower = width - size / 2
    while len(lines) > 1 and narrower > width / 2:
        closer = _filled(pieces, narrower, size)
        if len(closer) > len(lines) or any(width_of(line, size) > narrower for line in closer):
            break
        lines, narrower = closer, narrower - size / 2
    return "\n".join(lines)


@lru_cache(maxsize=4096)
def wrap_parts(text: str, width: float, size: float = 13.0, mark: str = " · ") -> str:
    """``text`` on one line when it fits; otherwise each of its parts between ``mark`` on lines of its own."""
    if width_of(text, size) <= width:
        return text
    return "\n".join(wrap(part, width, size) for part in text.split(mark) if part.strip())
