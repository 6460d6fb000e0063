"""The files that demo companies hand in: made here, received once, and handed over as copies."""

from __future__ import annotations

import io
import shutil
import uuid
from dataclasses import replace
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from config import ROOT
from workflow.documents import material_templates
from workflow.documents.uploads import FileKind, ReceivedFile, receive
from workflow.extensions import settings

_FONT = ROOT / "static" / "fonts" / "NotoSansSC-Regular.ttf"


def scanned_page(title: str, lines: tuple[str, ...], tint: tuple[int, int, int]) -> bytes:
    """A scanned-looking page as PNG."""
    page = Image.new("RGB", (900, 1200), (250, 250, 246))
    draw = ImageDraw.Draw(page)
    large, small = ImageFont.truetype(str(_FONT), 44), ImageFont.truetype(str(_FONT), 26)
    draw.rectangle((40, 40, 860, 1160), outline=tint, width=5)
    draw.text((450, 140), title, fill=tint, font=large, anchor="mm")
    for number, line in enumerate(lines):
        draw.text((100, 260 + number * 64), line, fill=(40, 40, 40), font=small)
    draw.ellipse((560, 880, 780, 1100), outline=(190, 40, 40), width=6)
    draw.text((670, 990), "演示用章", fill=(190, 40, 40), font=small, anchor="mm")
    buffer = io.BytesIO()
    page.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def _photo(words: str, tint: tuple[int, int, int]) -> bytes:
    picture = Image.new("RGB", (1280, 960), tint)
    draw = ImageDraw.Draw(picture)
    for step in range(0, 960, 40):
        shade = tuple(max(0, c - step // 12) for c in tint)
        draw.rectangle((0, step, 1280, step + 40), fill=shade)
    draw.text((640, 480), words, fill=(255, 255, 255), font=ImageFont.truetype(str(_FONT), 72), anchor="mm")
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=80)
    return buffer.getvalue()


def _contents() -> dict[str, tuple[str, bytes]]:
    """File name and bytes by what it is for."""
    survey, plan, supplies = (material_templates.build(code) for code in ("M02", "M04", "supplies"))
    promise = (
        "一、落实企业主体责任；",
        "二、落实员工接送、隔离、防控三项措施；",
        "三、每日报告，不瞒报漏报；",
        "四、发生疫情立即停工。",
    )
    licence = ("统一社会信用代码：（演示）", "类型：有限责任公司", "经营范围：（演示）", "登记机关：（演示）")
    return {
        "M02": (survey.name, survey.content),
        "M04": (plan.name, plan.content),
        "supplies": (supplies.name, supplies.content),
        "commitment": ("承诺书（签字盖章）.png", scanned_page("疫情防控承诺书", promise, (120, 40, 40))),
        "licence": ("营业执照副本.png", scanned_page("营业执照（副本）", licence, (150, 110, 40))),
        "better": (
            "承诺书（重新签字）.png",
            scanned_page("疫情防控承诺书", (*promise, "五、补签法定代表人姓名。"), (120, 40, 40)),
        ),
        "photo1": ("门岗测温.jpg", _photo("门岗测温点", (60, 96, 120))),
        "photo2": ("食堂隔板.jpg", _photo("食堂错峰就餐", (90, 110, 80))),
        "safety": (
            "安全检查报备.png",
            scanned_page("安全检查情况报备表", ("配电、消防已检查。",), (40, 60, 120)),
        ),
        "orders": ("出口订单.png", scanned_page("出口订单（节选）", ("交货期：三月上旬",), (40, 90, 90))),
    }


class Papers:
    """Each kind of file received once; :meth:`copy` hands over another copy of it."""

    def __init__(self) -> None:
        self._folder: Path = settings().var_dir / "incoming"
        self._folder.mkdir(parents=True, exist_ok=True)
        self._received: dict[str, ReceivedFile] = {}
        for key, (name, content) in _contents().items():
            self._received[key] = receive(
                io.BytesIO(content), name, kinds=tuple(FileKind), max_bytes=20 * 1024 * 1024, folder=self._folder
            )

    def copy(self, key: str) -> ReceivedFile:
        """A copy of the file called ``key``, to be taken over by a service."""
        original = self._received.get(key, self._received["commitment"])
        path = self._folder / f"demo-{uuid.uuid4().hex}"
        shutil.copyfile(original.path, path)
        return replace(original, path=path)

    def sweep(self) -> None:
        """Delete the received originals."""
        for file in self._received.values():
            file.path.unlink(missing_ok=True)
