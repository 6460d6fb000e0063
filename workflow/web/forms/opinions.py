"""The form in which a department answers."""

from __future__ import annotations

from wtforms import RadioField, TextAreaField
from wtforms.validators import InputRequired

from workflow.services.opinions import STANCE_LABELS
from workflow.web.forms.applications import choice
from workflow.web.forms.base import Form, _l


class AnswerForm(Form):
    """A department's opinion and its words; which of them are needed is decided by the service."""

    stance = RadioField(
        _l("部门意见"),
        [InputRequired()],
        choices=[choice(key, _l(label)) for key, label in STANCE_LABELS.items()],
        validate_choice=False,
    )
    words = TextAreaField(_l("意见内容"))
