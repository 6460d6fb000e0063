"""The sheet of a visit as its page shows it: items by category, entries, photos and the ways to conclude."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from flask import url_for

from workflow.core.actors import Actor
from workflow.core.catalogue import ChecklistItem
from workflow.core.engine import OpenStep
from workflow.core.errors import N_, Invalid
from workflow.data import field as field_data
from workflow.data import inspections, issued
from workflow.data.inspections import Inspection, InspectionItem, InspectionPhoto
from workflow.data.issued import DocumentKind, IssuedDocument
from workflow.i18n import reader_locale
from workflow.services import appointments, checklists, item_deadlines
from workflow.services import cases as case_service
from workflow.services.marking import ItemEntry, fingerprint, is_untouched

RESULT_LABELS: Mapping[str, str] = {"conform": N_("符合"), "fail": N_("不符合"), "na": N_("不适用")}
RESULT_TONES: Mapping[str, str] = {"conform": "success", "fail": "danger", "na": "neutral"}


@dataclass(frozen=True, slots=True)
class SheetItem:
    """One item: the row as stored, what it asks, what is in the form, the inspectors' photos, and what the company said
    and showed that it put right: on a recheck after the visit before (``remedy``), else after this one."""

    row: InspectionItem
    item: ChecklistItem
    entry: ItemEntry
    error: str
    remedy: str
    photos: list[InspectionPhoto]
    remedy_photos: list[InspectionPhoto]
    due_on: dt.date | None = None


@dataclass(frozen=True, slots=True)
class SheetView:
    """The whole page; ``steps`` are the flow's ways to conclude; ``typed`` the conclusion as sent before a refusal;
    ``left`` counts the marks that somebody else's phone sent too late."""

    visit: Inspection
    groups: list[tuple[str, list[SheetItem]]]
    steps: list[OpenStep]
    may_fill: bool
    may_plan: bool
    left: int
    document: IssuedDocument | None
    place_photos: list[InspectionPhoto]
    errors: Mapping[str, str]
    labels: Mapping[str, str] = field(default_factory=lambda: RESULT_LABELS)
    tones: Mapping[str, str] = field(default_factory=lambda: RESULT_TONES)
    typed: Mapping[str, str] = field(default_factory=dict)

    @property
    def items(self) -> list[SheetItem]:
        """Every item in order."""
        return [item for _category, items in self.groups for item in items]

    @property
    def codes(self) -> set[str]:
        """The codes of the items."""
        return {item.row.code for item in self.items}

    @property
    def marked(self) -> int:
        """How many items are marked."""
        return sum(bool(i.row.result) for i in self.items)

    @property
    def failed(self) -> int:
        """How many items failed."""
        return sum(i.row.result == "fail" for i in self.items)

    @property
    def seen(self) -> str:
        """What the form's items are drawn with."""
        return seen(self.visit)

    @property
    def needs_date(self) -> bool:
        """Whether some way to conclude sets a date to rectify by."""
        return any("rectify_date_set" in s.step.checks for s in self.steps)


def entries(visit: Inspection, fields: Mapping[str, str]) -> dict[str, ItemEntry]:
    """What a form or script sent, by item; items that were not sent are left alone.

    A form's ``seen`` says what each item was drawn with, so that what nobody touched on it overwrites nothing.
    """
    found, seen = {}, dict(part.split(":", 1) for part in fields.get("seen", "").split() if ":" in part)
    for row in visit.items:
        names = [f"{part}_{row.code}" for part in ("result", "measured", "note")]
        if any(name in fields for name in names):
            result, measured, note = (fields.get(name, "") for name in names)
            day, kept = fields.get(f"rectify_{row.code}"), row.rectify_by_on
            changed = day is not None and day != (kept.isoformat() if kept else "")
            found[row.code] = ItemEntry(result, measured, note, day if changed else None, seen.get(row.code, ""))
    return found


def seen(visit: Inspection) -> str:
    """What the items of a form are drawn with, by code, for its field ``seen``."""
    return " ".join(f"{row.code}:{fingerprint(row.result, row.measured, row.note)}" for row in visit.items)


def touched(visit: Inspection, sent: Mapping[str, ItemEntry], revision: int) -> dict[str, ItemEntry]:
    """What was sent without the items that somebody else changed meanwhile and nobody touched on the page."""
    newer = {row.code for row in visit.items if row.revision > revision}
    return {code: e for code, e in sent.items() if code not in newer or not is_untouched(e)}


