"""The organisation as a table: reading the CSV that people keep it in, with all that is wrong in words."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from workflow.core.errors import N_, Invalid, Reason
from workflow.core.texts import clean_text

COLUMNS = ("组织", "上级", "类别", "组别", "区域代码或名称", "姓名", "账号", "职责", "起始日期")
MAX_BYTES, MAX_ROWS, LONGEST = 2 * 1024 * 1024, 2000, 80
OFFICER = "officer"
KINDS: Mapping[str, str] = {"指挥部": "headquarters", "专班": "team", "小分队": "squad"}
DUTIES: Mapping[str, str] = {
    **dict.fromkeys(("负责人", "领导", "班子领导", "组长", "队长"), "leader"),
    **dict.fromkeys(("副职", "中层干部", "副组长", "副队长"), "deputy"),
    **dict.fromkeys(("成员", "科员", "组员", "队员"), "member"),
    **dict.fromkeys(("支援", "网格员", "志愿者"), "support"),
    **dict.fromkeys(("专员", "楼宇专员"), OFFICER),
}
"""What people call a duty, and what it is here; the first word of each is what an export writes."""
_SEPARATORS = re.compile(r"[、;；/]")
_DAY = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?")
_FORMULA = "=+-@\t"
FIRST_DAY = dt.date(2000, 1, 1)


@dataclass(slots=True)
class Row:
    """One line of the table: its number in the file, its cells, and what is wrong with it."""

    line: int
    cells: dict[str, str]
    problems: list[Reason] = field(default_factory=list)

    def refuse(self, message: str, **params: object) -> None:
        """Note that something is wrong with this row, and what to do."""
        self.problems.append(Reason(message, params))

    def __getitem__(self, column: str) -> str:
        return self.cells[column]

    @property
    def areas(self) -> list[str]:
        """The codes or names of the areas given."""
        return [part.strip() for part in _SEPARATORS.split(self["区域代码或名称"]) if part.strip()]

    @property
    def kind(self) -> str:
        """The key of the kind, or empty."""
        return KINDS.get(self["类别"], "")

    @property
    def duty(self) -> str:
        """The key of the duty, :data:`OFFICER`, or empty."""
        return DUTIES.get(self["职责"], "")

    @property
    def has_person(self) -> bool:
        """Whether the row names somebody."""
        return bool(self["姓名"] or self["账号"])


def decode(data: bytes) -> str:
    """The text of a file in UTF-8 (with or without a mark) or GB18030; :class:`Invalid` for anything else."""
    if len(data) > MAX_BYTES:
        raise Invalid(N_("文件太大，最多 %(n)s MB；请分区域导入。"), field="file", n=MAX_BYTES // 1024 // 1024)
    if not data.strip():
        raise Invalid(N_("文件是空的，请选择填好的表格。"), field="file")
    if data.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise Invalid(N_("这是 Excel 文件，请在 Excel 中“另存为”CSV 后再导入。"), field="file")
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise Invalid(N_("认不出文件的编码，请另存为“CSV UTF-8”后再导入。"), field="file")


def read(text: str) -> list[Row]:
    """The rows of the table, empty ones left out; :class:`Invalid` when it is no such table at all."""
    body = text.lstrip("\ufeff")
    first = body.split("\n", 1)[0]
    separator = "\t" if "\t" in first else ";" if ";" in first and "," not in first else ","
    reader = csv.reader(io.StringIO(body, newline=""), delimiter=separator)
    rows: list[Row] = []
    try:
        header = _header(next(reader, []))
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            if len(rows) >= MAX_ROWS:
                raise Invalid(N_("表格最多 %(n)s 行，请分区域导入。"), field="file", n=MAX_ROWS)
            rows.append(_row(reader.line_num, header, cells))
    except csv.Error as error:
        raise Invalid(N_("第 %(n)s 行读不出来，请检查引号是否成对。"), field="file", n=reader.line_num) from error
    if not rows:
        raise Invalid(N_("表格里除表头外没有内容。"), field="file")
    return rows


def _header(cells: list[str]) -> list[str]:
    names = [clean_text(cell) for cell in cells]
    missing = [name for name in COLUMNS if name not in names]
    if missing:
        words = "、".join(missing)
        raise Invalid(N_("表头缺少：%(names)s。请下载现有表格，照其表头填写。"), field="file", names=words)
    return names


def _row(line: int, header: list[str], cells: list[str]) -> Row:
    found = dict.fromkeys(COLUMNS, "")
    row = Row(line, found)
    if len(cells) > len(header) and any(c.strip() for c in cells[len(header) :]):
        row.refuse(N_("比表头多出了内容，请检查是否多了逗号。"))
    for name, raw in zip(header, cells, strict=False):
        if name not in found:
            continue
        text = " ".join(clean_text(raw).split())
        text = text[1:] if text[:1] == "'" and text[1:2] in tuple(_FORMULA) else text
        if text[:1] in tuple(_FORMULA):
            row.refuse(N_("“%(column)s”以“%(sign)s”开头，像是公式，请改成文字。"), column=name, sign=text[:1])
        longest = 400 if name == "区域代码或名称" else LONGEST
        if len(text) > longest:
            row.refuse(N_("“%(column)s”超过 %(n)s 个字。"), column=name, n=longest)
            text = text[:longest]
        found[name] = text
    _check_words(row)
    return row


def _check_words(row: Row) -> None:
    kinds, duties = "、".join(KINDS), "、".join(DUTIES)
    if row["类别"] and not row.kind:
        row.refuse(N_("类别“%(word)s”不认识，请填：%(known)s。"), word=row["类别"], known=kinds)
    if row["职责"] and not row.duty:
        row.refuse(N_("职责“%(word)s”不认识，请填：%(known)s。"), word=row["职责"], known=duties)
    if row.has_person and not row["职责"]:
        row.refuse(N_("写了人员，还要填写职责。"))
    if row["职责"] and not row.has_person:
        row.refuse(N_("写了职责，还要填写姓名或账号。"))
    if not row["组织"] and row.duty != OFFICER:
        row.refuse(N_("请填写组织名称。"))
    if row.duty == OFFICER and len(row.areas) != 1:
        row.refuse(N_("楼宇专员一行只填一处楼宇（园区、商圈）。"))
    if row["起始日期"] and day_of(row["起始日期"]) is None:
        row.refuse(N_("起始日期“%(word)s”不是日期，请写成 2020-02-15。"), word=row["起始日期"])


def day_of(text: str) -> dt.date | None:
    """The day that a cell says in any of the usual ways; None when it is none that an organisation can begin on."""
    match = _DAY.fullmatch(text)
    if match is None:
        return None
    try:
        day = dt.date(*(int(part) for part in match.groups()))
    except ValueError:
        return None
    return day if FIRST_DAY <= day <= dt.date(2100, 1, 1) else None


def write(rows: list[dict[str, str]]) -> str:
    """The table as CSV text; what looks like a formula gets a mark in front, which :func:`read` takes off."""
    buffer = io.StringIO(newline="")
    writer = csv.DictWriter(buffer, COLUMNS)
    writer.writeheader()
    for row in rows:
        writer.writerow({k: f"'{v}" if v[:1] in tuple(_FORMULA) else v for k, v in row.items()})
    return buffer.getvalue()
