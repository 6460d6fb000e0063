"""Group robots of WeCom, DingTalk and Feishu: the shape of a text message, its signature, and what an answer means.

Formats: WeCom "群机器人配置说明" (text up to 2,048 bytes of UTF-8, 20 messages a minute, ``errcode``); DingTalk
"自定义机器人" (``timestamp`` in milliseconds and ``sign`` in the address, ``errcode``); Feishu "自定义机器人使用指南"
(``timestamp`` in seconds and ``sign`` in the body, ``code``, formerly ``StatusCode``).
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from workflow.channels.failure import ChannelFailure
from workflow.channels.http import Patience, post_json
from workflow.core.notices import RobotKind

MOST_TEXT_BYTES = 2048
"""WeCom's limit for a text; the others take more, but one limit keeps messages alike."""


def _hmac(key: str, text: str) -> str:
    return base64.b64encode(hmac.new(key.encode(), text.encode(), hashlib.sha256).digest()).decode()


def dingtalk_signature(secret: str, milliseconds: int) -> str:
    """HMAC-SHA256 with the secret as key over time and secret, in base64 (not yet quoted for an address)."""
    return _hmac(secret, f"{milliseconds}\n{secret}")


def feishu_signature(secret: str, seconds: int) -> str:
    """HMAC-SHA256 with time and secret as key over nothing, in base64."""
    return _hmac(f"{seconds}\n{secret}", "")


def message(kind: RobotKind, url: str, secret: str, text: str, at: dt.datetime) -> tuple[str, dict[str, Any]]:
    """The address and the body of a text message sent at ``at``; signed when there is a secret."""
    if kind is RobotKind.FEISHU:
        body: dict[str, Any] = {"msg_type": "text", "content": {"text": text}}
        if secret:
            seconds = int(at.timestamp())
            body |= {"timestamp": str(seconds), "sign": feishu_signature(secret, seconds)}
        return url, body
    if kind is RobotKind.DINGTALK and secret:
        milliseconds = int(at.timestamp() * 1000)
        signed = urlencode({"timestamp": milliseconds, "sign": dingtalk_signature(secret, milliseconds)})
        url = f"{url}{'&' if '?' in url else '?'}{signed}"
    return url, {"msgtype": "text", "text": {"content": text}}


def read_answer(kind: RobotKind, answer: Mapping[str, Any]) -> None:
    """Nothing when the robot took the message; :class:`ChannelFailure` ``errcode`` with its number otherwise."""
    keys = ("code", "StatusCode") if kind is RobotKind.FEISHU else ("errcode",)
    number = next((answer[k] for k in keys if k in answer), None)
    if isinstance(number, bool) or not isinstance(number, int):
        raise ChannelFailure("answer")
    if number != 0:
        raise ChannelFailure("errcode", number)


def send(
    kind: RobotKind,
    url: str,
    secret: str,
    text: str,
    at: dt.datetime,
    allowed: Sequence[str],
    patience: Patience = Patience(),  # noqa: B008 - frozen
) -> None:
    """Send one text of at most :data:`MOST_TEXT_BYTES`; :class:`ChannelFailure` unless the robot says it took it."""
    address, body = message(kind, url, secret, text, at)
    read_answer(kind, post_json(address, body, allowed, patience))
