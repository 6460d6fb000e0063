"""Forms of notices: how a person wants to hear of things, and a team's robot; the services judge."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence

from wtforms import PasswordField, RadioField, SelectField, SelectMultipleField, StringField
from wtforms.validators import InputRequired, Optional
from wtforms.widgets import CheckboxInput, ListWidget, TextInput

from workflow.core.errors import N_, Invalid
from workflow.core.notices import GROUP_LABELS, KINDS, ROBOT_EVENTS, ROBOT_LABELS, Digest, Group, RobotKind
from workflow.data.notices import NoticeChoice
from workflow.data.organisation import Team
from workflow.i18n import reader_locale
from workflow.web.forms.applications import choice
from workflow.web.forms.base import Form, _l

_CHOSEN = InputRequired(_l("请选择列表中的一项。"))
_DIGESTS = {
    Digest.NONE: _l("有通知就发，一分钟内的合为一封"),
    Digest.HOURLY: _l("每小时汇总一封"),
    Digest.DAILY: _l("每天早上 8:30 汇总一封"),
}


class _Boxes(SelectMultipleField):
    """Several of a list, as boxes to tick."""

    widget = ListWidget(prefix_label=False)
    option_widget = CheckboxInput()


class ChoicesForm(Form):
    """Where and when a person wants mail; the groups offered are those of :meth:`offer`."""

    email = StringField(_l("邮箱"), [Optional()], widget=TextInput("email"))
    mailed = _Boxes(_l("邮件通知"), [Optional()], choices=[], validate_choice=False)
    digest = RadioField(
        _l("发送方式"),
        [_CHOSEN],
        choices=[choice(k.value, v) for k, v in _DIGESTS.items()],
        default="none",
        validate_choice=False,
    )
    quiet_from = StringField(_l("免打扰从"), [Optional()], widget=TextInput("time"))
    quiet_until = StringField(_l("到"), [Optional()], widget=TextInput("time"))
    language = RadioField(
        _l("邮件语言"), [InputRequired()], choices=[choice("zh", "中文"), choice("en", "English")], default="zh"
    )

    def offer(self, groups: Iterable[Group]) -> None:
        """Offer these groups of events."""
        self.mailed.choices = [choice(g.value, _l(GROUP_LABELS[g])) for g in groups]

    def show(self, kept: NoticeChoice | None) -> None:
        """Fill in what was chosen before."""
        if kept is None:
            self.language.data = "en" if reader_locale() == "en" else "zh"
            return
        self.email.data, self.digest.data, self.language.data = kept.email, kept.digest, kept.language
        self.mailed.data = [group for group, channels in kept.channels.items() if "mail" in channels]
        self.quiet_from.data, self.quiet_until.data = _shown(kept.quiet_from), _shown(kept.quiet_until)

    def quiet_hours(self) -> tuple[dt.time | None, dt.time | None]:
        """The quiet hours; :class:`Invalid` at the field that is no time of day."""
        return _clock(self.quiet_from.data, "quiet_from"), _clock(self.quiet_until.data, "quiet_until")


def _shown(clock: dt.time | None) -> str:
    return f"{clock:%H:%M}" if clock is not None else ""


def _clock(text: str | None, field: str) -> dt.time | None:
    if not text or not text.strip():
        return None
    try:
        return dt.datetime.strptime(text.strip()[:5], "%H:%M").replace(tzinfo=dt.UTC).time()
    except ValueError:
        raise Invalid(N_("请按 22:00 的格式填写时间。"), field=field) from None


class RobotForm(Form):
    """A robot for one of the teams of :meth:`offer`."""

    team = SelectField(_l("所属专班"), [_CHOSEN], choices=[], validate_choice=False)
    kind = SelectField(
        _l("类型"),
        [_CHOSEN],
        choices=[choice(k.value, _l(ROBOT_LABELS[k])) for k in RobotKind],
        validate_choice=False,
    )
    name = StringField(_l("群名称"), [InputRequired(_l("请填写群名称。"))])
    url = StringField(_l("机器人地址（Webhook）"), [InputRequired(_l("请粘贴机器人的完整地址。"))])
    secret = PasswordField(_l("加签密钥"), [Optional()])
    events = _Boxes(
        _l("转发哪些通知"), [InputRequired(_l("请至少选择一类要转发的通知。"))], choices=[], validate_choice=False
    )

    def offer(self, teams: Sequence[Team]) -> None:
        """Offer these teams, and the events in the reader's language."""
        self.team.choices = [choice("", _l("请选择")), *(choice(str(t.id), t.name) for t in teams)]
        locale = reader_locale()
        self.events.choices = [choice(e, KINDS[e].label.text(locale)) for e in ROBOT_EVENTS]
