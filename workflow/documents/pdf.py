"""Renders the printed documents: templates/pdf through its own Jinja environment and WeasyPrint, from
primitives only.

Nothing outside this repository is ever read: texts are escaped, and the fetcher knows the bundled fonts and
the images handed in with the context and nothing else. The same template and context give the same bytes.
"""

from __future__ import annotations

import hashlib
import io
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from weasyprint import CSS, HTML
from weasyprint.css import ColorProfile
from weasyprint.text.fonts import FontConfiguration
from weasyprint.urls import FatalURLFetchingError, URLFetcher, URLFetcherResponse

from workflow.core.errors import N_, Invalid
from workflow.documents.fonts import FACES, FONT_FOLDER, missing_glyphs, printable
from workflow.documents.pdf_forms import Form, lift_form
from workflow.documents.qr import Level, qr_png

__all__ = ["Primitive", "TooLong", "missing_glyphs", "render", "render_form"]

Primitive = (
    str | int | float | bool | bytes | date | datetime | Sequence["Primitive"] | Mapping[str, "Primitive"] | None
)

TEMPLATE_FOLDER = Path(__file__).resolve().parents[2] / "templates" / "pdf"

#: Characters in one document, all fields together; a document beyond this is a mistake or an attack.
MAX_CHARACTERS = 200_000
#: Photos are scaled down to this many dots an inch as printed.
IMAGE_DPI = 200

_SRGB = "sRGB-2014"
_JPEG, _PNG = b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"

# Pango's font map may be used by one thread at a time, and all documents share one.
_LOCK = threading.Lock()


class TooLong(Invalid):
    """The texts of a document are too long to be printed."""

    def __init__(self) -> None:
        super().__init__(N_("内容过长，无法生成文件。请精简文字后重试。"))


class _BundledOnly(URLFetcher):
    """Answers for the bundled fonts and for the images of one document; everything else stops the rendering."""

    def __init__(self, images: Mapping[str, bytes]) -> None:
        super().__init__(allowed_protocols=(), allow_redirects=False, fail_on_errors=True)  # type: ignore[no-untyped-call]
        self._images = images

    def fetch(self, url: str, headers: Mapping[str, str] | None = None) -> URLFetcherResponse:
        """Return the bytes behind a ``font:`` or ``image:`` address; refuse any other."""
        scheme, _, name = url.partition(":")
        if scheme == "font" and name in {file for _, _, file in FACES}:
            return URLFetcherResponse(url, (FONT_FOLDER / name).read_bytes(), {"Content-Type": "font/ttf"})
        if scheme == "image" and name in self._images:
            return URLFetcherResponse(url, self._images[name])
        raise FatalURLFetchingError(f"not a bundled asset: {scheme}")


class _BundledFonts(FontConfiguration):
    """A font configuration that knows no system font, so none can slip into a document."""

    def __init__(self) -> None:
        before = os.environ.get("FONTCONFIG_FILE")
        os.environ["FONTCONFIG_FILE"] = str(FONT_FOLDER / "fonts.conf")
        try:
            super().__init__()  # type: ignore[no-untyped-call]
        finally:
            if before is None:
                del os.environ["FONTCONFIG_FILE"]
            else:
                os.environ["FONTCONFIG_FILE"] = before


def render(template: str, context: Mapping[str, Primitive]) -> bytes:
    """Return ``templates/pdf/<template>.html`` filled from ``context`` as PDF.

    ``context`` holds primitives, dates (already in Shanghai), lists, dictionaries and JPEG or PNG bytes;
    markup and objects are a TypeError, and so is an unknown name in the template. Characters without a glyph
    are printed as 〓. The first call of a process loads fonts (about a second), later ones take tens of milliseconds.
    """
    return _render(template, context, None)


def render_form(template: str, context: Mapping[str, Primitive]) -> Form:
    """Return the only page of what :func:`render` would make as a form that other pages can be drawn upon."""
    forms: list[Form] = []
    _render(template, context, lambda _, document: forms.append(lift_form(document)))
    return forms[0]


_Finisher = Callable[[Any, Any], None]


def _render(template: str, context: Mapping[str, Primitive], finisher: _Finisher | None) -> bytes:
    images: dict[str, bytes] = {}
    clean = _clean(context, images)
    if sum(map(len, _texts(clean))) > MAX_CHARACTERS:
        raise TooLong

    def qr(text: str, level: Level = "Q") -> str:
        """For templates: the address of a picture of ``text`` as a QR code."""
        return _keep(qr_png(text, level=level), images)

    html = _environment().get_template(f"{template}.html").render(clean, qr=qr)
    identifier = hashlib.sha256("\n".join((html, *sorted(images))).encode()).hexdigest()[:32].encode()
    with _LOCK:
        try:
            return _print(template, html, images, identifier, finisher)
        except FatalURLFetchingError as error:
            # A BaseException by WeasyPrint's design; it must not travel on as one and take the worker down.
            raise RuntimeError(f"templates/pdf/{template}.html asked for something that is {error}") from None


