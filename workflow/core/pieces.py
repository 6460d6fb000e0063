"""Cutting a text into pieces that a robot takes: by UTF-8 bytes, never inside a character, each marked （1/3）."""

from __future__ import annotations

from itertools import count

_JOINERS = frozenset("\u200d\ufe0e\ufe0f\u20e3")


def _glued(before: str, after: str) -> bool:
    """Whether ``after`` belongs to the sign that ``before`` ends: variation selectors, joiners, skin tones, accents."""
    return (
        after in _JOINERS
        or before == "\u200d"
        or "\U0001f3fb" <= after <= "\U0001f3ff"
        or "\u0300" <= after <= "\u036f"
    )


def _cut(text: str, room: int) -> list[str]:
    """Pieces of at most ``room`` bytes; a line's end or a space near the end of a piece is taken for the cut."""
    pieces = []
    rest = text
    while len(rest.encode()) > room:
        fits = len(rest.encode()[:room].decode(errors="ignore"))
        at = fits
        while at > 1 and _glued(rest[at - 1], rest[at]):
            at -= 1
        if at == 1 and _glued(rest[0], rest[1]):
            at = fits  # one sign longer than a whole piece: cut between its characters
        soft = max(rest.rfind(sign, at // 2, at) for sign in ("\n", " "))
        at = soft + 1 if soft > 0 else at
        pieces.append(rest[:at])
        rest = rest[at:]
    return [*pieces, rest]


def split(text: str, most: int) -> list[str]:
    """``text`` in pieces of at most ``most`` UTF-8 bytes each, numbered when there are several.

    Without their marks the pieces joined are the text. ValueError when ``most`` leaves no room for a mark and a
    character.
    """
    if len(text.encode()) <= most:
        return [text]
    for digits in count(1):
        room = most - len(mark(10**digits - 1, 10**digits - 1).encode())
        if room < 4:
            raise ValueError("no room for a mark and a character")
        found = _cut(text, room)
        if len(found) < 10**digits:
            return [mark(n, len(found)) + piece for n, piece in enumerate(found, 1)]
    raise AssertionError("unreachable")


def mark(number: int, total: int) -> str:
    """The mark that a piece begins with."""
    return f"（{number}/{total}）"
