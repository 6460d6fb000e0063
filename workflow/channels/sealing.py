"""Sealing the addresses and secrets of robots for the database: Fernet with a key of the installation."""

from __future__ import annotations

import base64

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from workflow.channels.failure import ChannelFailure

_PURPOSE = b"fugong robot addresses 1"


def _box(secret_key: str) -> Fernet:
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=_PURPOSE).derive(secret_key.encode())
    return Fernet(base64.urlsafe_b64encode(derived))


def seal(text: str, secret_key: str) -> str:
    """``text`` as the database keeps it; the empty text stays empty."""
    return _box(secret_key).encrypt(text.encode()).decode() if text else ""


def unseal(sealed: str, secret_key: str) -> str:
    """The text; :class:`ChannelFailure` ``sealed`` when it was sealed under another secret key or was changed."""
    if not sealed:
        return ""
    try:
        return _box(secret_key).decrypt(sealed.encode()).decode()
    except InvalidToken:
        raise ChannelFailure("sealed") from None
