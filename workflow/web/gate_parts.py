"""Reads what a gate's device sends: which list it holds, and its entries, each refused in words when it is none."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from workflow.core.errors import N_, DomainError, Invalid
from workflow.core.evidence import read_device_time
from workflow.core.gate_rules import HIGHEST, LOWEST, MOST_ENTRIES, MOST_HEADS, fold_plate, is_temperature
from workflow.core.texts import clean_text
from workflow.data.gates import DECISIONS, DIRECTIONS, VERDICTS, WAYS
from workflow.services import keys
from workflow.services.gate_checks import claims_in
from workflow.services.gate_entries import Batch, Refusal, Sent

LONGEST_SCAN = 2000
LONGEST_PLATE, LONGEST_WORDS, LONGEST_CODE = 10, 200, 40
_MOST_VERSION = 1 << 53
_SHAPE = N_("设备传来的内容不对，请更新卡口页面后再试。")


def text_of(body: Mapping[str, Any], name: str, longest: int) -> str:
    """A text of at most ``longest`` characters, empty when it is missing."""
    value = body.get(name)
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > longest:
        raise Invalid(_SHAPE, field=name)
    return value


def _whole(value: object, most: int, name: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= most:
        raise Invalid(_SHAPE, field=name)
    return value


def held_list(args: Mapping[str, str]) -> tuple[int, dt.date | None]:
    """The (version, day) that a device says it holds; 0 and None, the whole list, for anything that is no such."""
    version, day = args.get("version", ""), args.get("day", "")
    try:
        if not (version.isascii() and version.isdigit() and len(version) < 16):
            raise ValueError("no version")
        return int(version), dt.date.fromisoformat(day)
    except ValueError:
        return 0, None


def _one_of(body: Mapping[str, Any], name: str, choices: tuple[str, ...]) -> str:
    value = body.get(name)
    if not isinstance(value, str) or value not in choices:
        raise Invalid(_SHAPE, field=name)
    return value


def _client_id(value: object) -> str:
    try:
        if not isinstance(value, str):
            raise ValueError("no text")
        return str(uuid.UUID(value))
    except ValueError as error:
        raise Invalid(_SHAPE, field="client_id") from error


def _temperatures(value: object) -> list[float]:
    if value is None:
        return []
    if not isinstance(value, list) or len(value) > MOST_HEADS:
        raise Invalid(_SHAPE, field="temperatures")
    if not all(is_temperature(t) for t in value):
        raise Invalid(
            N_("体温应在 %(low)s 至 %(high)s ℃ 之间，请重新测量。"), field="temperatures", low=LOWEST, high=HIGHEST
        )
    return [round(float(t), 1) for t in value]


def _heads(body: Mapping[str, Any]) -> int:
    value = body.get("heads", 0)
    if isinstance(value, int) and not isinstance(value, bool) and value > MOST_HEADS:
        raise Invalid(N_("一辆车最多登记 %(n)s 人。"), field="heads", n=MOST_HEADS)
    return _whole(value, MOST_HEADS, "heads")


def _plate(body: Mapping[str, Any]) -> str:
    plate = fold_plate(clean_text(text_of(body, "plate", 100)))
    if len(plate) > LONGEST_PLATE:
        raise Invalid(N_("车牌号应为 7 位，新能源为 8 位，如“浙B12345”“浙BD12345”，请核对。"), field="plate")
    return plate


def _instant(body: Mapping[str, Any], name: str) -> dt.datetime | None:
    return read_device_time(body[name]) if body.get(name) not in (None, "") else None


def _entry(body: Mapping[str, Any], ring: Mapping[bytes, Ed25519PublicKey]) -> Sent:
    token = text_of(body, "token", LONGEST_SCAN)
    return Sent(
        client_id=_client_id(body.get("client_id")),
        at=read_device_time(body.get("at")),
        direction=_one_of(body, "direction", DIRECTIONS),
        decision=_one_of(body, "decision", DECISIONS),
        way=_one_of(body, "way", WAYS),
        token=token,
        claims=claims_in(token, ring) if token.strip() else None,
        code=text_of(body, "code", LONGEST_CODE),
        plate=_plate(body),
        verdict=_one_of(body, "verdict", VERDICTS),
        heads=_heads(body),
        temperatures=_temperatures(body.get("temperatures")),
        words=" ".join(clean_text(text_of(body, "words", 2000)).split())[:LONGEST_WORDS],
        is_offline=body.get("offline") is True,
        list_made_at=_instant(body, "list_made_at"),
    )


def batch(body: Mapping[str, Any]) -> Batch:
    """The entries of one request in their order, each as it was sent or as it was refused."""
    sent = body.get("entries")
    if not isinstance(sent, list):
        raise Invalid(_SHAPE, field="entries")
    if len(sent) > MOST_ENTRIES:
        raise Invalid(N_("一次最多上传 %(n)s 条记录。"), n=MOST_ENTRIES, field="entries")
    ring = keys.public_keys()
    found: list[Sent | Refusal] = []
    versions = []
    for one in sent:
        one = one if isinstance(one, dict) else {}
        versions.append(one.get("list_version"))
        try:
            found.append(_entry(one, ring))
        except DomainError as error:
            found.append(Refusal(str(one.get("client_id") or "")[:64], error))
    version = body.get("list_version", versions[-1] if versions else None)
    held = (
        version if isinstance(version, int) and not isinstance(version, bool) and 0 <= version < _MOST_VERSION else None
    )
    return Batch(tuple(found), held, _instant(body, "sent_at"))
