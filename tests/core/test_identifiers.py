"""Identifiers: the vectors collected from public sources, what normalising does, and round trips."""

from __future__ import annotations

import datetime as dt
import string
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflow.core.errors import Invalid
from workflow.core.identifiers import (
    PlateKind,
    mask_name,
    mask_phone,
    parse_id_number,
    parse_phone,
    parse_plate,
    parse_uscc,
    show_plate,
    squeeze,
)

TODAY = dt.date(2020, 2, 15)

USCC_VALID = [
    "9144030071526726XG",
    "914403001922038216",
    "91330100799655058B",
    "91110108551385082Q",
    "91440300192317458F",
    "91100000100003962T",
    "91330200711192037M",
    "91330282671205242Y",
    "9144030010001686XA",
    "12100000470095016Q",
    "91110000600037341L",
    "91330203674737244W",
    "91330203316983349Y",
    "91330203580512749X",
    "91330203316935152N",
    "91330212MA2AG46J1L",
]
USCC_INVALID = [
    ("91330200MA28667788", "校验不符"),
    ("91330282MA12345678", "校验不符"),
    ("91330200MA2DEMO001", "不含字母"),
    ("91330203674737245A", "校验不符"),
    ("9133020067473724", "应为 18 位，现为 16 位"),
]
USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"


def uscc_with_check(first: str) -> str:
    """``first`` (17 characters) with the check character of GB 32100-2015, computed here anew."""
    total = sum(USCC_ALPHABET.index(c) * pow(3, i, 31) for i, c in enumerate(first))
    return first + USCC_ALPHABET[-total % 31]


@pytest.mark.parametrize("code", USCC_VALID)
def test_known_codes_are_accepted(code: str) -> None:
    assert parse_uscc(code) == code


@pytest.mark.parametrize(("code", "word"), USCC_INVALID)
def test_wrong_codes_say_what_is_wrong(code: str, word: str) -> None:
    with pytest.raises(Invalid, match=word) as caught:
        parse_uscc(code)
    assert caught.value.field == "uscc"


@pytest.mark.parametrize(
    "typed",
    [
        "91330212ma2ag46j1l",
        "９１３３０２１２ＭＡ２ＡＧ４６Ｊ１Ｌ",
        " 9133 0212 MA2A G46J 1L\n",
        "91330212-MA2AG46J1-L",
        "91330212\u3000MA2AG46J1L",
    ],
)
def test_a_code_is_normalised(typed: str) -> None:
    assert parse_uscc(typed) == "91330212MA2AG46J1L"


@pytest.mark.parametrize("typed", ["", "  ", "—", "统一社会信用代码", "１" * 18, "统" * 18, "A" * 18, "91" + "统" * 16])
def test_a_code_that_is_none_is_refused(typed: str) -> None:
    with pytest.raises(Invalid):
        parse_uscc(typed)


@given(
    st.text("0123456789", min_size=6, max_size=6),
    st.text(USCC_ALPHABET, min_size=9, max_size=9),
    st.sampled_from(["91", "92", "93", "12", "51"]),
)
def test_codes_with_a_right_check_character_go_through(area: str, body: str, kind: str) -> None:
    code = uscc_with_check(kind + area + body)
    assert parse_uscc(code.lower()) == code
    wrong = code[:-1] + USCC_ALPHABET[(USCC_ALPHABET.index(code[-1]) + 1) % 31]
    with pytest.raises(Invalid):
        parse_uscc(wrong)


@given(st.sampled_from(USCC_VALID), st.integers(0, 17), st.sampled_from(USCC_ALPHABET))
def test_one_wrong_character_is_found(code: str, place: int, other: str) -> None:
    changed = code[:place] + other + code[place + 1 :]
    if changed != code:
        with pytest.raises(Invalid):
            parse_uscc(changed)


ID_VALID = [
    "330203198603059013",
    "330282199503059040",
    "330227197503059071",
    "522426199003059105",
    "421003199203059133",
    "83000019900305916X",
    "11010519491231002X",
]


@pytest.mark.parametrize("number", ID_VALID)
def test_id_numbers_of_any_county_code_are_accepted(number: str) -> None:
    assert parse_id_number(number.lower(), TODAY) == number


@pytest.mark.parametrize(
    ("number", "word"),
    [
        ("330201198603059013", "校验位不符"),
        ("330203198613059013", "出生日期"),
        ("330203198602309013", "出生日期"),
        ("330203189903059013", "出生日期"),
        ("330203202102150010", "出生日期"),
        ("33020319860305901", "18 位"),
        ("3302031986030590１A", "18 位"),
        ("330203860305901", "18 位"),
        ("", "18 位"),
        ("٣٣٠٢٠٣١٩٨٦٠٣٠٥٩٠١٣", "18 位"),
    ],
)
def test_wrong_id_numbers_say_what_is_wrong(number: str, word: str) -> None:
    with pytest.raises(Invalid, match=word):
        parse_id_number(number, TODAY)


