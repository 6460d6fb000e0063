"""Tests of pass tokens: small, canonical, verifiable by others, and every forgery is called one."""

from __future__ import annotations

import base64
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import cbor2
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from hypothesis import given, settings
from hypothesis import strategies as st

from workflow.documents.pass_kinds import catalogue
from workflow.documents.qr import qr_version
from workflow.documents.tokens import PassClaims, SigningKey, TokenForged, kid_of, sign, validity, verify

NBF = datetime(2020, 2, 15, tzinfo=UTC)
CLAIMS = PassClaims("330203000042", "goods", "浙B12345", NBF, NBF + timedelta(days=14), "330203")
KEY = SigningKey.generate()
KEYS = {KEY.kid: KEY.public}
TOKEN = sign(CLAIMS, KEY)


def encode(data: bytes) -> str:
    return base64.b32encode(data).decode().rstrip("=")


def decode(token: str) -> bytes:
    return base64.b32decode(token + "=" * (-len(token) % 8))


def signed(header: object, payload: object, *, key: SigningKey = KEY, unprotected: object = None) -> str:
    """A COSE_Sign1 message over anything, honestly signed."""
    protected = header if isinstance(header, bytes) else cbor2.dumps(header, canonical=True)
    body = payload if isinstance(payload, bytes) else cbor2.dumps(payload, canonical=True)
    signature = key.sign(cbor2.dumps(["Signature1", protected, b"", body]))
    message = [protected, {} if unprotected is None else unprotected, body, signature]
    return encode(cbor2.dumps(cbor2.CBORTag(18, message), canonical=True))


HEADER = {1: -8, 4: KEY.kid}
PAYLOAD: dict[Any, Any] = cbor2.loads(cbor2.loads(decode(TOKEN)).value[2])


def test_round_trip() -> None:
    assert verify(TOKEN, KEYS) == CLAIMS
    assert signed(HEADER, PAYLOAD) == TOKEN


@pytest.mark.parametrize("schedule", list(catalogue().schedules))
@pytest.mark.parametrize("kind", list(catalogue().kinds))
@pytest.mark.parametrize("number", ["330203000042", "HS-20200215-0042", "1", "0042", "9" * 18, "9" * 19, "复工42"])
def test_every_kind_schedule_and_number_round_trips(kind: str, schedule: str, number: str) -> None:
    claims = PassClaims(number, kind, "张*", NBF, NBF + timedelta(hours=1), "330203002", schedule)
    assert verify(sign(claims, KEY), KEYS) == claims


def test_a_seven_character_plate_fits_version_10_at_level_q() -> None:
    text = "HTTPS://F.EXAMPLE/P/" + TOKEN
    assert len("HTTPS://F.EXAMPLE/P/") == 20
    assert len(text) <= 221
    assert qr_version(text, "Q") <= 10


def test_verifies_without_our_code() -> None:
    """What an independent reader of RFC 9052 and RFC 8392 does, with plain CBOR and the raw public key."""
    tag = cbor2.loads(decode(TOKEN))
    assert tag.tag == 18
    protected, unprotected, payload, signature = tag.value
    assert cbor2.loads(protected) == {1: -8, 4: KEY.kid}
    assert unprotected == {}
    to_be_signed = b"\x84" + b"".join(map(cbor2.dumps, ("Signature1", protected, b"", payload)))
    Ed25519PublicKey.from_public_bytes(KEY.public.public_bytes_raw()).verify(signature, to_be_signed)
    claims = cbor2.loads(payload)
    assert claims[2] == "浙B12345"
    assert claims[5] == int(NBF.timestamp())
    assert claims[4] == int(CLAIMS.expires.timestamp())
    assert int.from_bytes(claims[7], "big") == 330203000042
    assert "a" not in claims, "the number begins with the area"


