"""The official papers: for each a dataclass of facts and a function that prints it.

Facts are primitives; dates and times are already in Shanghai; names of drivers and phone numbers are already
masked by the caller. ``demo`` puts the word 演示 across the page and a 演示 seal where the real seal goes.
"""

from __future__ import annotations

import math
import re
from dataclasses import asdict, dataclass
from datetime import date, datetime

from workflow.documents.fonts import width_em
from workflow.documents.pass_kinds import LOOKS, PassKind
from workflow.documents.pdf import Primitive, render

_UNMASKED_PHONE = re.compile(r"(?<!\d)1[3-9]\d{9}(?!\d)|(?<!\d)0\d{2,3}[- ]?\d{7,8}(?!\d)")


@dataclass(frozen=True, slots=True, kw_only=True)
class MaterialCount:
    """A material as filed, and how many files it has."""

    name: str
    file_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedTime:
    """A step of the flow and when it is expected to be done, in words (``2个工作日内``)."""

    step: str
    expected: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptFacts:
    """复工申请受理回执. ``progress_url`` is printed as a QR code when given."""

    reference: str
    enterprise: str
    uscc: str
    submitted_at: datetime
    town: str
    flow_name: str
    materials: tuple[MaterialCount, ...]
    expected_times: tuple[ExpectedTime, ...]
    contact_name: str
    contact_phone_masked: str
    progress_url: str | None = None
    demo: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionLine:
    """Who decided, what, and on which day."""

    authority: str
    opinion: str
    decided_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeFacts:
    """同意复工通知书. ``qr_text`` is what the code holds (an address), ``short_code`` what a person types instead."""

    number: str
    enterprise: str
    uscc: str
    address: str
    head_count: int
    resume_on: date
    decisions: tuple[DecisionLine, ...]
    conditions: tuple[str, ...]
    issuing_area: str
    issued_on: date
    qr_text: str
    short_code: str
    demo: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PassFacts:
    """车辆通行证. Valid from the start of ``valid_from_on`` to the end of ``valid_until_on`` (24 时)."""

    number: str
    kind: PassKind
    plate: str
    vehicle_type: str
    enterprise: str
    purpose: str
    route: str
    driver_names_masked: tuple[str, ...]
    valid_from_on: date
    valid_until_on: date
    issuing_area: str
    qr_text: str
    short_code: str
    demo: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class InspectionItem:
    """One item of the checklist as found. ``result`` is 符合, 不符合 or 不适用; empty texts stay empty."""

    code: str
    category: str
    text: str
    result: str
    failed: bool
    veto: bool = False
    limit: str = ""
    measured: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class InspectionPhoto:
    """A photo taken on site: ``content`` is a re-encoded JPEG or PNG, ``sha256`` its hexadecimal hash."""

    content: bytes
    caption: str
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InspectionSheetFacts:
    """实地勘定表. ``outcome`` is 通过, 限期整改后复查 or 不通过; ``rectify_by_on`` only with the second."""

    reference: str
    enterprise: str
    uscc: str
    address: str
    area: str
    head_count: int
    inspectors: tuple[str, str]
    inspected_at: datetime
    items: tuple[InspectionItem, ...]
    photos: tuple[InspectionPhoto, ...]
    outcome: str
    rectify_by_on: date | None
    qr_text: str
    short_code: str
    remarks: str = ""
    demo: bool = False


def render_receipt(facts: ReceiptFacts) -> bytes:
    """Return the receipt as PDF; ValueError when the phone number is not masked."""
    _refuse_phone(facts.contact_phone_masked)
    return render("receipt", asdict(facts))


def render_notice(facts: NoticeFacts) -> bytes:
    """Return the notice of approval as PDF."""
    return render("notice", asdict(facts))


