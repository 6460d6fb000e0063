"""Signs and reads the state of the list of dead passes: COSE_Sign1 with Ed25519 in a context of its own.

What is signed is what the list is, not how it changed: a device applies a difference, sorts, hashes and compares.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

import cbor2
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from workflow.documents.tokens import SigningKey, TokenForged, loads_exactly, open_message, sign_message

CONTEXT = b"fugong-pass-list-1"
"""The external data of the signature: a list is never taken for a pass, nor a pass for a list."""
_VERSION, _DAY, _MADE, _EXPIRES, _COUNT, _DIGEST = 1, 2, 3, 4, 5, 6


@dataclass(frozen=True, slots=True)
class ListClaims:
    """The list of dead passes as of ``version`` on the Shanghai day ``day_on``.

    ``digest`` is the SHA-256 of its ``count`` fingerprints, five bytes each, ascending. ``made_at`` and ``expires_at``
    are aware instants in whole seconds.
    """

    version: int
    day_on: dt.date
    made_at: dt.datetime
    expires_at: dt.datetime
    count: int
    digest: bytes


def sign_list(claims: ListClaims, key: SigningKey) -> bytes:
    """The signed state, about 160 bytes."""
    said = {
        _VERSION: claims.version,
        _DAY: claims.day_on.isoformat(),
        _MADE: int(claims.made_at.timestamp()),
        _EXPIRES: int(claims.expires_at.timestamp()),
        _COUNT: claims.count,
        _DIGEST: claims.digest,
    }
    return sign_message(cbor2.dumps(said, canonical=True), key, CONTEXT)


def read_list(data: bytes, keys: Mapping[bytes, Ed25519PublicKey]) -> ListClaims:
    """The state that one of ``keys`` signed; :class:`TokenForged` for anything else. Time is not checked."""
    said = loads_exactly(open_message(data, keys, CONTEXT))
    if not isinstance(said, dict) or set(said) != {_VERSION, _DAY, _MADE, _EXPIRES, _COUNT, _DIGEST}:
        raise TokenForged
    try:
        return ListClaims(
            version=int(said[_VERSION]),
            day_on=dt.date.fromisoformat(said[_DAY]),
            made_at=dt.datetime.fromtimestamp(said[_MADE], dt.UTC),
            expires_at=dt.datetime.fromtimestamp(said[_EXPIRES], dt.UTC),
            count=int(said[_COUNT]),
            digest=bytes(said[_DIGEST]),
        )
    except (TypeError, ValueError, OverflowError):
        raise TokenForged from None
