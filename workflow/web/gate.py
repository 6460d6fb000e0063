"""What a gate's device talks to, in JSON: enrolment, the signed list, a check on-line, and the entries that it kept.

No cookies: a device is known by its secret alone. Every entry has a name of its own, so that one whose reply was lost
is simply sent again.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import json
from typing import Any

from flask import Blueprint, Response, current_app, g, jsonify, request

from workflow.core.errors import N_, DomainError, Invalid
from workflow.core.gate_rules import MOST_SYNC_BYTES, rules_for_device
from workflow.data import catalogue
from workflow.extensions import csrf, limiter
from workflow.i18n import reader_locale, say
from workflow.services import gate_checks, gate_entries, gates, keys, pass_list
from workflow.services.gate_checks import Answer
from workflow.services.gate_entries import Result
from workflow.services.gates import AtGate, DeviceRefused
from workflow.services.verification import Check
from workflow.web import gate_parts
from workflow.web.access import answers_json, device, for_device, public
from workflow.web.boundary import after_commit, beforehand, names_itself, writes_nothing
from workflow.web.clock import now
from workflow.web.field import TooLarge

bp = Blueprint("gate", __name__, url_prefix="/gate")
MOST_BYTES = 4096
"""What a body may weigh that carries no entries."""


def _device_key() -> str:
    """Whose requests are counted: the secret's digest, so that a whole town behind one address is not one caller."""
    return hashlib.sha256(request.headers.get("Authorization", "").encode()).hexdigest()


@bp.before_request
def _choose_language() -> None:
    """A device has no session: it says with each request what its page speaks."""
    g.asked_locale = "en" if request.accept_languages.best_match(["zh", "en"]) == "en" else "zh_Hans"


@bp.errorhandler(DomainError)
def _refused(error: DomainError) -> tuple[Response, int]:
    """A refusal as the device's page reads it; ``code`` tells it what to do, ``message`` is for the guard."""
    code = error.code if isinstance(error, DeviceRefused) else getattr(error, "field", None) or str(error.status)
    return jsonify(message=say(error), code=code), error.status


@bp.after_request
def _never_kept(response: Response) -> Response:
    """No answer to a device lies in any cache: the page keeps what it needs in its own store."""
    response.headers["Cache-Control"] = "no-store"
    return response


def _check_size(most: int) -> None:
    if len(request.get_data(cache=True)) > most:
        raise TooLarge(N_("一次上传的记录过多，请分批上传。"))


def _body(most: int = MOST_BYTES) -> dict[str, Any]:
    _check_size(most)
    body = request.get_json(silent=True)
    if not isinstance(body, dict):
        raise Invalid(N_("设备传来的内容不对，请更新卡口页面后再试。"))
    return body


def _gate_shown(at: AtGate, inside: int) -> dict[str, object]:
    return {"id": at.gate_id, "name": at.gate_name, "place": at.place, "area": at.area, "inside": inside}


@bp.post("/enrol")
@public
@answers_json
@names_itself
@limiter.limit("10/minute")
def enrol() -> Response:
    """Make a device out of whoever brings a good code, once."""
    body = _body()
    code, name = gate_parts.text_of(body, "code", 100), gate_parts.text_of(body, "name", 100)
    found, secret = gates.enrol(code, name, now())
    at = gates.by_secret(secret)
    return jsonify(
        secret=secret,
        device={"id": found.id, "name": found.name},
        gate=_gate_shown(at, at.inside),
        now=now().isoformat(),
    )


csrf.exempt(enrol)  # whoever enrols has no session that could be ridden on


def _kinds() -> list[dict[str, object]]:
    found = catalogue.passes().kinds.values()
    return [
        {
            "number": k.number,
            "key": k.key,
            "subject": k.subject,
            "word": k.word.text(reader_locale()),
            "colour": k.colour,
        }
        for k in found
    ]


