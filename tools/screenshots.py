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
from workflow.cli.demo import stories
from workflow.cli.demo.cast import PASSWORD
from workflow.jobs.drain import drain
from workflow.services import publishing

IMAGES = ROOT / "docs" / "images"
WIDE = {"width": 1280, "height": 900}
FULL = {"tour-06-check", "tour-10-one-time-notice", "tour-11-corrections", "tour-16-ask-pass"}
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
            drain(clock)
        with browsing.serving(app) as base:
            _tour(base, folder)


if __name__ == "__main__":
    main()
