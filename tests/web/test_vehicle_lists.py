"""Asking for passes by a list: reading what people upload, every row judged, and handing in once."""

from __future__ import annotations

import datetime as dt
import io
import re
from collections.abc import Callable, Sequence
from typing import Any

import pytest
import xlsxwriter
from flask.testing import FlaskClient
from python_calamine import CalamineWorkbook
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from tests.web.desk_fixtures import Site, counted, page, site  # noqa: F401 - a fixture
from workflow.core.actors import Role
from workflow.core.times import shanghai_day
from workflow.core.vehicle_table import COLUMNS
from workflow.data.cases import Case
from workflow.data.enterprises import EnterpriseMember
from workflow.data.passes import VehiclePass
from workflow.data.people import Account
from workflow.data.vehicle_lists import VehicleList
from workflow.extensions import db
from workflow.jobs import chunks
from workflow.web.clock import now as real_now

Row = Sequence[Any]
TODAY = shanghai_day(real_now())
LAST = TODAY + dt.timedelta(days=6)


def vehicle(plate: str, **changes: Any) -> list[Any]:
    """A good row for a plate, or one with other cells by column."""
    cells = dict(
        zip(COLUMNS, [plate, "中型货车", "货物运输", "海曙 → 北仑", "张三、李四", TODAY, LAST, ""], strict=True)
    )
    return list((cells | changes).values())


def workbook(
    rows: Sequence[Row], heads: Sequence[str] = COLUMNS, fill: Callable[[Any, Any], None] | None = None
) -> bytes:
    """A workbook with these rows below the heads; ``fill`` adds what it likes to the book and sheet."""
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"in_memory": True, "default_date_format": "yyyy-mm-dd"})
    sheet = book.add_worksheet()
    for number, cells in enumerate([heads, *rows]):
        sheet.write_row(number, 0, cells)
    if fill:
        fill(book, sheet)
    book.close()
    return buffer.getvalue()


def csv_file(rows: Sequence[Row], encoding: str = "utf-8") -> bytes:
    """The same as CSV."""
    return "\r\n".join(",".join(str(c) for c in row) for row in [COLUMNS, *rows]).encode(encoding)


class Company:
    """The clerk of an approved case in front of the pages."""

    def __init__(self, site: Site, case_id: int) -> None:  # noqa: F811
        self.site, self.case_id = site, case_id
        with site.app.app_context():
            case = db.session.get_one(Case, case_id)
            members = select(EnterpriseMember.person_id).where(EnterpriseMember.enterprise_id == case.enterprise_id)
            login = db.session.scalars(select(Account.login).where(Account.person_id.in_(members))).one()
            db.session.remove()
        self.client: FlaskClient = site.browser(login)
        self.url = f"/cases/{case_id}/passes/list"

    def upload(self, content: bytes, name: str = "车辆.xlsx", key: str = "") -> TestResponse:
        """Upload a file; the answer to the form."""
        self.site.keys += 1
        fields = {"idempotency_key": key or f"list-test-{self.site.keys:05d}", "file": (io.BytesIO(content), name)}
        return self.client.post(self.url, data=fields, content_type="multipart/form-data")

    def look(self, content: bytes, name: str = "车辆.xlsx") -> tuple[str, str]:
        """Upload a file and see it looked through: its address and text."""
        answer = self.upload(content, name)
        assert answer.status_code == 303, re.sub(r"<[^>]+>|\s+", " ", answer.get_data(as_text=True))[-700:]
        return answer.headers["Location"], page(self.client.get(answer.headers["Location"]))

    def passes(self) -> int:
        """How many passes are stored."""
        with self.site.app.app_context():
            return db.session.scalar(select(func.count()).select_from(VehiclePass)) or 0


@pytest.fixture
def company(site: Site) -> Company:  # noqa: F811
    """The clerk of an approved case."""
    return Company(site, site.case("approved"))


