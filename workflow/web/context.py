"""What every template may use: the reader, the navigation, keys for forms, and filters for times and names."""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from flask import Flask, request, session, url_for
from flask_babel import format_timedelta, gettext, ngettext
from flask_babel import gettext as _

from workflow.core.actors import Actor, Permission
from workflow.core.clocks import NO_LIMIT
from workflow.core.errors import N_, DomainError, Reason
from workflow.core.flow import Label
from workflow.core.identifiers import mask_phone, show_plate
from workflow.core.times import shanghai_time
from workflow.data import catalogue, messages, notices
from workflow.extensions import settings
from workflow.i18n import mark, reader_locale, say, translate
from workflow.services import opinions as opinion_service
from workflow.web.access import present_actor
from workflow.web.clock import now
from workflow.web.errors import request_id


@dataclass(frozen=True, slots=True)
class NavItem:
    """An entry of the main navigation."""

    label: str
    url: str
    active: bool
    count: int | None = None


@dataclass(frozen=True, slots=True)
class Reader:
    """The signed-in person as pages show them."""

    name: str
    role_labels: tuple[str, ...]
    is_company: bool
    is_staff: bool


_PARTS = {
    "field_left": "inspections",
    "robots": "notices",
    "drafts": "publishing",
    "migration": "publishing",
    "organisation_people": "organisation",
    "organisation_import": "organisation",
    "exports": "bulk",
    "gates": "gate_log",
    "pass_bulk": "pass_desk",
}
"""Blueprints whose pages lie below another one's entry of the navigation."""


def _item(label: str, endpoint: str, count: int | None = None, **values: Any) -> NavItem:
    here = _PARTS.get(request.blueprint or "", request.blueprint)
    return NavItem(label, url_for(endpoint, **values), here == endpoint.split(".")[0], count or None)


def navigation(who: Actor | None) -> list[NavItem]:
    """The main navigation for this reader."""
    if who is None:
        return [_item(_("办事指南"), "public.guide"), _item(_("通行证核验"), "checks.check")]
    items = []
    if who.is_company:
        items.append(_item(_("我的申请"), "applications.home"))
        items.append(_item(_("消息"), "messages.inbox", messages.unread_count(who)))
    items += _daily_work(who)
    items += [_item(_(words), endpoint) for words, endpoint in _offices(who)]
    if not who.may(Permission.SEE_DESK):  # whoever works at the desk finds it at the foot of every page
        items.append(_item(_("通行证核验"), "checks.check"))
    return items


def _daily_work(who: Actor) -> Iterator[NavItem]:
    """What staff do every day, with how much of it waits."""
    if who.may(Permission.SEE_DESK):
        yield _item(_("审核队列"), "desk.queue")
        yield _item(_("批量与导出"), "bulk.mine")
    if who.may(Permission.DECIDE_PASS):
        yield _item(_("通行证办理"), "pass_desk.desk")
    if who.may(Permission.SEE_GATES):
        yield _item(_("卡口记录"), "gate_log.show")
    if who.is_staff and (who.may(Permission.SEE_CASE) or who.may(Permission.MANAGE_ACCOUNTS)):
        yield _item(_("通知"), "notices.inbox", notices.unread_count(who.person_id))
    if who.may(Permission.GIVE_OPINION):
        yield _item(_("部门意见"), "opinions.inbox", opinion_service.count_waiting(who))
    if who.may(Permission.INSPECT):
        yield _item(_("我的核查"), "inspections.mine")


def _offices(who: Actor) -> Iterator[tuple[str, str]]:
    """What is looked at or arranged now and then: source texts and endpoints."""
    if who.may(Permission.SEE_BOARD):
        yield N_("指挥看板"), "board.show"
    if who.may(Permission.PUBLISH_RULES):
        yield N_("规则与流程"), "publishing.index"
    if who.may(Permission.SEE_DESK) or who.may(Permission.MANAGE_ORGANISATION):
        yield N_("组织架构"), "organisation.chart"
    if who.may(Permission.MANAGE_GATES) and not who.may(Permission.SEE_GATES):  # others get there from the log
        yield N_("卡口管理"), "gates.index"
    if who.may(Permission.MANAGE_ACCOUNTS):
        yield N_("账号管理"), "admin.people"
    if who.may(Permission.SEE_AUDIT):
        yield N_("留痕核验"), "audit.overview"


def _reader(who: Actor | None) -> Reader | None:
    if who is None:
        return None
    return Reader(who.name, tuple(gettext(label) for label in who.role_labels), who.is_company, who.is_staff)


def ago(at: dt.datetime) -> str:
    """``3 小时前`` or ``2 天后``, in the reader's language."""
    return str(format_timedelta(at - now(), granularity="minute", add_direction=True))


def datetime_sh(at: dt.datetime) -> str:
    """``2020-02-15 09:30`` in Shanghai."""
    return f"{shanghai_time(at):%Y-%m-%d %H:%M}"


def date_sh(value: dt.datetime | dt.date) -> str:
    """``2020-02-15`` in Shanghai."""
    return f"{shanghai_time(value) if isinstance(value, dt.datetime) else value:%Y-%m-%d}"


def label(value: Label) -> str:
    """A label of the flow or catalogue in the reader's language."""
    return value.text(reader_locale())


def slot_name(slot: str) -> str:
    """The name of a material slot in the reader's language."""
    entry = catalogue.material_slots().get(slot)
    return label(entry.label) if entry else slot


def words(value: DomainError | Reason | str) -> str:
    """An error, reason or source text in the reader's language."""
    return gettext(value) if isinstance(value, str) and value else say(value) if not isinstance(value, str) else ""


def due_state(at: dt.datetime | None) -> str:
    """``overdue``, ``due_soon`` (within a day) or ``normal``; ``none`` where there is no limit."""
    if at is None or at >= NO_LIMIT:
        return "none"
    left = at - now()
    return "overdue" if left < dt.timedelta(0) else "due_soon" if left < dt.timedelta(days=1) else "normal"


def _common() -> dict[str, Any]:
    who = present_actor()
    return {
        "actor": _reader(who),
        "nav": navigation(who),
        "site_name": gettext(settings().site_name),
        "locale": reader_locale(),
        "text_size": session.get("text_size", "normal"),
        "demo_mode": settings().demo_mode,
        "request_id": request_id(),
    }


def register(app: Flask) -> None:
    """Attach globals, filters and the common context to the application's templates."""
    app.context_processor(_common)
    app.jinja_env.globals.update(
        new_idempotency_key=lambda: secrets.token_urlsafe(18),
        due_state=due_state,
        slot_name=slot_name,
        mark=mark,
        _=translate,
        gettext=translate,
        ngettext=ngettext,
        icon_sprite=f"{app.static_url_path}/vendor/tabler-icons.svg",
    )
    app.jinja_env.filters.update(
        datetime_sh=datetime_sh,
        date_sh=date_sh,
        ago=ago,
        label=label,
        words=words,
        masked_phone=mask_phone,
        plate=show_plate,
    )
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
