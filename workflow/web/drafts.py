"""Drafts of flows and rulebooks in a page: begin, edit as form and text, check, try on cases, propose, publish."""

from __future__ import annotations

import datetime as dt
import difflib
from dataclasses import dataclass, field
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from workflow.core.actors import Permission
from workflow.core.errors import N_, DomainError, Invalid, Stale, StepClosed
from workflow.core.times import shanghai_day
from workflow.data import people
from workflow.data.drafts import Draft
from workflow.extensions import db
from workflow.i18n import say
from workflow.services import draft_form, drafts, releases, simulation
from workflow.services.flow_check import Checked
from workflow.web.access import actor, requires
from workflow.web.boundary import writes_nothing
from workflow.web.clock import now
from workflow.web.draft_options import Options
from workflow.web.flow_charts import flow_chart_of
from workflow.web.problem_words import told
from workflow.web.publishing import checklist_groups, grouped, words
from workflow.web.rule_words import flow_names, rules_in_words

bp = Blueprint("drafts", __name__)

Answer = Response | tuple[str, int]
MOST_SHOWN = 100


@dataclass(frozen=True, slots=True)
class Asked:
    """What the edit page sent: the text as typed, with what was changed in the form worked in."""

    text: str
    revision: int
    act: str
    values: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def read(cls, draft: Draft) -> Asked:
        """Read the request; :class:`Invalid` when form and text can't be brought together."""
        sent = request.form.to_dict(flat=False)
        base = drafts.clean_source(request.form.get("base", draft.text))
        typed = drafts.clean_source(request.form.get("text", draft.text))
        act = request.form.get("act", "")
        text = draft_form.write(draft.kind, base, typed, sent)
        if ":" in act:
            text = draft_form.act(draft.kind, text, act, _choice(act))
        code = request.form.get("area", "")
        values = {
            "name": request.form.get("name"),
            "area": drafts.area_for(actor(), code) if code and code != draft.area.code else None,
            "effective_on": _day(request.form.get("effective_on", "")),
        }
        return cls(text, revision_sent(), act, values)


def _choice(act: str) -> str:
    verb, _sep, place = act.partition(":")
    name = f"{place}-new" if verb == "add" else f"{place.replace(':', '-')}-newfact"
    return request.form.get(name, "")


