"""Tests of setting text: advances as HarfBuzz has them, line ends in the right places, sizes that fit."""

from __future__ import annotations

import pytest
import uharfbuzz as hb
from hypothesis import given, settings
from hypothesis import strategies as st

from workflow.documents import typeset
from workflow.documents.fonts import printable
from workflow.documents.typeset import fit, glyphs, is_simple, one_line, shortened, width, wrap

TEXTS = st.text(
    st.one_of(
        st.characters(min_codepoint=0x20, max_codepoint=0x17F), st.sampled_from("宁波（海）曙、区。“甬”江——…䶮𫍲㛃")
    ),
    max_size=120,
)


def shaped(text: str, face: int) -> list[tuple[int, int]]:
    """Glyph numbers and advances as HarfBuzz sets them with the features that pass.css leaves on."""
    buffer = hb.Buffer()
    buffer.add_str(text)
    buffer.guess_segment_properties()
    buffer.language = "zh-Hans"
    hb.shape(typeset.face_font(face), buffer, {"kern": False, "locl": False, "ccmp": False, "liga": False})
    advances = [position.x_advance for position in buffer.glyph_positions]
    return list(zip((info.codepoint for info in buffer.glyph_infos), advances, strict=True))


@settings(max_examples=200, deadline=None)
@given(TEXTS, st.booleans())
def test_simple_text_is_what_harfbuzz_makes_of_it(text: str, bold: bool) -> None:
    clean = one_line(printable(text))
    if not is_simple(clean, bold=bold):
        return
    table = glyphs(bold=bold)
    for face in {table[char].face for char in clean}:
        run = "".join(char for char in clean if table[char].face == face)
        assert shaped(run, face) == [(int(table[char].code, 16), table[char].advance) for char in run]


@pytest.mark.parametrize("bold", [False, True])
def test_every_character_of_the_small_fonts_is_set_as_harfbuzz_does(bold: bool) -> None:
    face = 1 if bold else 0
    known = [chr(code) for code in range(0x20, 0x10000) if typeset.face_font(face).get_nominal_glyph(code)]
    simple = [char for char in known if is_simple(char, bold=bold)]
    assert len(simple) > 7_000
    table = glyphs(bold=bold)
    for char in one_line("".join(simple)):
        assert shaped(char, face) == [(int(table[char].code, 16), table[char].advance)], hex(ord(char))


@pytest.mark.parametrize("text", ["e\u0301", "か\u3099", "\u1112\u1161", "ḥ", "😀"])
def test_what_needs_shaping_is_not_simple(text: str) -> None:
    assert not is_simple(text, bold=False)
    assert is_simple("张䶮 ABC 浙B·12345（经绕城高速）——", bold=True)


@settings(max_examples=300, deadline=None)
@given(TEXTS, st.floats(4, 60), st.booleans())
def test_lines_fit_and_lose_nothing(text: str, width_em: float, bold: bool) -> None:
    clean = one_line(printable(text))
    lines = wrap(clean, width_em, bold=bold)
    assert all(width(line, bold=bold) <= width_em + 1e-9 for line in lines)
    assert "".join(lines).replace(" ", "") == clean.replace(" ", "")


def test_lines_break_where_a_reader_expects() -> None:
    assert wrap("海曙区望春街道，北仑区", 7, bold=False) == ["海曙区望春街", "道，北仑区"]
    assert wrap("海曙区望春（经绕城）", 6, bold=False) == ["海曙区望春", "（经绕城）"]
    assert wrap("from Ningbo to Beilun", 6.5, bold=False) == ["from Ningbo", "to Beilun"]
    assert wrap("W" * 9, 2.9, bold=False) == ["WWW"] * 3
    assert wrap("自\n至", 10, bold=False) == ["自", "至"]
    assert wrap("", 10, bold=False) == [""]


def test_size_shrinks_until_the_box_is_kept_and_then_an_ellipsis_tells() -> None:
    roomy = fit("宁波", box=(100, 20), size=10, least=2, leading=1.3, bold=True)
    assert (roomy.lines, roomy.size) == (["宁波"], 10)
    tight = fit("宁波" * 50, box=(100, 20), size=10, least=2, leading=1.3, bold=True)
    assert 2 <= tight.size < 10
    assert len(tight.lines) * 1.3 * tight.size <= 20
    assert "".join(tight.lines) == "宁波" * 50
    full = fit("宁波" * 500, box=(100, 20), size=10, least=5, leading=1.3, bold=True)
    assert full.size == 5
    assert full.lines[-1].endswith("…")
    assert len(full.lines) == 3
    line = fit("宁波" * 50, box=(100, 20), size=10, least=2, leading=1.3, lines=1, bold=True)
    assert line.lines[0].endswith("…")
    assert width(line.lines[0], bold=True) * line.size <= 100
    assert shortened("宁波", 2, bold=True) == "宁波"


def test_white_space_is_one_space_and_what_has_no_picture_goes() -> None:
    assert one_line(" 宁\t\n 波\u200b\u00ad　港 ") == "宁 波　港"
