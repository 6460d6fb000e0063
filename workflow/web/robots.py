"""The group robots of teams, for whoever manages the organisation there."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from workflow.core.actors import Permission
from workflow.core.errors import N_, DomainError
from workflow.core.notices import KINDS, ROBOT_LABELS
from workflow.data import robots
from workflow.data.robots import Robot
from workflow.extensions import db, settings
from workflow.i18n import mark, reader_locale
from workflow.services import robots as robot_service
from workflow.web.access import actor, requires
from workflow.web.clock import now
from workflow.web.forms.notices import RobotForm
from workflow.web.notices import number

bp = Blueprint("robots", __name__)
manager = requires(Permission.MANAGE_ORGANISATION)
_FAILURES = {
    "refused_address": N_("地址不在允许的范围内"),
    "unreachable": N_("连接不上"),
    "timeout": N_("等待超时"),
    "http": N_("对方返回状态码 %(n)s"),
    "answer": N_("对方的答复无法识别"),
    "errcode": N_("机器人返回错误码 %(n)s"),
    "sealed": N_("系统密钥已更换，请删除后重新添加"),
}


@dataclass(frozen=True, slots=True)
class RobotLine:
    """A robot in words; ``failure`` is empty when the last message was taken."""

    robot: Robot
    kind: str
    events: str
    failure: str


def _failure(text: str) -> str:
    why, _sep, n = text.partition(" ")
    return _(_FAILURES[why], n=n) if why in _FAILURES else text


def _line(robot: Robot) -> RobotLine:
    passed = [KINDS[e].label.text(reader_locale()) for e in robot.events if e in KINDS]
    return RobotLine(robot, _(ROBOT_LABELS[robot.robot_kind]), mark("、").join(passed), _failure(robot.last_error))


def _page(form: RobotForm, code: int = 200) -> tuple[str, int]:
    teams = list(db.session.scalars(robots.teams_managed_by(actor())))
    form.offer(teams)
    lines = [_line(robot) for robot in db.session.scalars(robots.managed_by(actor()))]
    page = render_template(
        "notices/robots.html", form=form, lines=lines, has_teams=bool(teams), hosts=settings().robot_hosts
    )
    return page, code


@bp.get("/notices/robots")
@manager
def index() -> tuple[str, int]:
    """The robots of the actor's teams, and a form for one more."""
    form = RobotForm(formdata=None)
    form.events.data = ["overdue", "escalated"]
    return _page(form)


@bp.post("/notices/robots")
@manager
def add() -> Response | tuple[str, int]:
    """Add a robot, or show the page again with what is wrong."""
    form = RobotForm()
    if not form.validate():
        return _page(form, 422)
    try:
        robot_service.add(
            actor(),
            number(form.team.data) or 0,
            kind=form.kind.data or "",
            name=form.name.data or "",
            url=form.url.data or "",
            secret=form.secret.data or "",
            events=form.events.data or [],
            now=now(),
        )
    except DomainError as error:
        form.refuse(error)
        return _page(form, error.status)
    flash(_("群机器人已添加，可以发送一条测试消息。"), "success")
    return redirect(url_for("robots.index"), 303)


@bp.post("/notices/robots/<int:robot_id>/test")
@manager
def try_out(robot_id: int) -> Response:
    """Send a test message."""
    robot_service.try_out(actor(), robot_id, now())
    flash(_("测试消息已交由后台发送，请稍后刷新本页查看结果。"), "success")
    return redirect(url_for("robots.index"), 303)


@bp.post("/notices/robots/<int:robot_id>/switch")
@manager
def switch(robot_id: int) -> Response:
    """Switch a robot on or off."""
    active = request.form.get("active") == "1"
    robot_service.switch(actor(), robot_id, active=active, now=now())
    flash(_("群机器人已启用。") if active else _("群机器人已停用。"), "success")
    return redirect(url_for("robots.index"), 303)


@bp.post("/notices/robots/<int:robot_id>/delete")
@manager
def delete(robot_id: int) -> Response:
    """Delete a robot with its address."""
    robot_service.delete(actor(), robot_id, now())
    flash(_("群机器人已删除。"), "success")
    return redirect(url_for("robots.index"), 303)
