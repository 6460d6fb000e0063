"""The phone page of the off-line inspection sheet: its shell, its manifest and its service worker."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from workflow.core.actors import Permission
from workflow.extensions import settings
from workflow.web.access import public, requires
from workflow.web.offline_shell import Shell, version

bp = Blueprint("field_page", __name__, url_prefix="/field")

SHELL = Shell("field", ("vendor/idb.js", "css/field.css", "css/mark.svg"))
_LATER = frozenset(f"{name}.js" for name in ("days", "finish", "pad", "papers", "prefs", "sync", "wire"))
"""Scripts that the sheet itself does not need; the page imports them when they are wanted."""


def modules() -> list[str]:
    """The addresses of the scripts that the sheet needs, so that the browser may fetch them all at once."""
    return [a for a in SHELL.assets() if a.endswith(".js") and a.rsplit("/", 1)[-1] not in _LATER]


@bp.get("/")
@requires(Permission.INSPECT)
def page() -> Response:
    """The shell, the same for every inspector; what it shows comes from ``day.json`` and from the phone's own store."""
    return SHELL.answer(
        render_template(
            "field/page.html", modules=modules(), version=version(SHELL), max_bytes=settings().max_upload_mb << 20
        )
    )


@bp.get("/enter")
@requires(Permission.INSPECT)
def enter() -> Response:
    """Where the page leads when the sign-in has expired: by way of the sign-in page back to it."""
    return redirect(url_for("field_page.page"))


@bp.get("/sw.js")
@public
def worker() -> Response:
    """The service worker; asked for by itself, also when nobody is signed in; it says nothing of anybody."""
    return SHELL.worker(url_for("field_page.page"))


@bp.get("/manifest.webmanifest")
@public
def manifest() -> Response:
    """What a phone needs to know to install the page."""
    return SHELL.manifest(url_for("field_page.page"), _("复工通核查"), _("复工核查"))
