"""On to the next case of the view that a case was opened from."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from workflow.core.actors import Permission
from workflow.data.queue import Asked
from workflow.services import cases as case_service
from workflow.services import filters as asking
from workflow.web.access import actor, requires
from workflow.web.clock import now
from workflow.web.queue_address import read_mark, write_mark
from workflow.web.queue_way import PLACE, VIEW, view_of_way, way, way_back

bp = Blueprint("next_case", __name__)
bp.add_app_template_global(way, "way")
bp.add_app_template_global(way_back, "way_back")


@bp.get("/cases/<int:case_id>/next")
@requires(Permission.SEE_DESK)
def go(case_id: int) -> Response:
    """The case that follows in the view, however the one just seen has changed; at the end, the first that is left."""
    at, who = now(), actor()
    case_service.get(who, case_id)
    reading = asking.read(view_of_way(), who, asking.offer(who, at))
    asked, mark = Asked.by(who, reading.filters, at), read_mark(way().get(PLACE))
    rows = asked.page(mark, None).rows if mark else ()
    found = [r for r in rows if r.id != case_id] or [r for r in asked.page(None, None).rows if r.id != case_id]
    if not found:
        flash(_("这个队列里没有别的案件了。"), "info")
        return redirect(way_back())
    place: dict[str, Any] = {VIEW: way().get(VIEW), PLACE: write_mark(found[0].mark(reading.filters.order))}
    return redirect(url_for("cases.show", case_id=found[0].id, **{k: v for k, v in place.items() if v}))
