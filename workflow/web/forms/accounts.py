"""Forms for signing in and registering."""

from __future__ import annotations

from wtforms import PasswordField, StringField
from wtforms.validators import InputRequired

from workflow.web.forms.base import Form, _l


class SignInForm(Form):
    """Login and password."""

    login = StringField(_l("登录名"), [InputRequired(_l("请填写登录名。"))])
    password = PasswordField(_l("密码"), [InputRequired(_l("请填写密码。"))])


class RegisterForm(Form):
    """A company's registration; the service judges the values."""

    uscc = StringField(_l("统一社会信用代码"), [InputRequired(_l("请填写统一社会信用代码。"))])
    company_name = StringField(_l("企业名称"), [InputRequired(_l("请填写企业名称。"))])
    contact_name = StringField(_l("经办人姓名"), [InputRequired(_l("请填写经办人姓名。"))])
    mobile = StringField(_l("经办人手机"), [InputRequired(_l("请填写经办人手机。"))])
    password = PasswordField(_l("密码"), [InputRequired(_l("请填写密码。"))])
