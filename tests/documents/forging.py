"""Good tokens, and what a forger makes of them: the same for our verifier, an independent one and the browser's."""

from __future__ import annotations

import base64
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from workflow.documents.pass_kinds import catalogue
from workflow.documents.tokens import PassClaims, SigningKey, sign

NBF = datetime(2020, 2, 15, tzinfo=UTC)
PLATES = ("浙B12345", "浙BD12345", "粤Z1234港", "张*", "-")
AREAS = ("330203", "330206", "330203002")


def encode(data: bytes) -> str:
    """Bytes as a token is written."""
    return base64.b32encode(data).decode().rstrip("=")


def decode(token: str) -> bytes:
    """The bytes of a token."""
    return base64.b32decode(token + "=" * (-len(token) % 8))


def claims(number: int) -> PassClaims:
    """Claims unlike those of any other number."""
    kinds, schedules = list(catalogue().kinds), list(catalogue().schedules)
    kind, schedule = kinds[number % len(kinds)], schedules[number % 7 % len(schedules)]
    begin = NBF + timedelta(days=number % 60)
    name = f"330203{number:06d}" if number % 3 else f"HS-{number}"
    return PassClaims(name, kind, PLATES[number % 5], begin, begin + timedelta(days=14), AREAS[number % 3], schedule)


def good(count: int, keys: list[SigningKey]) -> list[str]:
    """Tokens signed with each of the keys in turn."""
    return [sign(claims(number), keys[number % len(keys)]) for number in range(count)]


def forged(tokens: list[str], count: int, seed: int = 20200215) -> Iterator[bytes]:
    """Yield mutations of the bytes of good tokens, none of them a good one: flips, cuts, insertions, mixtures."""
    luck = random.Random(seed)
    raws = [decode(token) for token in tokens]
    genuine = set(raws)
    while count:
        made = _mutation(luck, raws)
        if made not in genuine:
            count -= 1
            yield made


def _mutation(luck: random.Random, raws: list[bytes]) -> bytes:
    raw, other = bytearray(luck.choice(raws)), luck.choice(raws)
    at, kind = luck.randrange(len(raw)), luck.randrange(8)
    if kind <= 2:
        for place in (at, *(luck.randrange(len(raw)) for _ in range(kind))):
            raw[place] ^= 1 << luck.randrange(8) if luck.random() < 0.7 else luck.randrange(1, 256)
    elif kind == 3:
        del raw[at : at + luck.randint(1, 8)]
    elif kind == 4:
        raw[at:at] = luck.randbytes(luck.randint(1, 8))
    elif kind == 5:  # the head and payload of one with the signature of another
        raw = bytearray(raw[:-64] + other[-64:])
    elif kind == 6:  # the key's name of one in another, doubled, or the ends of two
        raw = bytearray(luck.choice((raw[:8] + other[8:12] + raw[12:], raw + other, raw[:at] + other[at:])))
    else:
        raw[at : at + 4] = luck.randbytes(4)
    return bytes(raw)