def _schedules() -> list[dict[str, object]]:
    return [
        {
            "number": s.number,
            "key": s.key,
            "label": s.label.text(reader_locale()),
            "days": sorted(s.days),
            "from": s.spoken[0],
            "until": s.spoken[1],
        }
        for s in catalogue.passes().schedules.values()
    ]


def _list_shown(version: int, day_on: dt.date | None) -> dict[str, object]:
    found = pass_list.for_device(version, day_on, now())
    claims, change = found.claims, found.difference
    add, drop, token = (base64.b64encode(b).decode("ascii") for b in (change.add, change.drop, found.token))
    return {
        "full": change.full,
        "version": claims.version,
        "day": claims.day_on.isoformat(),
        "made_at": claims.made_at.isoformat(),
        "expires_at": claims.expires_at.isoformat(),
        "count": claims.count,
        "add": add,
        "drop": drop,
        "token": token,
    }


@bp.get("/bundle")
@for_device
@answers_json
@limiter.limit("120/minute", key_func=_device_key)
def bundle() -> Response:
    """All that a device goes by: keys, kinds, hours and limits, and how its list of dead passes gets up to date."""
    version, day_on = gate_parts.held_list(request.args)
    at, keyring = device(), keys.published_keys()
    content = json.dumps(keyring, sort_keys=True, separators=(",", ":")).encode()
    return jsonify(
        now=now().isoformat(),
        device={"id": at.device_id, "name": at.device_name},
        gate=_gate_shown(at, at.inside),
        keys=keyring,
        keys_digest=hashlib.sha256(content).hexdigest()[:16],
        schedules=_schedules(),
        kinds=_kinds(),
        rules=rules_for_device(),
        list=_list_shown(version, day_on),
    )


def _check_shown(check: Check) -> dict[str, object]:
    first, last = check.valid_from_on, check.valid_until_on
    locale = reader_locale()
    return {
        "status": check.status.value,
        "number": check.number,
        "kind": check.kind.text(locale) if check.kind else "",
        "plate": check.plate,
        "enterprise": check.enterprise,
        "area": check.area,
        "valid_from_on": first.isoformat() if first else "",
        "valid_until_on": last.isoformat() if last else "",
        "schedule": {"label": check.hours.text(locale) if check.hours else ""},
        "suspended": check.is_suspended,
    }


def _found() -> Answer:
    body = _body()
    for name, look in (("token", gate_checks.by_token), ("code", gate_checks.by_code), ("plate", gate_checks.by_plate)):
        text = gate_parts.text_of(body, name, gate_parts.LONGEST_SCAN)
        if text.strip():
            return look(text, now())
    raise Invalid(N_("请扫码，或填写编码或车牌。"))


@bp.post("/check")
@for_device
@answers_json
@writes_nothing
@limiter.limit("300/minute", key_func=_device_key)
def check() -> Response:
    """What a pass is at this moment, as the register has it."""
    found = _found()
    shown = _check_shown(found.best)
    words = say(found.words) if found.words else ""
    return jsonify(now=now().isoformat(), message=words, passes=[_check_shown(c) for c in found.checks], **shown)


def _receive() -> None:
    """Read the entries and verify their tokens before any lock is taken."""
    g.batch = gate_parts.batch(_body(MOST_SYNC_BYTES))


def _result(found: Result) -> dict[str, object]:
    message = say(found.message) if found.message else ""
    return {"client_id": found.client_id, "status": found.status, "message": message, "alarms": found.alarms}


@bp.post("/sync")
@for_device
@answers_json
@names_itself
@limiter.limit("120/minute", key_func=_device_key)
@beforehand(_receive)
def sync() -> Response:
    """Take a device's entries in, each once; an empty batch only says that the device is there and what it holds."""
    done = gate_entries.sync(device(), g.batch, now())
    if done.has_told:
        after_commit(current_app.extensions["wake_worker"])
    return jsonify(now=now().isoformat(), gate={"inside": done.inside}, results=[_result(r) for r in done.results])
