"""Internal notes on the case page: writing one, and the list of colleagues that can be called by name."""

from __future__ import annotations

from flask import Blueprint, current_app, flash, jsonify, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from workflow.core.actors import ROLE_LABELS, Permission, Role
from workflow.core.errors import Invalid
from workflow.services import notes, phrases
from workflow.web.access import actor, requires
from workflow.web.boundary import after_commit
from workflow.web.cases import refused_page
from workflow.web.clock import now
from workflow.web.queue_way import way

bp = Blueprint("notes", __name__)
MOST_CHOSEN = 50


@bp.app_template_global("role_words")
def role_words(role: str) -> str:
    """A stored role in the reader's language."""
    return _(ROLE_LABELS[Role(role)])


def _chosen() -> set[int]:
    """The people chosen where a name stands for several."""
    ids = request.form.getlist("mention")[:MOST_CHOSEN]
    return {int(i) for i in ids if i.isascii() and i.isdigit() and len(i) <= 18}


@bp.post("/cases/<int:case_id>/notes")
@requires(Permission.SEE_DESK)
def add(case_id: int) -> Response | tuple[str, int]:
    """Write a note; a refusal comes on the case page with the words where they were typed."""
    words = request.form.get("words", "")
    try:
        note = notes.add(actor(), case_id, words, _chosen(), now())
    except Invalid as error:
        return refused_page(case_id, error, "note", words)
    phrases.count_use(actor(), phrases.NOTE, words, None)
    after_commit(current_app.extensions["wake_worker"])
    flash(_("备注已保存，已通知 %(n)s 人。", n=len(note.mentions)) if note.mentions else _("备注已保存。"), "success")
    return redirect(url_for("cases.show", case_id=case_id, **way(), _anchor="notes"), 303)


@bp.get("/cases/<int:case_id>/colleagues")
@requires(Permission.SEE_DESK)
def colleagues(case_id: int) -> Response:
    """The colleagues that a note may call by name, for the list that opens while typing."""
    found = notes.colleagues(actor(), case_id, now())
    return jsonify(
        people=[{"id": c.person_id, "name": c.name, "role": f"{role_words(c.role)} · {c.area}"} for c in found]
    )
