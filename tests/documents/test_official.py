"""Tests of the printed documents: what is on them, what cannot be, and that they are the same every time."""

from __future__ import annotations

import io
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from typing import Any

import pypdfium2
import pytest
from markupsafe import Markup
from PIL import Image
from pypdf import PdfReader

from tests.documents import samples
from workflow.documents import pdf
from workflow.documents.fonts import missing_glyphs, printable
from workflow.documents.official import (
    render_inspection_sheet,
    render_notice,
    render_pass,
    render_receipt,
    spaced_plate,
)
from workflow.documents.pass_kinds import PassKind, catalogue
from workflow.documents.pdf import TEMPLATE_FOLDER, TooLong, render
from workflow.documents.typeset import width

Print = Callable[[Any], bytes]
DOCUMENTS: list[Any] = [
    pytest.param(render_receipt, samples.receipt(), id="receipt"),
    pytest.param(render_notice, samples.notice(), id="notice"),
    pytest.param(render_pass, samples.vehicle_pass(), id="pass"),
    pytest.param(render_inspection_sheet, samples.inspection_sheet(items=20), id="inspection_sheet"),
]


def reader(data: bytes) -> PdfReader:
    return PdfReader(io.BytesIO(data))


def words(data: bytes) -> str:
    """All text of a PDF without spaces and line ends."""
    return "".join("".join(page.extract_text() for page in reader(data).pages).split())


def pictures(data: bytes, scale: float) -> list[Image.Image]:
    """Every page as a grey picture, ``scale`` pixels a point."""
    with pypdfium2.PdfDocument(data) as document:
        return [page.render(scale=scale).to_pil().convert("L") for page in document]


def ink_at_the_edges(data: bytes, margin_mm: float) -> bool:
    """Say whether anything is printed within ``margin_mm`` of the left or right edge of any page."""
    for picture in pictures(data, 1):
        margin = int(margin_mm / 25.4 * 72)
        left = picture.crop((0, 0, margin, picture.height))
        right = picture.crop((picture.width - margin, 0, picture.width, picture.height))
        if left.histogram()[:128] != [0] * 128 or right.histogram()[:128] != [0] * 128:
            return True
    return False


@pytest.mark.parametrize(("printer", "facts"), DOCUMENTS)
def test_same_facts_give_the_same_bytes_also_in_another_process(printer: Print, facts: Any, tmp_path: Path) -> None:
    first = printer(facts)
    assert printer(facts) == first
    assert first.startswith(b"%PDF-1.7")
    name = printer.__name__.removeprefix("render_")
    call = {"pass": "vehicle_pass()", "inspection_sheet": "inspection_sheet(items=20)"}.get(name, f"{name}()")
    program = (
        "import sys; from tests.documents import samples; from workflow.documents import official;"
        f"sys.stdout.buffer.write(official.{printer.__name__}(samples.{call}))"
    )
    root = Path(__file__).resolve().parents[2]
    other = subprocess.run([sys.executable, "-c", program], cwd=root, capture_output=True, check=True)
    assert other.stdout == first


@pytest.mark.parametrize(("printer", "facts"), DOCUMENTS)
def test_hostile_text_is_printed_as_text_and_fetches_nothing(printer: Print, facts: Any) -> None:
    data = printer(samples.filled(facts, samples.HOSTILE))
    text = words(data)
    assert "<script>alert(1)</script>" in text
    assert "{{7*7}}" in text
    assert "root:" not in text
    document = reader(data)
    assert document.attachments == {}
    assert b"/EmbeddedFile" not in data
    assert b"/JavaScript" not in data
    assert not any("/Annots" in page for page in document.pages)


@pytest.mark.parametrize(("printer", "facts"), DOCUMENTS)
@pytest.mark.parametrize("text", [samples.LONG, "W" * 200], ids=["chinese", "latin"])
def test_200_character_names_wrap_inside_the_page(printer: Print, facts: Any, text: str) -> None:
    plate = {"plate": "浙BD12345", "short_code": "7F3A-K2QP", "number": "330203000042"}
    changes = plate if printer is render_pass else {"short_code": "7F3A-K2QP"} if hasattr(facts, "short_code") else {}
    long = type(facts)(
        **{field: getattr(samples.filled(facts, text), field) for field in facts.__slots__} | changes | {"demo": False}
    )
    data = printer(long)
    assert text in words(data)
    if printer is render_pass:
        assert len(reader(data).pages) == 1
    else:
        assert not ink_at_the_edges(data, 10)


