"""The form that arranges a visit."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from wtforms import SelectField, StringField
from wtforms.validators import InputRequired, Optional
from wtforms.widgets import DateTimeLocalInput

from workflow.core.errors import N_, Invalid
from workflow.core.times import SHANGHAI, shanghai_time
from workflow.data.inspections import Inspection
from workflow.services.inspections import Appointment
from workflow.web.forms.applications import choice
from workflow.web.forms.base import Form, _l

_SHAPE = "%Y-%m-%dT%H:%M"


def _person(text: str | None) -> int:
    """A person's id as chosen; 0, which is nobody's, for anything else."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 19 else 0


class ScheduleForm(Form):
    """When two inspectors come, and where they meet; the time is Shanghai's."""

    visit_at = StringField(_l("核查时间"), [InputRequired(_l("请填写核查时间。"))], widget=DateTimeLocalInput())
    lead_id = SelectField(_l("核查员（主办）"), [InputRequired(_l("请选择两名核查员。"))], validate_choice=False)
    second_id = SelectField(_l("核查员（协办）"), [InputRequired(_l("请选择两名核查员。"))], validate_choice=False)
    meeting_point = StringField(_l("集合地点"), [Optional()])

    def offer(self, candidates: Sequence[tuple[int, str]]) -> None:
        """Offer these people in both lists."""
        choices = [choice("", _l("请选择")), *(choice(str(person_id), name) for person_id, name in candidates)]
        self.lead_id.choices = self.second_id.choices = choices

    @classmethod
    def of(cls, visit: Inspection | None) -> ScheduleForm:
        """The form as drawn: with the arranged visit, if there is one."""
        if visit is None:
            return cls(formdata=None)
        return cls(
            formdata=None,
            visit_at=f"{shanghai_time(visit.visit_at):{_SHAPE}}",
            lead_id=str(visit.lead_id),
            second_id=str(visit.second_id),
            meeting_point=visit.meeting_point,
        )

    def appointment(self) -> Appointment:
        """What was chosen; :class:`Invalid` for a time that is none."""
        try:
            local = dt.datetime.strptime((self.visit_at.data or "")[:16], _SHAPE).replace(tzinfo=SHANGHAI)
        except ValueError as error:
            raise Invalid(N_("请填写核查时间。"), field="visit_at") from error
        return Appointment(
            visit_at=local.astimezone(dt.UTC),
            lead_id=_person(self.lead_id.data),
            second_id=_person(self.second_id.data),
            meeting_point=self.meeting_point.data or "",
        )
