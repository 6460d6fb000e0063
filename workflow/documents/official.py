"""The official papers: for each a dataclass of facts and a function that prints it.

Facts are primitives; dates and times are already in Shanghai; names of drivers and phone numbers are already
masked by the caller. ``demo`` puts the word 演示 across the page and a 演示 seal where the real seal goes.
"""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from datetime import date, datetime

from workflow.core.chart_svg import is_drawing
from workflow.documents.pass_facts import PassFacts as PassFacts
from workflow.documents.pass_layouts import layouts
from workflow.documents.pass_paper import design_for, render_whole
from workflow.documents.pass_setting import spaced_plate as spaced_plate
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
    """复工申请受理回执. ``progress_url`` is printed as a QR code when given, ``chart_svg`` as the flow's picture.

    ``notice_name`` is the paper without which nobody may resume.

    ``chart_svg`` is a drawing of :mod:`workflow.core.chart_svg` that stands alone; anything else is left out.
    """

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
    chart_svg: str = ""
    notice_name: str = "同意复工通知书"
    demo: bool = False


NOTICE_TITLE = "同意复工通知书"


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionLine:
    """Who decided, what, and on which day."""

    authority: str
    opinion: str
    decided_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeFacts:
    """同意复工通知书. ``qr_text`` is what the code holds (an address), ``short_code`` what a person types instead.

    ``inspection`` says in which words it is given: ``before`` after a check on site, ``after`` when checks follow by
    lot, ``none`` when only a list was registered.
    """

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
    title: str = NOTICE_TITLE
    inspection: str = "before"
    demo: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class InspectionItem:
    """One item of the checklist as found. ``result`` is 符合, 不符合 or 不适用; empty texts stay empty.

    ``rectify_by_on`` is the day by which a failed item is to be right.
    """

    code: str
    category: str
    text: str
    result: str
    failed: bool
    veto: bool = False
    limit: str = ""
    measured: str = ""
    note: str = ""
    rectify_by_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InspectionPhoto:
    """A photo taken on site: ``content`` is a re-encoded JPEG or PNG, ``sha256`` the hexadecimal hash of the bytes as
    they were taken. ``taken_at`` is by the phone's clock, ``received_at`` by ours; ``clock_off`` is by how many seconds
    the phone's can't be right (0 when it may be); ``place`` and ``source`` are words.
    """

    content: bytes
    caption: str
    sha256: str
    code: str = ""
    taken_at: datetime | None = None
    received_at: datetime | None = None
    clock_off: int = 0
    by: str = ""
    place: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetSignature:
    """What a party said to the sheet: ``status`` is signed, refused (with a ``reason``) or empty, to sign with a pen.

    ``drawing`` is the signature as drawn on glass, if it was; ``changed_after`` says that something was marked later.
    """

    party: str
    name: str
    status: str = ""
    post: str = ""
    reason: str = ""
    signed_at: datetime | None = None
    drawing: bytes | None = None
    changed_after: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class InspectionSheetFacts:
    """实地勘定表. ``outcome`` is 通过, 限期整改后复查 or 不通过; ``rectify_by_on`` only with the second.

    ``head`` is number and hash of the last row of the town's history when the sheet was issued; ``visit_number`` counts
    the case's visits (0: not known).
    """

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
    visit_number: int = 0
    is_recheck: bool = False
    signatures: tuple[SheetSignature, ...] = ()
    head: tuple[int, str] | None = None
    demo: bool = False


def render_receipt(facts: ReceiptFacts) -> bytes:
    """Return the receipt as PDF; ValueError when the phone number is not masked."""
    _refuse_phone(facts.contact_phone_masked)
    chart = facts.chart_svg if is_drawing(facts.chart_svg) else ""
    return render("receipt", {**asdict(facts), "chart_svg": chart})


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
    photos = [_photo_context(number, photo) for number, photo in enumerate(facts.photos, start=1)]
    context["photos"] = photos
    context["photo_rows"] = [photos[start : start + 3] for start in range(0, len(photos), 3)]
    context["signatures"] = [asdict(s) for s in facts.signatures] or [
        asdict(SheetSignature(party=party, name=name))
        for party, name in (("企业", ""), *zip(("核查员（主办）", "核查员（协办）"), facts.inspectors, strict=True))
    ]
    return render("inspection_sheet", context)


def _photo_context(number: int, photo: InspectionPhoto) -> dict[str, Primitive]:
    """A photo as the template shows it: numbered, with the first 16 digits of its hash below it."""
    shown: dict[str, Primitive] = asdict(photo)
    return {**shown, "number": number, "short_hash": photo.sha256[:16], "minutes_off": -(-abs(photo.clock_off) // 60)}


def render_pass(facts: PassFacts) -> bytes:
    """Return the vehicle pass as one landscape A4 page, the plate about 40 mm high.

    Passes by the hundred: :mod:`workflow.documents.sheets`, which draws the same picture.
    """
    return render_whole(facts, design_for(facts, layouts()["windscreen"]))


def _refuse_phone(text: str) -> None:
    if _UNMASKED_PHONE.search(text):
        raise ValueError("a phone number on paper must be masked")