def _day(text: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(text.strip()) if text.strip() else None
    except ValueError as error:
        raise Invalid(N_("生效日期写得不对，应如 2020-02-18。"), field="effective_on") from error


def revision_sent() -> int:
    """The revision that the form was drawn from; one that no draft has when it is missing."""
    text = request.form.get("version", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else -1


def check_parts(found: Checked) -> dict[str, Any]:
    """What a check says, for the page: problems and notes with their lines, and the chart or the rules in words."""
    chart = None
    if found.flow is not None:
        chart = flow_chart_of(found.flow, id="draft", title=words(found.flow.label))
    return {
        "problems": [told(p.words, p.line) for p in found.problems[:MOST_SHOWN]],
        "problem_count": len(found.problems),
        "notes": [told(p.words, p.line) for p in found.notes[:MOST_SHOWN]],
        "chart": chart,
        "rules": rules_in_words(found.book) if found.book is not None else None,
        "checklist": checklist_groups(found.checklist) if found.checklist is not None else None,
    }


def _page(draft: Draft, code: int = 200, error: DomainError | None = None) -> tuple[str, int]:
    """The draft's page; after a refusal with everything as it was typed."""
    sent = request.form if error is not None else None
    text = sent.get("text", draft.text).replace("\r\n", "\n") if sent is not None else draft.text
    base = sent.get("base", draft.text).replace("\r\n", "\n") if sent is not None else draft.text
    form = draft_form.read(draft.kind, base)
    if form is not None and sent is not None:
        form.fields.update({k: v for k, v in sent.to_dict(flat=False).items() if k in form.fields})
    found = drafts.checked(draft, now(), text)
    page = render_template(
        "publishing/draft.html",
        draft=draft,
        text=text,
        base=base,
        form=form,
        options=Options.read(draft) if form is not None else None,
        error=error,
        typed=sent or {},
        names=people.names_of({draft.updated_by, draft.proposed_by or draft.updated_by}),
        open_part=request.args.get("open", ""),
        own=draft.proposed_by == actor().person_id,
        areas=grouped(drafts.areas_of(actor())),
        today=shanghai_day(now()),
        **check_parts(found),
    )
    return page, code


def _conflict(draft: Draft, mine: str, error: DomainError) -> tuple[str, int]:
    """Both texts, when another changed the draft meanwhile."""
    lines = difflib.unified_diff(draft.text.splitlines(), mine.splitlines(), lineterm="", n=2)
    changed_by = people.names_of({draft.updated_by}).get(draft.updated_by, "")
    page = render_template(
        "publishing/conflict.html",
        draft=draft,
        mine=mine,
        difference=list(lines)[2:400],
        why=say(error),
        changed_by=changed_by,
    )
    return page, 409


@bp.post("/publishing/drafts")
@requires(Permission.PUBLISH_RULES)
def start() -> Response:
    """Begin a draft: from a sample, a published version, an uploaded file, or a text that found no place."""
    source, name = request.form.get("source", ""), request.form.get("name", "")
    area = drafts.area_for(actor(), request.form.get("area", ""))
    if source == "file":
        upload = request.files.get("file")
        text = drafts.decoded(upload.stream.read(drafts.LARGEST_FILE + 1) if upload else b"")
        title = name or (upload.filename or "" if upload else "")
        draft = drafts.start(actor(), drafts.kind_of(text), title, text, area, now())
    elif source == "text":
        draft = drafts.start(actor(), request.form.get("kind", ""), name, request.form.get("text", ""), area, now())
    else:
        draft = drafts.start_from(actor(), source, area, name, now())
    flash(_("草稿已建立。它不会影响任何申请，直到由另一位同事批准发布。"), "success")
    return redirect(url_for("drafts.show", draft_id=draft.id), 303)


@bp.get("/publishing/drafts/<int:draft_id>")
@requires(Permission.PUBLISH_RULES)
def show(draft_id: int) -> Answer:
    """A draft: form and text side by side, what is wrong, and its chart."""
    return _page(drafts.get(actor(), draft_id))


@bp.post("/publishing/drafts/<int:draft_id>")
@requires(Permission.PUBLISH_RULES)
def save(draft_id: int) -> Answer:
    """Save form and text together; then stay, try it on cases, or propose it."""
    draft = drafts.get(actor(), draft_id)
    mine = request.form.get("text", draft.text)
    try:
        asked = Asked.read(draft)
        mine = asked.text
        drafts.save(actor(), draft_id, revision=asked.revision, now=now(), text=asked.text, **asked.values)
        if asked.act == "propose":
            drafts.propose(actor(), draft_id, revision=draft.revision, now=now())
            flash(_("已提交审批，请另一位有发布权限的同事批准。"), "success")
    except (Stale, StepClosed) as error:
        db.session.rollback()
        return _conflict(draft, mine, error)
    except Invalid as error:
        db.session.rollback()
        return _page(draft, 422, error)
    return _after_save(draft, asked.act)


def _after_save(draft: Draft, act: str) -> Response:
    if act == "simulate":
        return redirect(url_for("drafts.simulate", draft_id=draft.id), 303)
    if act != "propose":
        flash(_("已保存。"), "success")
    verb, _sep, place = act.partition(":")
    name, _sep, number = place.partition(":")
    part = f"{name}-{number.partition(':')[0]}" if verb in ("cond", "uncond") else f"{name}-last"
    opened = part if verb in ("cond", "uncond", "add") else None
    anchor = f"part-{part if verb in ('cond', 'uncond') else name}" if name else None
    return redirect(url_for("drafts.show", draft_id=draft.id, open=opened, _anchor=anchor), 303)


@bp.post("/publishing/drafts/<int:draft_id>/check")
@requires(Permission.PUBLISH_RULES)
@writes_nothing
def check(draft_id: int) -> str:
    """What is wrong with the text being typed: a part of the page; nothing is kept."""
    draft = drafts.get(actor(), draft_id)
    text = request.form.get("text", "").replace("\r\n", "\n")
    return render_template("publishing/_check.html", draft=draft, **check_parts(drafts.checked(draft, now(), text)))


@bp.get("/publishing/drafts/<int:draft_id>/simulation")
@requires(Permission.PUBLISH_RULES)
def simulate(draft_id: int) -> str:
    """What the draft would mean for the cases there are."""
    draft = drafts.get(actor(), draft_id)
    found = drafts.checked(draft, now())
    read = found.flow or found.book
    trial = simulation.try_draft(actor(), draft, now(), read) if read is not None else None
    return render_template(
        "publishing/simulation.html", draft=draft, trial=trial, flows=flow_names(), problem_count=len(found.problems)
    )


@bp.post("/publishing/drafts/<int:draft_id>/return")
@requires(Permission.PUBLISH_RULES)
def send_back(draft_id: int) -> Response:
    """Give a proposed draft back for editing, with the reason."""
    words_sent = request.form.get("words", "")
    drafts.send_back(actor(), draft_id, revision=revision_sent(), words=words_sent, now=now())
    flash(_("已退回编辑。"), "success")
    return redirect(url_for("drafts.show", draft_id=draft_id), 303)


@bp.post("/publishing/drafts/<int:draft_id>/publish")
@requires(Permission.PUBLISH_RULES)
def publish(draft_id: int) -> Response:
    """Approve and publish what another person proposed."""
    version = releases.publish(actor(), draft_id, revision=revision_sent(), now=now())
    kind = drafts.get(actor(), draft_id).kind
    flash(_("已发布第 %(n)s 版，%(day)s 起施行。", n=version.revision, day=version.effective_on), "success")
    return redirect(url_for("publishing.version", kind=kind, version_id=version.id), 303)


@bp.post("/publishing/drafts/<int:draft_id>/discard")
@requires(Permission.PUBLISH_RULES)
def discard(draft_id: int) -> Response:
    """Put a draft away."""
    drafts.discard(actor(), draft_id, revision=revision_sent(), now=now())
    flash(_("草稿已删除。"), "success")
    return redirect(url_for("publishing.index"), 303)
