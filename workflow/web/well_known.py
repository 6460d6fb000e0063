"""What anybody may fetch under an agreed address: the public keys that passes and papers are verified with."""

from __future__ import annotations

from flask import Blueprint, jsonify
from werkzeug.wrappers import Response

from workflow.services import keys
from workflow.web.access import public

bp = Blueprint("well_known", __name__)

KEYS_SECONDS = 300
"""How long the answer may be kept: also how long a retired key can go on being trusted by those who fetch it."""


@bp.get("/.well-known/fugong-keys.json")
@public
def keys_in_use() -> Response:
    """The public keys in use as a JWK set, without a session, for gate devices and for other people's programs."""
    response = jsonify(keys.published_keys())
    response.cache_control.public = True
    response.cache_control.max_age = KEYS_SECONDS
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response
