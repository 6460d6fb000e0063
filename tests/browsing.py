"""Real Chromium for tests: a live server on a real database, pages that record what goes wrong, and axe."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Playwright, expect
from werkzeug.serving import WSGIRequestHandler, make_server

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE_MS = 60_000
"""How long to wait for what must come; only a test that fails waits so long, so that a busy machine fails none."""
expect.set_options(timeout=PATIENCE_MS)

# Marks the document that a form is leaving, when no handler of the page kept the form back: it is gone with the answer.
_LEAVING = """addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || form.target === "_blank" || "many" in form.dataset) return;
  document.documentElement.dataset.leaving = "yes";
});"""
WIDE, PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 844}


def launch(playwright: Playwright) -> Browser:
    """Start Debian's Chromium without a screen."""
    return playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)


class _Quiet(WSGIRequestHandler):
    """Serves without a line of log for each request."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing."""


@contextmanager
def serving(app: Flask) -> Iterator[str]:
    """Serve ``app`` with several threads on a free port; gives the address."""
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=_Quiet)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()


@dataclass
class Person:
    """Somebody at a browser: their page, and everything that the page complained about."""

    page: Page
    base: str
    complaints: list[str] = field(default_factory=list)
    checked: set[str] = field(default_factory=set)

    @classmethod
    def arrive(cls, browser: Browser, base: str, viewport: dict[str, int]) -> Person:
        """A new person with an empty browser profile."""
        context: BrowserContext = browser.new_context(
            viewport=viewport,  # type: ignore[arg-type]
            locale="zh-CN",
            timezone_id="Asia/Shanghai",
            has_touch=viewport == PHONE,
        )
        context.set_default_timeout(PATIENCE_MS)
        context.add_init_script(_LEAVING)
        person = cls(context.new_page(), base)
        person.page.on("console", person._console)
        person.page.on("pageerror", lambda error: person.complaints.append(f"error: {error}"))
        return person

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(f"{message.type}: {message.text}")

    def go(self, path: str) -> Page:
        """Open a page of the site and look it over."""
        self.page.goto(self.base + path)
        self.look()
        return self.page

    def press(self, name: str, *, exact: bool = True) -> Page:
        """Press a button by its words; a confirmation dialog is accepted; the next page is looked over."""
        self.page.get_by_role("button", name=name, exact=exact).first.click()
        confirm = self.page.locator("#fg-confirm[open] [data-confirm-ok]")
        if confirm.count():
            confirm.click()
        self._arrived()
        self.look()
        return self.page

    def _arrived(self) -> None:
        """Wait until the page that sent a form is gone: a slow answer must not leave us looking at the page before."""
        expect(self.page.locator("html[data-leaving=yes]")).to_have_count(0)
        self.page.wait_for_load_state("load")

    def follow(self, name: str, *, exact: bool = False) -> Page:
        """Follow a link by its words."""
        with self.page.expect_navigation():
            self.page.get_by_role("link", name=name, exact=exact).first.click()
        self.page.wait_for_load_state("load")
        self.look()
        return self.page

    def look(self) -> None:
        """Look a page over: no sideways scrolling, no finding of axe, once for each kind of page and title."""
        page = self.page
        page.wait_for_load_state("load")
        key = f"{page.url.split('?')[0]} {page.title()}"
        if key in self.checked:
            return
        self.checked.add(key)
        overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        if overflow > 0:
            self.complaints.append(f"{page.url}: {overflow} px wider than the screen")
        report = Axe().run(page)
        if report.violations_count:
            self.complaints.append(f"{page.url}: {report.generate_report()}")

    def sign_in(self, login: str, password: str) -> None:
        """Sign in through the page."""
        self.go("/login")
        self.page.get_by_label("登录名").fill(login)
        self.page.get_by_label("密码", exact=False).first.fill(password)
        self.page.locator("form[action='/login'] button[type=submit]").click()
        self.page.wait_for_url(lambda url: not url.endswith("/login"))
        self.look()

    def content(self) -> None:
        """Assert that no page complained."""
        assert not self.complaints, "\n".join(self.complaints)