def test_a_list_is_looked_through_and_handed_in_once(company: Company) -> None:
    rows = [
        vehicle("浙B12345"),
        vehicle("浙bD 12345", 通行时段="每天 6:00–22:00"),
        vehicle("浙BO2345"),
        vehicle("浙B12345"),
    ]
    url, body = company.look(workbook(rows))
    assert "共 4 辆：2 辆可以提交，2 辆需要改正" in body
    assert "号牌不使用字母 I 和 O" in body
    assert "与第 2 行重复" in body
    assert company.passes() == 0
    first = company.site.post(company.client, f"{url}/submit")
    assert first.status_code == 303
    assert company.passes() == 2
    shown = page(company.client.get(url))
    assert "还有 2 辆没有提交" in shown
    assert "已提交" in page(company.client.get(company.url))
    again = company.site.post(company.client, f"{url}/submit")
    assert again.status_code == 409
    assert "这张表已经提交过了" in again.get_data(as_text=True)
    assert company.passes() == 2
    with company.site.app.app_context():
        made = db.session.scalars(select(VehiclePass).order_by(VehiclePass.id)).all()
        assert [(p.plate, p.schedule, p.drivers) for p in made] == [
            ("浙B12345", "always", ["张三", "李四"]),
            ("浙BD12345", "daytime", ["张三", "李四"]),
        ]
        assert len(db.session.scalars(select(VehicleList)).one().rows) == 2


def test_rows_to_correct_come_back_as_a_workbook_that_can_be_uploaded(company: Company) -> None:
    url, _body = company.look(workbook([vehicle("浙B12345"), vehicle("浙B1234", 用途="观光"), vehicle("")]))
    answer = company.client.get(f"{url}/correct.xlsx")
    sheet = CalamineWorkbook.from_filelike(io.BytesIO(answer.data)).get_sheet_by_index(0).to_python()
    assert [row[0] for row in sheet] == ["车牌号", "浙B1234", ""]
    assert "“用途”里的“观光”不认识" in sheet[1][8]
    assert "7 位" in sheet[1][8]
    assert "没有填“车牌号”" in sheet[2][8]
    _url, body = company.look(answer.data)
    assert "共 2 辆：0 辆可以提交，2 辆需要改正" in body


def test_the_blank_workbook_is_read_without_its_example(company: Company) -> None:
    answer = company.client.get(f"{company.url}/blank.xlsx")
    assert "filename*=UTF-8''" in answer.headers["Content-Disposition"]
    refused = company.upload(answer.data)
    assert refused.status_code == 422
    assert "表格里除表头外没有车辆" in refused.get_data(as_text=True)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_csv_in_the_encodings_of_excel(company: Company, encoding: str) -> None:
    _url, body = company.look(csv_file([vehicle("浙B12345", 驾驶员="张三 李四")], encoding), "车辆.csv")
    assert "共 1 辆：1 辆可以提交，0 辆需要改正" in body


def test_other_orders_names_dates_and_extras_are_understood(company: Company) -> None:
    heads = ["备注", "司机", "号牌号码", "车型", "用途*", "行车路线", "结束日期（必填）", "开始日期"]
    serial = (TODAY - dt.date(1899, 12, 30)).days
    rows = [
        ["无", "张三;李四", "浙Ｂ１２３４５", "货车", "goods", "海曙", f"{LAST:%Y/%m/%d}", serial],
        ["", "王五", "浙B·12346", "货车", "货运", "海曙", f"{LAST.year}年{LAST.month}月{LAST.day}日", str(TODAY)],
    ]

    def above(book: Any, sheet: Any) -> None:
        sheet.merge_range(3, 2, 4, 2, "浙B12347")  # merged over two rows: the second has no plate

    _url, body = company.look(workbook(rows, heads, above))
    assert "2 辆可以提交" in body
    assert "没有填" in body


@pytest.mark.parametrize(
    ("content", "name", "words"),
    [
        (workbook([]), "车辆.xlsx", "表格里除表头外没有车辆"),
        (workbook([], []), "车辆.xlsx", "表格是空的"),
        (workbook([["浙B12345"]], ["一", "二"]), "车辆.xlsx", "没有找到表头"),
        (workbook([["浙B12345", "货车"]], COLUMNS[:4]), "车辆.xlsx", "表头缺少：驾驶员、起始日期、截止日期"),
        (b"", "车辆.xlsx", "空的"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "车辆.xlsx", "文件"),
        (b"PK\x03\x04" + b"\0" * 60, "车辆.xlsx", "损坏"),
        (b"<html><table><tr><td>1</td></tr></table></html>", "车辆.xlsx", "HTML"),
        (b"<html><table></table></html>", "车辆.csv", "不能上传"),
        (b"a\0b,c\n", "车辆.csv", "不能上传"),
        ('车牌号,用途\n"浙B1'.encode(), "车辆.csv", "表头缺少"),
        (csv_file([vehicle(f"浙B{n:05d}") for n in range(5001)]), "车辆.csv", "最多 5000 辆"),
    ],
)
def test_what_is_no_list_is_refused_in_words(company: Company, content: bytes, name: str, words: str) -> None:
    answer = company.upload(content, name)
    body = answer.get_data(as_text=True)
    assert answer.status_code == 422, body[-500:]
    assert words in body