def fields_of(visit: Inspection) -> dict[str, str]:
    """The stored entries under the names of the form's fields."""
    fields = {}
    for row in visit.items:
        fields[f"result_{row.code}"] = row.result or ""
        fields[f"measured_{row.code}"] = row.measured
        fields[f"note_{row.code}"] = row.note
        fields[f"rectify_{row.code}"] = row.rectify_by_on.isoformat() if row.rectify_by_on else ""
    return fields


def revision_of(text: str | None) -> int:
    """The revision that a form was drawn from; :class:`Invalid` when it carries none."""
    if not text or not text.isascii() or not text.isdigit() or len(text) > 9:
        raise Invalid(N_("这份表单已失效，请刷新页面后再提交；您填的内容请先复制保存。"))
    return int(text)


def read_json(body: Any) -> tuple[dict[str, str], int]:
    """Fields and revision of an autosave; :class:`Invalid` for another shape."""
    fields = body.get("fields") if isinstance(body, dict) else None
    if not isinstance(fields, dict) or not all(isinstance(v, str) for v in fields.values()):
        raise Invalid(N_("表单内容不对，请刷新页面后重试。"))
    return {str(k): v for k, v in fields.items()}, revision_of(str(body.get("revision", "")))


def _before(visit: Inspection) -> Inspection | None:
    """On a recheck: the visit that found what is checked again."""
    if not visit.is_recheck:
        return None
    earlier = [v for v in inspections.of_case(visit.case_id) if v.number < visit.number and v.status == "concluded"]
    return earlier[-1] if earlier else None


def document_of(visit: Inspection) -> IssuedDocument | None:
    """The sheet that was issued when the visit was concluded, if it was."""
    number = f"-勘定{visit.number}"
    papers = (d for d in issued.of_case(visit.case_id) if d.kind == DocumentKind.INSPECTION_SHEET)
    return next((d for d in papers if d.number.endswith(number)), None)


def _taken(visit: Inspection, code: str) -> list[InspectionPhoto]:
    """The inspectors' photos of one item, or of the place; the company's are shown beside what it says."""
    return [p for p in visit.photos if p.code == code and not p.by_company]


def _groups(
    visit: Inspection, sent: Mapping[str, ItemEntry], errors: Mapping[str, str]
) -> list[tuple[str, list[SheetItem]]]:
    checklist, before, locale = checklists.of_visit(visit), _before(visit), reader_locale()
    remedies = {i.code: i.remedy for i in before.items} if before else {}
    shown = [p for p in (before or visit).photos if p.by_company]
    groups: dict[str, list[SheetItem]] = {}
    for row in visit.items:
        item = checklist.item(row.code)
        stored = ItemEntry(row.result or "", row.measured, row.note)
        line = SheetItem(
            row=row,
            item=item,
            entry=sent.get(row.code, stored),
            error=errors.get(row.code, ""),
            remedy=remedies.get(row.code, ""),
            photos=_taken(visit, row.code),
            remedy_photos=[p for p in shown if p.code == row.code],
            due_on=item_deadlines.due_on(visit, row),
        )
        groups.setdefault(item.category.text(locale), []).append(line)
    return list(groups.items())


def view(
    actor: Actor,
    visit: Inspection,
    now: dt.datetime,
    *,
    entries: Mapping[str, ItemEntry] | None = None,
    errors: Mapping[str, str] | None = None,
    typed: Mapping[str, str] | None = None,
) -> SheetView:
    """Put the page together; ``entries`` are shown instead of the stored ones after a refusal."""
    errors = errors or {}
    planned = visit.status == "planned"
    steps = case_service.open_steps(actor, visit.case, now) if planned else []
    may_fill = planned and actor.person_id in (visit.lead_id, visit.second_id)
    return SheetView(
        visit=visit,
        groups=_groups(visit, entries or {}, errors),
        steps=[s for s in steps if s.step.form == "sheet"],
        may_plan=appointments.may_plan(actor, visit.case),
        may_fill=may_fill,
        left=len(field_data.left_over(visit.id)) if may_fill else 0,
        document=None if planned else document_of(visit),
        place_photos=_taken(visit, ""),
        errors=errors,
        typed=typed or {},
    )


def slot(visit: Inspection, code: str) -> dict[str, Any]:
    """What the photo strip of one item (or of the place, without code) is drawn from."""
    return {
        "code": code,
        "photos": _taken(visit, code),
        "upload_url": url_for("inspections.add_photo", inspection_id=visit.id, code=code),
    }
