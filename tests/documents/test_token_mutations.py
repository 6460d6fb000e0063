"""1,000 good tokens are all accepted and 100,000 forged ones are not, by our verifier and by pycose, which is not ours.

The browser's WebCrypto is asked in tests/browser/test_keys.py.
"""

from __future__ import annotations

from collections.abc import Mapping

import cbor2
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from pycose.keys import OKPKey
from pycose.keys.curves import Ed25519
from pycose.messages import Sign1Message

from tests.documents import forging
from workflow.documents.pass_kinds import catalogue
from workflow.documents.qr import qr_version
from workflow.documents.tokens import PassClaims, SigningKey, TokenForged, key_named_by, sign, verify

KEYS = [SigningKey.generate() for _ in range(2)]
PUBLIC = {key.kid: key.public for key in KEYS}
GOOD = forging.good(1_000, KEYS)


def accepts(raw: bytes, keys: Mapping[bytes, Ed25519PublicKey]) -> bytes | None:
    """The payload if pycose finds a good signature by one of the keys over it; everything else is None."""
    try:
        tagged = cbor2.loads(raw)
        assert tagged.tag == 18
        assert len(cbor2.dumps(tagged, canonical=True)) == len(raw), "cbor2 reads one item and leaves what follows"
        # pycose unwraps the tag itself only with an older cbor2, whose arrays inside tags were lists.
        protected, unprotected, payload, signature = tagged.value
        assert isinstance(unprotected, Mapping)
        message = Sign1Message.from_cose_obj([protected, dict(unprotected), payload, signature], True)
        kid = next(value for header, value in message.phdr.items() if header.identifier == 4)
        message.key = OKPKey(crv=Ed25519, x=keys[kid].public_bytes_raw())
        return message.payload if message.verify_signature() else None
    except Exception:  # hostile input; any complaint is a refusal
        return None


def ours(raw: bytes) -> bool:
    try:
        verify(forging.encode(raw), PUBLIC)
    except TokenForged:
        return False
    return True


def test_every_good_token_is_accepted_by_both() -> None:
    for number, token in enumerate(GOOD):
        assert verify(token, PUBLIC) == forging.claims(number)
        payload = accepts(forging.decode(token), PUBLIC)
        assert payload is not None
        said = cbor2.loads(payload)
        assert said[2] == forging.claims(number).subject
        assert said[4] == int(forging.claims(number).expires.timestamp())
        assert key_named_by(token) == KEYS[number % 2].kid


def test_no_forged_token_is_accepted_by_ours() -> None:
    assert [raw.hex() for raw in forging.forged(GOOD, 100_000) if ours(raw)] == []


def test_no_forged_token_is_accepted_by_an_independent_library() -> None:
    assert [raw.hex() for raw in forging.forged(GOOD, 100_000) if accepts(raw, PUBLIC)] == []


def test_changed_characters_are_refused() -> None:
    token = GOOD[0]
    for at in range(len(token)):
        for char in "A7Z2" if token[at] not in "A7Z2" else "BC":
            with pytest.raises(TokenForged):
                verify(token[:at] + char + token[at + 1 :], PUBLIC)


@pytest.mark.parametrize("foreign", ["HC1:6BFOXN", "eyJhbGciOiJIUzI1NiJ9.e30.x", "HTTPS://F.EXAMPLE/C/A", ""])
def test_tokens_of_other_systems_name_no_key(foreign: str) -> None:
    assert key_named_by(foreign) is None


@pytest.mark.parametrize("schedule", list(catalogue().schedules))
@pytest.mark.parametrize("plate", ["浙B12345", "粤Z1234港", "浙B1234挂", "浙BD12345"])
def test_the_whole_address_of_a_20_character_host_fits_version_10_at_level_q(plate: str, schedule: str) -> None:
    """Only a plate with two Chinese characters (trailers, cross-border) and hours besides is one character too long."""
    most = (222, 11) if not plate[-1].isascii() and schedule != "always" else (221, 10)
    until = forging.claims(0).expires
    claims = PassClaims("330212999999", "supplies", plate, forging.NBF, until, "330212", schedule)
    address = f"HTTPS://FUGONG.NINGBO.GOV.CN/C/{sign(claims, KEYS[0])}"
    assert len("FUGONG.NINGBO.GOV.CN") == 20
    assert (len(address), qr_version(address, "Q")) <= most


def test_the_area_is_said_only_when_the_number_does_not_begin_with_it() -> None:
    for area, number in (
        ("330203", "330203000042"),
        ("330203002", "330203000042"),
        ("330203", "HS-1"),
        ("330206", "330203000042"),
    ):
        claims = PassClaims(number, "goods", "浙B12345", forging.NBF, forging.claims(0).expires, area)
        token = sign(claims, KEYS[0])
        assert verify(token, PUBLIC) == claims
        assert ("a" in cbor2.loads(cbor2.loads(forging.decode(token)).value[2])) == (area != number[:6])