def _print(
    template: str, html: str, images: Mapping[str, bytes], identifier: bytes, finisher: _Finisher | None
) -> bytes:
    photos = any(image.startswith(_JPEG) for image in images.values())
    options: dict[str, Any] = {"dpi": IMAGE_DPI, "jpeg_quality": 82} if photos else {}
    pdf: bytes = HTML(string=html, url_fetcher=_BundledOnly(images)).write_pdf(
        finisher=finisher,
        font_config=_fonts(),
        stylesheets=[_style("official"), _style(template)],
        pdf_identifier=identifier,
        pdf_variant="pdf/a-3b",
        color_profiles={_SRGB: _colour_profile()},
        output_intent=_SRGB,
        **options,
    )
    return pdf


@cache
def _fonts() -> FontConfiguration:
    """The font configuration all documents share, with the bundled faces loaded into it."""
    configuration = _BundledFonts()
    faces = "".join(
        f"@font-face{{font-family:'{family}';font-weight:{weight};src:url('font:{file}')}}"
        for family, weight, file in FACES
    )
    CSS(string=faces, font_config=configuration, url_fetcher=_BundledOnly({}))
    return configuration


def _colour_profile() -> ColorProfile:
    """The sRGB profile that PDF/A wants; given by us, since WeasyPrint's own way leaves the file open every time."""
    return ColorProfile(io.BytesIO(srgb_profile()), "sRGB2014.icc", "relative-colorimetric", (["r"], ["g"], ["b"]))


@cache
def srgb_profile() -> bytes:
    """The ICC profile that all documents name as their output intent."""
    return (files("weasyprint.pdf") / "sRGB2014.icc").read_bytes()


@cache
def _style(name: str) -> CSS:
    """The parsed style sheet ``templates/pdf/<name>.css``."""
    text = (TEMPLATE_FOLDER / f"{name}.css").read_text(encoding="utf-8")
    return CSS(string=text, font_config=_fonts(), url_fetcher=_BundledOnly({}))


@cache
def _environment() -> Environment:
    """Jinja for documents only: escapes everything, knows Chinese dates, refuses unknown names."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATE_FOLDER), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    environment.filters["day"] = chinese_day
    environment.filters["moment"] = chinese_moment
    environment.filters["instant"] = instant
    return environment


def chinese_day(day: date) -> str:
    """Return a date the way official papers write it: 2020年2月15日."""
    return f"{day.year}年{day.month}月{day.day}日"


def chinese_moment(moment: datetime) -> str:
    """Return a Shanghai time the way official papers write it: 2020年2月15日 09:30."""
    return f"{chinese_day(moment)} {moment:%H:%M}"


def instant(moment: date) -> str:
    """Return a day or a Shanghai time as PDF metadata wants it; a time without zone is taken as Shanghai's."""
    if isinstance(moment, datetime) and moment.tzinfo is None:
        return f"{moment:%Y-%m-%dT%H:%M:%S}+08:00"
    return moment.isoformat(timespec="seconds") if isinstance(moment, datetime) else moment.isoformat()


def _clean(value: Primitive, images: dict[str, bytes]) -> Any:
    """Return ``value`` ready for a template: texts printable, image bytes swapped for an address the fetcher
    knows."""
    if isinstance(value, str):
        if isinstance(value, Markup):
            raise TypeError("documents take plain text, not markup")
        return printable(value)
    if value is None or isinstance(value, int | float | date):
        return value
    if isinstance(value, bytes):
        if not value.startswith((_JPEG, _PNG)):
            raise TypeError("documents take JPEG or PNG images only")
        return _keep(value, images)
    if isinstance(value, Mapping):
        return {str(key): _clean(item, images) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(item, images) for item in value]
    raise TypeError(f"documents take primitives, not {type(value).__name__}")


def _keep(image: bytes, images: dict[str, bytes]) -> str:
    """Remember an image of this document and return the address under which the fetcher finds it."""
    name = hashlib.sha256(image).hexdigest()
    images[name] = image
    return f"image:{name}"


def _texts(value: Any) -> list[str]:
    """Every text inside a cleaned context."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for item in value.values() for text in _texts(item)]
    if isinstance(value, list):
        return [text for item in value for text in _texts(item)]
    return []
