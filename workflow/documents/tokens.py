"""Signs and checks the pass token: CWT claims (RFC 8392) in COSE_Sign1 (RFC 9052), Ed25519, as base32 text for
a QR code.

A token never carries an ID number, a phone number or a full name. ``verify`` says only who signed what;
whether the pass is valid *now* (``validity``) or revoked is asked separately.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

import cbor2
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from workflow.core.errors import N_, Invalid
from workflow.core.pass_catalogue import KINDS_BELOW
from workflow.documents.pass_kinds import ALWAYS, catalogue

Validity = Literal["valid", "not_yet", "expired"]

_TAG = b"\xd2"  # CBOR tag 18: COSE_Sign1
_ALG, _KID = 1, 4  # COSE header labels
_EDDSA = -8
_SUB, _EXP, _NBF, _CTI = 2, 4, 5, 7  # CWT claims
_AREA, _KIND = "a", "k"  # private claims, as short as text keys can be
_KID_BYTES = 4
_BASE32 = re.compile(r"[A-Z2-7]+")
_DIGITS = re.compile(r"[1-9][0-9]{0,17}")
_COUNTY_DIGITS = 6
_PASS_NUMBER = re.compile(r"[1-9][0-9]{11}")
_AREA_CODE = re.compile(r"[1-9][0-9]{1,11}")
#: Far above any real token; keeps hostile input small before anything is decoded.
MAX_TOKEN_CHARACTERS = 600
_MAX_TEXT = 64


class TokenForged(Invalid):
    """The text is not a token that one of the known keys signed: altered, malformed, or from somebody else."""

    def __init__(self) -> None:
        super().__init__(N_("二维码未通过验签：不是本系统签发，或内容已被改动。请勿放行，并与签发单位核实。"))


@dataclass(frozen=True, slots=True)
class PassClaims:
    """What a pass token says. ``subject`` is a plate or a *masked* name, ``area`` the digits of an official
    division code.

    ``not_before`` and ``expires`` are aware instants in whole seconds. A ``number`` of up to 18 digits is
    packed and keeps the printed code small; any other text up to 64 characters is carried as it is. Pass numbers
    begin with their area, which is then not said twice: that keeps the printed code within version 10.
    ``kind`` and ``schedule`` are keys of the catalogue of passes, signed as one number.
    """

    number: str
    kind: str
    subject: str
    not_before: datetime
    expires: datetime
    area: str
    schedule: str = ALWAYS


def kid_of(public: Ed25519PublicKey) -> bytes:
    """Return the key identifier: the first four bytes of the SHA-256 of the raw public key."""
    return hashlib.sha256(public.public_bytes_raw()).digest()[:_KID_BYTES]


class SigningKey:
    """An Ed25519 key that signs passes."""

    def __init__(self, private: Ed25519PrivateKey) -> None:
        self._private = private

    @classmethod
    def generate(cls) -> SigningKey:
        """Return a new random key."""
        return cls(Ed25519PrivateKey.generate())

    @classmethod
    def from_pem(cls, pem: bytes, password: bytes | None = None) -> SigningKey:
        """Load a PKCS #8 key; ValueError when it is damaged, of another kind, or the password is wrong."""
        try:
            private = serialization.load_pem_private_key(pem, password)
        except TypeError as error:  # cryptography's answer to a password that is missing or too many
            raise ValueError(str(error)) from error
        if not isinstance(private, Ed25519PrivateKey):
            raise ValueError("the signing key must be an Ed25519 key")
        return cls(private)

    def to_pem(self, password: bytes | None = None) -> bytes:
        """Return the key as PKCS #8 PEM, encrypted when a password is given."""
        encryption = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
        return self._private.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)

    @property
    def public(self) -> Ed25519PublicKey:
        """The public key that guards' devices hold."""
        return self._private.public_key()

    @property
    def kid(self) -> bytes:
        """The key identifier, see :func:`kid_of`."""
        return kid_of(self.public)

    def sign(self, message: bytes) -> bytes:
        """Return the 64-byte signature of ``message``."""
        return self._private.sign(message)


