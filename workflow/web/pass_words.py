"""What a pass is, in words: its status, why it was asked for, what it is for, and when in the week it is good."""

from __future__ import annotations

import datetime as dt

from flask_babel import gettext as _

from workflow.core.errors import N_
from workflow.data import catalogue
from workflow.data.pass_desk import Tab
from workflow.i18n import reader_locale
from workflow.web.passes import STATUSES

OVER = (N_("已过期"), "neutral")
TABS = {
    Tab.REQUESTED: N_("待办理"),
    Tab.STANDING: N_("有效"),
    Tab.SUSPENDED: N_("已暂停"),
    Tab.ENDED: N_("已结束"),
}
REASONS = {
    "new": N_("新申请"),
    "renewal": N_("续期"),
    "lost": N_("遗失补办"),
    "plate": N_("更换车牌"),
}


def status_of(status: str, valid_until_on: dt.date, today: dt.date) -> tuple[str, str]:
    """The words and tone of a pass's status on a day."""
    words, tone = OVER if status == "granted" and valid_until_on < today else STATUSES[status]
    return _(words), tone


def kind_of(purpose: str) -> str:
    """What a pass is for, in the reader's language."""
    kind = catalogue.passes().kinds.get(purpose)
    return kind.label.text(reader_locale()) if kind else purpose


def kinds() -> dict[str, str]:
    """The kinds that a vehicle's pass can be of, by key."""
    return {key: kind.label.text(reader_locale()) for key, kind in catalogue.passes().vehicle_kinds.items()}


def schedule_of(schedule: str) -> str:
    """When in the week a pass is good; empty when it always is."""
    found = catalogue.passes().schedules.get(schedule)
    return found.label.text(reader_locale()) if found and found.number else ""