def id_with_check(first: str) -> str:
    """``first`` (17 digits) with its check character by ISO 7064 MOD 11-2, computed digit by digit."""
    rest = 0
    for digit in first:
        rest = (rest + int(digit)) * 2 % 11
    return first + "0123456789X"[(12 - rest) % 11]


@given(st.dates(dt.date(1900, 1, 1), TODAY), st.integers(0, 999))
def test_id_numbers_round_trip(born: dt.date, serial: int) -> None:
    number = id_with_check(f"330201{born:%Y%m%d}{serial:03d}")
    assert parse_id_number(number, TODAY) == number
    with pytest.raises(Invalid):
        parse_id_number(number, born - dt.timedelta(days=1))


PLATES = [
    ("浙B12345", "ordinary"),
    ("浙B·A1B23", "ordinary"),
    ("浙BD12345", "nev_small"),
    ("浙BDA2345", "nev_small"),
    ("浙BG01234", "nev_small"),
    ("浙B12345D", "nev_large"),
    ("浙B1234挂", "trailer"),
    ("浙B1234学", "coach_training"),
    ("浙B1234警", "police"),
    ("粤Z1234港", "hk_mo"),
]


@pytest.mark.parametrize(("typed", "kind"), PLATES)
def test_plates_and_their_kinds(typed: str, kind: str) -> None:
    plate, found = parse_plate(typed)
    assert (plate, found) == (typed.replace("·", ""), PlateKind(kind))
    assert parse_plate(show_plate(plate)) == (plate, found)


@pytest.mark.parametrize(
    ("typed", "word"),
    [
        ("浙BI2345", "I 和 O"),
        ("浙BO2345", "I 和 O"),
        ("浙B123456", "7 位"),
        ("浙B1234", "7 位"),
        ("宁波B12345", "7 位|省份"),
        ("B12345", "省份"),
        ("", "请填写"),
        (" · ", "请填写"),
        ("浙", "7 位"),
        ("<script>", "省份"),
    ],
)
def test_wrong_plates_say_what_is_wrong(typed: str, word: str) -> None:
    with pytest.raises(Invalid, match=word) as caught:
        parse_plate(typed)
    assert caught.value.field == "plate"


@pytest.mark.parametrize("typed", ["浙b12345", "浙Ｂ１２３４５", "浙B-12345", "浙 B 12345", "浙B•12345", "浙B.12345"])
def test_a_plate_is_normalised(typed: str) -> None:
    assert parse_plate(typed) == ("浙B12345", PlateKind.ORDINARY)


@given(
    st.sampled_from("京津沪渝浙苏"),
    st.sampled_from("ABCDEFGHJKLMNPQRSTUVWXYZ"),
    st.text("ABCDEFGHJKLMNPQRSTUVWXYZ0123456789", min_size=5, max_size=5),
)
def test_ordinary_plates_round_trip(province: str, city: str, rest: str) -> None:
    plate = province + city + rest
    assert parse_plate(show_plate(plate).lower()) == (plate, PlateKind.ORDINARY)


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("13805741234", "13805741234"),
        ("138 0574 1234", "13805741234"),
        ("+86 138-0574-1234", "13805741234"),
        ("１３８０５７４１２３４", "13805741234"),
        ("16605741234", "16605741234"),
        ("19905741234", "19905741234"),
        ("0574-87654321", "0574-87654321"),
        ("(0574) 8765 4321", "0574-87654321"),
        ("010-62345678", "010-62345678"),
    ],
)
def test_phone_numbers(typed: str, stored: str) -> None:
    assert parse_phone(typed) == stored


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "12345",
        "10805741234",
        "12805741234",
        "1380574123",
        "138057412345",
        "电话",
        "+1 650 253 0000",
        "400-800-1234",
        "9" * 300,
    ],
)
def test_wrong_phone_numbers_are_refused(typed: str) -> None:
    with pytest.raises(Invalid) as caught:
        parse_phone(typed, "hotline")
    assert caught.value.field == "hotline"


def test_a_landline_is_no_mobile() -> None:
    with pytest.raises(Invalid, match="11 位手机号"):
        parse_phone("0574-87654321", mobile_only=True)


@given(st.text(max_size=40))
def test_no_text_breaks_a_parser(text: str) -> None:
    for parse in (parse_uscc, parse_phone, parse_plate, lambda t: parse_id_number(t, TODAY)):
        with suppress(Invalid):
            assert parse(text)


@given(st.text(string.ascii_letters + string.digits + " -·—_", max_size=30))
def test_squeezing_twice_changes_nothing(text: str) -> None:
    assert squeeze(squeeze(text)) == squeeze(text)


def test_masks_hide_the_person() -> None:
    assert mask_phone("13805741234") == "138****1234"
    assert mask_name("张三") == "张*"
    assert mask_name("欧阳小明") == "欧**"
    assert mask_name("") == ""
