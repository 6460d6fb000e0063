"""The guard's page's own verifier and list: every good token, no forged one, what other systems' codes are called."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
from collections.abc import Iterator
from typing import Any

import cbor2
import pytest
from flask import Flask
from playwright.sync_api import Browser, Page

from tests.documents import forging
from workflow.core.gate_rules import fold_plate
from workflow.core.identifiers import parse_plate
from workflow.data import catalogue
from workflow.documents.list_tokens import ListClaims, sign_list
from workflow.documents.tokens import SigningKey, sign, verify
from workflow.services import keys

pytestmark = pytest.mark.browser

DAY = dt.date(2020, 2, 20)
MADE = dt.datetime(2020, 2, 20, 1, tzinfo=dt.UTC)

RING = """async (own) => {
  const signed = await import('/static/gate/signed.js');
  signed.useOwn(own);
  globalThis.ring = await signed.keyring(await (await fetch('/.well-known/fugong-keys.json')).json());
  for (const name of ['token', 'dead', 'plates']) Object.assign(globalThis, await import(`/static/gate/${name}.js`));
  return [...ring.values()].every((key) => key instanceof Uint8Array);
}"""
ACCEPTED = """async (tokens) => {
  let accepted = 0;
  const reasons = {};
  for (const token of tokens) {
    const reason = await verify(token, ring).then(() => '', (error) => error.reason);
    if (reason) reasons[reason] = (reasons[reason] ?? 0) + 1; else accepted += 1;
  }
  return { accepted, reasons };
}"""


@pytest.fixture
def signing(app: Flask) -> list[SigningKey]:
    """Two keys in use."""
    with app.app_context():
        old = keys.signing_key()
        keys.make_key()
        return [old, keys.signing_key()]


@pytest.fixture
def page(chromium: Browser, live: str, signing: list[SigningKey]) -> Iterator[Page]:
    """The page's modules with the published keys."""
    context = chromium.new_context()
    made = context.new_page()
    made.goto(f"{live}/gate/")
    made.evaluate(RING, None)
    yield made
    context.close()


@pytest.mark.parametrize("own", [True, False], ids=["webcrypto", "noble"])
def test_good_tokens_are_accepted_and_forged_ones_are_not(page: Page, signing: list[SigningKey], own: bool) -> None:
    assert page.evaluate(RING, own) is not own
    good = forging.good(1_000 if own else 200, signing)
    assert page.evaluate(ACCEPTED, good)["accepted"] == len(good)
    forged = [forging.encode(raw) for raw in forging.forged(good, 2_000 if own else 300)]
    answer = page.evaluate(ACCEPTED, forged)
    assert answer["accepted"] == 0
    assert sum(answer["reasons"].values()) == len(forged)
    stranger = forging.good(20, [SigningKey.generate()])
    assert page.evaluate(ACCEPTED, stranger) == {"accepted": 0, "reasons": {"key": 20}}


def test_what_a_token_says_is_what_was_signed(page: Page, signing: list[SigningKey]) -> None:
    numbers = {kind.key: kind.number for kind in catalogue.passes().kinds.values()}
    schedules = {s.key: s.number for s in catalogue.passes().schedules.values()}
    read = "(tokens) => Promise.all(tokens.map((token) => verify(token, ring)))"
    some = range(60)
    for number, found in zip(
        some, page.evaluate(read, [sign(forging.claims(n), signing[0]) for n in some]), strict=True
    ):
        said = forging.claims(number)
        assert found == {
            "number": said.number,
            "subject": said.subject,
            "notBefore": int(said.not_before.timestamp()),
            "expires": int(said.expires.timestamp()),
            "kind": numbers[said.kind],
            "schedule": schedules[said.schedule],
            "area": said.area,
        }


def _signed_by(key: SigningKey, payload: bytes, header: bytes | None = None) -> str:
    header = header if header is not None else cbor2.dumps({1: -8, 4: key.kid}, canonical=True)
    signature = key.sign(cbor2.dumps(["Signature1", header, b"", payload], canonical=True))
    return forging.encode(b"\xd2" + cbor2.dumps([header, {}, payload, signature], canonical=True))


