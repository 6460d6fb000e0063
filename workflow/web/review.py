"""Reviewing materials: the list, the content and the verdict beside it, and everything flagged before it is told."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from workflow.core.actors import Actor, Permission
from workflow.core.engine import OpenStep
from workflow.core.errors import Invalid, NotFound, Stale, StepClosed
from workflow.core.facts import FLAGS, Verdict
from workflow.data import applications, catalogue, materials, people
from workflow.data.applications import Application
from workflow.data.cases import Case
from workflow.data.casework import Phrase
from workflow.data.materials import FORM_SLOT, Material, MaterialFile, MaterialOpinion
from workflow.extensions import db
from workflow.i18n import reader_locale
from workflow.services import cases as case_service
from workflow.services import materials as material_service
from workflow.services import phrases
from workflow.web import case_answer, case_desk, files
from workflow.web.access import actor, requires
from workflow.web.case_desk import MaterialLine
from workflow.web.clock import now
from workflow.web.forms.review import VerdictForm
from workflow.web.queue_way import way

bp = Blueprint("review", __name__)
bp.add_app_template_test(case_desk.tells_everything, "telling_everything")
bp.add_app_template_global(case_desk.verdict_words, "verdict_words")

FORM_STEPS = ("note",)


@dataclass(frozen=True, slots=True)
class FileLine:
    """A file of the chosen material: ``mark`` is ``new``, ``old`` or empty, against the last round's verdict."""

    file: MaterialFile
    mark: str


@dataclass(frozen=True, slots=True)
class OfferedPhrase:
    """A standard phrase and the verdict it is for: ``any`` fits all of them."""

    phrase: Phrase
    verdict: str


@dataclass(frozen=True, slots=True)
class Desk:
    """The page: the list, the chosen material's place in it, its files and what was said of it before; ``compared`` is
    the version beside the shown one."""

    case: Case
    application: Application
    lines: list[MaterialLine]
    chosen: MaterialLine
    files: list[FileLine]
    shown: MaterialFile | None
    compared: MaterialFile | None
    opinions: list[MaterialOpinion]
    names: dict[int, str]
    may_judge: bool
    is_settled: bool
    phrases: list[OfferedPhrase]

    @property
    def comparable(self) -> list[FileLine]:
        """The files that the shown one can be laid beside, older versions first."""
        others = [line for line in self.files if self.shown is not None and line.file.id != self.shown.id]
        return sorted(others, key=lambda line: line.mark != "old")

    def beside(self, step: int) -> int | None:
        """The id of the material before (-1) or after (1) the chosen one."""
        place = [line.material.id for line in self.lines].index(self.chosen.material.id) + step
        return self.lines[place].material.id if 0 <= place < len(self.lines) else None

    @property
    def pending(self) -> int:
        """How many materials wait for a verdict."""
        return sum(line.material.verdict == Verdict.PENDING for line in self.lines)


def _marked(material: Material, opinions: Sequence[MaterialOpinion], present_round: int) -> list[FileLine]:
    """All files, the standing ones first; ``new`` and ``old`` tell what changed since the last round was judged."""
    earlier = [o.at for o in opinions if o.round < present_round]
    since = max(earlier) if earlier else None
    lines = []
    for file in sorted(material.files, key=lambda f: (f.removed_at is not None, -f.id)):
        is_new = since is not None and file.added_at > since
        mark = "old" if file.removed_at is not None else "new" if is_new else ""
        lines.append(FileLine(file, mark))
    return lines


def _choose(lines: list[MaterialLine], wanted: str) -> MaterialLine:
    """The material asked for, else the first that waits, else the first."""
    if wanted:
        found = next((line for line in lines if str(line.material.id) == wanted), None)
        if found is None:
            raise NotFound()
        return found
    waiting = (line for line in lines if line.material.verdict == Verdict.PENDING)
    return next(waiting, lines[0])


def _offered(who: Actor, slot: str, case: Case) -> list[OfferedPhrase]:
    """The phrases for the verdicts that need words, the most used first, each with the verdict it belongs to."""
    topics = [f"verdict.{v.value}.{slot}" for v in Verdict if v in FLAGS]
    found = {p.id: p for offered in phrases.by_topic(who, topics, case).values() for p in offered}
    ordered = sorted(found.values(), key=lambda p: (-p.uses, -p.id))
    return [OfferedPhrase(p, [*p.topic.split("."), "any"][1]) for p in ordered]


def _file(marked: list[FileLine], asked: str) -> MaterialFile | None:
    """The file of the material that an address names."""
    return next((line.file for line in marked if str(line.file.id) == asked), None)


