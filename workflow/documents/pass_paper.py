"""Prints a pass through WeasyPrint: whole, or blank as the form that the fast way draws upon."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict
from functools import cache

from workflow.documents.pass_facts import PassFacts
from workflow.documents.pass_kinds import kind as kind_called
from workflow.documents.pass_layouts import Design, Layout, layouts
from workflow.documents.pass_looks import PassLook
from workflow.documents.pass_setting import Setting, set_pass
from workflow.documents.pdf import Primitive, render, render_form
from workflow.documents.pdf_forms import Form

_TEMPLATE = "pass"
"""The template that layouts are read for where nothing else is said."""
_NO_DAY = dt.date(2020, 1, 1)


def render_whole(facts: PassFacts, design: Design) -> bytes:
    """Return the pass as a PDF of one page of the design's size, all of it drawn by WeasyPrint."""
    return render(kind_called(facts.kind).template, _context(facts, design))


def whole_form(facts: PassFacts, design: Design) -> Form:
    """Return the same page as a form."""
    return render_form(kind_called(facts.kind).template, _context(facts, design))


@cache
def blank_form(design: Design, kind: str, look: PassLook, demo: bool) -> Form:
    """Return what all passes of a kind and an area have in common, as a form; made once a process."""
    return render_form(kind_called(kind).template, _common(design, kind, look, demo=demo))


def design_for(facts: PassFacts, layout: Layout) -> Design:
    """The design of one pass in a layout: its kind's own, with the places that its area has changed.

    ValueError when the kind's template has no piece of the same size for the layout.
    """
    template, base = kind_called(facts.kind).template, layout.design
    if template != _TEMPLATE:
        own = layouts(template).get(layout.key)
        if own is None or (own.design.width, own.design.height) != (base.width, base.height):
            raise ValueError(f"template {template} has no piece for the layout {layout.key}")
        base = own.design
    return facts.look.design(base)


def _context(facts: PassFacts, design: Design) -> dict[str, Primitive]:
    setting = set_pass(facts, design)
    return {
        **_common(design, facts.kind, facts.look, demo=facts.demo),
        **_placed(setting),
        "number": facts.number,
        "issuing_area": facts.issuing_area,
        "created_on": facts.valid_from_on,
        "qr_text": facts.qr_text,
    }


def _common(design: Design, kind: str, look: PassLook, *, demo: bool) -> dict[str, Primitive]:
    named = kind_called(kind)
    return {
        "design": design.key,
        "code": asdict(design.code),
        "title": named.title,
        "kind_word": named.word.zh,
        "colour": named.colour,
        "accent": look.accent,
        "area_words": look.words,
        "area_seal": look.seal(design.key, demo=demo),
        "demo": demo,
        "number": "",
        "issuing_area": "",
        "created_on": _NO_DAY,
        "qr_text": "",
        "lines": [],
        "rules": [],
    }


def _placed(setting: Setting) -> dict[str, Primitive]:
    lines: list[Primitive] = [{**asdict(line), "top": line.top} for line in setting.lines]
    rules: list[Primitive] = [asdict(rule) for rule in setting.rules]
    return {"lines": lines, "rules": rules}