def test_a_genuine_signature_over_something_else_is_forged_too(page: Page, signing: list[SigningKey]) -> None:
    key = signing[0]
    said: dict[Any, Any] = {
        2: "浙B12345",
        4: 2_000_000_000,
        5: 1_900_000_000,
        7: b"\x00\x4c\xe1\x5e\x7a\x80",
        "k": 1,
        "a": 330203,
    }
    good = _signed_by(key, cbor2.dumps(said, canonical=True))
    verify(good, {key.kid: key.public})
    odd = [
        said | {6: 1},
        said | {4: 2_000_000_000.0},
        said | {2: ""},
        said | {2: "浙B1\n2345"},
        said | {2: "长" * 65},
        said | {7: b""},
        said | {7: b"\x00\x00\x01"},
        said | {7: b"123456"},
        said | {7: "123456"},
        said | {"a": "330203"},
        said | {"a": 0},
        said | {4: 1_900_000_000},
        {k: v for k, v in said.items() if k != 5},
        list(said.values()),
    ]
    tokens = [_signed_by(key, cbor2.dumps(each, canonical=True)) for each in odd]
    payload = cbor2.dumps(said, canonical=True)
    tokens += [
        _signed_by(key, payload + b"\x00"),
        _signed_by(key, b"\xbf" + payload[1:] + b"\xff"),
        _signed_by(key, payload, cbor2.dumps({1: -8, 4: key.kid, 3: 0}, canonical=True)),
        _signed_by(key, payload, cbor2.dumps({4: key.kid}, canonical=True)),
        _signed_by(key, payload, b""),
    ]
    assert page.evaluate(ACCEPTED, [good]) == {"accepted": 1, "reasons": {}}
    assert page.evaluate(ACCEPTED, tokens)["accepted"] == 0
    other_algorithm = _signed_by(key, payload, cbor2.dumps({1: -7, 4: key.kid}, canonical=True))
    assert page.evaluate(ACCEPTED, [other_algorithm])["reasons"] == {"alg": 1}


def test_codes_of_other_systems_have_their_names(page: Page, signing: list[SigningKey]) -> None:
    token = forging.good(1, signing)[0]
    address = f"HTTPS://FUGONG.EXAMPLE/C/{token}"
    told = {
        "HC1:6BFOXN%TS3DH0YOJ58S S-W5HDC *M0II5XHC9B5G2+$N IOP-IA%NFQGRJPC": "health",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U": "jwt",
        "https://www.example.com/s?id=1": "url",
        "weixin://wxpay/bizpayurl?pr=abc": "url",
        "你好": "text",
        "SF1234567890123": "text",
        "x" * 6000: "huge",
        address + address: "doubled",
        token + token: "doubled",
        f"HTTPS://FUGONG.EXAMPLE/C/{token[:90]}": "truncated",
        f"HTTPS://FUGONG.EXAMPLE/C/{token}!": "form",
    }
    found = page.evaluate("(texts) => texts.map((text) => sort(text).reason ?? '')", list(told))
    assert dict(zip(told, found, strict=True)) == told
    assert page.evaluate("sort('6901234567892', 'EAN13').reason") == "barcode"
    for good in (address, address.lower(), token):
        assert page.evaluate("(text) => sort(text).token", good) == token
    cuts = [token[:-n] for n in (1, 2, 3, 5, 8, 13, 40)]
    reasons = page.evaluate(ACCEPTED, cuts)["reasons"]
    assert reasons == {"truncated": len(cuts)}


def _marks(numbers: range) -> list[bytes]:
    return sorted(hashlib.sha256(str(n).encode()).digest()[:5] for n in numbers)


def _sent(key: SigningKey, whole: list[bytes], version: int, **changes: Any) -> dict[str, Any]:
    digest = hashlib.sha256(b"".join(whole)).digest()
    values = {"day_on": DAY, "made_at": MADE + dt.timedelta(minutes=version), **changes}
    add, drop = changes.pop("add", whole), changes.pop("drop", [])
    values = {k: v for k, v in values.items() if k in ("day_on", "made_at")}
    claims = ListClaims(version, **values, expires_at=MADE + dt.timedelta(days=1), count=len(whole), digest=digest)
    add64, drop64, token = (
        base64.b64encode(b).decode() for b in (b"".join(add), b"".join(drop), sign_list(claims, key))
    )
    return {"full": "full" not in changes, "add": add64, "drop": drop64, "token": token}


