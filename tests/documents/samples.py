"""Facts and files for the document tests: invented enterprises, invented people, hostile texts."""

from __future__ import annotations

import hashlib
import io
import zipfile
from dataclasses import fields, replace
from datetime import date, datetime
from typing import Any, TypeVar

from PIL import Image, ImageDraw

from workflow.documents.official import (
    DecisionLine,
    ExpectedTime,
    InspectionItem,
    InspectionPhoto,
    InspectionSheetFacts,
    MaterialCount,
    NoticeFacts,
    PassFacts,
    ReceiptFacts,
)

HOSTILE = (
    "<script>alert(1)</script>{{7*7}}<img src=file:///etc/passwd>"
    "<link rel=attachment href=file:///etc/passwd>url(http://x.example/a)"
)
LONG = ("宁波海曙某某精密机械制造与国际贸易有限责任公司第一分公司" * 8)[:200]
RARE = "张䶮𫍲㛃"

Facts = TypeVar("Facts")


def photo(colour: str = "navy", size: tuple[int, int] = (640, 480), form: str = "JPEG", **options: Any) -> bytes:
    """A picture of a white disc on a coloured ground."""
    picture = Image.new("RGB", size, colour)
    ImageDraw.Draw(picture).ellipse((40, 40, 300, 300), fill="white")
    output = io.BytesIO()
    picture.save(output, form, **options)
    return output.getvalue()


def receipt(**changes: Any) -> ReceiptFacts:
    """A receipt."""
    facts = ReceiptFacts(
        reference="复工-海曙-20200215-0042",
        enterprise="宁波甬江精密机械有限公司",
        uscc="91330203674737244W",
        submitted_at=datetime(2020, 2, 15, 9, 30),  # noqa: DTZ001 - documents take Shanghai wall time
        town="海曙区望春街道",
        flow_name="规下企业复工（镇街审定）",
        materials=(MaterialCount(name="企业（单位）复工防疫方案", file_count=2),),
        expected_times=(ExpectedTime(step="材料审核", expected="1个工作日内"),),
        contact_name="张䶮",
        contact_phone_masked="138****5678",
        progress_url="https://fugong.example/cases/7f3a",
        demo=True,
    )
    return replace(facts, **changes)


def notice(**changes: Any) -> NoticeFacts:
    """A notice of approval."""
    facts = NoticeFacts(
        number="海复工〔2020〕42号",
        enterprise="宁波甬江精密机械有限公司",
        uscc="91330203674737244W",
        address="宁波市海曙区望春街道杉杉路 111 号 3 幢",
        head_count=86,
        resume_on=date(2020, 2, 17),
        decisions=(
            DecisionLine(authority="望春街道", opinion="符合复工条件，同意", decided_on=date(2020, 2, 15)),
            DecisionLine(authority="海曙区经信局", opinion="同意", decided_on=date(2020, 2, 15)),
            DecisionLine(authority="海曙区防控工作领导小组", opinion="同意复工", decided_on=date(2020, 2, 16)),
        ),
        conditions=(
            "每日上报员工健康状况，无异常也要上报。",
            "复工人数不得超过核定人数；增加员工须先办理复工追加。",
            "出现发热等可疑症状立即停止相关岗位工作，并在 2 小时内报告所在街道。",
        ),
        issuing_area="宁波市海曙区望春街道办事处",
        issued_on=date(2020, 2, 16),
        qr_text="HTTPS://F.EXAMPLE/N/7F3AK2",
        short_code="7F3A-K2QP",
        demo=True,
    )
    return replace(facts, **changes)


def vehicle_pass(**changes: Any) -> PassFacts:
    """A pass for a lorry."""
    facts = PassFacts(
        number="330203000042",
        kind="goods",
        plate="浙B12345",
        vehicle_type="重型厢式货车",
        enterprise="宁波甬江精密机械有限公司",
        purpose="原材料运输",
        route="海曙区望春街道 — 北仑区新碶街道（经绕城高速）",
        driver_names_masked=("张*", "欧阳*"),
        valid_from_on=date(2020, 2, 15),
        valid_until_on=date(2020, 2, 28),
        issuing_area="海曙区",
        qr_text="HTTPS://F.EXAMPLE/P/" + "A" * 200,
        short_code="7F3A-K2QP",
        demo=True,
    )
    return replace(facts, **changes)


def inspection_sheet(items: int = 74, photos: int = 3, **changes: Any) -> InspectionSheetFacts:
    """An inspection sheet with many items in six categories."""
    facts = InspectionSheetFacts(
        reference="复工-海曙-20200215-0042",
        enterprise="宁波甬江精密机械有限公司",
        uscc="91330203674737244W",
        address="宁波市海曙区望春街道杉杉路 111 号 3 幢",
        area="海曙区望春街道",
        head_count=86,
        inspectors=("王㛃", "李文博"),
        inspected_at=datetime(2020, 2, 16, 14, 5),  # noqa: DTZ001 - documents take Shanghai wall time
        items=tuple(
            InspectionItem(
                code=f"ORG-{number:02}",
                category=f"第{number // 13 + 1}类",
                text="防疫工作方案齐全且与现场一致（按本企业车间、岗位实际填写，非照抄模板）",
                result="不符合" if number % 17 == 3 else "符合",
                failed=number % 17 == 3,
                veto=number % 4 == 3,
                limit="≤ 50%",
                measured="63%",
                note="已当场要求整改" if number % 17 == 3 else "",
            )
            for number in range(items)
        ),
        photos=tuple(
            InspectionPhoto(content=content, caption="入口测温点", sha256=hashlib.sha256(content).hexdigest())
            for content in (photo(colour) for colour in ("navy", "darkred", "gray")[:photos])
        ),
        outcome="限期整改后复查",
        rectify_by_on=date(2020, 2, 19),
        qr_text="HTTPS://F.EXAMPLE/I/7F3AK2",
        short_code="7F3A-K2QP",
        remarks="食堂座位间距不足。",
        demo=True,
    )
    return replace(facts, **changes)


#: Fields whose form the domain fixes: nobody can type free text into them.
_FIXED = {"qr_text", "progress_url", "kind", "sha256", "contact_phone_masked"}


def filled(facts: Facts, text: str) -> Facts:
    """The same facts with ``text`` in every free text field, however deep."""
    changes: dict[str, Any] = {}
    for field in fields(facts):  # type: ignore[arg-type]
        value = getattr(facts, field.name)
        if field.name in _FIXED:
            continue
        if isinstance(value, str):
            changes[field.name] = text
        elif isinstance(value, tuple) and value:
            changes[field.name] = tuple(text if isinstance(item, str) else filled(item, text) for item in value)
    return replace(facts, **changes)  # type: ignore[type-var]


def zipped(entries: dict[str, bytes]) -> bytes:
    """A deflated archive of ``entries``."""
    output = io.BytesIO()
    with zipfile.ZipFile(output, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return output.getvalue()
