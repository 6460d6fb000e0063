"""Forms of the application, one a topic, made from the core's questions; they bind raw texts, the core judges them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _
from markupsafe import Markup
from wtforms import Field, RadioField, SelectField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined] # the stubs are of WTForms 3.2
from wtforms.validators import InputRequired, Optional
from wtforms.widgets import DateInput, TextInput

from workflow.core.questions import Question, QuestionKind, Topic
from workflow.web.forms.base import Form

Options = Sequence[tuple[str, str]]
_K = QuestionKind
_WIDTHS = {_K.COUNT: "short", _K.DATE: "short", _K.PHONE: "medium", _K.MOBILE: "medium"}
_INPUT_MODES = {_K.COUNT: "numeric", _K.PHONE: "tel", _K.MOBILE: "tel"}
_AUTOCOMPLETE = {"name": "organization", "contact_mobile": "tel"}


def parse_day(text: str) -> dt.date | None:
    """The day that ``text`` (``2020-02-20``) names, or None."""
    try:
        return dt.date.fromisoformat(text.strip())
    except ValueError:
        return None


class DayField(StringField):
    """A day as text: shown with the browser's date picker unless it holds something that the picker would hide."""

    def __call__(self, **kwargs: object) -> Markup:
        """Draw the field with the widget that can show its value."""
        text = str(self.data or "")
        self.widget = DateInput() if not text or parse_day(text) else TextInput()
        return super().__call__(**kwargs)

    @property
    def day(self) -> dt.date | None:
        """The day typed, or None when it is none."""
        return parse_day(str(self.data or ""))


def choice(value: str, label: str, group: str | None = None) -> Any:
    """An option of a select or of radio buttons, in ``group`` when it has one."""
    return SelectChoice(value, label, optgroup=group)


def _places(question: Question, options: Options) -> list[Any]:
    """The options of a lookup after an empty one; towns (their labels are ``county town``) grouped by county."""
    grouped = question.key == "town"
    found = [choice(v, label, label.partition(" ")[0] if grouped else None) for v, label in options]
    return [choice("", _("请选择")), *found]


def _field(question: Question, raw: Mapping[str, str], options: Options) -> Any:
    label = _(question.label)
    validators = [InputRequired() if question.is_needed(raw) else Optional()]
    if question.kind is _K.CHOICE:
        return RadioField(label, validators, choices=[choice(v, _(text)) for v, text in question.options])
    if question.kind is _K.LOOKUP:
        return SelectField(label, validators, choices=_places(question, options))
    kinds: Mapping[QuestionKind, type[Field]] = {
        _K.TEXTAREA: TextAreaField,
        _K.TENANTS: TextAreaField,
        _K.DATE: DayField,
    }
    return kinds.get(question.kind, StringField)(label, validators)


@dataclass(frozen=True, slots=True)
class Ask:
    """One question as the page asks it: its field and how it is drawn."""

    key: str
    field: Field
    hint: str
    width: str
    inputmode: str
    suffix: str
    autocomplete: str
    attrs: Mapping[str, str]
    rows: int = 4


def topic_form(questions: Sequence[Question], raw: Mapping[str, str], options: Mapping[str, Options]) -> Form:
    """The form of ``questions`` with the texts typed so far, right or wrong."""
    fields = {q.key: _field(q, raw, options.get(q.key, ())) for q in questions}
    made: Form = type("TopicForm", (Form,), fields)(formdata=None, data={q.key: raw.get(q.key, "") for q in questions})
    return made


def asks(form: Form, questions: Sequence[Question], hints: Mapping[str, str]) -> list[Ask]:
    """The questions with their fields, as the template draws them; ``hints`` are added to the questions' own."""
    made = []
    for q in questions:
        own = _(q.hint) if q.hint else ""
        attrs = {"data-options": q.key, "data-filter": _("输入名称筛选")} if q.kind is _K.LOOKUP else {}
        made.append(
            Ask(
                key=q.key,
                field=form[q.key],
                hint=" ".join(h for h in (own, hints.get(q.key, "")) if h),
                width=_WIDTHS.get(q.kind, ""),
                inputmode=_INPUT_MODES.get(q.kind, ""),
                suffix=_("人") if q.kind is _K.COUNT else "",
                autocomplete=_AUTOCOMPLETE.get(q.key, ""),
                attrs=attrs,
                rows=14 if q.kind is _K.TENANTS else 4,
            )
        )
    return made


def topic_questions(topic: Topic, *, correcting: bool) -> list[Question]:
    """The questions that may be answered now: in a correction, those that do not decide who reviews the case."""
    return [q for q in topic.questions if not (correcting and q.routing)]
