"""Tests of the blank forms: complete, openable, and they pass our own upload checks."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import docx
import openpyxl  # type: ignore[import-untyped, unused-ignore]
import pytest

from workflow.documents.material_templates import TemplateFile, available, build
from workflow.documents.material_wording import RETURNING_STAFF, SUPPLIES, VEHICLES
from workflow.documents.uploads import FileKind, receive, safe_name

NAME = "宁波甬江精密机械有限公司"


def words(template: TemplateFile) -> str:
    document = docx.Document(io.BytesIO(template.content))
    cells = [cell.text for table in document.tables for row in table.rows for cell in row.cells]
    return "\n".join([paragraph.text for paragraph in document.paragraphs] + cells)


def sheet(code: str) -> Any:
    book = openpyxl.load_workbook(io.BytesIO(build(code, NAME).content))
    assert book.sheetnames[1] == "填写说明"
    return book.worksheets[0]


@pytest.mark.parametrize("code", available())
def test_every_blank_form_passes_our_own_upload_checks(code: str, tmp_path: Path) -> None:
    template = build(code, NAME)
    kinds = {FileKind.DOCX, FileKind.XLSX}
    found = receive(io.BytesIO(template.content), template.name, kinds=kinds, max_bytes=1 << 20, folder=tmp_path)
    assert found.media_type == template.media_type
    assert found.name == template.name == safe_name(template.name)


@pytest.mark.parametrize("code", ["M01", "M02b", "M04", "M04-micro", "isolation"])
def test_word_forms_carry_the_enterprise_or_a_line_for_it(code: str) -> None:
    assert NAME in words(build(code, NAME))
    assert "＿＿＿＿" in words(build(code))


def test_application_has_the_fields_of_annex_1() -> None:
    text = words(build("M01"))
    for label in (
        "受理乡镇（街道）",
        "申请复工日期",
        "复工员工数（人）",
        "承诺",
        "法定代表人",
        "乡镇（街道）意见",
        "一式三份",
    ):
        assert label in text


def test_plan_has_six_parts_and_four_for_micro_enterprises() -> None:
    heads = ["一、主体责任", "二、员工调查", "三、员工接送", "四、隔离防控", "五、日常防控", "六、复产计划"]
    full, micro = words(build("M04")), words(build("M04-micro"))
    assert [head for head in heads if head in full] == heads
    assert [head for head in heads if head in micro] == [heads[0], heads[1], heads[3], heads[4]]


def test_returning_staff_columns_are_those_of_annex_2() -> None:
    labels = [cell.value for cell in sheet("M02")[3]]
    assert [label.rstrip("*") for label in labels] == [
        "员工姓名",
        "手机号码",
        "近14天是否来自疫情严重地区或有居住/旅行/接触史",
        "复工后居住地",
        "上下班交通方式",
        "近期是否出宁波市",
        "是否有发热或确诊过（疑似）病例",
        "分类",
        "备注",
    ]


LISTINGS = {"M02": RETURNING_STAFF, "vehicles": VEHICLES, "supplies": SUPPLIES}


@pytest.mark.parametrize("code", LISTINGS)
def test_lists_have_text_cells_comments_and_drop_downs(code: str) -> None:
    page = sheet(code)
    assert NAME in page["A2"].value
    columns = LISTINGS[code].columns
    for header, column in zip(page[3], columns, strict=True):
        assert header.comment is not None
        assert column.comment in header.comment.text
        assert page.cell(4, header.column).number_format == "@"
    fixed = sum(bool(column.options) for column in columns)
    rules = page.data_validations.dataValidation
    assert len(rules) == fixed > 0
    assert all(rule.type == "list" and len(rule.formula1) <= 257 for rule in rules)


def test_a_name_that_looks_like_a_formula_stays_text() -> None:
    book = openpyxl.load_workbook(io.BytesIO(build("M02", "=1+1").content))
    assert book.worksheets[0]["A2"].value.endswith("=1+1")
    assert book.worksheets[0]["A2"].data_type == "s"


def test_unknown_code() -> None:
    with pytest.raises(KeyError):
        build("M99")
