"""Tests of QR codes: right version, quiet zone, alphanumeric mode, plain markup."""

from __future__ import annotations

import io
import re
import subprocess
from pathlib import Path

import pytest
import segno
from PIL import Image

from workflow.documents.qr import QUIET_ZONE, Level, qr_png, qr_svg, qr_version


@pytest.mark.parametrize("level", ["L", "M", "Q", "H"])
@pytest.mark.parametrize("text", ["HTTPS://F.EXAMPLE/P/" + "A2" * 90, "https://f.example/p/abc", "1234567890" * 8])
def test_version_is_the_smallest_possible(text: str, level: Level) -> None:
    assert qr_version(text, level) == segno.make_qr(text, error=level, boost_error=False).version


def test_upper_case_is_coded_in_fewer_modules_than_lower_case() -> None:
    assert qr_version("HTTPS://F.EXAMPLE/P/" + "A" * 200) == 10
    assert qr_version("https://f.example/p/" + "a" * 200) == 13


def test_svg_is_one_path_with_four_light_modules_around() -> None:
    svg = qr_svg("HTTPS://F.EXAMPLE/N/7F3AK2", level="M")
    side = qr_version("HTTPS://F.EXAMPLE/N/7F3AK2", "M") * 4 + 17 + 2 * QUIET_ZONE
    assert f'viewBox="0 0 {side} {side}"' in svg
    assert svg.count('fill="#000"') == 1
    runs = re.findall(r"M(\d+) (\d+)h(\d+)v1", svg)
    assert min(int(x) for x, _, _ in runs) == QUIET_ZONE
    assert min(int(y) for _, y, _ in runs) == QUIET_ZONE
    assert max(int(x) + int(width) for x, _, width in runs) == side - QUIET_ZONE
    assert max(int(y) for _, y, _ in runs) == side - QUIET_ZONE - 1


def test_text_never_reaches_the_markup() -> None:
    assert "script" not in qr_svg("<script>alert(1)</script>")


@pytest.mark.parametrize("text", ["", "A" * 5_000])
def test_what_does_not_fit_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the words are the library's
        qr_svg(text)


@pytest.mark.parametrize("text", ["HTTPS://F.EXAMPLE/P/" + "A2" * 100, "https://fugong.example/进度"])
def test_png_has_its_quiet_zone_and_is_read_by_another_decoder(text: str, tmp_path: Path) -> None:
    path = tmp_path / "code.png"
    path.write_bytes(qr_png(text, scale=4))
    with Image.open(io.BytesIO(qr_png(text, scale=1))) as picture:
        side = qr_version(text) * 4 + 17
        assert picture.size == (side + 2 * QUIET_ZONE,) * 2
        dark = picture.convert("L").point(lambda value: 255 - value).getbbox()
        assert dark == (QUIET_ZONE, QUIET_ZONE, side + QUIET_ZONE, side + QUIET_ZONE)
    scan = subprocess.run(["zbarimg", "-q", "--raw", str(path)], capture_output=True, text=True, check=True)
    assert scan.stdout.strip() == text
