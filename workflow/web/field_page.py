"""The phone page of the off-line inspection sheet: its shell, its manifest and its service worker."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path

from flask import Blueprint, current_app, jsonify, make_response, redirect, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from workflow.core.actors import Permission
from workflow.extensions import settings
from workflow.web.access import public, requires

bp = Blueprint("field_page", __name__, url_prefix="/field")

_BESIDE = ("vendor/idb.js", "css/field.css", "css/mark.svg")
"""What the page needs besides the files of its own folder."""
_LATER = frozenset(f"{name}.js" for name in ("days", "finish", "pad", "papers", "prefs", "sync", "wire"))
"""Scripts that the sheet itself does not need; the page imports them when they are wanted."""


def _files() -> list[Path]:
    root = Path(current_app.static_folder or "")
    return sorted((root / "field").iterdir()) + [root / name for name in _BESIDE]


def assets() -> list[str]:
    """The addresses of all files that the page needs when there is no signal."""
    root = Path(current_app.static_folder or "")
    return [url_for("static", filename=str(path.relative_to(root))) for path in _files()]


def modules() -> list[str]:
    """The addresses of the scripts that the sheet needs, so that the browser may fetch them all at once."""
    return [a for a in assets() if a.endswith(".js") and a.rsplit("/", 1)[-1] not in _LATER]


@lru_cache(maxsize=1)
def version() -> str:
    """A digest of the page's files: another one makes phones fetch them all anew."""
    digest = hashlib.sha256()
    folder = Path(current_app.root_path).parent / (current_app.template_folder or "") / "field"
    for path in _files() + sorted(folder.iterdir()):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


@bp.get("/")
@requires(Permission.INSPECT)
def page() -> Response:
    """The shell, the same for every inspector; what it shows comes from ``day.json`` and from the phone's own store."""
    html = render_template(
        "field/page.html", modules=modules(), version=version(), max_bytes=settings().max_upload_mb << 20
    )
    response = make_response(html)
    response.headers["X-Field-Version"] = version()
    return response


@bp.get("/enter")
@requires(Permission.INSPECT)
def enter() -> Response:
    """Where the page leads when the sign-in has expired: by way of the sign-in page back to it."""
    return redirect(url_for("field_page.page"))


@bp.get("/sw.js")
@public
def worker() -> Response:
    """The service worker; asked for by itself, also when nobody is signed in; it says nothing of anybody."""
    script = render_template("field/sw.js", assets=assets(), version=version(), page=url_for("field_page.page"))
    response = make_response(script)
    response.headers["Content-Type"] = "text/javascript; charset=utf-8"
    response.headers["Cache-Control"] = "no-cache"
    return response


@bp.get("/manifest.webmanifest")
@public
def manifest() -> Response:
    """What a phone needs to know to install the page."""
    sizes = (("field/icon-192.png", "192x192", "any"), ("field/icon-512.png", "512x512", "any maskable"))
    response = jsonify(
        name=_("复工通核查"),
        short_name=_("复工核查"),
        start_url=url_for("field_page.page"),
        scope=url_for("field_page.page"),
        display="standalone",
        background_color="#f5f7f9",
        theme_color="#0f3866",
        icons=[
            {"src": url_for("static", filename=name), "sizes": size, "type": "image/png", "purpose": purpose}
            for name, size, purpose in sizes
        ],
    )
    response.headers["Content-Type"] = "application/manifest+json"
    return response