def _desk(who: Actor, case_id: int, wanted: str, file_id: str = "", compare_id: str = "") -> Desk:
    case = case_service.get(who, case_id)
    application = applications.of_case(case.id)
    lines = case_desk.material_lines(materials.of_application(application.id))
    if not lines:
        raise NotFound()
    chosen = _choose(lines, wanted)
    opinions = [o for o in materials.opinions_of(application.id) if o.material_id == chosen.material.id]
    marked = _marked(chosen.material, opinions, case.round)
    shown = _file(marked, file_id) or (marked[0].file if marked and marked[0].mark != "old" else None)
    compared = _file(marked, compare_id)
    may_judge = material_service.may_judge(who, case)
    return Desk(
        case=case,
        application=application,
        lines=lines,
        chosen=chosen,
        files=marked,
        shown=shown,
        compared=compared if shown is not None and compared is not shown else None,
        opinions=opinions,
        names=people.names_of({o.person_id for o in opinions}),
        may_judge=may_judge,
        is_settled=material_service.is_settled(chosen.material, case.round),
        phrases=_offered(who, chosen.material.slot, case) if may_judge else [],
    )


def _panes(desk: Desk) -> list[tuple[MaterialFile, files.Preview]]:
    """What is shown: the older version on the left when two are compared."""
    pair = [desk.compared, desk.shown] if desk.compared else [desk.shown]
    return [(f, files.preview_of(f)) for f in pair if f is not None]


def _show(desk: Desk, form: VerdictForm, code: int = 200) -> tuple[str, int]:
    is_form = desk.chosen.material.slot == FORM_SLOT
    topics = case_desk.answer_topics(desk.case, desk.application) if is_form else []
    slot = catalogue.material_slots()[desk.chosen.material.slot]
    hint = slot.hint.text(reader_locale())
    page = render_template(
        "review/materials.html", desk=desk, form=form, topics=topics, panes=_panes(desk), hint=hint, is_form=is_form
    )
    return page, code


@bp.get("/cases/<int:case_id>/materials", endpoint="materials")
@requires(Permission.SEE_DESK)
def show(case_id: int) -> tuple[str, int]:
    """One material beside its verdict; without ``m`` the first that waits."""
    desk = _desk(actor(), case_id, *(request.args.get(name, "") for name in ("m", "f", "cmp")))
    return _show(desk, VerdictForm.of(desk.chosen.material))


def _next_pending(case_id: int, after_id: int) -> str:
    """Where to go after a verdict: the next material that waits, or the summary of all."""
    lines = case_desk.material_lines(materials.of_case(case_id))
    ids = [line.material.id for line in lines]
    place = ids.index(after_id)
    for line in lines[place + 1 :] + lines[:place]:
        if line.material.verdict == Verdict.PENDING:
            return url_for("review.materials", case_id=case_id, m=line.material.id, **way())
    return url_for("review.summary", case_id=case_id, **way())


@bp.post("/cases/<int:case_id>/materials/<int:material_id>/verdict")
@requires(Permission.REVIEW_MATERIALS)
def judge(case_id: int, material_id: int) -> Response | tuple[str, int]:
    """Keep a verdict and lead on to the next material that waits."""
    form = VerdictForm()
    try:
        judged = material_service.judge(actor(), case_id, material_id, **form.values(), now=now())
    except (Invalid, Stale, StepClosed) as error:
        db.session.rollback()
        form.refuse(error)
        desk = _desk(actor(), case_id, str(material_id))
        form.look_at(desk.chosen.material)  # the page shows what stands now: sent again, the form is about that
        return _show(desk, form, error.status)
    if judged.is_flagged:
        phrases.count_use(actor(), f"verdict.{judged.verdict}.{judged.slot}", judged.verdict_words, None)
    flash(_("已记录审核结果。"), "success")
    return redirect(_next_pending(case_id, material_id), 303)


def _plain_steps(case: Case, at: dt.datetime) -> list[OpenStep]:
    return [s for s in case_service.open_steps(actor(), case, at) if s.step.form in FORM_STEPS]


@bp.get("/cases/<int:case_id>/materials/summary")
@requires(Permission.SEE_DESK)
def summary(case_id: int) -> str:
    """Every verdict together, and the steps that follow: what the company will be told at once, or the pass."""
    case = case_service.get(actor(), case_id)
    lines = case_desk.material_lines(materials.of_case(case.id))
    flagged = [line for line in lines if line.material.is_flagged]
    steps = _plain_steps(case, now())
    offered = phrases.by_topic(actor(), [f"{phrases.STEP}.{s.step.action}" for s in steps], case)
    found = case_answer.flagged_words(flagged)
    return render_template(
        "review/summary.html", case=case, lines=lines, flagged=flagged, steps=steps, offered=offered, findings=found
    )
