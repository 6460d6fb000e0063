"""The browser's own cryptography verifies our tokens with the published keys, and refuses 100,000 forged ones."""

from __future__ import annotations

import pytest
from flask import Flask
from playwright.sync_api import Browser

from tests.documents import forging
from workflow.services import keys

pytestmark = pytest.mark.browser

# A reader of its own, as somebody else would write it from docs/operations.md: COSE_Sign1 with our fixed header.
VERIFIER = """async ({tokens, address}) => {
  const ring = new Map();
  for (const {kid, kty, crv, x} of (await (await fetch(address)).json()).keys) {
    const raw = await crypto.subtle.importKey("jwk", {kty, crv, x}, {name: "Ed25519"}, false, ["verify"]);
    ring.set(kid, raw);
  }
  const bytes = (text) => {
    const out = [];
    let bits = 0, value = 0;
    for (const char of text) {
      value = (value << 5) | "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(char);
      bits += 5;
      if (bits >= 8) { bits -= 8; out.push((value >> bits) & 255); value &= (1 << bits) - 1; }
    }
    return Uint8Array.from(out);
  };
  const hex = (part) => [...part].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  const head = (major, length) => length < 24 ? [major | length] : [major | 24, length];
  const text = (words) => [...head(0x60, words.length), ...new TextEncoder().encode(words)];
  const string = (part) => [...head(0x40, part.length), ...part];
  const accepts = async (token) => {
    const raw = bytes(token);
    if (hex(raw.slice(0, 8)) !== "d28449a201270444" || raw[12] !== 0xa0) return false;
    const named = ring.get(hex(raw.slice(8, 12)));
    const long = raw[13] === 0x58 ? 1 : 0;
    const length = long ? raw[14] : raw[13] - 0x40;
    const start = 14 + long, end = start + length;
    if (!named || length < 24 * long || raw.length !== end + 66) return false;
    if (raw[end] !== 0x58 || raw[end + 1] !== 64) return false;
    const signed = [0x84, ...text("Signature1"), ...string(raw.slice(3, 12)), 0x40, ...string(raw.slice(start, end))];
    return crypto.subtle.verify("Ed25519", named, raw.slice(end + 2), Uint8Array.from(signed));
  };
  let accepted = 0;
  for (const token of tokens) accepted += await accepts(token);
  return accepted;
}"""


def test_webcrypto_accepts_every_good_token_and_no_forged_one(app: Flask, chromium: Browser, live: str) -> None:
    with app.app_context():
        old = keys.signing_key()
        keys.make_key()
        good = forging.good(1_000, [old, keys.signing_key()])
    address = f"{live}/.well-known/fugong-keys.json"
    page = chromium.new_page()
    page.goto(address)
    assert page.evaluate(VERIFIER, {"tokens": good, "address": address}) == len(good)
    forged = [forging.encode(raw) for raw in forging.forged(good, 100_000)]
    assert page.evaluate(VERIFIER, {"tokens": forged, "address": address}) == 0
    with app.app_context():
        keys.retire(old.kid)
    page.goto("about:blank")  # what the browser kept for five minutes is asked for anew
    page.context.close()
    fresh = chromium.new_context().new_page()
    fresh.goto(address)
    assert fresh.evaluate(VERIFIER, {"tokens": good, "address": address}) == len(good) // 2
    fresh.context.close()
