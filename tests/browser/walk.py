"""The main line as people click it, from registration to a revoked pass; tests and the guide's pictures share it."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.browsing import Person
from tests.builders import measured
from workflow.cli.demo.papers import scanned_page
from workflow.core.times import SHANGHAI
from workflow.documents import material_templates

Shot = Callable[[Page, str], None]
Logins = dict[str, tuple[str, str]]
"""Login and password by role: reviewer, inspector, leader, bureau, group."""


def no_shot(page: Page, name: str) -> None:
    """Take no picture."""


@dataclass(frozen=True)
class Firm:
    """What the walk types for the company; ``size`` chooses the flow."""

    uscc: str
    name: str
    mobile: str
    password: str
    size: str = "below"
    plate: str = "浙b 12345"


@dataclass
class Walk:
    """One walk: ``clerk`` and ``desk`` are people at browsers of their own, ``files`` a folder for what is uploaded."""

    firm: Firm
    clerk: Person
    desk: Person
    logins: Logins
    files: Path
    shot: Shot = no_shot
    case_path: str = ""

    # -- the company -------------------------------------------------------------------------------------------

    def register(self) -> None:
        """From the front page to the company's home."""
        page = self.clerk.go("/")
        self.clerk.follow("注册并开始申请")
        page.fill("[name=uscc]", self.firm.uscc.lower())
        page.fill("[name=company_name]", self.firm.name)
        page.fill("[name=contact_name]", "试行者")
        page.fill("[name=mobile]", self.firm.mobile)
        page.fill("[name=password]", self.firm.password)
        self.shot(page, "tour-01-register")
        self.clerk.press("注册并登录")
        expect(page).to_have_url(re.compile("/company"))

    def fill(self) -> None:
        """Every topic of the application, one page each."""
        page = self.clerk.press("开始申请")
        application = page.url
        page.goto(application + "/enterprise")
        page.check("[name=purpose][value=resume]")
        page.check("[name=trade][value=none]")
        page.fill("[name=legal_person]", "试行者")
        page.check("[name=sector][value=industry]")
        page.locator("select[name=industry]").select_option("34")
        page.check(f"[name=size][value={self.firm.size}]")
        page.check("[name=hazardous][value=no]")
        self.clerk.press("保存并继续")
        page.locator("select[name=town]").select_option("330203002")
        page.fill("[name=address]", "学士巷 1 号")
        self.clerk.press("保存并继续")
        phones = {"head_phone": "0574-87650000", "contact_mobile": self.firm.mobile, "hotline": self.firm.mobile}
        for key, value in {"head_name": "试行者", "contact_name": "试行者", **phones}.items():
            page.fill(f"[name={key}]", value)
        self.clerk.press("保存并继续")
        self._staffing(page)
        for choice in page.locator("input[type=radio][value=have]").all():
            choice.check()
        self.clerk.press("保存")
        page.goto(application)
        self.clerk.look()
        self.shot(page, "tour-03-task-list")

    def _staffing(self, page: Page) -> None:
        """Numbers and dates; what is typed is saved by itself and survives a reload."""
        resume_on = dt.datetime.now(SHANGHAI).date() + dt.timedelta(days=4)
        page.fill("[name=head_count]", "60")
        page.fill("[name=resuming_count]", "45")
        page.fill("[name=key_area_count]", "0")
        page.fill("[name=reason]", "完成春季订单")
        expect(page.locator("[data-autosave-state]")).to_contain_text(re.compile("已保存"))
        page.reload()
        expect(page.locator("[name=reason]")).to_have_value("完成春季订单")
        page.check("[name=priority_class][value=steady]")
        page.fill("[name=resume_on]", resume_on.isoformat())
        expect(page.locator("[data-autosave-state]")).to_contain_text(re.compile("已保存"))
        self.shot(page, "tour-04-topic")
        self.clerk.press("保存并继续")

    def upload(self) -> None:
        """One file into each required slot, with progress and without leaving the page."""
        page = self.clerk.follow("上传材料")
        for slot, path in self._papers().items():
            self._put(page, slot, path)
        self.shot(page, "tour-05-materials")

    def _papers(self) -> dict[str, Path]:
        papers = {}
        for slot, code in (("M02", "M02"), ("M04", "M04"), ("supplies", "supplies")):
            blank = material_templates.build(code)
            papers[slot] = self.files / blank.name
            papers[slot].write_bytes(blank.content)
        scans = {"commitment": "承诺书", "licence": "营业执照"}
        if self.firm.size == "above":
            scans["safety"] = "安全检查报备表"
        for slot, name in scans.items():
            papers[slot] = self.picture(f"{name} 扫描件😀.png", len(slot))
        return papers

    def picture(self, name: str, tint: int) -> Path:
        """A picture of a paper, of its own colour so that no two are the same."""
        path = self.files / name
        lines = ("企业：宁波试行精密机械有限公司", "一、落实企业主体责任；", "二、每日报告员工健康状况。")
        path.write_bytes(scanned_page(name.split(" ")[0].split("（")[0], lines, (40 + tint * 11 % 200, 70, 90)))
        return path

    def _put(self, page: Page, slot: str, path: Path) -> None:
        box = page.locator(f"#slot-{slot}")
        before = box.locator(".fg-file").count()
        box.locator("input[type=file]").first.set_input_files(path)
        expect(box.locator(".fg-file")).to_have_count(before + 1)

    def submit(self) -> None:
        """Check the answers, confirm the commitment, submit; the reference number comes up."""
        page = self.clerk.page
        page.goto(page.url.replace("/materials", "/check"))
        self.clerk.look()
        page.check("[name=committed]")
        self.shot(page, "tour-06-check")
        self.clerk.press("确认提交")
        expect(page).to_have_url(re.compile("/submitted$"))
        expect(page.locator(".fg-panel__reference")).to_contain_text(re.compile(r"复工-海曙-\d{8}-\d{4}"))
        self.shot(page, "tour-07-submitted")
        self.clerk.follow("查看办理进度")
        self.case_path = page.url.removeprefix(self.clerk.base)

    def correct(self) -> None:
        """Read what is wrong, replace just that, hand it in again."""
        page = self.clerk.go(self.case_path)
        self.shot(page, "tour-11-corrections")
        self.clerk.follow("去更正材料")
        # Only what was flagged may be replaced.
        expect(page.locator(".fg-slot input[type=file][name=file]")).to_have_count(1)
        self._put(page, "commitment", self.picture("承诺书（补签）.png", 7))
        self.clerk.go(self.case_path)
        self.clerk.press("提交补正")

    def ask_pass(self) -> None:
        """Ask for a pass for a truck."""
        page = self.clerk.go(self.case_path)
        self.shot(page, "tour-15-approved")
        self.clerk.follow("申领和打印通行证")
        page.fill("[name=plate]", self.firm.plate)
        page.fill("[name=vehicle_type]", "轻型厢式货车")
        page.check("[name=purpose][value=goods]")
        page.fill("[name=route]", "厂区—环城西路—北仑港")
        page.fill("[name=drivers]", "试行者")
        self.shot(page, "tour-16-ask-pass")
        self.clerk.press("提交申请")

    def print_pass(self) -> bytes:
        """The pass as PDF."""
        page = self.clerk.go(self.case_path + "/passes")
        href = page.get_by_role("link", name="打印通行证").get_attribute("href")
        return page.request.get(f"{self.clerk.base}{href}").body()

    # -- the task force ----------------------------------------------------------------------------------------

    def as_officer(self, role: str) -> Page:
        """Sign somebody else in at the desk and open the case."""
        self.desk.page.context.clear_cookies()
        self.desk.sign_in(*self.logins[role])
        return self.desk.go(self.case_path)

    def _judge(self, page: Page, wrong: str = "") -> None:
        """Give every pending material its verdict; the one named ``wrong`` is flagged."""
        page.goto(self.desk.base + self.case_path + "/materials")
        while page.locator("[name=verdict]").count():
            self.desk.look()
            flagged = bool(wrong) and wrong in page.locator("h1").inner_text()
            page.locator(f"[name=verdict][value={'wrong' if flagged else 'ok'}]").check(force=True)
            if flagged:
                page.fill("[name=words]", "未见法定代表人签字，请补签后重新上传。")
                self.shot(page, "tour-09-review")
            self.desk.press("记录并看下一项")
            if page.url.endswith("/summary"):
                break

    def review(self) -> None:
        """Accept, judge, return all corrections at once; after the company's answer pass the second round."""
        page = self.as_officer("reviewer")
        queue = self.desk.go("/desk")
        self.shot(queue, "tour-08-queue")
        self.desk.go(self.case_path)
        self.desk.press("受理")
        self._judge(page, wrong="承诺书")
        self.shot(page, "tour-10-one-time-notice")
        self.desk.press("一次性告知并退回补正")
        self.correct()
        page.goto(self.desk.base + self.case_path + "/materials")
        expect(page.locator("main")).to_contain_text("承诺书（补签）.png")
        self._judge(page)
        self.desk.press("材料审核通过")

    def inspect(self, phone: Person | None = None) -> None:
        """Arrange the visit and take the sheet along, on a ``phone`` if there is one."""
        page = self.as_officer("inspector")
        page.goto(self.desk.base + self.case_path + "/inspections/schedule_inspection")
        self.desk.look()
        at = dt.datetime.now(SHANGHAI) + dt.timedelta(minutes=30)
        page.fill("[name=visit_at]", f"{at:%Y-%m-%dT%H:%M}")
        page.locator("[name=lead_id]").select_option(index=1)
        page.locator("[name=second_id]").select_option(index=2)
        self.shot(page, "tour-12-appointment")
        self.desk.press("预约实地核查")
        visitor = phone or self.desk
        if phone:
            phone.sign_in(*self.logins["inspector"])
        page = visitor.go("/inspections")
        visitor.follow(self.firm.name)
        for choice in page.locator("input[type=radio][value=conform]").all():
            choice.check(force=True)
        for value in page.locator("input[name^=measured_]").all():
            value.fill(measured((value.get_attribute("name") or "").removeprefix("measured_")))
        self.shot(page, "tour-13-sheet")
        visitor.press("保存核查记录")
        page.fill("[name=words]", "现场与方案一致。")
        visitor.press("核查通过")
        expect(page.locator("main")).to_contain_text("通过")

    def decide(self) -> None:
        """Every level that this flow asks for."""
        decisions = [("leader", "同意复工")]
        if self.firm.size == "above":
            decisions = [("leader", "同意上报"), ("bureau", "主管部门同意"), ("group", "同意复工")]
        for role, label in decisions:
            page = self.as_officer(role)
            if role == "leader":
                self.shot(page, "tour-14-decision")
            box = page.locator(f"details:has(summary:has-text('{label}'))")
            if box.count() and box.first.get_attribute("open") is None:
                box.first.locator("summary").click()
            box.first.locator("textarea").fill("同意，请严格落实防控措施。")
            self.desk.press(label)

    def grant(self) -> None:
        """The reviewer grants the pass."""
        page = self.as_officer("reviewer")
        self.shot(page, "tour-17-grant")
        self.desk.press("发放通行证")

    def revoke(self) -> None:
        """The reviewer revokes the pass."""
        page = self.as_officer("reviewer")
        page.locator("summary:has-text('撤销此证')").click()
        page.locator("details[open] [name=words]").last.fill("车辆已转让。")
        self.desk.press("撤销此证")
