"""A company's list of vehicles as a table: its columns in any order, and what is wrong with every row."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from workflow.core.errors import N_, DomainError, Invalid, Reason
from workflow.core.identifiers import parse_plate, squeeze
from workflow.core.texts import clean_text

PLATE, TYPE, PURPOSE, ROUTE, DRIVERS, FIRST, LAST, HOURS = (
    "车牌号",
    "车辆类型",
    "用途",
    "行驶路线",
    "驾驶员",
    "起始日期",
    "截止日期",
    "通行时段",
)
COLUMNS = (PLATE, TYPE, PURPOSE, ROUTE, DRIVERS, FIRST, LAST, HOURS)
OPTIONAL = frozenset({HOURS})
"""Columns that may be missing or empty."""
LONGEST: Mapping[str, int] = {
    PLATE: 20,
    TYPE: 40,
    PURPOSE: 20,
    ROUTE: 200,
    DRIVERS: 200,
    FIRST: 30,
    LAST: 30,
    HOURS: 40,
}
EXAMPLE = "示例"
"""A row with this word at its plate is an example and is left out."""
MAX_ROWS = 5000
HEAD_WITHIN = 20
"""The heads have to stand in the first so many rows: titles and notes may stand above them."""
MOST_DRIVERS = 5

_ALIASES: Mapping[str, str] = {
    "车牌": PLATE,
    "车牌号码": PLATE,
    "号牌": PLATE,
    "号牌号码": PLATE,
    "车型": TYPE,
    "车辆用途": PURPOSE,
    "路线": ROUTE,
    "行车路线": ROUTE,
    "司机": DRIVERS,
    "驾驶人": DRIVERS,
    "驾驶员姓名": DRIVERS,
    "开始日期": FIRST,
    "起始时间": FIRST,
    "结束日期": LAST,
    "截止时间": LAST,
    "时段": HOURS,
}
_DAY = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?(?:[ T]0?0:00(?::00)?(?:\.0+)?)?")
_SERIAL = re.compile(r"(\d{5})(?:\.0+)?")
_EXCEL_BEGINS = dt.date(1899, 12, 30)
_BETWEEN = re.compile(r"[、，,;；/\n\s]+")
_FORMULA = ("=", "@")
Cells = Sequence[str]


@dataclass(slots=True)
class VehicleRow:
    """A row as it stands in the table: its line from 1, its cells by column, and what is wrong with it."""

    line: int
    cells: dict[str, str]
    problems: list[Reason] = field(default_factory=list)

    def __getitem__(self, column: str) -> str:
        return self.cells[column]

    def refuse(self, message: str, **params: object) -> None:
        """Note something that has to be corrected."""
        self.problems.append(Reason(message, params))

    def refuse_with(self, error: DomainError) -> None:
        """Note what an error says, once."""
        if all((p.message, p.params) != (error.message, error.params) for p in self.problems):
            self.problems.append(Reason(error.message, error.params))

    @property
    def drivers(self) -> list[str]:
        """The names in the drivers' cell, parted by commas, blanks or line ends."""
        return [name for name in _BETWEEN.split(self[DRIVERS]) if name]

    @property
    def first_on(self) -> dt.date | None:
        """The first day, when the cell says one."""
        return day_of(self[FIRST])

    @property
    def last_on(self) -> dt.date | None:
        """The last day, when the cell says one."""
        return day_of(self[LAST])


def day_of(text: str) -> dt.date | None:
    """The day that a cell says: as usually written, or as the number that Excel keeps of a day."""
    serial, match = _SERIAL.fullmatch(text), _DAY.fullmatch(text)
    try:
        if serial:
            day = _EXCEL_BEGINS + dt.timedelta(days=int(serial[1]))
        elif match:
            day = dt.date(*(int(part) for part in match.groups()))
        else:
            return None
    except (ValueError, OverflowError):
        return None
    return day if dt.date(2000, 1, 1) <= day <= dt.date(2100, 1, 1) else None


