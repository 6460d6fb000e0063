"""Makes the blank forms that companies download, fill in and upload again: Word and Excel, in our own wording."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import docx
import xlsxwriter
from docx.document import Document
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml.ns import qn
from docx.shared import Cm, Pt
from docx.text.paragraph import Paragraph

from workflow.documents import material_wording as wording

_DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_LIST_ROWS = 500


@dataclass(frozen=True, slots=True)
class TemplateFile:
    """A blank form ready for download."""

    name: str
    media_type: str
    content: bytes


def available() -> tuple[str, ...]:
    """Return the codes that :func:`build` knows, in the order of the material list."""
    return tuple(_BUILDERS)


def build(code: str, enterprise_name: str = "") -> TemplateFile:
    """Return the blank form ``code`` with the enterprise's name filled in if given; KeyError for an unknown code."""
    return _BUILDERS[code](enterprise_name.strip())


# --- Word --------------------------------------------------------------------------------------------------------


def _document(title: str, enterprise_name: str) -> Document:
    """A blank A4 document with its title and the line for the enterprise's name and seal."""
    document = docx.Document()
    section = document.sections[0]
    section.page_width, section.page_height = Cm(21), Cm(29.7)
    section.left_margin = section.right_margin = Cm(2.4)
    section.top_margin = section.bottom_margin = Cm(2.2)
    style = document.styles["Normal"]
    style.font.name, style.font.size = "Times New Roman", Pt(11)
    style.element.rPr.rFonts.set(qn("w:eastAsia"), "宋体")
    document.core_properties.title, document.core_properties.author = title, "复工通"
    heading = document.add_paragraph()
    heading.alignment = WD_ALIGN_PARAGRAPH.CENTER
    _write(heading, title, size=18, bold=True)
    _write(document.add_paragraph(), f"企业（单位）名称（公章）：{enterprise_name or '＿' * 16}")
    return document


def _write(paragraph: Paragraph, text: str, *, size: float = 11, bold: bool = False) -> None:
    run = paragraph.add_run(text)
    run.font.size, run.bold = Pt(size), bold
    if bold:
        run.font.name = "Arial"
        run._element.get_or_add_rPr().get_or_add_rFonts().set(qn("w:eastAsia"), "黑体")


def _hint(document: Document, text: str) -> None:
    paragraph = document.add_paragraph()
    _write(paragraph, f"【填写提示】{text}", size=9.5)
    paragraph.runs[0].italic = True


def _form_table(document: Document, rows: tuple[wording.FormRow, ...]) -> None:
    """A two-column form: label on the left; on the right a prompt, high enough to be written into."""
    table = document.add_table(rows=0, cols=2)
    table.style = "Table Grid"
    table.autofit = False
    for row in rows:
        cells = table.add_row().cells
        cells[0].width, cells[1].width = Cm(4.2), Cm(12)
        _write(cells[0].paragraphs[0], row.label, bold=True)
        lines = row.prompt.split("\n")
        _write(cells[1].paragraphs[0], lines[0])
        for line in lines[1:]:
            _write(cells[1].add_paragraph(), line)
        for _ in range(row.blank_lines):
            cells[1].add_paragraph()


def _docx_file(document: Document, name: str) -> TemplateFile:
    output = io.BytesIO()
    document.save(output)
    return TemplateFile(f"{name}.docx", _DOCX, output.getvalue())


def _form(form: wording.Form, enterprise_name: str) -> TemplateFile:
    document = _document(form.title, enterprise_name)
    if form.intro:
        document.add_paragraph(form.intro)
    _form_table(document, form.rows)
    for note in form.notes:
        _hint(document, note)
    return _docx_file(document, form.file_name)


def _plan(enterprise_name: str, *, micro: bool) -> TemplateFile:
    """The prevention plan: six headed parts with guidance, of which micro enterprises write four."""
    suffix = "（微型企业）" if micro else ""
    document = _document(f"企业（单位）复工防疫方案{suffix}", enterprise_name)
    _hint(document, wording.PLAN_HINT_MICRO if micro else wording.PLAN_HINT)
    for part in wording.PLAN_PARTS:
        if micro and not part.micro:
            continue
        _write(document.add_paragraph(), part.heading, size=13, bold=True)
        for point in part.points:
            _write(document.add_paragraph(), point.heading)
            _hint(document, point.guidance)
            document.add_paragraph()
    _write(document.add_paragraph(), "企业负责人（签字）：＿＿＿＿＿＿＿＿　　日期：　　　　年　　月　　日")
    return _docx_file(document, f"M04 复工防疫方案{suffix}")