@pytest.mark.parametrize(("printer", "facts"), DOCUMENTS)
def test_only_bundled_fonts_are_embedded(printer: Print, facts: Any) -> None:
    fonts = set()
    for page in reader(printer(samples.filled(facts, samples.RARE + "😀𠮷"))).pages:
        for font in page["/Resources"]["/Font"].values():  # type: ignore[index]
            descriptor = font["/DescendantFonts"][0]["/FontDescriptor"]
            assert "/FontFile2" in descriptor
            fonts.add(font["/BaseFont"].split("+")[1])
    assert fonts <= {"Fugong", "Fugong-Bold", "Fugong-Full"}
    assert "Fugong-Full" in fonts


@pytest.mark.parametrize(("printer", "facts"), DOCUMENTS)
def test_rare_characters_are_printed_and_others_marked(printer: Print, facts: Any) -> None:
    text = words(printer(samples.filled(facts, samples.RARE + "😀")))
    assert samples.RARE + "〓" in text


@pytest.mark.parametrize(("printer", "facts"), DOCUMENTS)
def test_demo_documents_say_so_on_every_page_and_real_ones_never(printer: Print, facts: Any) -> None:
    for page in reader(printer(facts)).pages:
        assert "演示" in page.extract_text()
    real = type(facts)(**{field: getattr(facts, field) for field in facts.__slots__} | {"demo": False})
    assert "演示" not in words(printer(real))


@pytest.mark.parametrize(("printer", "facts"), DOCUMENTS)
def test_the_printed_code_is_read_by_another_decoder(printer: Print, facts: Any, tmp_path: Path) -> None:
    expected = getattr(facts, "qr_text", None) or facts.progress_url
    found = []
    for number, page in enumerate(pictures(printer(facts), 150 / 72)):
        path = tmp_path / f"{number}.png"
        page.save(path)
        scan = subprocess.run(["zbarimg", "-q", "--raw", str(path)], capture_output=True, text=True)
        found += scan.stdout.split()
    assert found == [expected]


def test_threads_may_print_at_the_same_time() -> None:
    expected = render_notice(samples.notice()), render_pass(samples.vehicle_pass())
    with ThreadPoolExecutor(4) as pool:
        notices = [pool.submit(render_notice, samples.notice()) for _ in range(4)]
        passes = [pool.submit(render_pass, samples.vehicle_pass()) for _ in range(4)]
    assert {task.result() for task in notices} == {expected[0]}
    assert {task.result() for task in passes} == {expected[1]}


def test_typical_receipt_notice_and_pass_are_one_page() -> None:
    assert len(reader(render_receipt(samples.receipt())).pages) == 1
    assert len(reader(render_notice(samples.notice())).pages) == 1
    assert len(reader(render_pass(samples.vehicle_pass())).pages) == 1


def test_notice_says_who_decided_what_and_when() -> None:
    text = words(render_notice(samples.notice()))
    for part in (
        "同意复工通知书",
        "海复工〔2020〕42号",
        "2020年2月17日",
        "86人",
        "海曙区防控工作领导小组",
        "7F3A-K2QP",
    ):
        assert part in text


def test_receipt_lists_what_was_filed_and_refuses_an_open_phone_number() -> None:
    text = words(render_receipt(samples.receipt(progress_url=None, materials=())))
    assert "2020年2月15日09:30" in text
    assert "本次未上传材料" in text
    for phone in ("13812345678", "张 13812345678", "0574-87654321"):
        with pytest.raises(ValueError, match="masked"):
            render_receipt(samples.receipt(contact_phone_masked=phone))


def test_pass_is_a_landscape_a4_whose_plate_is_40_mm_high() -> None:
    data = render_pass(samples.vehicle_pass(demo=False))
    [picture] = pictures(data, 2)
    per_mm = 2 * 72 / 25.4
    assert [round(side / per_mm) for side in picture.size] == [297, 210]
    # Between the frame's lines, right of the middle: digits only.
    digits = picture.crop((int(170 * per_mm), int(37 * per_mm), int(280 * per_mm), int(93 * per_mm)))
    box = digits.point(lambda value: 255 if value < 100 else 0).getbbox()
    assert box is not None
    assert (box[3] - box[1]) / per_mm >= 37
    text = words(data)
    assert "本证为本地防控通行凭证" in text
    assert "2020年2月28日24时" in text


PASS_KINDS = [kind for kind in catalogue().kinds.values() if kind.is_pass]


@pytest.mark.parametrize("kind", PASS_KINDS)
def test_every_kind_is_told_by_word_and_by_a_colour_of_its_own(kind: PassKind) -> None:
    assert kind.word.zh in words(render_pass(samples.vehicle_pass(kind=kind.key)))
    assert len({other.colour for other in PASS_KINDS}) == len(PASS_KINDS)


