"""One mark on one item of a sheet: what the page at the desk and the phone on site both go by."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from dataclasses import dataclass

from sqlalchemy.orm.attributes import flag_modified

from workflow.core.actors import Actor
from workflow.core.catalogue import ChecklistItem
from workflow.core.errors import N_, Invalid
from workflow.core.texts import clean_text
from workflow.data.inspections import Inspection, InspectionItem
from workflow.services.cases import clean_words

RESULTS = ("", "conform", "fail", "na")
_MARK = ("result", "measured", "note", "rectify_by_on", "revision", "marked_by", "marked_at", "marked_device_at")
LATEST_RECTIFICATION = dt.timedelta(days=366)

Values = tuple[str | None, str, str, dt.date | None]
"""What is kept of a mark: result, measured value, words, and the day by which a failed item is to be right."""


@dataclass(frozen=True, slots=True)
class ItemEntry:
    """What an inspector marks on one item; texts as typed.

    ``rectify_by_on`` is an ISO date, empty for none, None to leave what is stored. ``seen`` is the
    :func:`fingerprint` of what the page showed when it was drawn, where a page says so.
    """

    result: str
    measured: str = ""
    note: str = ""
    rectify_by_on: str | None = None
    seen: str = ""


def fingerprint(result: str | None, measured: str, note: str) -> str:
    """What tells one mark from another on a page that was drawn from it."""
    text = "\x1f".join((result or "", clean_text(measured), clean_text(note)))
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def is_untouched(entry: ItemEntry) -> bool:
    """Whether a page sends an item as it had been drawn, so that nobody changed it there."""
    return bool(entry.seen) and entry.seen == fingerprint(entry.result, entry.measured, entry.note)


def stored(row: InspectionItem) -> Values:
    """The mark that an item carries now."""
    return row.result, row.measured, row.note, row.rectify_by_on


def _measured(item: ChecklistItem, entry: ItemEntry) -> str:
    text = clean_text(entry.measured)[:40]
    if item.limit is None or not text:
        return text
    number = re.sub(r"[^\d.\-]", "", text.replace("，", ""))
    try:
        value = float(number)
    except ValueError as error:
        raise Invalid(N_("“%(code)s”的实测值应为数字。"), field=item.code, code=item.code) from error
    if entry.result == "conform" and not item.limit.within(value):
        raise Invalid(
            N_("“%(code)s”实测 %(value)s，不在限值“%(limit)s”内，不能判为符合。"),
            field=item.code,
            code=item.code,
            value=text,
            limit=item.limit.label,
        )
    return text


def _rectify_by(row: InspectionItem, entry: ItemEntry, arranged_on: dt.date) -> dt.date | None:
    """The day given for a failed item; one that is not failed has none."""
    if entry.result != "fail":
        return None
    if entry.rectify_by_on is None:
        return row.rectify_by_on
    if not entry.rectify_by_on:
        return None
    try:
        day = dt.date.fromisoformat(entry.rectify_by_on)
    except ValueError as error:
        raise Invalid(N_("请填写存在的日期，如 2020-02-20。"), field=row.code) from error
    if not abs(day - arranged_on) <= LATEST_RECTIFICATION:
        raise Invalid(N_("“%(code)s”的整改期限离核查日超过一年，请核对。"), field=row.code, code=row.code)
    return day


def read(visit: Inspection, row: InspectionItem, item: ChecklistItem, entry: ItemEntry) -> Values:
    """What ``entry`` comes to; :class:`Invalid` at the item's code for a mark that can't be."""
    if entry.result not in RESULTS:
        raise Invalid(N_("请选择列表中的一项。"), field=row.code)
    return (
        entry.result or None,
        _measured(item, entry),
        clean_words(entry.note, row.code),
        _rectify_by(row, entry, visit.visit_at.date()),
    )


def mark(
    visit: Inspection,
    row: InspectionItem,
    values: Values,
    actor: Actor,
    *,
    now: dt.datetime,
    device_at: dt.datetime | None = None,
) -> bool:
    """Write a mark; False when the item carries it already. Revisions of items are those of the sheet as a whole."""
    if stored(row) == values:
        return False
    visit.revision += 1
    row.result, row.measured, row.note, row.rectify_by_on = values
    row.revision, row.marked_by, row.marked_at, row.marked_device_at = visit.revision, actor.person_id, now, device_at
    for name in _MARK:
        flag_modified(row, name)  # every mark writes the same columns, so that many go to the database as one statement
    return True
