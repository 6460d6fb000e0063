"""Reads what phones send: operations, names, hashes, times and drawings, each refused in words when it is none."""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import io
import re
import uuid
from collections.abc import Mapping
from typing import Any

from workflow.core.errors import N_, DomainError, Invalid
from workflow.core.evidence import read_device_time
from workflow.services.field_sheets import MAX_OPERATIONS, MarkOperation, OperationResult
from workflow.services.marking import ItemEntry

MAX_DRAWING = 200_000
LONGEST_TEXT = 4000
_SHA256 = re.compile(r"[0-9a-f]{64}")
_PNG_URL = "data:image/png;base64,"
_SHAPE = N_("表单内容不对，请刷新页面后重试。")


def body_of(body: Any) -> Mapping[str, Any]:
    """The object that a request's JSON body is; :class:`Invalid` when it is none."""
    if not isinstance(body, dict):
        raise Invalid(_SHAPE)
    return body


def text_of(body: Mapping[str, Any], name: str) -> str:
    """A text of bounded length, empty when it is missing."""
    value = body.get(name, "")
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > LONGEST_TEXT:
        raise Invalid(_SHAPE, field=name)
    return value


def uuid_of(value: object) -> str:
    """A UUID in its usual form; :class:`Invalid` for anything else."""
    try:
        if not isinstance(value, str):
            raise ValueError("no text")
        return str(uuid.UUID(value))
    except ValueError as error:
        raise Invalid(N_("手机传来的编号格式不对，请更新核查页面后再传。"), field="id") from error


def sha256_of(value: str) -> str:
    """A SHA-256 in hexadecimal; :class:`Invalid` for anything else."""
    if not _SHA256.fullmatch(value.lower()):
        raise Invalid(N_("缺少照片的校验值，请更新核查页面后再传。"), field="sha256")
    return value.lower()


def device_time(body: Mapping[str, Any]) -> dt.datetime | None:
    """The phone's time, None when it is missing."""
    value = body.get("device_at")
    return read_device_time(value) if value not in (None, "") else None


def date_of(body: Mapping[str, Any], name: str) -> dt.date | None:
    """A day as ISO date, None when it is empty."""
    text = text_of(body, name)
    try:
        return dt.date.fromisoformat(text) if text else None
    except ValueError as error:
        raise Invalid(N_("请填写存在的日期，如 2020-02-20。"), field=name) from error


def drawing(value: object) -> io.BytesIO | None:
    """The PNG of a ``data:`` address, None when there is none."""
    if value in (None, ""):
        return None
    wrong = Invalid(N_("签名图片不对，请重新签名。"), field="image")
    if not isinstance(value, str) or not value.startswith(_PNG_URL) or len(value) > MAX_DRAWING * 4 // 3 + 64:
        raise wrong
    try:
        return io.BytesIO(base64.b64decode(value[len(_PNG_URL) :], validate=True))
    except (binascii.Error, ValueError) as error:
        raise wrong from error


def _whole(value: object) -> int:
    """A whole number that a database keeps; :class:`Invalid` for anything else."""
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 1 << 31:
        raise Invalid(_SHAPE)
    return value


def _operation(body: Mapping[str, Any]) -> MarkOperation:
    if body.get("kind") != "mark":
        raise Invalid(N_("手机传来的记录种类不明，请更新核查页面后再传。"), field="kind")
    entry = ItemEntry(
        result=text_of(body, "result")[:20],
        measured=text_of(body, "measured"),
        note=text_of(body, "note"),
        rectify_by_on=text_of(body, "rectify_by_on")[:20],
    )
    return MarkOperation(
        op_id=uuid_of(body.get("op_id")),
        inspection_id=_whole(body.get("inspection_id")),
        code=text_of(body, "code")[:20],
        base_revision=_whole(body.get("base_revision")),
        entry=entry,
        device_at=device_time(body),
        digest=text_of(body, "digest"),
    )


def operations(body: Any) -> tuple[str, list[MarkOperation], list[OperationResult | None]]:
    """The phone's id, its well-formed operations, and for each sent one None, or the refusal of what is none."""
    sent = body_of(body).get("ops")
    if not isinstance(sent, list) or len(sent) > MAX_OPERATIONS:
        raise Invalid(N_("一次最多上传 %(n)s 条记录。"), n=MAX_OPERATIONS)
    good: list[MarkOperation] = []
    outcome: list[OperationResult | None] = []
    for one in sent:
        one = one if isinstance(one, dict) else {}
        try:
            good.append(_operation(one))
            outcome.append(None)
        except DomainError as error:
            names = (str(one.get(name) or "")[:64] for name in ("op_id", "code"))
            op_id, code = names
            outcome.append(OperationResult(op_id, "refused", code, None, error))
    return uuid_of(body_of(body).get("device_id")), good, outcome
