"""The interface kit keeps its promises: icons exist, CSP stays strict, vendored files as recorded, contrast holds."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEMPLATES = ROOT / "templates"
STATIC = ROOT / "static"
PAGES = sorted(p for p in TEMPLATES.rglob("*.html") if not {"pdf", "emails"} & set(p.relative_to(TEMPLATES).parts))
COMMENT = re.compile(r"\{#.*?#\}", re.S)


def _source(path: Path) -> str:
    return COMMENT.sub("", path.read_text(encoding="utf-8"))


def _tokens() -> dict[str, str]:
    css = (STATIC / "css/fugong.css").read_text(encoding="utf-8")
    tokens = dict(re.findall(r"--fg-([a-z-]+): (#[0-9a-f]{3,6});", css))
    return {
        name: "#" + "".join(c * 2 for c in value[1:]) if len(value) == 4 else value for name, value in tokens.items()
    }


def _luminance(colour: str) -> float:
    channels = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _contrast(one: str, other: str) -> float:
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_every_icon_that_a_template_names_is_in_the_sprite() -> None:
    sprite = set(re.findall(r'<symbol id="([^"]+)"', (STATIC / "vendor/tabler-icons.svg").read_text(encoding="utf-8")))
    named = {
        (name, path.name)
        for path in PAGES
        for name in re.findall(r"""(?:\bicon\(|icon_name=)['"]([a-z0-9-]+)['"]""", _source(path))
    }
    assert {pair for pair in named if pair[0] not in sprite} == set()


@pytest.mark.parametrize("path", PAGES, ids=lambda p: str(p.relative_to(TEMPLATES)))
def test_no_page_needs_an_inline_script_or_style(path: Path) -> None:
    source = _source(path)
    assert not re.search(r"<script(?![^>]*\bsrc=)", source)
    assert "<style" not in source
    assert not re.search(r"<[a-z][^>]*\son[a-z]+\s*=", source)


def test_the_modules_write_nothing_to_the_console() -> None:
    assert [p.name for p in (STATIC / "js").glob("*.js") if "console." in p.read_text(encoding="utf-8")] == []


def test_vendored_files_are_the_recorded_ones() -> None:
    lines = (STATIC / "vendor/VERSION").read_text(encoding="utf-8").splitlines()
    recorded = re.findall(r"(\S+)\s+sha256 ([0-9a-f]{64})", "\n".join(lines))
    kept = {p.name for p in (STATIC / "vendor").iterdir() if p.suffix in (".js", ".css", ".wasm")}
    assert {name for name, _ in recorded} == kept
    for name, digest in recorded:
        assert hashlib.sha256((STATIC / "vendor" / name).read_bytes()).hexdigest() == digest


@pytest.mark.parametrize("tone", ["neutral", "info", "progress", "success", "warning", "danger"])
def test_badges_have_contrast(tone: str) -> None:
    tokens = _tokens()
    assert _contrast(tokens[f"{tone}-bg"], tokens[f"{tone}-ink"]) >= 7


@pytest.mark.parametrize("ink", ["ink", "muted", "faint", "blue", "red", "green"])
def test_text_has_contrast_on_every_ground(ink: str) -> None:
    tokens = _tokens()
    assert min(_contrast(tokens[ink], tokens[ground]) for ground in ("paper", "bg", "wash")) >= 4.5


def test_control_borders_can_be_seen() -> None:
    tokens = _tokens()
    assert _contrast(tokens["line-strong"], tokens["bg"]) >= 3
    assert _contrast(tokens["focus"], tokens["ink"]) >= 3
