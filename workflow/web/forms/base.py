"""The base of all forms, and how a refusal of the domain finds its field."""

from __future__ import annotations

from typing import Any, cast

from flask import request
from flask_babel import lazy_gettext
from flask_wtf import FlaskForm
from flask_wtf.form import _Auto

from workflow.core.errors import DomainError, Invalid
from workflow.i18n import say


def _l(text: str, **params: object) -> str:
    """A label or message for a class body: translated when it is shown. (WTForms takes any text-like value.)"""
    return cast(str, lazy_gettext(text, **params))


class Form(FlaskForm):
    """A form; CSRF is checked for the whole application, so the form itself carries no second token."""

    class Meta(FlaskForm.Meta):
        """Switch the form's own token off: templates/macros/forms.html writes the one that is checked."""

        csrf = False

        def wrap_formdata(self, form: Any, formdata: Any) -> Any:
            """Read posted forms only; Flask-WTF would take any JSON body for one, and fail on a list."""
            if formdata is _Auto:
                return request.form if request.method == "POST" else None
            return formdata

    def refuse(self, error: DomainError) -> None:
        """Show a refusal at the field it names, or above the form."""
        field = self._fields.get(error.field) if isinstance(error, Invalid) and error.field else None
        if field is not None:
            field.errors = [*field.errors, say(error)]
        else:
            self.form_errors.append(say(error))