def test_hours_are_signed_and_a_pass_for_the_whole_day_reads_as_before() -> None:
    for schedule in catalogue().schedules.values():
        claims = replace(CLAIMS, schedule=schedule.key)
        said = cbor2.loads(cbor2.loads(decode(sign(claims, KEY))).value[2])
        assert said["k"] == 1 + 32 * schedule.number
    assert sign(CLAIMS, KEY) == signed(HEADER, {**PAYLOAD, "k": 1})


def test_key_survives_pem() -> None:
    assert SigningKey.from_pem(KEY.to_pem()).kid == KEY.kid == kid_of(KEY.public)
    locked = KEY.to_pem(b"secret")
    assert b"ENCRYPTED" in locked
    assert SigningKey.from_pem(locked, b"secret").kid == KEY.kid
    for pem, password in ((locked, None), (locked, b"wrong"), (KEY.to_pem(), b"secret"), (b"", None)):
        with pytest.raises(ValueError):  # noqa: PT011 - the words are cryptography's
            SigningKey.from_pem(pem, password)
    other = generate_private_key(SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    with pytest.raises(ValueError, match="Ed25519"):
        SigningKey.from_pem(other)


@pytest.mark.parametrize(
    "token",
    [
        "",
        "A",
        "ABC",
        TOKEN.lower(),
        TOKEN + "=",
        TOKEN + "\n",
        " " + TOKEN,
        TOKEN[:-1],
        TOKEN + "A",
        TOKEN[:-1] + ("B" if TOKEN[-1] != "B" else "C"),
        "１" + TOKEN[1:],
        "0" + TOKEN[1:],
        "A" * 10_000,
        encode(decode(TOKEN) + b"\0"),
        encode(decode(TOKEN)[1:]),
        encode(b"\xd2\x9b\xff\xff\xff\xff\xff\xff\xff\xff"),
        encode(b"\xd2" + b"\x81" * 300),
        encode(b"\xd2\x5b\x7f\xff\xff\xff\xff\xff\xff\xff"),
    ],
)
def test_other_spellings_are_forged(token: str) -> None:
    with pytest.raises(TokenForged):
        verify(token, KEYS)


@pytest.mark.parametrize(
    "token",
    [
        signed({1: -7, 4: KEY.kid}, PAYLOAD),
        signed({1: -19, 4: KEY.kid}, PAYLOAD),
        signed({1: -8.0, 4: KEY.kid}, PAYLOAD),
        signed({1: -8}, PAYLOAD),
        signed({1: -8, 4: KEY.kid, 2: [99]}, PAYLOAD),
        signed({1: -8, 4: [1]}, PAYLOAD),
        signed([1], PAYLOAD),
        signed(b"", PAYLOAD),
        signed(HEADER, PAYLOAD, unprotected={4: KEY.kid}),
        signed(HEADER, PAYLOAD, unprotected=[]),
        signed(HEADER, []),
        signed(HEADER, {}),
        signed(HEADER, b"\xff"),
        signed(HEADER, {**PAYLOAD, 6: 1}),
        signed(HEADER, {**PAYLOAD, "k": 19}),
        signed(HEADER, {**PAYLOAD, "k": True}),
        signed(HEADER, {**PAYLOAD, "k": 1.0}),
        signed(HEADER, {**PAYLOAD, "k": -31}),
        signed(HEADER, {**PAYLOAD, "k": 1 + 32 * 7}),
        signed(HEADER, {**PAYLOAD, "k": 1 + 32 * 2**64}),
        signed(HEADER, {**PAYLOAD, "k": float("inf")}),
        signed(HEADER, {**PAYLOAD, "k": [1]}),
        signed(HEADER, {**PAYLOAD, "a": "330203"}),
        signed(HEADER, {**PAYLOAD, "a": True}),
        signed(HEADER, {**PAYLOAD, 2: b"plate"}),
        signed(HEADER, {**PAYLOAD, 2: ""}),
        signed(HEADER, {**PAYLOAD, 4: PAYLOAD[5]}),
        signed(HEADER, {**PAYLOAD, 4: 2**70}),
        signed(HEADER, {**PAYLOAD, 4: float("nan")}),
        signed(HEADER, {**PAYLOAD, 4: PAYLOAD[4] + 0.5}),
        signed(HEADER, {**PAYLOAD, 7: b"\xff\xfe"}),
        signed(HEADER, {**PAYLOAD, 7: "330203000042"}),
        signed(HEADER, {**PAYLOAD, 7: b"\x00\x00\x01"}),
        signed({1: -8, 4: SigningKey.generate().kid}, PAYLOAD),
        signed(HEADER, PAYLOAD, key=SigningKey.generate()),
    ],
)
def test_well_formed_but_not_ours_is_forged(token: str) -> None:
    with pytest.raises(TokenForged):
        verify(token, KEYS)


def test_unknown_key_is_forged_and_two_keys_can_be_active() -> None:
    second = SigningKey.generate()
    with pytest.raises(TokenForged):
        verify(TOKEN, {})
    with pytest.raises(TokenForged):
        verify(TOKEN, {KEY.kid: second.public})
    both = {**KEYS, second.kid: second.public}
    assert verify(sign(CLAIMS, second), both) == verify(TOKEN, both)


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_any_altered_byte_is_forged(data: st.DataObject) -> None:
    raw = bytearray(decode(TOKEN))
    for _ in range(data.draw(st.integers(1, 4))):
        action = data.draw(st.sampled_from(("flip", "cut", "insert", "swap")))
        at = data.draw(st.integers(0, max(len(raw) - 1, 0)))
        if action == "flip" and raw:
            raw[at] ^= data.draw(st.integers(1, 255))
        elif action == "cut":
            del raw[at : at + data.draw(st.integers(1, 8))]
        elif action == "insert":
            raw[at:at] = data.draw(st.binary(min_size=1, max_size=8))
        else:
            raw.reverse()
    token = encode(bytes(raw))
    if token == TOKEN:
        return
    with pytest.raises(TokenForged):
        verify(token, KEYS)


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.text(max_size=700), st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", max_size=700)))
def test_any_other_text_is_forged(text: str) -> None:
    with pytest.raises(TokenForged):
        verify(text, KEYS)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_behind_the_tag_are_forged(data: bytes) -> None:
    with pytest.raises(TokenForged):
        verify(encode(b"\xd2" + data), KEYS)
    with pytest.raises(TokenForged):
        verify(signed(HEADER, data), KEYS)


@pytest.mark.parametrize(
    ("now", "answer"),
    [
        (NBF - timedelta(seconds=1), "not_yet"),
        (NBF, "valid"),
        (CLAIMS.expires - timedelta(seconds=1), "valid"),
        (CLAIMS.expires, "expired"),
    ],
)
def test_validity(now: datetime, answer: str) -> None:
    assert validity(CLAIMS, now) == answer


@pytest.mark.parametrize(
    "claims",
    [
        PassClaims("", "goods", "浙B12345", NBF, CLAIMS.expires, "330203"),
        PassClaims("1", "goods", "浙B\n", NBF, CLAIMS.expires, "330203"),
        PassClaims("1", "goods", "x" * 65, NBF, CLAIMS.expires, "330203"),
        PassClaims("1", "goods", "浙B12345", NBF, NBF, "330203"),
        PassClaims("1", "staff", "浙B12345", NBF, CLAIMS.expires, "330203"),
        PassClaims("1", "goods", "浙B12345", NBF, CLAIMS.expires, "330203", "teatime"),
        PassClaims("1", "goods", "浙B12345", NBF.replace(tzinfo=None), CLAIMS.expires, "330203"),
        PassClaims("1", "goods", "浙B12345", NBF, CLAIMS.expires, "海曙"),
        PassClaims("1", "goods", "浙B12345", NBF, CLAIMS.expires, "0330203"),
    ],
)
def test_what_cannot_be_signed(claims: PassClaims) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - any reason will do
        sign(claims, KEY)
