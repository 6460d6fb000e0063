"""Gates and their devices for whoever manages them: set up, closed, counted anew; phones invited and revoked."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

from flask import Blueprint, flash, redirect, render_template, session, url_for
from flask import request as asked
from flask_babel import gettext as _
from markupsafe import Markup
from werkzeug.wrappers import Response

from workflow.core.actors import Permission
from workflow.core.errors import DomainError
from workflow.core.gate_rules import AMBER_HOURS, RED_HOURS
from workflow.data.gates import Gate, GateDevice
from workflow.documents.qr import qr_svg
from workflow.extensions import settings
from workflow.services import gates, pass_list
from workflow.web.access import actor, requires
from workflow.web.clock import now
from workflow.web.organisation import Answer, Refused, number_field, refused

bp = Blueprint("gates", __name__, url_prefix="/gates")
manager = requires(Permission.MANAGE_GATES)
_INVITATION = "gate_invitation"
ON_LINE = dt.timedelta(minutes=5)
"""A page asks for the list every half minute: who was in contact within this time has signal."""


@dataclass(frozen=True, slots=True)
class DeviceLine:
    """A device as its gate's page shows it; ``tone`` says how old its list may be by now."""

    device: GateDevice
    state: str
    tone: str = ""
    is_behind: bool = False


def _tone(seen_at: dt.datetime | None) -> str:
    if seen_at is None:
        return "danger"
    age = now() - seen_at
    if age >= dt.timedelta(hours=RED_HOURS):
        return "danger"
    if age >= dt.timedelta(hours=AMBER_HOURS):
        return "warning"
    return "success" if age < ON_LINE else "neutral"


@bp.app_template_global("contact_tone")
def contact_tone(seen_at: dt.datetime | None) -> str:
    """The tone of a last contact: what the list on the device looks like by now."""
    return _tone(seen_at)


def _lines(gate: Gate) -> list[DeviceLine]:
    newest, lines = pass_list.version_now(), []
    for found in gates.devices_of(gate.id):
        state = gates.state_of(found, now())
        behind = state == "in_use" and found.list_version < newest
        lines.append(DeviceLine(found, state, _tone(found.seen_at), behind))
    return lines


def _index(wrong: Refused | None = None) -> tuple[str, int]:
    places = gates.places_for(actor())
    sees = actor().may(Permission.SEE_GATES)
    lines = gates.overview(actor())
    page = render_template("gates/index.html", lines=lines, places=places, sees_log=sees, wrong=wrong)
    return page, wrong.status if wrong else 200


def _show(gate_id: int, wrong: Refused | None = None) -> tuple[str, int]:
    gate = gates.get(actor(), gate_id)
    page = render_template("gates/show.html", gate=gate, lines=_lines(gate), wrong=wrong)
    return page, wrong.status if wrong else 200


@bp.get("")
@manager
def index() -> tuple[str, int]:
    """The gates of the reader's areas, and a form for one more."""
    return _index()


@bp.post("")
@manager
def add() -> Answer:
    """Set up a gate."""
    form = asked.form
    try:
        place = number_field("area_id", _("请选择卡口所在的区域。"))
        gate = gates.add(actor(), place, form.get("name", ""), form.get("place", ""), now())
    except DomainError as error:
        return _index(refused("gate", error))
    flash(_("卡口已设立，请添加值守用的设备。"), "success")
    return redirect(url_for("gates.show", gate_id=gate.id), 303)


@bp.get("/<int:gate_id>")
@manager
def show(gate_id: int) -> tuple[str, int]:
    """One gate: what it is called, who is inside, its devices."""
    return _show(gate_id)


def _changed(gate_id: int, act: str, change: Callable[[], object], words: str) -> Answer:
    """Change something about a gate and come back; a refusal comes on the gate's page."""
    gates.get(actor(), gate_id)
    try:
        change()
    except DomainError as error:
        return _show(gate_id, refused(act, error))
    flash(words, "success")
    return redirect(url_for("gates.show", gate_id=gate_id), 303)


@bp.post("/<int:gate_id>")
@manager
def change(gate_id: int) -> Answer:
    """Change a gate's name and place."""
    name, place = asked.form.get("name", ""), asked.form.get("place", "")
    return _changed(gate_id, "gate", lambda: gates.change(actor(), gate_id, name, place, now()), _("卡口信息已保存。"))


@bp.post("/<int:gate_id>/close")
@manager
def close(gate_id: int) -> Answer:
    """Close a gate and revoke its devices."""
    words = _("卡口已关闭，其设备已全部停用。")
    return _changed(gate_id, "close", lambda: gates.close(actor(), gate_id, now()), words)


@bp.post("/<int:gate_id>/open")
@manager
def reopen(gate_id: int) -> Answer:
    """Open a closed gate again."""
    words = _("卡口已重新启用，请重新登记设备。")
    return _changed(gate_id, "close", lambda: gates.reopen(actor(), gate_id, now()), words)


@bp.post("/<int:gate_id>/count")
@manager
def count(gate_id: int) -> Answer:
    """Say how many people are inside."""

    def anew() -> None:
        gates.count_anew(actor(), gate_id, number_field("inside", _("请填写在内人数。")), now())

    return _changed(gate_id, "count", anew, _("在内人数已更正，此后按进出自动增减。"))


def _invited(device: GateDevice, code: str) -> Response:
    session[_INVITATION] = {"device": device.id, "code": code}
    return redirect(url_for("gates.invitation", device_id=device.id), 303)


@bp.post("/<int:gate_id>/devices")
@manager
def invite(gate_id: int) -> Answer:
    """Make room for one more device, and show the code that enrols it."""
    gates.get(actor(), gate_id)
    try:
        device, code = gates.invite(actor(), gate_id, asked.form.get("device_name", ""), now())
    except DomainError as error:
        return _show(gate_id, refused("device", error))
    return _invited(device, code)


@bp.post("/devices/<int:device_id>/invite")
@manager
def invite_again(device_id: int) -> Response:
    """Make a new code for a device that nobody enrolled in time."""
    device, code = gates.invite_again(actor(), device_id, now())
    return _invited(device, code)


@bp.get("/devices/<int:device_id>/invitation")
@manager
def invitation(device_id: int) -> str:
    """The code as QR and as a link, for whoever made it and as long as it is good; it is stored nowhere but here."""
    device = gates.device(actor(), device_id)
    state, held = gates.state_of(device, now()), session.get(_INVITATION) or {}
    link = ""
    if state == "invited" and held.get("device") == device.id and gates.digest_of(held["code"]) == device.code_digest:
        link = f"{settings().public_url}/gate/#enrol={held['code']}"
    code = Markup(qr_svg(link, level="M", label=_("登记码"))) if link else ""  # noqa: S704  # nosec B704
    return render_template("gates/invitation.html", device=device, state=state, link=link, code=code)


@bp.post("/devices/<int:device_id>/revoke")
@manager
def revoke(device_id: int) -> Response:
    """Take a device out of use."""
    device = gates.revoke(actor(), device_id, now())
    flash(_("设备已停用：它下次联网时会清除本机数据。"), "success")
    return redirect(url_for("gates.show", gate_id=device.gate_id), 303)
