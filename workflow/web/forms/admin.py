"""Forms of account management; what is right is decided by the service."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict

from wtforms import PasswordField, SelectField, StringField
from wtforms.validators import InputRequired, Optional

from workflow.core.actors import ROLE_LABELS, STAFF_ROLES, Role
from workflow.core.flow import Label
from workflow.i18n import reader_locale
from workflow.web.forms.applications import choice
from workflow.web.forms.base import Form, _l

AreaChoices = dict[str, list[tuple[str, str]]]
"""Areas to choose from: (code, name) pairs by the name of the county they lie in."""


class StaffValues(TypedDict):
    """The texts of a new staff account."""

    login: str
    name: str
    mobile: str
    password: str


class NewStaffForm(Form):
    """A new staff account."""

    login = StringField(_l("登录名"), [InputRequired(_l("请填写登录名。"))])
    name = StringField(_l("姓名"), [InputRequired(_l("请填写姓名。"))])
    mobile = StringField(_l("手机"), [Optional()])
    password = PasswordField(_l("初始密码"), [InputRequired(_l("请填写密码。"))])

    def values(self) -> StaffValues:
        """What :func:`workflow.services.accounts.create_staff` asks for, as typed."""
        return StaffValues(
            login=self.login.data or "",
            name=self.name.data or "",
            mobile=self.mobile.data or "",
            password=self.password.data or "",
        )


class AreaForm(Form):
    """Somewhere to choose an area from; given by :meth:`offer`."""

    area = SelectField(_l("所在区域"), [InputRequired(_l("请选择所在区域。"))], choices=[], validate_choice=False)

    def offer(self, areas: AreaChoices) -> None:
        """Offer ``areas``, grouped by county."""
        found = [choice(code, name, group) for group, lines in areas.items() for code, name in lines]
        self.area.choices = [choice("", _l("请选择")), *found]


class AppointForm(AreaForm):
    """A role in an area, for bureau reviewers and departments also the department."""

    role = SelectField(
        _l("职责"),
        [InputRequired(_l("请选择列表中的一项。"))],
        choices=[choice("", _l("请选择")), *(choice(r.value, _l(ROLE_LABELS[r])) for r in Role if r in STAFF_ROLES)],
        validate_choice=False,
    )
    bureau = SelectField(_l("部门"), [Optional()], choices=[], validate_choice=False)

    def offer_departments(self, departments: Sequence[tuple[str, Label]]) -> None:
        """Offer the departments, the industry bureaus among them."""
        names = [choice(code, label.text(reader_locale())) for code, label in departments]
        self.bureau.choices = [choice("", _l("请选择")), *names]


class ResetForm(Form):
    """A new password set by the admin."""

    password = PasswordField(_l("新密码"), [InputRequired(_l("请填写密码。"))])
