"""Printing all passes of a case at once: as one PDF in a layout, or as a zip with a PDF for each vehicle."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from workflow.core.actors import Actor
from workflow.core.errors import N_, NotFound, StepClosed
from workflow.core.times import shanghai_day
from workflow.data import passes
from workflow.data.passes import VehiclePass
from workflow.documents.sheets import layouts, render_passes, zip_passes
from workflow.services import cases, issuing

LAYOUT_LABELS = {
    "windscreen": N_("A4，一页一张（放挡风玻璃后）"),
    "half": N_("A5，A4 纸一页两张"),
    "card": N_("卡片，A4 纸一页八张"),
}
"""Source texts of the layouts, in the order in which they are offered."""


AT_ONCE = 50
"""The most passes that are printed while somebody waits; the worker prints more, see ``services.print_jobs``."""


def printable(found: list[VehiclePass], today: dt.date) -> list[VehiclePass]:
    """Those that stand: granted and not over."""
    return [p for p in found if p.status == "granted" and p.valid_until_on >= today]


def print_all(actor: Actor, case_id: int, layout: str, kind: str, now: dt.datetime) -> Iterator[bytes]:
    """The standing passes of a case that the actor sees, piece by piece, as ``pdf`` or ``zip``.

    Raises :class:`NotFound` for a layout or kind that does not exist, :class:`StepClosed` with nothing to print.
    """
    case = cases.get(actor, case_id)
    chosen = layouts().get(layout)
    if chosen is None or kind not in ("pdf", "zip"):
        raise NotFound()
    standing = printable(passes.of_case(case.id), shanghai_day(now))
    if not standing:
        raise StepClosed(N_("没有可以打印的通行证。"))
    if len(standing) > AT_ONCE:
        raise StepClosed(N_("超过 %(n)s 张，请用“生成文件”在后台打印。"), n=AT_ONCE)
    facts = [issuing.pass_facts(p) for p in standing]  # read before the answer begins: the transaction ends with it
    return render_passes(facts, chosen) if kind == "pdf" else zip_passes(facts, chosen)