def _name(cell: str) -> str:
    """What a head is about: blanks, stars and what is said in brackets don't count."""
    text = re.sub(r"[（(][^（）()]*[)）]|[\s*＊:：]", "", clean_text(cell))
    return text if text in COLUMNS else _ALIASES.get(text, "")


def _heads(rows: Iterable[tuple[int, Cells]]) -> tuple[int, dict[int, str]]:
    """The line of the heads and which column is where; :class:`Invalid` when there are none or some are missing."""
    best: tuple[int, dict[int, str]] = (0, {})
    for number, (line, cells) in enumerate(rows):
        if number >= HEAD_WITHIN:
            break
        found: dict[int, str] = {}
        for place, cell in enumerate(cells):
            name = _name(cell)
            if name and name not in found.values():
                found[place] = name
        if len(found) > len(best[1]):
            best = (line, found)
    missing = [c for c in COLUMNS if c not in best[1].values() and c not in OPTIONAL]
    if len(best[1]) < 2:
        raise Invalid(N_("没有找到表头。请下载空白表，照其表头填写。"), field="file")
    if missing:
        names = "、".join(missing)
        raise Invalid(N_("表头缺少：%(names)s。请下载空白表，照其表头填写。"), field="file", names=names)
    return best


def read(rows: Sequence[tuple[int, Cells]]) -> list[VehicleRow]:
    """The vehicles of a table of (line from 1, cells); :class:`Invalid` when it is no list of vehicles at all."""
    if not rows:
        raise Invalid(N_("表格是空的，请填写后再上传。"), field="file")
    head, columns = _heads(rows)
    found: list[VehicleRow] = []
    for line, cells in rows:
        if line <= head:
            continue
        values = dict.fromkeys(COLUMNS, "")
        for place, name in columns.items():
            if place < len(cells):
                values[name] = " ".join(clean_text(cells[place]).split())
        if any(values.values()) and EXAMPLE not in values[PLATE]:
            found.append(VehicleRow(line, values))
    if not found:
        raise Invalid(N_("表格里除表头外没有车辆。"), field="file")
    if len(found) > MAX_ROWS:
        raise Invalid(N_("一张表最多 %(n)s 辆，请分成几张。"), field="file", n=MAX_ROWS)
    return found


def check(row: VehicleRow, purposes: Mapping[str, str], hours: Mapping[str, str]) -> None:
    """Note everything that is wrong with a row by itself; ``purposes`` and ``hours`` are keys by word."""
    for column in COLUMNS:
        text = row[column]
        if not text and column not in OPTIONAL:
            row.refuse(N_("没有填“%(column)s”。"), column=column)
        elif text[:1] in _FORMULA:
            row.refuse(N_("“%(column)s”以“%(sign)s”开头，像是公式，请改成文字。"), column=column, sign=text[:1])
        elif len(text) > LONGEST[column]:
            row.refuse(N_("“%(column)s”超过 %(n)s 个字。"), column=column, n=LONGEST[column])
    if row[PLATE] and len(row[PLATE]) <= LONGEST[PLATE]:
        try:
            parse_plate(row[PLATE])
        except Invalid as error:
            row.refuse_with(error)
    for column, known in ((PURPOSE, purposes), (HOURS, hours)):
        if row[column] and word(row[column]) not in known:
            names = "、".join(dict.fromkeys(w for w in known if not w.isascii()))
            row.refuse(
                N_("“%(column)s”里的“%(word)s”不认识，请填：%(known)s。"), column=column, word=row[column], known=names
            )
    for column in (FIRST, LAST):
        if row[column] and day_of(row[column]) is None:
            row.refuse(N_("“%(column)s”里的“%(word)s”不是日期，请写成 2020-02-15。"), column=column, word=row[column])
    if len(row.drivers) > MOST_DRIVERS:
        row.refuse(N_("驾驶员最多 %(n)s 名。"), n=MOST_DRIVERS)


def word(text: str) -> str:
    """A word as it is compared: in one form, without blanks and dashes, and whatever its case."""
    return squeeze(text).lower()
