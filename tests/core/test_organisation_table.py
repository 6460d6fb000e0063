"""Reading the organisation's CSV: encodings, separators, empty and endless files, days in every spelling."""

from __future__ import annotations

import datetime as dt

import pytest

from workflow.core.errors import Invalid
from workflow.core.organisation_table import COLUMNS, MAX_BYTES, MAX_ROWS, day_of, decode, read, write

HEAD = ",".join(COLUMNS)
ROW = "天一专班,,专班,,330203002,,,,"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_encodings_and_line_ends(encoding: str, end: str) -> None:
    (row,) = read(decode(f"{HEAD}{end}{ROW}{end}{end}".encode(encoding)))
    assert (row["组织"], row.kind, row.areas, row.line) == ("天一专班", "team", ["330203002"], 2)


@pytest.mark.parametrize("separator", ["\t", ";"])
def test_other_separators_and_column_orders(separator: str) -> None:
    (row,) = read("\n".join([HEAD, ROW]).replace(",", separator))
    assert row.kind == "team"
    (turned,) = read("备注,类别,组织,上级,组别,区域代码或名称,姓名,账号,职责,起始日期\n随便,专班,甲,,,330203002,,,,")
    assert (turned["组织"], turned.kind) == ("甲", "team")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "空的"),
        (b" \r\n ", "空的"),
        (b"PK\x03\x04rest", "Excel"),
        (b"\xff\xfe\x00\x00", "编码"),
        (b"a" * (MAX_BYTES + 1), "太大"),
    ],
)
def test_files_that_are_no_table(data: bytes, words: str) -> None:
    with pytest.raises(Invalid, match=words):
        decode(data)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("组织,上级\n甲,乙", "表头缺少"),
        (HEAD, "没有内容"),
        (f"{HEAD}\n,,,,,,,,", "没有内容"),
        ("\n".join([HEAD, *[ROW] * (MAX_ROWS + 1)]), "最多"),
        (f'{HEAD}\n"{"x" * 140_000}', "引号"),
    ],
)
def test_tables_that_are_none(text: str, words: str) -> None:
    with pytest.raises(Invalid, match=words):
        read(text)


def test_a_million_empty_lines_are_nothing() -> None:
    with pytest.raises(Invalid, match="没有内容"):
        read(HEAD + "\n" * 1_000_000)


@pytest.mark.parametrize("text", ["2020-02-09", "2020/2/9", "2020.2.9", "2020年2月9日"])
def test_days(text: str) -> None:
    assert day_of(text) == dt.date(2020, 2, 9)


@pytest.mark.parametrize("text", ["", "2020-02-30", "1999-12-31", "20200209", "2月9日", "9999-01-01"])
def test_no_days(text: str) -> None:
    assert day_of(text) is None


def test_what_looks_like_a_formula_goes_out_marked_and_comes_in_as_it_was() -> None:
    cells = dict.fromkeys(COLUMNS, "") | {"组织": "=甲", "类别": "专班", "区域代码或名称": "330203002"}
    text = write([cells])
    assert "'=甲" in text
    (row,) = read(text)
    assert [p.message for p in row.problems] == ["“%(column)s”以“%(sign)s”开头，像是公式，请改成文字。"]
