"""The whole main line in real Chromium: both flows, on a desk's screen and on a phone, to a pass that scans."""

from __future__ import annotations

import datetime as dt
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import zxingcpp
from PIL import Image
from playwright.sync_api import expect

from tests.browser.walk import Firm, Walk
from tests.browsing import Person
from tests.builders import PASSWORD, World, mobile, uscc
from workflow.core.actors import Role
from workflow.data import audit
from workflow.extensions import db

pytestmark = [pytest.mark.browser, pytest.mark.journey]


def _logins(world: World) -> dict[str, tuple[str, str]]:
    world.now = dt.datetime.now(dt.UTC)
    first, _second = world.inspectors()
    people = {
        "reviewer": world.officer(Role.REVIEWER),
        "inspector": first,
        "leader": world.officer(Role.LEADER),
        "bureau": world.officer(Role.BUREAU_REVIEWER, "330203", "jingxin"),
        "group": world.officer(Role.LEADING_GROUP, "330203"),
    }
    logins = {role: (account.login, PASSWORD) for role, account in people.items()}
    db.session.remove()  # the test's own transaction must not hold the lock while the server works
    return logins


def _scan(pdf: bytes, folder: Path) -> str:
    """Print the PDF at 150 dpi and read its QR code with ZBar and with ZXing, which must agree."""
    (folder / "pass.pdf").write_bytes(pdf)
    subprocess.run(["pdftoppm", "-r", "150", "-png", folder / "pass.pdf", folder / "pass"], check=True)
    (picture,) = folder.glob("pass-*.png")
    only_qr = ["zbarimg", "-q", "--raw", "-Sdisable", "-Sqrcode.enable", picture]
    zbar = subprocess.run(only_qr, capture_output=True, text=True, check=True).stdout.strip()
    with Image.open(picture) as page:
        zxing = [found.text for found in zxingcpp.read_barcodes(page, formats=zxingcpp.BarcodeFormat.QRCode)]
    assert zxing == [zbar]
    return zbar


@pytest.mark.parametrize("size", ["below", "above"], ids=["city-small", "city-large"])
def test_from_registration_to_a_revoked_pass(
    world: World, arrive: Callable[[], Person], tmp_path: Path, size: str
) -> None:
    firm = Firm(uscc(900), "宁波试行精密机械有限公司", mobile(900), PASSWORD, size)
    walk = Walk(firm, arrive(), arrive(), _logins(world), tmp_path)
    walk.register()
    walk.fill()
    walk.upload()
    walk.submit()
    walk.review()
    walk.inspect()
    walk.decide()
    walk.ask_pass()
    walk.grant()

    address = _scan(walk.print_pass(), tmp_path)
    assert address.startswith("HTTP://LOCALHOST:8000/C/")
    stranger = arrive()
    page = stranger.go("/C/" + address.rsplit("/", 1)[-1])
    expect(page.locator("main")).to_contain_text("有效")
    expect(page.locator("main")).to_contain_text("浙B·12345")
    walk.revoke()
    page.reload()
    expect(page.locator("main")).to_contain_text("撤销")
    assert list(audit.verify()) == []