TAKE = """async (sent) => {
  const next = await taken(globalThis.kept ?? null, sent, ring).catch((error) => error.reason);
  if (typeof next === 'string') return next;
  globalThis.kept = next;
  return kept.count;
}"""


def test_the_list_is_what_was_signed_and_never_older(page: Page, signing: list[SigningKey]) -> None:
    key = signing[1]
    first, second = _marks(range(1000)), _marks(range(10, 1020))
    assert page.evaluate(TAKE, _sent(key, first, 5)) == 1000
    change = {"add": sorted(set(second) - set(first)), "drop": sorted(set(first) - set(second)), "full": False}
    assert page.evaluate(TAKE, _sent(key, second, 6, **change)) == 1010
    assert page.evaluate("kept.bytes.length") == 5 * 1010
    assert page.evaluate(TAKE, _sent(key, second, 7, **(change | {"add": []}))) == 1010  # the same once more
    assert page.evaluate(TAKE, _sent(key, first, 8, **change)) == "digest"
    assert page.evaluate(TAKE, _sent(key, first, 9, add=first[::-1])) == "digest"
    assert page.evaluate(TAKE, _sent(key, first, 6)) == "older"
    assert page.evaluate(TAKE, _sent(key, first, 9, made_at=MADE)) == "older"
    assert page.evaluate(TAKE, _sent(key, first, 9, day_on=DAY - dt.timedelta(days=1))) == "older"
    assert page.evaluate(TAKE, _sent(SigningKey.generate(), first, 9)) == "key"
    damaged = _sent(key, first, 9)
    raw = bytearray(base64.b64decode(damaged["token"]))
    raw[40] ^= 1
    assert page.evaluate(TAKE, damaged | {"token": base64.b64encode(raw).decode()}) == "signature"
    assert page.evaluate("kept.count") == 1010
    inside = "async (n) => holds(kept.bytes, await fingerprint(String(n)))"
    assert [page.evaluate(inside, n) for n in (9, 10, 500, 1019, 1020)] == [False, True, True, True, False]


def test_plates_and_codes_are_read_as_the_server_reads_them(page: Page) -> None:
    plates = [
        "浙B12345",
        "浙b·a1b23",
        "浙BD12345",
        "浙B12345D",
        "浙B1234挂",
        "粤Z1234港",
        "浙BI2345",
        "浙B123456",
        "浙B1234",
        "宁B12345",
    ]
    for plate in plates:
        try:
            shape = bool(parse_plate(plate))
        except Exception:
            shape = False
        assert page.evaluate("(text) => isPlate(text)", plate) is shape, plate
    assert page.evaluate("squeezed('浙Ｂ·1 2-345')") == fold_plate("浙Ｂ·1 2-345")
    assert page.evaluate(
        "lookAlike('浙B12345', '浙BI2345') && lookAlike('浙BD2345', '浙B02345') && !lookAlike('浙B12345', '浙B12346')"
    )
    codes = [keys.new_short_code() for _ in range(50)]
    assert page.evaluate("(codes) => codes.every(isCode)", codes)
    wrong = [code[:3] + ("2" if code[3] != "2" else "3") + code[4:] for code in codes]
    assert not page.evaluate("(codes) => codes.some(isCode)", wrong)


def test_hours_are_those_of_the_catalogue(page: Page) -> None:
    ask = """async ({schedule, moments}) => {
      const { admits } = await import('/static/gate/verdict.js');
      return moments.map((at) => admits(schedule, at));
    }"""
    moments = [MADE + dt.timedelta(minutes=37 * n) for n in range(300)]
    for schedule in catalogue.passes().schedules.values():
        sent = {"days": sorted(schedule.days), "from": schedule.spoken[0], "until": schedule.spoken[1]}
        found = page.evaluate(ask, {"schedule": sent, "moments": [m.timestamp() * 1000 for m in moments]})
        assert found == [schedule.admits(moment) for moment in moments], schedule.key