def test_formulas_long_texts_swapped_dates_and_too_many_drivers(company: Company) -> None:
    rows = [
        vehicle("浙B12345", 行驶路线="=HYPERLINK(1)"),
        vehicle("浙B12346", 起始日期=LAST, 截止日期=TODAY),
        vehicle("浙B12347", 驾驶员="一、二、三、四、五、六"),
        vehicle("浙B12348", 行驶路线="路" * 201),
        vehicle("13800138000"),
        vehicle("浙B12349", 截止日期="下周"),
        vehicle("浙B12350", 截止日期=TODAY + dt.timedelta(days=400)),
    ]
    _url, body = company.look(csv_file(rows), "车辆.csv")
    assert "共 7 辆：0 辆可以提交" in body
    for words in (
        "像是公式",
        "不能早于起始日期",
        "驾驶员最多 5 名",
        "超过 200 个字",
        "省份简称",
        "不是日期",
        "一次最多",
    ):
        assert words in body, words


def test_a_live_pass_and_the_quota_stop_rows(company: Company) -> None:
    url, _body = company.look(workbook([vehicle("浙B12345")]))
    company.site.post(company.client, f"{url}/submit")
    _url, body = company.look(workbook([vehicle("浙B12345"), *[vehicle(f"浙B2{n:04d}") for n in range(300)]]))
    assert "这辆车已有申请或有效的通行证" in body
    assert "名额已满" in body
    assert "还可申请" in body


def test_only_the_own_company_and_a_double_click(company: Company) -> None:
    content = workbook([vehicle("浙B12345")])
    answers = [company.upload(content, key="list-double-click").headers["Location"] for _ in range(2)]
    assert answers[0] == answers[1] == company.upload(content).headers["Location"]
    stranger = Company(company.site, company.site.case("approved", name="宁波海曙试验百货有限公司"))
    officer = company.site.officer(Role.REVIEWER)
    for path in (answers[0], f"{answers[0]}/correct.xlsx", company.url, f"{company.url}/blank.xlsx"):
        assert stranger.client.get(path).status_code == 404
        assert officer.get(path).status_code == 403
    for act in ("submit", "discard"):
        assert company.site.post(stranger.client, f"{answers[0]}/{act}").status_code == 404
    other = answers[0].replace(f"/cases/{company.case_id}/", f"/cases/{stranger.case_id}/")
    assert company.client.get(other).status_code == 404
    assert company.site.post(company.client, f"{answers[0]}/discard").status_code == 303
    assert company.client.get(answers[0]).status_code == 404
    assert company.passes() == 0


def test_lists_are_forgotten_after_a_week(company: Company) -> None:
    company.look(workbook([vehicle("浙B12345")]))
    with company.site.app.app_context():
        assert chunks.forget_old_lists(lambda: real_now() + dt.timedelta(days=6)) == 0
        assert chunks.forget_old_lists(lambda: real_now() + dt.timedelta(days=8)) == 1


def test_five_thousand_vehicles_with_three_bad_rows(company: Company) -> None:
    rows = [vehicle(f"浙B{n:05d}") for n in range(4997)] + [vehicle("浙B1"), vehicle(""), vehicle("浙BI0001")]
    url, _body = company.look(workbook(rows))
    with counted(company.site.app) as seen:
        body = page(company.client.get(url))
    assert len(seen) <= 15, seen
    assert len(body.encode()) <= 120_000
    assert "共 5,000 辆" in body
    assert 'rel="next"' in body
    assert page(company.client.get(f"{url}?bad=99999&good=x"))
