"""The form of the public look-up."""

from __future__ import annotations

from wtforms import StringField
from wtforms.validators import InputRequired

from workflow.web.forms.base import Form, _l


class ProgressForm(Form):
    """A reference number and the mobile of the contact in the application."""

    reference = StringField(_l("受理编号"), [InputRequired()])
    mobile = StringField(_l("联系人手机号"), [InputRequired()])
