"""Tests of printing by the hundred: the same picture as plain WeasyPrint, PDF/A, the same bytes, little memory."""

from __future__ import annotations

import io
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pypdfium2
import pytest
from PIL import Image, ImageChops, ImageDraw, ImageStat
from pypdf import PdfReader

from tests.documents import pdfa, samples
from workflow.documents import sheets
from workflow.documents.official import render_notice, render_pass
from workflow.documents.pass_facts import PassFacts
from workflow.documents.pass_kinds import catalogue
from workflow.documents.pass_layouts import LAYOUT_FILE, Layout, layouts, read_layouts
from workflow.documents.pass_paper import render_whole
from workflow.documents.pass_setting import set_pass
from workflow.documents.qr import packed_matrix
from workflow.documents.sheets import render_passes, render_single, zip_passes
from workflow.documents.typeset import DESCENT, width

ROOT = Path(__file__).resolve().parents[2]
DPI = 400
WINDSCREEN, HALF, CARD = (layouts()[key] for key in ("windscreen", "half", "card"))
KINDS = [kind.key for kind in catalogue().kinds.values() if kind.is_pass]
LONG = dict.fromkeys(("enterprise", "route", "purpose", "vehicle_type", "issuing_area"), samples.LONG)

#: What is changed on the pass, and how much of the full scale any square millimetre may differ in the mean.
#: Long texts are set so small that the rasteriser puts the same glyph a pixel to the left or right.
CASES: list[Any] = [
    pytest.param({}, 0.06, id="ordinary"),
    pytest.param({"demo": False, "driver_names_masked": ()}, 0.06, id="bare"),
    pytest.param({**LONG, "driver_names_masked": (samples.LONG, samples.LONG)}, 0.35, id="long"),
    pytest.param({"enterprise": "W" * 200, "route": 'Beilun "Xinqi" Rd. 12-3 (via G1504), ' * 4}, 0.12, id="latin"),
    pytest.param({"enterprise": f"{samples.RARE}有限公司", "driver_names_masked": ("张䶮", "𫍲*")}, 0.12, id="rare"),
    pytest.param({"plate": "浙BD12345"}, 0.06, id="8-character plate"),
    pytest.param({"plate": "粤Z1234港"}, 0.06, id="Hong Kong plate"),
    pytest.param({"enterprise": "甬😀江“引号”、（括号）——破折号…'x'"}, 0.06, id="marks and emoji"),
    pytest.param({"enterprise": "Cafe\u0301 ǎ 有限公司"}, 0.06, id="combining marks"),
]


def picture(data: bytes, page: int = 0, dpi: int = DPI) -> Image.Image:
    """A page in grey."""
    with pypdfium2.PdfDocument(data) as document:
        return document[page].render(scale=dpi / 72).to_pil().convert("L")


def without_code(image: Image.Image, layout: Layout) -> Image.Image:
    """The same picture with the code painted over: it is compared module by module."""
    code, mm = layout.design.code, DPI / 25.4
    edges = [code.x * mm - 2, code.y * mm - 2, (code.x + code.side) * mm + 2, (code.y + code.side) * mm + 2]
    ImageDraw.Draw(image).rectangle(edges, fill=255)
    return image