@pytest.mark.parametrize(
    ("plate", "written"),
    [("浙B12345", "浙B·12345"), ("浙b·d12345", "浙B·D12345"), ("粤Z1234港", "粤Z·1234港"), ("使014578", "使014578")],
)
def test_plates_are_written_as_on_the_vehicle(plate: str, written: str) -> None:
    assert spaced_plate(plate) == written


def test_inspection_sheet_repeats_its_header_and_numbers_its_pages() -> None:
    document = reader(render_inspection_sheet(samples.inspection_sheet(items=74)))
    count = len(document.pages)
    assert count >= 3
    with_items = [page.extract_text() for page in document.pages if "ORG-" in page.extract_text()]
    assert len(with_items) >= 3
    assert all("检查内容" in text for text in with_items)
    for number, page in enumerate(document.pages, start=1):
        assert f"第{number}页共{count}页" in "".join(page.extract_text().split())
    text = "".join(with_items)
    assert sum(text.count(f"ORG-{number:02}") for number in range(74)) == 74


def test_inspection_sheet_shows_failures_photos_and_signatures() -> None:
    sheet = samples.inspection_sheet()
    data = render_inspection_sheet(sheet)
    text = words(data)
    failed = [item for item in sheet.items if item.failed]
    vetoes = sum(item.veto for item in failed)
    assert f"{len(failed)}项（其中否决项{vetoes}项）" in text
    assert text.count("×不符合") == len(failed)
    pictures_inside = {image.data for page in reader(data).pages for image in page.images}
    jpegs = [picture for picture in pictures_inside if picture.startswith(b"\xff\xd8")]
    for photo in sheet.photos:
        assert photo.sha256[:12] in text
    assert len(jpegs) == 3
    for part in ("限期整改后复查", "2020年2月19日前", "核查员（主办）", "核查员（协办）", "王㛃、李文博"):
        assert part in text
    passed = samples.inspection_sheet(items=5, photos=0, rectify_by_on=None, outcome="通过", remarks="")
    assert "现场照片" not in words(render_inspection_sheet(passed))


@pytest.mark.parametrize(
    "markup",
    [
        '<img src="file:///etc/passwd">',
        '<img src="https://x.example/a.png">',
        '<img src="data:image/gif;base64,R0lGODlhAQABAAAAACw=">',
        '<link rel="attachment" href="file:///etc/passwd">',
        '<link rel="stylesheet" href="file:///etc/passwd">',
        '<div style="background:url(http://x.example/a.png)">a</div>',
        "<style>@font-face{font-family:x;src:url(file:///etc/passwd)}</style>",
        '<img src="font:../../etc/passwd">',
        '<object data="file:///etc/passwd"></object>',
    ],
)
def test_even_a_template_cannot_reach_outside(markup: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "bad.html").write_text(f"<!DOCTYPE html><html><body>{markup}</body></html>")
    (tmp_path / "bad.css").write_text("")
    empty = pdf._style("receipt")
    monkeypatch.setattr(pdf, "TEMPLATE_FOLDER", tmp_path)
    monkeypatch.setattr(pdf, "_environment", pdf._environment.__wrapped__)
    monkeypatch.setattr(pdf, "_style", lambda name: empty)
    with pytest.raises(RuntimeError, match="not a bundled asset"):
        render("bad", {})


@pytest.mark.parametrize("value", [object(), Markup("<b>x</b>"), b"GIF89a", {1, 2}, [object()], {"a": {"b": object()}}])
def test_only_primitives_and_pictures_go_into_a_document(value: Any) -> None:
    with pytest.raises(TypeError):
        render("receipt", {"reference": value})


def test_too_much_text_is_refused_with_words_for_the_reader() -> None:
    with pytest.raises(TooLong):
        render_notice(samples.notice(conditions=("很" * 150_000, "长" * 150_000)))


def test_everything_the_templates_print_themselves_has_a_glyph() -> None:
    for path in [*TEMPLATE_FOLDER.glob("*.html"), *TEMPLATE_FOLDER.glob("*.css")]:
        assert missing_glyphs(path.read_text(encoding="utf-8")) == set(), path.name
    for kind in catalogue().kinds.values():
        assert missing_glyphs(kind.word.zh + kind.title) == set()


def test_missing_glyphs() -> None:
    assert missing_glyphs("宁波市海曙区 abc 䶮𫍲㛃碶") == set()
    assert missing_glyphs("甬😀江") == {"😀"}
    assert printable("甬😀江\u202e\x00\u200d") == "甬〓江"
    assert width("浙", bold=True) == 1.0
    assert 0.5 < width("1", bold=True) < 0.7


def test_dates_are_written_the_chinese_way() -> None:
    assert pdf.chinese_day(date(2020, 2, 5)) == "2020年2月5日"
