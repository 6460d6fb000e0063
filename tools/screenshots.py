"""Makes the pictures of the guide: walks the main line on a fresh demo in headless Chromium and keeps each step.

Usage: ``.venv/bin/python -m tools.screenshots`` (after ``make test`` has installed Chromium); writes docs/images/*.png.
"""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

from flask_migrate import upgrade
from PIL import Image
from playwright.sync_api import Page, sync_playwright

from config import ROOT, load_settings
from tests import browsing
from tests.browser.walk import Firm, Walk
from tests.browsing import PHONE, Person
from tests.builders import mobile, uscc
from workflow.app import create_app
from workflow.cli.clock import clock, writing
from workflow.cli.demo import organisation, stories, wording
from workflow.cli.demo.cast import PASSWORD
from workflow.jobs.drain import drain
from workflow.services import publishing

IMAGES = ROOT / "docs" / "images"
WIDE = {"width": 1280, "height": 900}
FULL = {"leader-tailoring", "tour-06-check", "tour-10-one-time-notice", "tour-11-corrections", "tour-16-ask-pass"}
LOGINS = {
    role: (login, PASSWORD)
    for role, login in {
        "reviewer": "reviewer",
        "inspector": "inspector",
        "leader": "leader",
        "bureau": "bureau",
        "group": "group",
    }.items()
}


def _shot(page: Page, name: str) -> None:
    page.wait_for_load_state("networkidle")
    page.screenshot(path=IMAGES / f"{name}.png", full_page=name in FULL)
    _shrink(IMAGES / f"{name}.png")


def _shrink(path: Path) -> None:
    """Fewer colours: a third of the size, and nobody sees it."""
    with Image.open(path) as picture:
        picture.convert("RGB").quantize(192).save(path, optimize=True)


def _print_pass(walk: Walk, folder: Path) -> str:
    """Print the pass, keep its picture and return the address in its QR code."""
    (folder / "pass.pdf").write_bytes(walk.print_pass())
    subprocess.run(["pdftoppm", "-r", "110", "-png", folder / "pass.pdf", folder / "pass"], check=True)
    (picture,) = folder.glob("pass-*.png")
    read = subprocess.run(
        ["zbarimg", "-q", "--raw", "-Sdisable", "-Sqrcode.enable", picture], capture_output=True, text=True, check=True
    )
    picture.replace(IMAGES / "tour-18-pass.png")
    _shrink(IMAGES / "tour-18-pass.png")
    return "/C/" + read.stdout.strip().rsplit("/", 1)[-1]


def _tour(base: str, folder: Path) -> None:
    with sync_playwright() as playwright:
        browser = browsing.launch(playwright)
        clerk, desk = Person.arrive(browser, base, WIDE), Person.arrive(browser, base, WIDE)
        phone, stranger = Person.arrive(browser, base, PHONE), Person.arrive(browser, base, PHONE)
        _shot(desk.go("/login"), "tour-02-sign-in")
        firm = Firm(uscc(999), "宁波试行精密机械有限公司", mobile(999), "try-fugong-2020")
        walk = Walk(firm, clerk, desk, LOGINS, folder, _shot)
        desk.sign_in(*LOGINS["reviewer"])
        _shot(desk.go("/desk"), "queue")
        desk.page.context.clear_cookies()
        walk.register()
        walk.fill()
        walk.upload()
        walk.submit()
        walk.review()
        walk.inspect(phone)
        walk.decide()
        walk.ask_pass()
        walk.grant()
        address = _print_pass(walk, folder)
        _shot(stranger.go(address), "tour-19-check-valid")
        walk.revoke()
        _shot(stranger.go(address), "tour-20-check-revoked")
        browser.close()


def _command(base: str) -> None:
    """The pages of commanders, then of those who advise, on the demo's cases."""
    with sync_playwright() as playwright:
        browser = browsing.launch(playwright)
        desk = Person.arrive(browser, base, WIDE)
        desk.sign_in("commander", PASSWORD)
        page = desk.go("/publishing")
        _shot(page, "commander-01-list")
        page.fill("#start-name", "鄞州以 20 人为界")
        desk.press("建立草稿")
        text = page.locator("[data-text]")
        text.fill(text.input_value().replace("le = 100", "le = 20").replace("gt = 100", "gt = 20"))
        desk.press("保存")
        _shot(page, "commander-02-draft")
        desk.press("保存并试算")
        _shot(page, "commander-03-simulation")
        desk.go("/publishing")
        desk.follow("涉危化企业复工审核")
        _shot(page, "commander-04-version")
        _advise(desk, base)
        browser.close()


def _advise(desk: Person, base: str) -> None:
    """The pages of a department that is asked, and of a leader who treats one company differently."""
    page = desk.page
    page.context.clear_cookies()
    desk.sign_in("emergency", PASSWORD)
    _shot(desk.go("/opinions"), "department-01-inbox")
    page.locator("main a[href^='/opinions/']").first.click()
    _shot(page, "department-02-request")
    page.context.clear_cookies()
    desk.sign_in("leader", PASSWORD)
    page.goto(base + "/desk?tab=open&q=%E6%A0%8E%E5%B7%9D")
    page.locator("[data-row-link]").first.click()
    desk.follow("提出调整")
    page.locator("main select").nth(0).select_option(index=1)
    page.locator("main select").nth(1).select_option(index=1)
    desk.press("预览调整")
    _shot(page, "leader-tailoring")


def _lead(base: str) -> None:
    """The pages of a town's leader: the board, who holds what, and a case."""
    with sync_playwright() as playwright:
        browser = browsing.launch(playwright)
        desk = Person.arrive(browser, base, WIDE)
        desk.sign_in("leader", PASSWORD)
        _shot(desk.go("/board"), "leader-board")
        _shot(desk.go("/organisation"), "leader-organisation")
        page = desk.go("/desk?tab=team")
        page.locator("[data-row-link]").first.click()
        _shot(page, "leader-case")
        browser.close()


def main() -> None:
    """Make a fresh demo in a temporary folder, serve it, and walk through it."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        app = create_app(
            load_settings({"FUGONG_VAR_DIR": name, "FUGONG_QUEUE_URL": "memory://", "FUGONG_LOG_LEVEL": "ERROR"})
        )
        with app.app_context():
            upgrade()
            with writing():
                publishing.sync_areas()
                publishing.sync_flows(clock())
            with writing():
                stories.play_all(clock())
                organisation.build(clock())
                wording.build(clock())
            drain(clock)
        with browsing.serving(app) as base:
            _tour(base, folder)
            _command(base)
            _lead(base)


if __name__ == "__main__":
    main()