def difference(first: Image.Image, second: Image.Image) -> tuple[float, float]:
    """By how much of the full scale two pictures differ: in the mean, and in the worst square millimetre."""
    assert first.size == second.size
    apart = ImageChops.difference(first, second)
    millimetre = round(DPI / 25.4)
    blocks = apart.resize((apart.width // millimetre, apart.height // millimetre), Image.Resampling.BOX)
    return ImageStat.Stat(apart).mean[0] / 255, blocks.getextrema()[1] / 255


def modules(image: Image.Image, layout: Layout, count: int) -> bytes:
    """The code read off a picture at the middle of each module."""
    code, mm = layout.design.code, DPI / 25.4
    pitch = code.side / count
    at = [(number + 0.5) * pitch for number in range(count)]
    return bytes(
        int(image.getpixel((int((code.x + x) * mm), int((code.y + y) * mm))) > 127)  # type: ignore[operator]
        for y in at
        for x in at
    )


def reader(data: bytes) -> PdfReader:
    return PdfReader(io.BytesIO(data), strict=True)


def words(data: bytes) -> str:
    return "".join("".join(page.extract_text() for page in reader(data).pages).split())


def batch(count: int, **changes: Any) -> list[PassFacts]:
    return [samples.vehicle_pass(number=f"330203{number:06d}", **changes) for number in range(count)]


def printed(passes: list[PassFacts], layout: Layout) -> bytes:
    return b"".join(render_passes(passes, layout))


@pytest.mark.parametrize("layout", [WINDSCREEN, CARD], ids=lambda layout: layout.key)
@pytest.mark.parametrize(("changes", "worst"), CASES)
def test_the_picture_is_that_of_plain_weasyprint(changes: dict[str, Any], worst: float, layout: Layout) -> None:
    facts = samples.vehicle_pass(**changes)
    fast, plain = picture(render_single(facts, layout)), picture(render_whole(facts, layout.design))
    bits, count = packed_matrix(facts.qr_text)
    row = (count + 7) // 8
    expected = bytes(bits[y * row + x // 8] >> (7 - x % 8) & 1 for y in range(count) for x in range(count))
    assert modules(fast, layout, count) == modules(plain, layout, count) == expected
    mean, most = difference(without_code(fast, layout), without_code(plain, layout))
    assert mean < 0.004
    assert most < worst


def test_one_wrong_character_would_be_seen() -> None:
    fast = without_code(
        picture(render_single(samples.vehicle_pass(enterprise="宁波甬江有限公司"), WINDSCREEN)), WINDSCREEN
    )
    plain = without_code(picture(render_pass(samples.vehicle_pass(enterprise="宁波甫江有限公司"))), WINDSCREEN)
    assert difference(fast, plain)[1] > 0.2


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_looks_the_same_both_ways(kind: str) -> None:
    facts = samples.vehicle_pass(kind=kind, demo=False)
    for layout in (WINDSCREEN, CARD):
        fast, plain = picture(render_single(facts, layout)), picture(render_whole(facts, layout.design))
        assert difference(without_code(fast, layout), without_code(plain, layout))[1] < 0.06
        assert catalogue().kinds[kind].word.zh in words(render_single(facts, layout))


def test_pieces_on_a_sheet_look_like_the_piece_alone() -> None:
    passes = batch(9, demo=False)
    mm = DPI / 25.4
    for layout in (HALF, CARD):
        sheet = picture(printed(passes, layout))
        alone = picture(render_single(passes[1], layout))
        x, y = layout.at[1]
        box = int(x * mm), int(y * mm), int(x * mm) + alone.width, int(y * mm) + alone.height
        # The corner falls between two pixels, so edges differ; a wrong place or size differs everywhere.
        assert difference(sheet.crop(box), alone)[0] < 0.05
        assert len(reader(printed(passes, layout)).pages) == -(-9 // len(layout.at))


def test_papers_have_their_sizes() -> None:
    for layout, paper, alone in (
        (WINDSCREEN, (297, 210), (297, 210)),
        (HALF, (210, 297), (210, 148.5)),
        (CARD, (210, 297), (85.6, 54)),
    ):
        for data, size in ((printed(batch(2), layout), paper), (render_single(batch(1)[0], layout), alone)):
            box = reader(data).pages[0].mediabox
            assert (float(box.width) / 72 * 25.4, float(box.height) / 72 * 25.4) == pytest.approx(size, abs=0.1)


@pytest.mark.parametrize("layout", [WINDSCREEN, HALF, CARD], ids=lambda layout: layout.key)
def test_it_is_pdf_a(layout: Layout) -> None:
    passes = [
        *batch(3),
        *batch(2, enterprise="张䶮 Cafe\u0301"),
        *batch(3, enterprise=samples.RARE, kind="duty"),
    ]
    assert pdfa.problems(printed(passes, layout)) == []
    assert pdfa.problems(render_single(passes[0], layout)) == []


def test_weasyprints_own_documents_are_pdf_a_too() -> None:
    assert pdfa.problems(render_pass(samples.vehicle_pass(enterprise=samples.RARE))) == []
    assert pdfa.problems(render_notice(samples.notice())) == []


def test_the_checks_of_pdf_a_find_faults() -> None:
    good = render_single(samples.vehicle_pass(), WINDSCREEN)
    for old, new, clause in (
        (b"/GTS_PDFA1", b"/GTS_PDFX1", "6.2.3"),
        (b"<pdfaid:part>3", b"<pdfaid:part>1", "6.6.4"),
        (b"/Identity-H", b"/Identity-V", "6.2.11.3.3"),
        (b"/CIDToGIDMap/Identity", b"/CIDToGIDMap/Identitx", "6.2.11.3.2"),
        (b"/DW 1000/W[", b"/DW 1000/W[7[1]", "6.1.4"),
        (b"/FontFile2 ", b"/FontFile9 ", "6.2.11.4.1"),
        (b"/BitsPerComponent 1", b"/Interpolate true  ", "6.2.8"),
        (b"/ID[", b"/IX[", "6.1.3"),
        (b"%\xf0\x9f\x96\xa4", b"%abcd", "6.1.2"),
    ):
        assert old in good
        problems = pdfa.problems(good.replace(old, new))
        assert any(problem.startswith(clause) for problem in problems), (old, problems)


@pytest.mark.parametrize("layout", [WINDSCREEN, CARD], ids=lambda layout: layout.key)
@pytest.mark.parametrize("text", [samples.LONG, "W" * 200, samples.HOSTILE], ids=["chinese", "latin", "hostile"])
def test_long_texts_stay_in_their_boxes(layout: Layout, text: str) -> None:
    facts = samples.filled(samples.vehicle_pass(), text)
    design = layout.design
    for line in set_pass(facts, design).lines:
        right = line.x + (width(line.text, bold=line.bold) + line.tracking * (len(line.text) - 1)) * line.size
        assert line.x >= 0
        assert right <= design.width
        assert line.top >= -0.2 * line.size  # the ascent has room for accents that nothing here reaches
        assert line.y + DESCENT * line.size <= design.height


def test_200_character_names_are_printed_whole() -> None:
    facts = samples.vehicle_pass(**LONG, driver_names_masked=(samples.LONG, "W" * 200), demo=False)
    text = words(render_single(facts, WINDSCREEN))
    assert text.count(samples.LONG) == 6
    assert "W" * 200 in text
    assert samples.LONG in words(render_single(facts, CARD))


def test_text_can_be_copied_and_rare_characters_too() -> None:
    text = words(render_single(samples.vehicle_pass(enterprise=f"{samples.RARE}😀有限公司"), HALF))
    for part in (
        "浙B·12345",
        "2020年2月15日至2020年2月28日24时",
        f"{samples.RARE}〓有限公司",
        "编号330203000042",
        "7F3A-K2QP",
    ):
        assert part in text


def test_fonts_are_subsets_of_the_bundled_ones() -> None:
    data = printed(batch(3, enterprise=samples.RARE), WINDSCREEN)
    fonts = reader(data).pages[0]["/Resources"]["/Font"]  # type: ignore[index]
    names = {font["/BaseFont"].split("+")[1] for font in fonts.values()}
    assert names == {"Fugong", "Fugong-Bold", "Fugong-Full"}
    assert len(reader(printed(batch(1), WINDSCREEN)).pages[0]["/Resources"]["/Font"]) == 2  # type: ignore[index, arg-type]
    for font in fonts.values():
        assert len(font["/DescendantFonts"][0]["/FontDescriptor"]["/FontFile2"]._data) < 20_000


def test_a_reprint_is_the_same_bytes_also_in_another_process() -> None:
    passes = [*batch(5), *batch(2, kind="person"), *batch(1, enterprise="Cafe\u0301")]
    first = printed(passes, CARD)
    assert printed(passes, CARD) == first
    assert printed([replace(passes[0], plate="浙B99999"), *passes[1:]], CARD) != first
    program = (
        "import sys; from tests.documents.test_sheets import *;"
        'passes = [*batch(5), *batch(2, kind="person"), *batch(1, enterprise="Cafe\\u0301")];'
        "sys.stdout.buffer.write(printed(passes, CARD))"
    )
    other = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, check=True)
    assert other.stdout == first


def test_pages_come_while_passes_are_still_being_read() -> None:
    asked: list[int] = []

    def reading() -> Iterator[PassFacts]:
        for number, facts in enumerate(batch(50)):
            asked.append(number)
            yield facts

    pages = render_passes(reading(), HALF)
    first = next(pages)
    assert len(asked) == 2
    assert len(reader(b"".join([first, *pages])).pages) == 25
    assert len(asked) == 50


def test_no_pass_is_no_document() -> None:
    with pytest.raises(ValueError, match="at least one"):
        printed([], WINDSCREEN)


def test_500_passes_need_less_than_150_mb_and_5_kb_each() -> None:
    program = (
        "from tests.documents.samples import vehicle_pass; from workflow.documents.sheets import *;"
        "passes = (vehicle_pass(number=str(330203000000 + n), short_code=f'{n:09}') for n in range(500));"
        "size = sum(map(len, render_passes(passes, layouts()['windscreen'])));"
        "print(size, open('/proc/self/status').read().split('VmHWM:')[1].split()[0])"
    )
    answer = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, check=True, text=True)
    size, peak_kb = map(int, answer.stdout.split())
    assert peak_kb < 150 * 1024
    assert size / 500 < 5 * 1024


def test_a_zip_has_a_document_for_each_pass_and_comes_piece_by_piece() -> None:
    passes = batch(4)
    pieces = list(zip_passes(iter(passes), HALF))
    assert len(pieces) == 5
    with zipfile.ZipFile(io.BytesIO(b"".join(pieces))) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == [f"{facts.number}.pdf" for facts in passes]
        for facts in passes:
            assert archive.read(f"{facts.number}.pdf") == render_single(facts, HALF)
    assert list(zip_passes(passes, HALF)) == pieces
    with pytest.raises(ValueError, match="twice"):
        list(zip_passes([passes[0], passes[0]], HALF))


def test_what_is_alike_is_rendered_once(monkeypatch: pytest.MonkeyPatch) -> None:
    printed(batch(1), WINDSCREEN)
    monkeypatch.setattr(sheets, "whole_form", None)
    monkeypatch.setattr("workflow.documents.pass_paper.render_form", None)
    assert len(pypdfium2.PdfDocument(printed(batch(20), WINDSCREEN))) == 20


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("x = 221.0\ny = 181.5", "x = 291.0\ny = 181.5"),
        ("at = [[0.0, 0.0], [0.0, 148.5]]", "at = [[0.0, 160.0]]"),
        ("x = 221.0\ny = 181.5", "x = 221.0\ny = 181.0"),
        ("lines = 1\ntracking = 0.06", "tracking = 0.06"),
    ],
)
def test_a_layout_that_cannot_be_printed_well_is_refused(old: str, new: str) -> None:
    text = LAYOUT_FILE.read_text(encoding="utf-8")
    assert old in text
    with pytest.raises(ValueError, match=r"leaves|tracking"):
        read_layouts(tomllib.loads(text.replace(old, new)))
