"""The form that arranges a visit."""

from __future__ import annotations

from collections.abc import Sequence

from wtforms import BooleanField, SelectField, StringField
from wtforms.validators import InputRequired, Optional
from wtforms.widgets import DateTimeLocalInput

from workflow.core.errors import N_, Invalid
from workflow.core.times import shanghai_time
from workflow.data.inspections import Inspection
from workflow.services.appointments import DURATIONS, Appointment
from workflow.web.forms.applications import choice
from workflow.web.forms.appointments import SHAPE, local_time
from workflow.web.forms.base import Form, _l


def _number(text: str | None) -> int:
    """A person's id or a number of minutes as chosen; 0, which is none, for anything else."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 19 else 0


class ScheduleForm(Form):
    """When two inspectors come, and where they meet; the time is Shanghai's."""

    visit_at = StringField(_l("核查时间"), [InputRequired(_l("请填写核查时间。"))], widget=DateTimeLocalInput())
    lead_id = SelectField(_l("核查员（主办）"), [InputRequired(_l("请选择两名核查员。"))], validate_choice=False)
    second_id = SelectField(_l("核查员（协办）"), [InputRequired(_l("请选择两名核查员。"))], validate_choice=False)
    duration_minutes = SelectField(
        _l("预计用时"),
        [Optional()],
        default="90",
        validate_choice=False,
        choices=[choice(str(n), _l("%(n)s 分钟", n=n)) for n in DURATIONS],
    )
    meeting_point = StringField(_l("集合地点"), [Optional()])
    overlap_ok = BooleanField(_l("仍按此时间安排"))

    def offer(self, candidates: Sequence[tuple[int, str]]) -> None:
        """Offer these people in both lists."""
        choices = [choice("", _l("请选择")), *(choice(str(person_id), name) for person_id, name in candidates)]
        self.lead_id.choices = self.second_id.choices = choices

    @classmethod
    def of(cls, visit: Inspection | None, *, as_wished: bool = False) -> ScheduleForm:
        """The form as drawn: with the arranged visit, if there is one, at the time that the company wished for."""
        if visit is None:
            return cls(formdata=None)
        at = visit.wish_at if as_wished and visit.wish_at is not None else visit.visit_at
        form = cls(
            formdata=None,
            visit_at=f"{shanghai_time(at):{SHAPE}}",
            lead_id=str(visit.lead_id),
            second_id=str(visit.second_id),
            duration_minutes=str(visit.duration_minutes),
            meeting_point=visit.meeting_point,
        )
        form.offer_duration(visit.duration_minutes)
        return form

    def offer_duration(self, minutes: int) -> None:
        """Offer a length that is none of the usual ones, since it was chosen elsewhere."""
        if minutes not in DURATIONS:
            self.duration_minutes.choices = [
                *(self.duration_minutes.choices or ()),
                choice(str(minutes), _l("%(n)s 分钟", n=minutes)),
            ]

    def appointment(self) -> Appointment:
        """What was chosen; :class:`Invalid` for a time or a length that is none."""
        if not self.visit_at.data:
            raise Invalid(N_("请填写核查时间。"), field="visit_at")
        minutes = _number(self.duration_minutes.data or "90")
        return Appointment(
            visit_at=local_time(self.visit_at.data, "visit_at"),
            lead_id=_number(self.lead_id.data),
            second_id=_number(self.second_id.data),
            meeting_point=self.meeting_point.data or "",
            duration_minutes=minutes,
            overlap_ok=bool(self.overlap_ok.data),
        )
