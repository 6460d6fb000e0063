"""A company and its officers at their browsers, from the task list to the notice: what each family's journey needs."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pypdfium2
from playwright.sync_api import Locator, Page, expect

from tests import walking
from tests.browsing import Person
from tests.builders import PASSWORD, World, measured
from workflow.core.actors import Role
from workflow.core.times import SHANGHAI
from workflow.data import applications, audit
from workflow.data.cases import Case
from workflow.data.people import Account
from workflow.documents.official import NOTICE_TITLE
from workflow.extensions import db


@dataclass
class Family:
    """One company and the officers of its case; ``clerk`` and ``desk`` are people at browsers of their own."""

    world: World
    arrive: Callable[[], Person]
    clerk: Person
    desk: Person
    account: Account
    login: str
    company: str
    application: int = 0
    case: int = 0

    @contextmanager
    def behind_the_pages(self) -> Iterator[World]:
        """Work through the services as of now, in a transaction that ends before the next page is asked for."""
        self.world.now = dt.datetime.now(dt.UTC)
        yield self.world
        db.session.commit()

    # -- the company -------------------------------------------------------------------------------------------

    def begin(self, flow: str, *left_out: str, **answers: str) -> Page:
        """A draft with all answers but those ``left_out``, which are given on the pages; opens its task list."""
        with self.behind_the_pages() as world:
            raw = world.answers(**answers)
            kept = {key: value for key, value in raw.items() if key not in left_out}
            self.application = world.typed(self.account, kept).id
        self.clerk.sign_in(self.login, PASSWORD)
        page = self.clerk.go(f"/applications/{self.application}")
        if left_out:
            expect(page.locator("main")).not_to_contain_text(flow)
        return page

    def topic(self, name: str) -> Page:
        """Open one topic from the task list."""
        self.clerk.go(f"/applications/{self.application}")
        return self.clerk.follow(name)

    def save(self) -> None:
        """Save the topic and go back to the list."""
        self.clerk.press("保存并回到清单")
        expect(self.clerk.page).to_have_url(re.compile(r"/applications/\d+$"))

    def submit(self, flow: str, *words: str) -> None:
        """See on the list and on the check page that ``flow`` applies, hand in the papers and submit."""
        page = self.clerk.go(f"/applications/{self.application}")
        self.clerk.checked.clear()
        self.clerk.look()
        expect(page.locator("main")).to_contain_text(flow)
        with self.behind_the_pages() as world:
            world.hand_in(self.account, db.session.get_one(applications.Application, self.application))
        self.clerk.go(f"/applications/{self.application}/materials")
        page = self.clerk.go(f"/applications/{self.application}/check")
        for expected in (flow, *words):
            expect(page.locator("main")).to_contain_text(expected)
        page.check("[name=committed]")
        self.clerk.press("确认提交")
        expect(page).to_have_url(re.compile("/submitted$"))
        self.clerk.follow("查看办理进度")
        self.case = int(page.url.rsplit("/", 1)[-1])

    def read_notice(self, standing: str, title: str = NOTICE_TITLE) -> str:
        """The company sees where its case stands and opens its notice; returns the notice's text without blanks."""
        self.clerk.checked.clear()
        page = self.clerk.go(f"/cases/{self.case}")
        expect(page.locator(".fg-standing__word")).to_have_text(standing)
        href = page.get_by_role("link", name=f"打开{title}", exact=True).get_attribute("href")
        content = page.request.get(f"{self.clerk.base}{href}").body()
        assert content.startswith(b"%PDF")
        with pypdfium2.PdfDocument(content) as pdf:
            text = re.sub(r"\s", "", "".join(p.get_textpage().get_text_range() for p in pdf))
        assert title in text
        assert self.company in text
        assert list(audit.verify()) == []
        db.session.rollback()
        return text

    # -- the task force ----------------------------------------------------------------------------------------

    def walk(self, state: str) -> None:
        """Let the officers take the case to ``state`` through the services."""
        with self.behind_the_pages() as world:
            walking.walk(world, db.session.get_one(Case, self.case), {state})

    def officer(self, role: Role) -> Page:
        """Sign the officer in charge in at the desk and open the case."""
        with self.behind_the_pages() as world:
            case = db.session.get_one(Case, self.case)
            town = case.town.code
            account = world.in_charge(role, case) if role is not Role.REVIEWER else world.officer(role, town)
            login = account.login
        self.desk.page.context.clear_cookies()
        self.desk.sign_in(login, PASSWORD)
        self.desk.checked.clear()
        return self.desk.go(f"/cases/{self.case}")

    def decide(self, label: str, *, words: str = "同意，请严格落实防控措施。") -> None:
        """Press the decision ``label`` on the case page that is open, with words."""
        self.act(label).locator("textarea").fill(words)
        self.desk.checked.clear()
        page = self.desk.press(label)
        expect(page.locator("#act")).not_to_contain_text(label)
        expect(page.locator("main")).to_contain_text(words)

    def act(self, label: str) -> Locator:
        """The box of the step ``label`` among what the officer may do."""
        return self.desk.page.locator("#act .fg-act", has_text=re.compile(rf"^\s*\d?\s*{label}"))

    def arrange(self, action: str, label: str) -> None:
        """Arrange the visit from the case page that is open."""
        page = self.desk.page
        with page.expect_navigation():
            page.locator(f"#act a[href$='/{action}']").click()
        self.desk.look()
        at = dt.datetime.now(SHANGHAI) + dt.timedelta(minutes=30)
        page.fill("[name=visit_at]", f"{at:%Y-%m-%dT%H:%M}")
        page.locator("[name=lead_id]").select_option(index=1)
        page.locator("[name=second_id]").select_option(index=2)
        self.desk.press(label)

    def visit(self, checklist: str, *items: str) -> None:
        """Fill in the sheet, on which ``items`` stand, and pass."""
        page = self.officer(Role.INSPECTOR)
        page = self.desk.go("/inspections")
        self.desk.follow(self.company)
        for item in items:
            expect(page.locator("main")).to_contain_text(item)
        for choice in page.locator("input[type=radio][value=conform]").all():
            choice.check(force=True)
        for value in page.locator("input[name^=measured_]").all():
            value.fill(measured((value.get_attribute("name") or "").removeprefix("measured_"), checklist))
        self.desk.press("保存核查记录")
        page.fill("[name=words]", "现场与方案一致。")
        self.desk.press("核查通过")
        expect(page.locator("main")).to_contain_text("核查结论：通过")

    def answer(self, department: str, stance: str, words: str = "") -> None:
        """Somebody of a department answers on its own page."""
        with self.behind_the_pages() as world:
            county = db.session.get_one(Case, self.case).county.code
            login = world.officer(Role.DEPARTMENT, county, department).login
        person = self.arrive()
        person.sign_in(login, PASSWORD)
        page = person.go("/opinions")
        person.follow(self.company)
        page.get_by_label(stance, exact=True).check()
        page.locator("#words").fill(words)
        person.press("答复")
        expect(page.locator(".fg-flash")).to_contain_text("部门意见已送达")
