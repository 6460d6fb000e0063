"""Typed text made clean: trimmed, in one Unicode form, without characters that nobody sees."""

from __future__ import annotations

import re
import unicodedata

from workflow.core.errors import N_, Invalid

_INVISIBLE = re.compile(
    r"[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ud800-\udfff]"
)


def clean_text(raw: str) -> str:
    """``raw`` trimmed, in NFC, without control and direction-changing characters; line ends become ``\\n``."""
    text = unicodedata.normalize("NFC", raw.replace("\r\n", "\n").replace("\r", "\n"))
    return _INVISIBLE.sub("", text).strip()


def required_line(text: str, field: str, longest: int) -> str:
    """``text`` on one line; raises :class:`Invalid` at ``field`` when it is empty or longer than ``longest``."""
    value = " ".join(clean_text(text).split())
    if not value:
        raise Invalid(N_("此项必填。"), field=field)
    if len(value) > longest:
        raise Invalid(N_("最多 %(n)s 个字，现为 %(m)s 个字。"), field=field, n=longest, m=len(value))
    return value


_EMPTY_WORDS = frozenset(
    ["同意", "不同意", "已阅", "同上", "无", "如题", "略", "否", "退回", "不行", "不合格", "不符合", "ok", "no", "none"]
)


def says_nothing(text: str) -> bool:
    """Whether a reason gives none: marks and digits alone, or one of the words that only repeat the step."""
    words = re.sub(r"[\W\d_]+", "", text.lower())
    return not words or words in _EMPTY_WORDS