def sign(claims: PassClaims, key: SigningKey) -> str:
    """Return the token for ``claims``: base32 (RFC 4648), upper case, no padding; ValueError for unsignable
    claims."""
    message = sign_message(_encode_claims(claims, area_apart=_is_apart(claims)), key)
    return base64.b32encode(message).decode("ascii").rstrip("=")


def sign_message(payload: bytes, key: SigningKey, context: bytes = b"") -> bytes:
    """Return ``payload`` as a tagged COSE_Sign1 message; ``context`` (external data) keeps its uses apart."""
    protected = cbor2.dumps({_ALG: _EDDSA, _KID: key.kid}, canonical=True)
    signature = key.sign(_sig_structure(protected, payload, context))
    return _TAG + cbor2.dumps([protected, {}, payload, signature], canonical=True)


def verify(token: str, keys: Mapping[bytes, Ed25519PublicKey]) -> PassClaims:
    """Return the claims of a genuine token; raise :class:`TokenForged` for anything else.

    Only the one canonical spelling is accepted (upper case, no padding, no stray bits, canonical CBOR), so a token
    can be compared and logged as text. Time is not checked.
    """
    return _decode_claims(open_message(_decode_base32(token), keys))


def open_message(data: bytes, keys: Mapping[bytes, Ed25519PublicKey], context: bytes = b"") -> bytes:
    """Return the payload of a message that one of ``keys`` signed in this ``context``; else :class:`TokenForged`."""
    protected, payload, signature = _split(data)
    public = keys.get(_kid_in(protected))
    if public is None:
        raise TokenForged
    try:
        public.verify(signature, _sig_structure(protected, payload, context))
    except InvalidSignature:
        raise TokenForged from None
    return payload


def key_named_by(token: str) -> bytes | None:
    """Return the ``kid`` that a token names, without asking whether it is genuine; None when it is no token."""
    try:
        protected, _, _ = _split(_decode_base32(token))
        return _kid_in(protected)
    except TokenForged:
        return None


def validity(claims: PassClaims, now: datetime) -> Validity:
    """Say whether ``now`` lies in ``[not_before, expires)`` of the claims."""
    if now < claims.not_before:
        return "not_yet"
    return "valid" if now < claims.expires else "expired"


def _sig_structure(protected: bytes, payload: bytes, context: bytes) -> bytes:
    """RFC 9052 section 4.4: what is signed."""
    return cbor2.dumps(["Signature1", protected, context, payload], canonical=True)


def _decode_base32(token: str) -> bytes:
    if len(token) > MAX_TOKEN_CHARACTERS or not _BASE32.fullmatch(token):
        raise TokenForged
    try:
        data = base64.b32decode(token + "=" * (-len(token) % 8))
    except ValueError:
        raise TokenForged from None
    # Python ignores the unused bits of the last character; two spellings of one token would defeat comparison.
    if base64.b32encode(data).decode("ascii").rstrip("=") != token:
        raise TokenForged
    return data


def loads_exactly(data: bytes) -> object:
    """Decode one canonical CBOR item that fills ``data`` exactly."""
    try:
        item: object = cbor2.loads(data)
        exact = cbor2.dumps(item, canonical=True) == data
    except Exception:  # hostile input makes the decoder raise many kinds; all of them mean the same here
        raise TokenForged from None
    if not exact:
        raise TokenForged
    return item


def _split(data: bytes) -> tuple[bytes, bytes, bytes]:
    """Return protected header, payload and signature of a tagged COSE_Sign1 message."""
    if data[:1] != _TAG:
        raise TokenForged
    message = loads_exactly(data[1:])
    if not isinstance(message, list) or len(message) != 4:
        raise TokenForged
    protected, unprotected, payload, signature = message
    if unprotected != {} or not isinstance(unprotected, dict):
        raise TokenForged
    if not (isinstance(protected, bytes) and isinstance(payload, bytes) and isinstance(signature, bytes)):
        raise TokenForged
    if len(signature) != 64:
        raise TokenForged
    return protected, payload, signature


