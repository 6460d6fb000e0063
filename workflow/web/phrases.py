"""The page on which standard phrases are kept, and keeping one from wherever words are typed."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from workflow.core.actors import Permission
from workflow.core.errors import N_, Invalid
from workflow.core.facts import FLAGS, VERDICT_LABELS, Verdict
from workflow.data import catalogue, queue
from workflow.data.casework import Phrase
from workflow.extensions import db
from workflow.i18n import mark, reader_locale, say
from workflow.services import phrases
from workflow.web.access import actor, requires
from workflow.web.clock import now

bp = Blueprint("phrases", __name__)
PASS_LABELS = {
    "refuse": N_("不同意申请"),
    "suspend": N_("暂停通行证"),
    "resume": N_("恢复通行证"),
    "revoke": N_("撤销通行证"),
}
desk = requires(Permission.SEE_DESK)


@dataclass(frozen=True, slots=True)
class PhraseLine:
    """A phrase with the words of where it is used and who keeps it."""

    phrase: Phrase
    topic: str
    whose: str
    may_change: bool


def _step_labels() -> dict[str, str]:
    """What the steps of all published flows are called, by action."""
    found = {s.action: s.label.text(reader_locale()) for known in queue.flows() for s in known.flow.steps}
    return dict(sorted(found.items(), key=lambda pair: pair[1]))


def _topic_words(topic: str, steps: dict[str, str]) -> str:
    """Where a phrase is used, in words."""
    kind, *rest = topic.split(".")
    if kind == phrases.NOTE:
        return _("内部备注")
    if kind == phrases.THREAD:
        return _("给企业留言")
    if kind == phrases.STEP:
        return f"{_('办理意见')}{mark('：')}{steps.get(rest[0], rest[0])}" if rest else _("各步骤的办理意见")
    if kind == phrases.PASS:
        return f"{_('通行证')}{mark('：')}{_(PASS_LABELS[rest[0]])}" if rest else _("各项通行证办理")
    words = _(VERDICT_LABELS[Verdict(rest[0])]) if rest else _("任一不符合的结果")
    slot = catalogue.material_slots().get(rest[1]) if len(rest) > 1 else None
    return f"{_('材料')}{mark('：')}{words}" + (f" · {slot.label.text(reader_locale())}" if slot else "")


def _topics(steps: dict[str, str]) -> list[tuple[str, list[tuple[str, str]]]]:
    """The choices of where a phrase is used, in groups."""
    flags = [f for f in Verdict if f in FLAGS]
    slots = catalogue.material_slots().values()
    verdicts = [f"verdict.{f.value}" for f in flags]
    narrow = [f"verdict.{f.value}.{s.key}" for f in flags for s in slots]
    opinions = ["step", *(f"step.{action}" for action in steps)]
    named = [
        (_("给企业留言和内部备注"), ["thread", "note"]),
        (_("材料审核结果"), verdicts),
        (_("办理意见"), opinions),
        (_("通行证"), ["pass", *(f"pass.{act}" for act in phrases.PASS_ACTS)]),
        (_("某一项材料的审核结果"), narrow),
    ]
    return [(title, [(t, _topic_words(t, steps)) for t in topics]) for title, topics in named]


def _show(form: dict[str, str], error: str = "", status: int = 200) -> tuple[str, int]:
    steps = _step_labels()
    lines = []
    for phrase in phrases.kept(actor()):
        whose = phrase.area.name if phrase.area else ""
        lines.append(PhraseLine(phrase, _topic_words(phrase.topic, steps), whose, phrases.may_change(actor(), phrase)))
    page = render_template(
        "cases/phrases.html",
        own=[line for line in lines if not line.whose],
        shared=[line for line in lines if line.whose],
        topics=_topics(steps),
        sharing=phrases.sharing(actor()),
        form=form,
        error=error,
    )
    return page, status


@bp.get("/phrases")
@desk
def index() -> tuple[str, int]:
    """One's own phrases and the shared ones, and the form for another."""
    return _show({"topic": request.args.get("topic", ""), "words": "", "area": ""})


@bp.post("/phrases")
@desk
def add() -> Response | tuple[str, int]:
    """Keep a phrase, one's own or shared."""
    form = {name: request.form.get(name, "") for name in ("topic", "words", "area")}
    area = form["area"] if form["area"].isascii() and form["area"].isdigit() and len(form["area"]) <= 18 else ""
    try:
        phrases.add(actor(), form["topic"], form["words"], int(area) if area else None, now())
    except Invalid as error:
        db.session.rollback()
        return _show(form, say(error), error.status)
    flash(_("常用意见已保存。"), "success")
    return redirect(url_for("phrases.index", topic=form["topic"]), 303)


@bp.post("/phrases/<int:phrase_id>")
@desk
def change(phrase_id: int) -> Response | tuple[str, int]:
    """Give a phrase other words."""
    phrases.change(actor(), phrase_id, request.form.get("words", ""))
    flash(_("常用意见已保存。"), "success")
    return redirect(url_for("phrases.index"), 303)


@bp.post("/phrases/<int:phrase_id>/delete")
@desk
def delete(phrase_id: int) -> Response:
    """Throw a phrase away."""
    phrases.delete(actor(), phrase_id)
    flash(_("常用意见已删除。"), "success")
    return redirect(url_for("phrases.index"), 303)