# --- Excel -------------------------------------------------------------------------------------------------------


def _sheet(listing: wording.Listing, enterprise_name: str) -> TemplateFile:
    """A list to fill in: text cells, a comment on every header, a drop-down where the answers are fixed."""
    output = io.BytesIO()
    with xlsxwriter.Workbook(
        output, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    ) as book:
        book.set_properties({"title": listing.title, "author": "复工通"})
        sheet = book.add_worksheet(listing.sheet_name)
        title = book.add_format({"bold": True, "font_size": 16, "align": "center", "valign": "vcenter"})
        header = book.add_format(
            {
                "bold": True,
                "text_wrap": True,
                "border": 1,
                "bg_color": "#E8EDF3",
                "align": "center",
                "valign": "vcenter",
            }
        )
        cell = book.add_format({"num_format": "@", "border": 1, "text_wrap": True, "valign": "vcenter"})
        last = len(listing.columns) - 1
        sheet.merge_range(0, 0, 0, last, listing.title, title)
        sheet.merge_range(1, 0, 1, last, f"企业（单位）名称（公章）：{enterprise_name}")
        sheet.set_row(0, 30)
        sheet.set_row(2, 48)
        for column, field in enumerate(listing.columns):
            _column(sheet, column, field, header, cell)
        for row in range(3, 3 + listing.blank_rows):
            for column in range(last + 1):
                sheet.write_blank(row, column, None, cell)
        sheet.freeze_panes(3, 1)
        sheet.set_landscape()
        sheet.set_paper(9)
        sheet.fit_to_pages(1, 0)
        sheet.repeat_rows(2)
        _notes_sheet(book, listing)
    return TemplateFile(f"{listing.file_name}.xlsx", _XLSX, output.getvalue())


def _column(
    sheet: xlsxwriter.worksheet.Worksheet,
    column: int,
    field: wording.Column,
    header: xlsxwriter.format.Format,
    cell: xlsxwriter.format.Format,
) -> None:
    sheet.set_column(column, column, field.width, cell)
    sheet.write_string(2, column, field.label + ("*" if field.required else ""), header)
    sheet.write_comment(2, column, field.comment, {"x_scale": 1.6, "author": "复工通"})
    if field.options:
        sheet.data_validation(
            3,
            column,
            2 + _LIST_ROWS,
            column,
            {
                "validate": "list",
                "source": list(field.options),
                "error_title": "请从列表中选择",
                "error_message": "此列只能选择：" + "、".join(field.options),
            },
        )


def _notes_sheet(book: xlsxwriter.Workbook, listing: wording.Listing) -> None:
    sheet = book.add_worksheet("填写说明")
    wrap = book.add_format({"text_wrap": True, "valign": "top"})
    sheet.set_column(0, 0, 26, wrap)
    sheet.set_column(1, 1, 80, wrap)
    for row, note in enumerate(listing.notes):
        sheet.write_string(row, 0, f"说明 {row + 1}", wrap)
        sheet.write_string(row, 1, note, wrap)
    for row, field in enumerate(listing.columns, start=len(listing.notes) + 1):
        sheet.write_string(row, 0, field.label + ("（必填）" if field.required else ""), wrap)
        sheet.write_string(row, 1, field.comment, wrap)


_BUILDERS: dict[str, Callable[[str], TemplateFile]] = {
    "M01": partial(_form, wording.APPLICATION),
    "M02": partial(_sheet, wording.RETURNING_STAFF),
    "M02b": partial(_form, wording.ONE_PERSON),
    "M04": partial(_plan, micro=False),
    "M04-micro": partial(_plan, micro=True),
    "vehicles": partial(_sheet, wording.VEHICLES),
    "supplies": partial(_sheet, wording.SUPPLIES),
    "isolation": partial(_form, wording.ISOLATION),
}