def render_inspection_sheet(facts: InspectionSheetFacts) -> bytes:
    """Return the on-site inspection sheet as PDF, items grouped by category in the order given."""
    context: dict[str, Primitive] = asdict(facts)
    categories: dict[str, list[Primitive]] = {}
    for item in facts.items:
        categories.setdefault(item.category, []).append(asdict(item))
    context["categories"] = [{"name": name, "entries": entries} for name, entries in categories.items()]
    context["failed_count"] = sum(item.failed for item in facts.items)
    context["failed_veto_count"] = sum(item.failed and item.veto for item in facts.items)
    photos: list[Primitive] = [
        {"content": photo.content, "caption": photo.caption, "short_hash": photo.sha256[:12]} for photo in facts.photos
    ]
    context["photo_rows"] = [photos[start : start + 2] for start in range(0, len(photos), 2)]
    return render("inspection_sheet", context)


# The windscreen pass is one fixed page: instead of wrapping on to a second one, texts get smaller.
_PLATE_WIDTH_MM, _PLATE_MAX_MM = 266.0, 56.0
_DOT_EM = 0.58  # pass.css pulls the neighbours of the full-width dot closer by this much
_DETAILS_WIDTH_MM, _DETAILS_HEIGHT_MM = 199.0, 70.0
_DETAIL_SIZES_MM = (6.4, 5.8, 5.2, 4.5, 4.0, 3.6, 3.2, 2.9, 2.6, 2.3, 2.0)
_ISSUER_WIDTH_MM, _ISSUER_HEIGHT_MM = 82.0, 28.0
_ISSUER_SIZES_MM = (10.0, 8.5, 7.0, 6.0, 5.0, 4.2, 3.5, 2.8, 2.2)


def render_pass(facts: PassFacts) -> bytes:
    """Return the vehicle pass as one landscape A4 page, the plate about 40 mm high."""
    look = LOOKS[facts.kind]
    plate = spaced_plate(facts.plate)
    details = [
        ("企业名称", facts.enterprise),
        ("车辆类型", facts.vehicle_type),
        ("用途", facts.purpose),
        ("通行路线", facts.route),
        ("驾驶人", "、".join(facts.driver_names_masked) or "—"),
    ]
    context: dict[str, Primitive] = {
        **asdict(facts),
        "title": "复工人员通行证" if facts.kind is PassKind.PERSON else "复工车辆通行证",
        "plate_parts": plate.split("·"),
        "plate_size_mm": round(min(_PLATE_MAX_MM, _PLATE_WIDTH_MM / (width_em(plate) - _DOT_EM * plate.count("·"))), 2),
        "kind_word": look.word,
        "kind_width_mm": round(10 + 17 * width_em(look.word) + 8),
        "colour": look.colour,
        "details": details,
        "details_size_mm": _fitting_size(
            [value for _, value in details], _DETAIL_SIZES_MM, _DETAILS_WIDTH_MM, _DETAILS_HEIGHT_MM, label_em=6
        ),
        "issuer_size_mm": _fitting_size(
            [facts.issuing_area], _ISSUER_SIZES_MM, _ISSUER_WIDTH_MM, _ISSUER_HEIGHT_MM, label_em=0
        ),
    }
    return render("pass", context)


def spaced_plate(plate: str) -> str:
    """Return a plate as it is written on the vehicle: 浙B·12345. Anything unusual comes back unchanged."""
    bare = plate.replace("·", "").replace(" ", "").upper()
    ordinary = re.fullmatch(r"[\u4e00-\u9fff][A-Z][A-Z0-9\u4e00-\u9fff]{4,6}", bare)
    return f"{bare[:2]}·{bare[2:]}" if ordinary else plate


def _fitting_size(
    texts: list[str], sizes: tuple[float, ...], width_mm: float, height_mm: float, *, label_em: float
) -> float:
    """Return the largest of ``sizes`` at which all ``texts``, one below the other, fit into the box."""
    for size in sizes:
        lines = sum(math.ceil(width_em(text) / (width_mm / size - label_em - 1)) or 1 for text in texts)
        if (lines * 1.3 + len(texts) * 0.45) * size <= height_mm:
            return size
    return sizes[-1]


def _refuse_phone(text: str) -> None:
    if _UNMASKED_PHONE.search(text):
        raise ValueError("a phone number on paper must be masked")
