"""The signing keys of passes and papers: PEM files in the keys folder; one signs, all public ones verify."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from stdnum import luhn

from workflow.documents.tokens import SigningKey
from workflow.extensions import settings

_cache: dict[Path, tuple[tuple[Path, ...], list[SigningKey]]] = {}


def _keys() -> list[SigningKey]:
    """All keys, oldest name first; makes the first one when the folder is empty.

    Read again when the folder's names change, also when as many came as went: a key that was taken out signs no more.
    """
    folder = settings().keys_dir
    paths = tuple(sorted(folder.glob("*.pem")))
    if not paths:
        make_key()
        paths = tuple(sorted(folder.glob("*.pem")))
    names, found = _cache.get(folder, ((), []))
    if names != paths:
        found = [SigningKey.from_pem(p.read_bytes()) for p in paths]
        _cache[folder] = paths, found
    return found


def make_key() -> Path:
    """Make a new signing key in the keys folder and return its path; it signs from the next use on."""
    folder = settings().keys_dir
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    key = SigningKey.generate()
    number = max((int(p.name[:4]) for p in folder.glob("*.pem") if p.name[:4].isdigit()), default=0) + 1
    path = folder / f"{number:04d}-{key.kid.hex()}.pem"
    temporary = folder / f".{path.name}.{secrets.token_hex(4)}"
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(key.to_pem())
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(temporary, path)  # two processes that start at once: the first name wins
    finally:
        temporary.unlink()
    _cache.pop(folder, None)
    return path


def signing_key() -> SigningKey:
    """The newest key: the one that signs."""
    return _keys()[-1]


def public_keys() -> dict[bytes, Ed25519PublicKey]:
    """Every public key by its ``kid``: what a token is verified with."""
    return {key.kid: key.public for key in _keys()}


_CODE_ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"


def new_short_code() -> str:
    """A random printed code of eight characters and a check character (Luhn mod 32), without look-alikes."""
    body = "".join(secrets.choice(_CODE_ALPHABET) for _ in range(8))
    return body + luhn.calc_check_digit(body, alphabet=_CODE_ALPHABET)


def parse_short_code(text: str) -> str | None:
    """The code as stored when its check character fits, else None."""
    code = "".join(c for c in text.upper() if c.isalnum())
    if len(code) != 9 or set(code) - set(_CODE_ALPHABET) or not luhn.is_valid(code, alphabet=_CODE_ALPHABET):
        return None
    return code
