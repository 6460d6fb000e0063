"""Pages for everybody: the front page, the guide, and the reader's own settings of language and text size."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Blueprint, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response

from workflow.core.actors import Permission
from workflow.data import catalogue
from workflow.i18n import LOCALES, reader_locale
from workflow.web import filing, guide_pages
from workflow.web.access import present_actor, public

bp = Blueprint("public", __name__)


def safe_next(target: str | None) -> str:
    """``target`` when it is a path of this site, else the front page: no redirect leads away."""
    target = target or ""
    parts = urlsplit(target)
    own = target.startswith("/") and not target.startswith("//") and "\\" not in target
    return target if own and not parts.scheme and not parts.netloc else url_for("public.home")


@bp.get("/")
@public
def home() -> Response | str:
    """Where this reader works; the guide for strangers."""
    who = present_actor()
    if who is None:
        return render_template("public/home.html")
    if who.is_company:
        return redirect(url_for("applications.home"))
    if who.may(Permission.SEE_DESK):
        return redirect(url_for("desk.queue"))
    if who.may(Permission.GIVE_OPINION):
        return redirect(url_for("opinions.inbox"))
    if who.may(Permission.MANAGE_ACCOUNTS):
        return redirect(url_for("admin.people"))
    return redirect(url_for("checks.check"))


@bp.get("/guide")
@public
def guide() -> str:
    """What to prepare, who decides and how long it takes, before anybody types a word."""
    return render_template(
        "public/guide.html",
        slots=catalogue.material_slots().values(),
        needs=guide_pages.needs(),
        blanks={s.key: filing.blank_forms(s) for s in catalogue.material_slots().values()},
        flows=guide_pages.flows(reader_locale()),
        rules=guide_pages.rules(),
        regime=guide_pages.usual_regime(),
    )


@bp.post("/settings/language")
@public
def set_language() -> Response:
    """Choose the language of this session."""
    chosen = request.form.get("locale", "")
    if chosen in LOCALES:
        session["locale"] = chosen
    return redirect(safe_next(request.form.get("next")), 303)


@bp.post("/settings/text-size")
@public
def set_text_size() -> Response:
    """Choose normal or enlarged text for this session."""
    session["text_size"] = "large" if request.form.get("text_size") == "large" else "normal"
    return redirect(safe_next(request.form.get("next")), 303)
