"""The form that asks for a vehicle pass; the service judges the values."""

from __future__ import annotations

from flask_babel import gettext as _
from wtforms import RadioField, StringField, TextAreaField
from wtforms.validators import InputRequired

from workflow.data.passes import PURPOSES
from workflow.services.passes import PassRequest
from workflow.web.forms.applications import DayField, choice
from workflow.web.forms.base import Form, _l


class PassForm(Form):
    """What a company says about a vehicle; texts as typed."""

    plate = StringField(_l("车牌号"), [InputRequired(_l("请填写车牌号。"))])
    vehicle_type = StringField(_l("车辆类型"), [InputRequired(_l("请填写车辆类型。"))])
    purpose = RadioField(_l("用途"), [InputRequired(_l("请选择用途。"))], validate_choice=False)
    route = StringField(_l("行驶路线"), [InputRequired(_l("请填写行驶路线。"))])
    drivers = TextAreaField(_l("驾驶员"), [InputRequired(_l("请填写 1 至 5 名驾驶员。"))])
    valid_from_on = DayField(_l("起始日期"), [InputRequired(_l("请填写起始日期。"))])
    valid_until_on = DayField(_l("截止日期"), [InputRequired(_l("请填写截止日期。"))])

    def offer_purposes(self) -> None:
        """Give the purposes their words in the reader's language."""
        self.purpose.choices = [choice(code, _(words)) for code, words in PURPOSES.items()]

    def as_request(self) -> PassRequest:
        """What was typed, as the service takes it."""
        return PassRequest(
            plate=self.plate.data or "",
            vehicle_type=self.vehicle_type.data or "",
            purpose=self.purpose.data or "",
            route=self.route.data or "",
            drivers=(self.drivers.data or "").splitlines(),
            valid_from_on=self.valid_from_on.day,
            valid_until_on=self.valid_until_on.day,
        )
