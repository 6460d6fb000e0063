"""The limits of gates in one place: fever, the age of a list, what a device may send, how plates are compared."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable
from itertools import product

from workflow.core.identifiers import squeeze

FEVER = 37.3
"""Degrees Celsius from which a forehead is a fever: what Ningbo's and the national prevention guides of 2020 say."""
LOWEST, HIGHEST = 32.0, 43.0
"""Temperatures that a living person's forehead can show; others are slips of the finger."""
AMBER_HOURS, RED_HOURS, WIPE_HOURS = 4, 24, 72
"""A device's list turns amber, then red; without contact for the last the device forgets all it holds."""
MOST_HEADS = 99
MOST_ENTRIES, MOST_SYNC_BYTES = 200, 1 << 20
"""What one request of a device may carry."""
TWO_GATES_WITHIN = dt.timedelta(minutes=30)
"""The same pass in at another gate within this time, without having gone out, can't be one vehicle."""
CODE_LASTS = dt.timedelta(minutes=15)
"""How long an enrolment code is good."""
CLOCK_SLACK = dt.timedelta(minutes=5)
"""So far a device's clock may be off before its times are corrected and said to be."""
OLDEST_ENTRY = dt.timedelta(days=30)
"""An entry said to be older was made by a clock that was off: a device without contact forgets long before."""

_LOOK_ALIKES = str.maketrans("IOАВЕКМНОРСТУХΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", "10ABEKMH0PCTYXABEZH1KMN0PTYX")
"""I and O are on no plate (GA 36-2018); Cyrillic and Greek letters come from keyboards and from forgers."""
_NEAR = ("0DQ", "1L7", "2Z", "5S", "8B")
_MOST_NEAR = 64


def rules_for_device() -> dict[str, float]:
    """What the device's page goes by, in the words of the bundle."""
    return {"fever": FEVER, "amber_hours": AMBER_HOURS, "red_hours": RED_HOURS, "wipe_hours": WIPE_HOURS}


def fold_plate(text: str) -> str:
    """A plate as it is compared: half-width, upper case, no separators, letters that plates don't have made digits."""
    return squeeze(text).translate(_LOOK_ALIKES)


def near_plates(plate: str) -> list[str]:
    """Other plates that differ from a folded ``plate`` only in characters taken for each other by eye; few enough."""
    choices = [next((near for near in _NEAR if c in near), c) if n > 1 else c for n, c in enumerate(plate)]
    if math.prod(len(c) for c in choices) > _MOST_NEAR:
        choices = [c if len(c) < 3 else plate[n] for n, c in enumerate(choices)]
    if math.prod(len(c) for c in choices) > _MOST_NEAR:
        return []
    return [p for p in ("".join(parts) for parts in product(*choices)) if p != plate]


def is_temperature(value: object) -> bool:
    """Whether ``value`` is a number that a thermometer can have shown of a person."""
    return isinstance(value, int | float) and not isinstance(value, bool) and LOWEST <= value <= HIGHEST


def has_fever(temperatures: Iterable[float]) -> bool:
    """Whether somebody is at or above :data:`FEVER`."""
    return any(t >= FEVER for t in temperatures)


def corrected(said: dt.datetime, now: dt.datetime, not_before: dt.datetime | None) -> tuple[dt.datetime, int]:
    """When something really happened that a device says was at ``said``, and by how many seconds its clock was off.

    It did not happen after ``now``, nor before the device had the list that it judged by (``not_before``); 0 when it
    may be as said.
    """
    if said > now + CLOCK_SLACK:
        return now, _seconds(said - now)
    if not_before is not None and not_before <= now and said < not_before - CLOCK_SLACK:
        return not_before, _seconds(said - not_before)
    if said < now - OLDEST_ENTRY:
        return now, _seconds(said - now)
    return min(said, now), 0


def _seconds(off: dt.timedelta) -> int:
    most = 2**31 - 1
    return max(-most, min(most, int(off.total_seconds())))
