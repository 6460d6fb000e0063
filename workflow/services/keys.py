"""The signing keys of passes and papers: PEM files in the keys folder; one signs, all public ones verify."""

from __future__ import annotations

import base64
import datetime as dt
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import select
from stdnum import luhn

from workflow.core.errors import N_, NotFound
from workflow.data.issued import IssuedDocument
from workflow.data.passes import VehiclePass
from workflow.documents.tokens import SigningKey, key_named_by
from workflow.extensions import db, settings

_cache: dict[Path, tuple[tuple[Path, ...], list[SigningKey]]] = {}


_RETIRED = "retired"
"""The folder below the keys folder that keys are moved to; nothing in it signs or verifies."""


def _keys() -> list[SigningKey]:
    """All keys in use, oldest name first; none when the folder is empty.

    Read again when the folder's names change, also when as many came as went: a key that was taken out signs no more.
    """
    folder = settings().keys_dir
    paths = tuple(sorted(folder.glob("*.pem")))
    names, found = _cache.get(folder, ((), []))
    if names != paths:
        found = [SigningKey.from_pem(p.read_bytes()) for p in paths]
        _cache[folder] = paths, found
    return found


def make_key() -> Path:
    """Make a new signing key in the keys folder and return its path; it signs from the next use on.

    :func:`workflow.services.key_changes.rotate` also records it.
    """
    folder = settings().keys_dir
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    key = SigningKey.generate()
    path = folder / f"{_last_number(folder) + 1:04d}-{key.kid.hex()}.pem"
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


def _last_number(folder: Path) -> int:
    """The highest number in use or retired: a new key must come behind every key there ever was."""
    paths = (*folder.glob("*.pem"), *folder.glob(f"{_RETIRED}/*.pem"))
    return max((int(p.name[:4]) for p in paths if p.name[:4].isdigit()), default=0)


def signing_key() -> SigningKey:
    """The newest key: the one that signs; the first one is made when it is first needed."""
    if not _keys():
        make_key()
    return _keys()[-1]


def public_keys() -> dict[bytes, Ed25519PublicKey]:
    """Every public key in use by its ``kid``, the signing one last: what a token is verified with."""
    return {key.kid: key.public for key in _keys()}


def published_keys() -> dict[str, list[dict[str, str]]]:
    """The public keys as a JWK set (RFC 7517, RFC 8037): ``kid`` in hexadecimal, ``x`` in base64url."""
    return {
        "keys": [
            {
                "kty": "OKP",
                "crv": "Ed25519",
                "alg": "EdDSA",
                "use": "sig",
                "kid": kid.hex(),
                "x": base64.urlsafe_b64encode(public.public_bytes_raw()).decode("ascii").rstrip("="),
            }
            for kid, public in public_keys().items()
        ]
    }


def retired_kids() -> list[str]:
    """The ids of retired keys in hexadecimal, oldest first."""
    return [path.stem[5:] for path in sorted((settings().keys_dir / _RETIRED).glob("*.pem"))]


def retire(kid: bytes) -> None:
    """Take a key out of use: whatever it signed counts as forged from the next check on, in every process.

    Its file is kept in the folder ``retired``, for the inquiry. When it was the one that signs, a new one is made
    first, so that no older key takes its place. :class:`NotFound` when no key in use has this id.
    :func:`workflow.services.key_changes.retire` also records it.
    """
    folder = settings().keys_dir
    path = next((p for p in sorted(folder.glob("*.pem")) if p.stem[5:] == kid.hex()), None)
    if path is None:
        raise NotFound(N_("没有这把在用的密钥。"))
    if signing_key().kid == kid:
        make_key()
    (folder / _RETIRED).mkdir(mode=0o700, exist_ok=True)
    path.rename(folder / _RETIRED / path.name)
    _cache.pop(folder, None)


def passes_signed_with(kid: bytes, today: dt.date) -> Iterator[str]:
    """Yield the numbers of granted passes that end today or later and whose token names this key, in their order."""
    granted = (
        select(VehiclePass.number, VehiclePass.token)
        .where(VehiclePass.status == "granted", VehiclePass.valid_until_on >= today)
        .order_by(VehiclePass.number)
    )
    for number, token in db.session.execute(granted.execution_options(yield_per=1000)):
        if key_named_by(token or "") == kid:
            yield str(number)


def papers_signed_with(kid: bytes) -> Iterator[str]:
    """Yield the numbers of issued papers that stand and whose token names this key, in the order of issue."""
    standing = (
        select(IssuedDocument.number, IssuedDocument.token)
        .where(IssuedDocument.token != "", IssuedDocument.revoked_at.is_(None))
        .order_by(IssuedDocument.id)
    )
    for number, token in db.session.execute(standing.execution_options(yield_per=1000)):
        if key_named_by(token) == kid:
            yield str(number)


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
