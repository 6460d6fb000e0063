"""How far what a phone says of time and place is believed: never changed, but flagged and made coarse."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum

from workflow.core.errors import N_, Invalid, Reason

MOST_AHEAD = dt.timedelta(minutes=5)
"""So far a phone's clock may be ahead of ours before it is said."""
PLACE_DECIMALS = 3
"""Decimals of a degree that are kept of a place: about 100 m."""
_LONGEST_OFF = 10 * 366 * 86_400


class PlaceStatus(StrEnum):
    """Whether a photo says where it was taken."""

    GIVEN = "given"
    REFUSED = "refused"
    UNAVAILABLE = "unavailable"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a photo was taken, to 100 m; both numbers are None unless ``status`` is given."""

    status: PlaceStatus
    latitude: float | None = None
    longitude: float | None = None


def read_place(text: str) -> Place:
    """``29.868,121.544``, ``refused`` or ``unavailable``; rounded here too, whatever the phone sent.

    Raises :class:`Invalid` for anything else; an empty text is a place that was unavailable.
    """
    if text in ("", PlaceStatus.UNAVAILABLE):
        return Place(PlaceStatus.UNAVAILABLE)
    if text == PlaceStatus.REFUSED:
        return Place(PlaceStatus.REFUSED)
    parts = text.split(",")
    try:
        latitude, longitude = (round(float(part), PLACE_DECIMALS) for part in parts)
    except (ValueError, OverflowError) as error:
        raise Invalid(N_("照片的位置格式不对。"), field="place") from error
    if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):
        raise Invalid(N_("照片的位置格式不对。"), field="place")
    return Place(PlaceStatus.GIVEN, latitude, longitude)


def read_device_time(text: object) -> dt.datetime:
    """The instant on a phone's clock, ISO 8601 with its offset; :class:`Invalid` for anything else."""
    try:
        if not isinstance(text, str) or len(text) > 40:
            raise ValueError("no time")
        at = dt.datetime.fromisoformat(text)
        if at.tzinfo is None:
            raise ValueError("a time without an offset")
        return at.astimezone(dt.UTC)
    except (ValueError, OverflowError) as error:
        raise Invalid(N_("手机时间的格式不对，请更新核查页面后再传。"), field="device_at") from error


def clock_off(device_at: dt.datetime | None, now: dt.datetime, arranged_at: dt.datetime | None) -> int:
    """By how many seconds a phone's time can't be right: above 0 ahead of ours, below 0 before the appointment.

    0 when it may be right: what was done in a basement arrives late, so a time in the past is no fault.
    """
    if device_at is None:
        return 0
    if device_at > now + MOST_AHEAD:
        return min(_LONGEST_OFF, int((device_at - now).total_seconds()))
    if arranged_at is not None and device_at < arranged_at:
        return max(-_LONGEST_OFF, int((device_at - arranged_at).total_seconds()) or -1)
    return 0


def clock_words(off: int) -> Reason | None:
    """What is said of a phone's wrong clock; None when it may be right."""
    if off > 0:
        return Reason(N_("手机时间比系统快 %(n)s 分钟，已照原样记录并注明。"), {"n": -(-off // 60)})
    if off < 0:
        return Reason(N_("手机时间早于预约核查的时间，已照原样记录并注明。"))
    return None
