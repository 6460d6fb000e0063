"""Prints a pass through WeasyPrint: whole, or blank as the form that the fast way draws upon."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict
from functools import cache

from workflow.documents.pass_facts import PassFacts
from workflow.documents.pass_kinds import LOOKS, PassKind
from workflow.documents.pass_layouts import Design
from workflow.documents.pass_setting import Setting, pass_title, set_pass
from workflow.documents.pdf import Primitive, render, render_form
from workflow.documents.pdf_forms import Form

_NO_DAY = dt.date(2020, 1, 1)


def render_whole(facts: PassFacts, design: Design) -> bytes:
    """Return the pass as a PDF of one page of the design's size, all of it drawn by WeasyPrint."""
    return render("pass", _context(facts, design))


def whole_form(facts: PassFacts, design: Design) -> Form:
    """Return the same page as a form."""
    return render_form("pass", _context(facts, design))


@cache
def blank_form(design: Design, kind: PassKind, demo: bool) -> Form:
    """Return what all passes of a kind have in common, as a form; made once a process."""
    return render_form("pass", _common(design, kind, demo=demo))


def _context(facts: PassFacts, design: Design) -> dict[str, Primitive]:
    setting = set_pass(facts, design)
    return {
        **_common(design, facts.kind, demo=facts.demo),
        **_placed(setting),
        "number": facts.number,
        "issuing_area": facts.issuing_area,
        "created_on": facts.valid_from_on,
        "qr_text": facts.qr_text,
    }


def _common(design: Design, kind: PassKind, *, demo: bool) -> dict[str, Primitive]:
    look = LOOKS[kind]
    return {
        "design": design.key,
        "code": asdict(design.code),
        "title": pass_title(kind),
        "kind_word": look.word,
        "colour": look.colour,
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
