"""The inbox of staff, and how a person wants to hear of things."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from typing import TypeVar

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import format_date
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from workflow.core.actors import Permission
from workflow.core.errors import DomainError
from workflow.core.notices import Kind, kind_of
from workflow.core.times import shanghai_day
from workflow.data import notices
from workflow.data.cases import Case
from workflow.data.cases import visible_to as visible_cases
from workflow.data.notices import Notice
from workflow.data.robots import teams_managed_by
from workflow.extensions import db
from workflow.i18n import reader_locale
from workflow.services import letters
from workflow.services import notices as notice_service
from workflow.web.access import actor, requires
from workflow.web.clock import now
from workflow.web.forms.notices import ChoicesForm

bp = Blueprint("notices", __name__)
reader = requires(Permission.SEE_CASE, Permission.MANAGE_ACCOUNTS)
PAGE = 30
Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Line:
    """A notice with its words; ``case`` is None when there is none, or the reader may not see it any more."""

    notice: Notice
    kind: Kind
    about: str
    case: Case | None

    @property
    def at(self) -> dt.datetime:
        """When it came."""
        return self.notice.created_at


def number(text: str | None) -> int | None:
    """A row's id out of an address or form; None when it is none."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) <= 18 else None


def by_day(rows: Iterable[Row], at: str = "at") -> list[tuple[str, list[Row]]]:
    """Rows, newest first, under the days in Shanghai on which they came."""
    today = shanghai_day(now())
    names = {today: _("今天"), today - dt.timedelta(days=1): _("昨天")}
    found = groupby(rows, key=lambda row: shanghai_day(getattr(row, at)))
    return [(names.get(day) or format_date(day, "full"), list(lines)) for day, lines in found]


def _lines(page: list[Notice]) -> list[Line]:
    ids = {n.case_id for n in page if n.case_id is not None}
    visible = visible_cases(actor()).where(Case.id.in_(ids))
    cases = {c.id: c for c in db.session.scalars(visible)} if ids else {}
    locale = reader_locale()
    return [Line(n, kind_of(n.event), letters.about(n.details, locale), cases.get(n.case_id or 0)) for n in page]


@bp.get("/notices")
@reader
def inbox() -> str:
    """Thirty notices from ``before`` (an id) backwards, all or the unread ones."""
    only_unread = request.args.get("show") == "unread"
    before = number(request.args.get("before"))
    query = notices.inbox(actor().person_id, unread=only_unread, before=before)
    found = list(db.session.scalars(query.limit(PAGE + 1)))
    page, show = found[:PAGE], "unread" if only_unread else None
    return render_template(
        "notices/inbox.html",
        days=by_day(_lines(page)),
        unread=notices.unread_count(actor().person_id),
        only_unread=only_unread,
        newest=page[0].id if page else 0,
        newest_url=url_for("notices.inbox", show=show) if before is not None else "",
        older_url=url_for("notices.inbox", show=show, before=page[-1].id) if len(found) > PAGE else "",
        manages=actor().may(Permission.MANAGE_ORGANISATION),
    )


@bp.post("/notices/read")
@reader
def read() -> Response:
    """Mark one notice read and go to what it is about; or all up to the newest that the page showed."""
    chosen = number(request.form.get("notice"))
    if chosen is None:
        notice_service.read_all(actor(), number(request.form.get("newest")) or 0, now())
        return redirect(url_for("notices.inbox"), 303)
    notice = notice_service.read(actor(), chosen, now())
    if notice.case_id is not None:
        seen = db.session.scalar(visible_cases(actor()).with_only_columns(Case.id).where(Case.id == notice.case_id))
        return redirect(url_for("cases.show", case_id=seen) if seen else url_for("notices.inbox"), 303)
    url = str(notice.details.get("url", ""))
    ours = url.startswith("/") and not url.startswith(("//", "/\\"))
    return redirect(url if ours else url_for("notices.inbox"), 303)


def _choices(form: ChoicesForm, code: int = 200) -> tuple[str, int]:
    teams = db.session.scalars(teams_managed_by(actor()).limit(1)).first() is not None
    kept = notices.choice_of(actor().person_id)
    page = render_template(
        "notices/choices.html",
        form=form,
        mail_is_on=notice_service.mail_is_on(),
        has_address=kept is not None and bool(kept.email),
        manages=teams and actor().may(Permission.MANAGE_ORGANISATION),
    )
    return page, code


@bp.get("/notices/choices")
@reader
def choices() -> tuple[str, int]:
    """The reader's choices as they are kept."""
    form = ChoicesForm(formdata=None)
    form.offer(notice_service.groups_of(actor()))
    form.show(notices.choice_of(actor().person_id))
    return _choices(form)


@bp.post("/notices/choices")
@reader
def choose() -> Response | tuple[str, int]:
    """Keep the choices, or show the page again with what is wrong."""
    form = ChoicesForm()
    form.offer(notice_service.groups_of(actor()))
    try:
        quiet_from, quiet_until = form.quiet_hours()
        notice_service.choose(
            actor(),
            email=form.email.data or "",
            mailed=form.mailed.data or [],
            digest=form.digest.data or "",
            quiet_from=quiet_from,
            quiet_until=quiet_until,
            language=form.language.data or "zh",
            now=now(),
        )
    except DomainError as error:
        form.refuse(error)
        return _choices(form, error.status)
    flash(_("通知设置已保存。"), "success")
    return redirect(url_for("notices.choices"), 303)


@bp.post("/notices/choices/test")
@reader
def test_mail() -> Response:
    """Send the reader a mail that shows that mail arrives."""
    notice_service.put_test_letter(actor(), now())
    flash(_("测试邮件已交由后台发送，请稍后查看邮箱。"), "success")
    return redirect(url_for("notices.choices"), 303)
