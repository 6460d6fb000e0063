"""Lifts a rendered page out of its PDF as a form XObject with everything that it refers to."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

_REFERENCE = re.compile(rb"(?<![\d.])(\d+) 0 R(?![A-Za-z])")
_STREAM = b"\nstream\n"


@dataclass(frozen=True, slots=True)
class Part:
    """An object of a PDF: ``head`` is its dictionary or value, ``body`` what stands behind it in a stream.

    References in ``head`` count the parts of the form, from 0.
    """

    head: bytes
    body: bytes = b""

    def renumbered(self, number: Callable[[int], int]) -> bytes:
        """The whole object with each reference passed through ``number``."""
        return _REFERENCE.sub(lambda match: b"%d 0 R" % number(int(match[1])), self.head) + self.body


@dataclass(frozen=True, slots=True)
class Form:
    """A page as a form XObject: the first of ``parts`` is the form itself; size in points."""

    width: float
    height: float
    parts: tuple[Part, ...]


def lift_form(document: Any) -> Form:
    """Return the only page of a ``pydyf.PDF`` (as a WeasyPrint finisher sees it) as a form.

    ValueError when it has more pages: a form that is cut off would lose text without a word.
    """
    pages = [each for each in document.objects if _type_of(each) == "/Page"]
    if len(pages) != 1:
        raise ValueError(f"a form is one page, not {len(pages)}")
    [page] = pages
    _, _, width, height = (float(number) for number in page["MediaBox"])
    content = document.objects[_target(page["Contents"])]
    content.extra |= {
        "Type": "/XObject",
        "Subtype": "/Form",
        "BBox": b"[0 0 %.4f %.4f]" % (width, height),
        "Resources": page["Resources"],
    }
    numbers = [content.number]
    heads: list[tuple[bytes, bytes]] = []
    while len(heads) < len(numbers):
        head, mark, body = document.objects[numbers[len(heads)]].data.partition(_STREAM)
        heads.append((head, mark + body))
        for found in _REFERENCE.finditer(head):
            if int(found[1]) not in numbers:
                numbers.append(int(found[1]))
    places = {number: place for place, number in enumerate(numbers)}
    parts = tuple(Part(_REFERENCE.sub(lambda m: b"%d 0 R" % places[int(m[1])], head), body) for head, body in heads)
    return Form(width, height, parts)


def _type_of(item: Any) -> str | None:
    return str(item["Type"]) if isinstance(item, dict) and "Type" in item else None


def _target(reference: bytes) -> int:
    return int(reference.split()[0])
