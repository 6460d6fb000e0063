"""The forms that ask for a vehicle pass: a first one, the next days, another plate; the service judges the values."""

from __future__ import annotations

import datetime as dt
from typing import Any

from wtforms import BooleanField, RadioField, StringField, TextAreaField
from wtforms.validators import InputRequired, Optional

from workflow.core.pass_rules import OTHER_PLATE
from workflow.data import catalogue
from workflow.data.passes import PURPOSES, VehiclePass
from workflow.i18n import reader_locale
from workflow.services.passes import PassRequest
from workflow.web.forms.applications import DayField, choice
from workflow.web.forms.base import Form, _l


class VehicleForm(Form):
    """What a company says about a vehicle whose days are known already; texts as typed."""

    plate = StringField(_l("车牌号"), [InputRequired(_l("请填写车牌号。"))])
    special = BooleanField(_l("特殊号牌，需人工核对"))
    vehicle_type = StringField(_l("车辆类型"), [InputRequired(_l("请填写车辆类型。"))])
    purpose = RadioField(_l("用途"), [InputRequired(_l("请选择用途。"))], validate_choice=False)
    route = StringField(_l("行驶路线"), [InputRequired(_l("请填写行驶路线。"))])
    drivers = TextAreaField(_l("驾驶员"), [InputRequired(_l("请填写 1 至 5 名驾驶员。"))])
    schedule = RadioField(_l("通行时段"), [Optional()], default="always", validate_choice=False)

    @property
    def days(self) -> tuple[dt.date | None, dt.date | None]:
        """The first and the last day typed, None for what is no day."""
        return None, None

    def offer_choices(self) -> None:
        """Give the purposes and schedules their words in the reader's language."""
        locale = reader_locale()
        self.purpose.choices = [choice(key, label.text(locale)) for key, label in PURPOSES.items()]
        schedules = catalogue.passes().schedules
        self.schedule.choices = [choice(key, s.label.text(locale)) for key, s in schedules.items()]

    def as_request(self, reason: str = "new", replaces_id: int | None = None) -> PassRequest:
        """What was typed, as the service takes it; instead of or after the pass ``replaces_id`` when that is given."""
        first, last = self.days
        return PassRequest(
            plate=self.plate.data or "",
            vehicle_type=self.vehicle_type.data or "",
            purpose=self.purpose.data or "",
            route=self.route.data or "",
            drivers=(self.drivers.data or "").splitlines(),
            valid_from_on=first,
            valid_until_on=last,
            schedule=self.schedule.data or "always",
            reason=reason,
            replaces_id=replaces_id,
            special=bool(self.special.data),
        )


class PassForm(VehicleForm):
    """What a company says about a vehicle, and for which days."""

    valid_from_on = DayField(_l("起始日期"), [InputRequired(_l("请填写起始日期。"))])
    valid_until_on = DayField(_l("截止日期"), [InputRequired(_l("请填写截止日期。"))])

    @property
    def days(self) -> tuple[dt.date | None, dt.date | None]:
        """The first and the last day typed, None for what is no day."""
        return self.valid_from_on.day, self.valid_until_on.day


def values_of(old: VehiclePass) -> dict[str, Any]:
    """What the form shows when it is begun from a pass that there is; without its days."""
    return {
        "plate": old.plate,
        "special": old.plate_kind == OTHER_PLATE,
        "vehicle_type": old.vehicle_type,
        "purpose": old.purpose,
        "route": old.route,
        "drivers": "\n".join(str(n) for n in old.drivers),
        "schedule": old.schedule,
    }
