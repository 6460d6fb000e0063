"""The queue's address: places between rows, the parameters that links carry on, and the conditions shown as chips."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from flask import url_for
from flask_babel import gettext as _

from workflow.core.errors import N_
from workflow.core.questions import SECTORS
from workflow.data import catalogue
from workflow.data.filters import ME, NOBODY, Due, Group, Sort, Tab
from workflow.data.queue import COUNT_CAP, Mark
from workflow.i18n import reader_locale
from workflow.services.filters import Offer, Reading

_BEGINNING = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)

TAB_LABELS: Mapping[Tab, str] = {
    Tab.MINE: N_("我的"),
    Tab.TEAM: N_("本组"),
    Tab.OPEN: N_("辖区在办"),
    Tab.ESCALATED: N_("督办"),
    Tab.OVERDUE: N_("逾期"),
    Tab.RETURNED: N_("补正退回"),
    Tab.COMPANY: N_("等企业"),
    Tab.DONE: N_("已办结"),
}
GROUP_LABELS: Mapping[Group, str] = {
    Group.REVIEW: N_("受理和材料审核"),
    Group.INSPECTION: N_("实地核查"),
    Group.DECISION: N_("审定"),
    Group.COMPANY: N_("待企业补正或整改"),
    Group.APPROVED: N_("已同意复工"),
    Group.ENDED: N_("不予同意、撤回"),
}
DUE_LABELS: Mapping[Due, str] = {
    Due.TODAY: N_("今天到期"),
    Due.THREE: N_("三天内到期"),
    Due.SEVEN: N_("七天内到期"),
}
SORT_LABELS: Mapping[Sort, str] = {
    Sort.DUE: N_("时限近的在前"),
    Sort.DUE_LATE: N_("时限远的在前"),
    Sort.FILED: N_("申报早的在前"),
    Sort.FILED_NEW: N_("申报新的在前"),
}
DONE_SORT_LABELS: Mapping[Sort, str] = {
    **SORT_LABELS,
    Sort.DUE: N_("办结早的在前"),
    Sort.DUE_LATE: N_("办结新的在前"),
}
NAMES: Mapping[str, str] = {
    "tab": N_("队列"),
    "q": N_("关键词"),
    "group": N_("阶段"),
    "flow": N_("流程"),
    "area": N_("区域"),
    "overdue": N_("只看逾期"),
    "assignee": N_("经办人"),
    "due": N_("时限"),
    "filed_from": N_("申报日期起"),
    "filed_to": N_("申报日期止"),
    "heads_from": N_("复工人数至少"),
    "heads_to": N_("复工人数至多"),
    "sector": N_("企业类型"),
    "bureau": N_("主管部门"),
    "again": N_("补正过"),
    "opinions": N_("部门意见未齐"),
    "unread": N_("企业新留言"),
    "sort": N_("排序"),
    "view": N_("视图"),
}
"""What each parameter asks for, in words."""


def read_mark(text: str | None) -> Mark | None:
    """The place that an address names: microseconds since 1970 and an id; None for anything else."""
    micros, _sep, case_id = (text or "").partition("-")
    if not (micros.isascii() and micros.isdigit() and case_id.isascii() and case_id.isdigit()):
        return None
    if len(micros) > 18 or len(case_id) > 18:
        return None
    try:
        return Mark(_BEGINNING + dt.timedelta(microseconds=int(micros)), int(case_id))
    except OverflowError:
        return None


def write_mark(mark: Mark) -> str:
    """A place as :func:`read_mark` reads it."""
    return f"{(mark.at - _BEGINNING) // dt.timedelta(microseconds=1)}-{mark.id}"


def capped(number: int) -> str:
    """A count as shown: ``1,000+`` beyond the cap."""
    return f"{COUNT_CAP:,}+" if number > COUNT_CAP else f"{number:,}"


def queue_url(asked: Mapping[str, str], **changes: str | None) -> str:
    """The queue with these parameters, some of them changed or (None) left out."""
    values = {k: v for k, v in {**asked, **changes}.items() if v}
    return f"{url_for('desk.queue')}?{urlencode(values)}" if values else url_for("desk.queue")


@dataclass(frozen=True, slots=True)
class Chip:
    """One condition in words, and the address without it."""

    words: str
    url: str


def _label(options: Mapping[Any, str], value: object) -> str:
    return _(options[value])


def _words(name: str, reading: Reading, offered: Offer) -> str:
    """A condition's value in words; empty where its name says everything."""
    filters, text = reading.filters, reading.asked[name]
    if name == "group" and filters.group is not None:
        return _label(GROUP_LABELS, filters.group)
    if name == "due" and filters.due is not None:
        return _label(DUE_LABELS, filters.due)
    if name == "sector":
        return _(dict(SECTORS)[text])
    if name == "flow":
        return next((k.flow.label.text(reader_locale()) for k in reversed(offered.known) if k.key == text), text)
    if name == "bureau":
        return next((b.label.text(reader_locale()) for b in catalogue.bureaus() if b.code == text), text)
    if name == "area":
        return next((a.name for a in offered.areas if a.code == text), text)
    if name == "assignee":
        return {ME: _("我"), NOBODY: _("待分派")}.get(text) or offered.people.get(int(text), text)
    return "" if text == "1" and name in ("overdue", "again", "opinions", "unread") else text


def chips(reading: Reading, offered: Offer, carried: Mapping[str, str]) -> list[Chip]:
    """The conditions that narrow the tab, each with the way to be rid of it; ``carried`` are all parameters."""
    found = []
    for name in reading.asked:
        if name not in ("tab", "sort"):
            value = _words(name, reading, offered)
            text = _(NAMES[name])
            found.append(Chip(f"{text}：{value}" if value else text, queue_url(carried, **{name: None})))
    return found
