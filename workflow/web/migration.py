"""Moving open cases to a published version of their flow: a preview, one case, or many at once."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, current_app, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from workflow.core.actors import Permission
from workflow.core.errors import Invalid
from workflow.data.cases import Case
from workflow.i18n import say
from workflow.services import migration
from workflow.web.access import actor, requires
from workflow.web.boundary import after_commit
from workflow.web.clock import now

bp = Blueprint("migration", __name__)


@dataclass(frozen=True, slots=True)
class ResultLine:
    """What became of one case; ``why`` is empty when it was moved."""

    case: Case
    why: str


def _after(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else 0


@bp.get("/publishing/flow/<int:version_id>/cases")
@requires(Permission.PUBLISH_RULES)
def preview(version_id: int) -> str:
    """The open cases of older versions, each with whether it may move and what it would lack."""
    version = migration.target(actor(), version_id)
    after = _after(request.args.get("after", ""))
    fits = migration.preview(actor(), version, after)
    following = fits[-1].case.id if len(fits) == migration.MOST_AT_ONCE else 0
    return render_template(
        "publishing/migration.html",
        version=version,
        label=version.engine.flow.label,
        fits=fits,
        count=migration.count(actor(), version),
        next_url=url_for("migration.preview", version_id=version_id, after=following) if following else "",
        first_url=url_for("migration.preview", version_id=version_id) if after else "",
    )


def _wanted() -> list[tuple[int, int]]:
    try:
        return [(int(i), int(request.form[f"version_{i}"])) for i in request.form.getlist("case") if i.isdecimal()]
    except (KeyError, ValueError) as error:
        raise Invalid(_("这份表单已失效，请刷新页面后再提交；您填的内容请先复制保存。")) from error


@bp.post("/publishing/flow/<int:version_id>/cases")
@requires(Permission.PUBLISH_RULES)
def move(version_id: int) -> Response:
    """Move the ticked cases, each on its own; the next page names every one."""
    version = migration.target(actor(), version_id)
    wanted = _wanted()
    migration.move_many(actor(), version, wanted, now())
    after_commit(current_app.extensions["wake_worker"])
    tried = "-".join(str(case_id) for case_id, _version in wanted)
    return redirect(url_for("migration.result", version_id=version_id, cases=tried), 303)


@bp.get("/publishing/flow/<int:version_id>/cases/result")
@requires(Permission.PUBLISH_RULES)
def result(version_id: int) -> str:
    """What became of each case: those that go by the version now, and why the others do not."""
    version = migration.target(actor(), version_id)
    ids = [_after(t) for t in request.args.get("cases", "").split("-")[: migration.MOST_AT_ONCE]]
    moved, left = migration.outcome(actor(), version, ids)
    lines = [ResultLine(f.case, _left(f)) for f in left] + [ResultLine(c, "") for c in moved]
    count = migration.count(actor(), version)
    return render_template("publishing/migrated.html", version=version, lines=lines, done=len(moved), count=count)


def _left(fit: migration.Fit) -> str:
    return say(fit.reason) if fit.reason else _("此案件已被他人更新，请查看最新内容后再办理。")
