"""The commander's board: one page of numbers that leads down the areas to the queue."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, render_template, request, url_for
from flask_babel import gettext as _

from workflow.core.actors import AreaKind, Permission
from workflow.core.errors import N_
from workflow.core.texts import clean_text
from workflow.data.queue import Group
from workflow.services import board as board_service
from workflow.services.board import Board
from workflow.web.access import actor, requires
from workflow.web.clock import now

bp = Blueprint("board", __name__)

WINDOWS = (7, 30, 90)
STAGE_LABELS = {
    Group.REVIEW: N_("材料审核"),
    Group.INSPECTION: N_("实地核查"),
    Group.DECISION: N_("审定"),
    Group.COMPANY: N_("待企业"),
}
_BELOW = {AreaKind.CITY: N_("区县（市）"), AreaKind.COUNTY: N_("镇街"), AreaKind.TOWN: N_("片区")}


def spent(hours: int | None) -> str:
    """Whole hours in words: ``5 小时``, from two days on ``3.2 天``; a dash of nothing."""
    if hours is None:
        return "—"
    return _("%(n)s 小时", n=hours) if hours < 48 else _("%(n)s 天", n=f"{hours / 24:.1f}")


def _link(board: Board, code: str) -> str:
    return url_for("board.show", area=code, days=board.window)


def _tallest(board: Board) -> int:
    return max(1, *(max(day.filed, day.decided) for day in board.trend))


@bp.get("/board")
@requires(Permission.SEE_BOARD)
def show() -> str:
    """The board of an area; an unknown span of days is taken as 30."""
    days = request.args.get("days", type=int)
    board = board_service.board_of(
        actor(), clean_text(request.args.get("area", ""))[:40], days if days in WINDOWS else WINDOWS[1], now()
    )
    shown: dict[str, Any] = {
        "stages": board_service.STAGES,
        "stage_label": lambda stage: _(STAGE_LABELS[stage]),
        "below": _(_BELOW[board.area.area_kind]),
        "windows": WINDOWS,
        "tallest": _tallest(board),
        "most": max((load.cases for load in board.loads), default=1),
        "spent": spent,
        "link": lambda code: _link(board, code),
        "leads_down": board.area.area_kind is not AreaKind.TOWN,
        "now_at": now(),
        "sees_gates": actor().may(Permission.SEE_GATES),
    }
    return render_template("board/board.html", board=board, **shown)
