"""Which items of the checklists fail most, where, and in which trade."""

from __future__ import annotations

from flask import Blueprint, render_template, request
from flask_babel import gettext as _

from workflow.core.actors import AreaKind, Permission
from workflow.core.catalogue import ChecklistItem
from workflow.core.questions import SECTORS
from workflow.core.texts import clean_text
from workflow.data import flows
from workflow.data.flows import ChecklistVersion
from workflow.extensions import db
from workflow.services import learning
from workflow.web.access import actor, requires
from workflow.web.clock import now

bp = Blueprint("learning", __name__)


def _items() -> dict[str, ChecklistItem]:
    """Every item of every published list by its code, the newest wording."""
    query = db.select(ChecklistVersion).order_by(ChecklistVersion.revision, ChecklistVersion.id)
    return {i.code: i for v in db.session.scalars(query) for i in flows.checklist_of(v.text).items}


@bp.get("/inspections/learning")
@requires(Permission.SEE_DESK)
def show() -> str:
    """What the visits of the last months teach; an unknown sector is taken as all."""
    sectors = {key: _(label) for key, label in SECTORS}
    sector = request.args.get("sector", "")
    sector = sector if sector in sectors else ""
    found = learning.learned(actor(), clean_text(request.args.get("area", ""))[:40], sector, now())
    return render_template(
        "inspections/learning.html",
        found=found,
        items=_items(),
        sectors=sectors,
        sector=sector,
        areas=learning.own_areas(actor()),
        by=_("片区") if found.by is AreaKind.ZONE else _("镇街"),
    )
