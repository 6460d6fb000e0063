"""The company's wish for another time of a visit."""

from __future__ import annotations

import datetime as dt

from wtforms import StringField, TextAreaField
from wtforms.validators import InputRequired, Optional
from wtforms.widgets import DateTimeLocalInput

from workflow.core.errors import N_, Invalid
from workflow.core.times import SHANGHAI
from workflow.web.forms.base import Form, _l

SHAPE = "%Y-%m-%dT%H:%M"


def local_time(text: str, field: str) -> dt.datetime:
    """The instant of a Shanghai time as typed; :class:`Invalid` at ``field`` for what is none."""
    try:
        return dt.datetime.strptime(text[:16], SHAPE).replace(tzinfo=SHANGHAI).astimezone(dt.UTC)
    except (ValueError, OverflowError) as error:
        raise Invalid(N_("请填写存在的日期和时间。"), field=field) from error


class WishForm(Form):
    """Another time, if there is one in mind, and why."""

    wish_at = StringField(_l("希望的时间"), [Optional()], widget=DateTimeLocalInput())
    words = TextAreaField(_l("为什么要改"), [InputRequired(_l("请说明为什么要改时间。"))])

    def instant(self) -> dt.datetime | None:
        """The wished time; None when none was given."""
        return local_time(self.wish_at.data, "wish_at") if self.wish_at.data else None
