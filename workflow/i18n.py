"""The reader's language and the words of domain errors in it."""

from __future__ import annotations

from flask import g, has_request_context, session
from flask_babel import get_locale, get_translations, gettext

from workflow.core.errors import DomainError, Reason
from workflow.core.tables import Label

LOCALES = {"zh_Hans": "中文", "en": "English"}
_BABEL = {"zh_Hans": "zh_Hans_CN", "en": "en"}


def select_locale() -> str:
    """The locale chosen by the reader in this session, or asked for by a device without one; Chinese otherwise."""
    chosen = g.get("asked_locale") or session.get("locale", "zh_Hans") if has_request_context() else "zh_Hans"
    return _BABEL.get(chosen, "zh_Hans_CN")


def reader_locale() -> str:
    """``zh_Hans`` or ``en``, for labels that carry both languages."""
    if "reader_locale" not in g:
        g.reader_locale = "en" if str(get_locale() or "").startswith("en") else "zh_Hans"
    return str(g.reader_locale)


def translate(text: str, **params: object) -> str:
    """``gettext`` for templates: looks the reader's catalogue up once a request instead of once a text."""
    if "translations" not in g:
        g.translations = get_translations()
    found = str(g.translations.gettext(text))
    return found % params if params else found


PUNCTUATION = {"：": ": ", "（": " (", "）": ")", "、": ", ", "；": "; ", "，": ", ", "": " "}


def mark(sign: str) -> str:
    """A full-width sign, or its English counterpart with the space that belongs to it; the empty one parts words."""
    return PUNCTUATION[sign] if reader_locale() == "en" else sign


def _said(value: object) -> object:
    if isinstance(value, Label):
        return value.text(reader_locale())
    if isinstance(value, Reason):
        return say(value)
    if isinstance(value, tuple):
        return mark("；").join(str(_said(v)).rstrip("。.") for v in value)
    return gettext(value) if isinstance(value, str) and value else value


def say(refusal: DomainError | Reason) -> str:
    """A domain error or reason in the reader's language; text parameters are translated too."""
    params = {k: _said(v) for k, v in refusal.params.items()}
    text = gettext(refusal.message)
    return text % params if params else text
