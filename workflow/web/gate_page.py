"""The guard's page: its shell in both languages, its manifest and its service worker; all it shows is on the phone."""

from __future__ import annotations

import json
from typing import Any

from flask import Blueprint, current_app, g, render_template, url_for
from flask_babel import force_locale
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from workflow.i18n import LOCALES
from workflow.web.access import public
from workflow.web.offline_shell import Shell, version

bp = Blueprint("gate_page", __name__, url_prefix="/gate")

SHELL = Shell(
    "gate",
    (
        "css/gate.css",
        "css/mark.svg",
        "field/dom.js",
        "vendor/cborg.js",
        "vendor/ed25519.js",
        "vendor/idb.js",
        "vendor/zxing-reader.js",
        "vendor/zxing-reader.wasm",
    ),
    ("gate_page.reader",),
)
_FIRST = ("app", "clock", "dead", "device", "passage", "plates", "scan_view", "scanner", "signals", "signed", "store")
_FIRST_BESIDE = ("field/dom.js", "vendor/cborg.js", "vendor/idb.js")
_LOCALES = {"zh_Hans": "zh_Hans_CN", "en": "en"}


def modules() -> list[str]:
    """The addresses of the scripts that the first view needs, so that the browser may fetch them all at once."""
    own = [url_for("static", filename=f"gate/{name}.js") for name in _FIRST]
    return own + [url_for("static", filename=name) for name in _FIRST_BESIDE]


def _forget_locale() -> None:
    for name in ("translations", "reader_locale"):
        g.pop(name, None)


def _texts() -> dict[str, Any]:
    """Every word of the page in each language: a guard changes the language without signal."""
    found = {}
    for locale in LOCALES:
        with force_locale(_LOCALES[locale]):
            _forget_locale()
            found[locale] = json.loads(render_template("gate/_texts.html"))
    _forget_locale()
    return found


@bp.get("/")
@public
def page() -> Response:
    """The shell, the same for everybody: without an enrolled device it can do nothing."""
    return SHELL.answer(render_template("gate/page.html", modules=modules(), texts=_texts(), version=version(SHELL)))


@bp.get("/sw.js")
@public
def worker() -> Response:
    """The service worker, asked for by the browser itself."""
    return SHELL.worker(url_for("gate_page.page"))


@bp.get("/reader.js")
@public
def reader() -> Response:
    """The script that reads pictures: below the page's address, since the service worker serves it only there."""
    response = current_app.send_static_file("gate/reader.js")
    response.headers["Cache-Control"] = "no-cache"
    return response


@bp.get("/manifest.webmanifest")
@public
def manifest() -> Response:
    """What a phone needs to know to install the page."""
    return SHELL.manifest(url_for("gate_page.page"), _("复工通卡口"), _("复工卡口"))