def _kid_in(protected: bytes) -> bytes:
    header = loads_exactly(protected)
    if not isinstance(header, dict) or set(header) != {_ALG, _KID}:
        raise TokenForged
    alg, kid = header[_ALG], header[_KID]
    if type(alg) is not int or alg != _EDDSA or not isinstance(kid, bytes):
        raise TokenForged
    return kid


def _is_apart(claims: PassClaims) -> bool:
    """Whether the area has to be said, since the number does not begin with the six digits of a county."""
    return _area_in(claims.number) != claims.area


def _area_in(number: str) -> str:
    """The county that a number of twelve digits begins with, else nothing."""
    return number[:_COUNTY_DIGITS] if _PASS_NUMBER.fullmatch(number) else ""


def _encode_claims(claims: PassClaims, *, area_apart: bool) -> bytes:
    for text in (claims.number, claims.subject):
        if not 0 < len(text) <= _MAX_TEXT or not text.isprintable():
            raise ValueError("number and subject must be printable and have 1 to 64 characters")
    if not _AREA_CODE.fullmatch(claims.area):
        raise ValueError("area must be an official division code of digits")
    not_before, expires = _seconds(claims.not_before), _seconds(claims.expires)
    if not_before >= expires:
        raise ValueError("a pass must expire after it begins")
    said: dict[int | str, object] = {
        _SUB: claims.subject,
        _EXP: expires,
        _NBF: not_before,
        _CTI: _pack_number(claims.number),
        _KIND: _kind_number(claims),
    }
    if area_apart:
        said[_AREA] = int(claims.area)
    return cbor2.dumps(said, canonical=True)


def _kind_number(claims: PassClaims) -> int:
    """Kind and schedule as one number; a pass for the whole day reads as those did before there were schedules."""
    known = catalogue()
    try:
        return known.kinds[claims.kind].number + KINDS_BELOW * known.schedules[claims.schedule].number
    except KeyError as error:
        raise ValueError(f"no kind or schedule is called {error}") from error


def _decode_claims(payload: bytes) -> PassClaims:
    """Read signed claims; a genuine signature over claims that this program would not write counts as forged too.

    Tokens of earlier versions say the area always; they are accepted as they stand.
    """
    claims = loads_exactly(payload)
    if not isinstance(claims, dict):
        raise TokenForged
    try:
        number = _unpack_number(claims[_CTI])
        schedule, kind = divmod(claims[_KIND], KINDS_BELOW)
        found = PassClaims(
            number=number,
            kind=catalogue().kinds_by_number[kind].key,
            subject=claims[_SUB],
            not_before=datetime.fromtimestamp(claims[_NBF], UTC),
            expires=datetime.fromtimestamp(claims[_EXP], UTC),
            area=str(claims[_AREA]) if _AREA in claims else _area_in(number),
            schedule=catalogue().schedules_by_number[schedule].key,
        )
        genuine = _encode_claims(found, area_apart=_AREA in claims) == payload
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError, OSError):
        raise TokenForged from None
    if not genuine:
        raise TokenForged
    return found


def _seconds(moment: datetime) -> int:
    if moment.tzinfo is None:
        raise ValueError("token times must be aware")
    return int(moment.timestamp())


def _pack_number(number: str) -> bytes:
    """CWT wants the identifier as bytes: digits go in as a binary number behind a NUL, other text as UTF-8."""
    if _DIGITS.fullmatch(number):
        value = int(number)
        return b"\x00" + value.to_bytes((value.bit_length() + 7) // 8, "big")
    return number.encode("utf-8")


def _unpack_number(packed: bytes) -> str:
    if packed[:1] == b"\x00":
        return str(int.from_bytes(packed[1:], "big"))
    return packed.decode("utf-8")
