"""Saved views of the queue: the page that lists them, and saving, changing, sharing and deleting one."""

from __future__ import annotations

from urllib.parse import parse_qsl

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from workflow.core.actors import Permission
from workflow.core.errors import N_, Invalid, Stale
from workflow.core.times import shanghai_day
from workflow.data import organisation, views
from workflow.data.views import AREA
from workflow.i18n import say
from workflow.services import views as service
from workflow.services.views import Sharing
from workflow.web.access import actor, requires
from workflow.web.clock import now
from workflow.web.queue_address import queue_url

bp = Blueprint("views", __name__, url_prefix="/desk/views")
LONGEST_ASKED = 4000
_STALE = N_("这个视图已在另一个窗口改过，请看过最新内容后再改。")


def _sharing() -> Sharing:
    """The form's choice of whom to share with: nothing, ``team``, or ``area:`` and an area's id."""
    kind, _sep, area = request.form.get("shared", "").partition(":")
    return Sharing(kind, int(area) if kind == AREA and area.isascii() and area.isdigit() and len(area) < 18 else None)


def _asked() -> dict[str, str]:
    return dict(parse_qsl(request.form.get("asked", "")[:LONGEST_ASKED], max_num_fields=60))


def _version() -> int:
    text = request.form.get("version", "")
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise Invalid(N_("这份表单已失效，请刷新页面后再提交；您填的内容请先复制保存。"))
    return int(text)


def own_areas() -> list[tuple[int, str]]:
    """The areas in which the reader may share a view: those of the reader's posts."""
    return sorted({(a.area_id, a.area_name) for a in actor().appointments})


@bp.get("")
@requires(Permission.SEE_DESK)
def index() -> str:
    """The views the reader may open; own ones can be changed here."""
    who = actor()
    found = views.visible_to(who, organisation.mates_of(who.person_id, shanghai_day(now())))
    return render_template(
        "desk/views.html",
        own=[v for v in found if v.owner_id == who.person_id],
        others=[v for v in found if v.owner_id != who.person_id],
        areas=own_areas(),
    )


@bp.post("")
@requires(Permission.SEE_DESK)
def save() -> Response:
    """Save the conditions on the page under a name, and open the view."""
    asked = _asked()
    try:
        view = service.save(
            actor(),
            request.form.get("name", ""),
            asked,
            _sharing(),
            is_default=request.form.get("default") == "1",
            now=now(),
        )
    except Invalid as error:
        flash(say(error), "warning")
        return redirect(queue_url(asked), 303)
    flash(_("视图“%(name)s”已保存。", name=view.name), "success")
    return redirect(url_for("desk.queue", view=view.id), 303)


@bp.post("/<int:view_id>")
@requires(Permission.SEE_DESK)
def change(view_id: int) -> Response:
    """Rename, share or change an own view; from the queue it keeps the conditions on the page."""
    asked = _asked() if "asked" in request.form else None
    try:
        view = service.change(
            actor(),
            view_id,
            _version(),
            name=request.form.get("name", ""),
            sharing=_sharing(),
            is_default=request.form.get("default") == "1",
            now=now(),
            asked=asked,
        )
    except (Invalid, Stale) as error:
        flash(_(_STALE) if isinstance(error, Stale) else say(error), "warning")
        return redirect(url_for("views.index"), 303)
    flash(_("视图“%(name)s”已保存。", name=view.name), "success")
    return redirect(url_for("desk.queue", view=view.id) if asked is not None else url_for("views.index"), 303)


@bp.post("/<int:view_id>/delete")
@requires(Permission.SEE_DESK)
def delete(view_id: int) -> Response:
    """Delete an own view."""
    try:
        service.delete(actor(), view_id, _version())
        flash(_("视图已删除。"), "success")
    except Stale:
        flash(_(_STALE), "warning")
    return redirect(url_for("views.index"), 303)
