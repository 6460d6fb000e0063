"""The company's vehicle passes on an approved case: what the rules allow, asking, and what became of each."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from workflow.core.actors import Permission
from workflow.core.errors import N_, DomainError, Invalid, NotFound, StepClosed
from workflow.core.identifiers import show_plate, squeeze
from workflow.core.times import shanghai_day
from workflow.data import passes
from workflow.data.cases import Case
from workflow.data.passes import VehiclePass
from workflow.extensions import db
from workflow.i18n import say
from workflow.services import cases as case_service
from workflow.services import pass_requests, printing
from workflow.services import passes as service
from workflow.services.passes import Offer
from workflow.web.access import actor, requires
from workflow.web.boundary import after_commit
from workflow.web.clock import now
from workflow.web.forms.passes import PassForm, VehicleForm, values_of
from workflow.web.rule_words import PLATE_KINDS

bp = Blueprint("passes", __name__)
company = requires(Permission.REQUEST_PASS)
PAGE = 30

STATUSES = {
    "requested": (N_("待发放"), "progress"),
    "granted": (N_("已发放"), "success"),
    "refused": (N_("未同意"), "danger"),
    "suspended": (N_("已暂停"), "warning"),
    "revoked": (N_("已撤销"), "danger"),
    "replaced": (N_("已换新证"), "neutral"),
    "withdrawn": (N_("已撤回"), "neutral"),
}
"""Source text and tone of each status."""
REASONS = {
    "refused": N_("未同意的原因"),
    "suspended": N_("暂停原因"),
    "revoked": N_("撤销原因"),
    "granted": N_("恢复原因"),
}
"""What the words of a pass are, by its status."""
FOLLOWS = {
    "renewal": N_("续期"),
    "lost": N_("补发"),
    "plate": N_("换号牌"),
}
"""What a pass is towards the one that it was asked for instead of or after."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A pass in the list, with what its company may do now; ``follower`` is the newest one asked for after it."""

    item: VehiclePass
    follower: VehiclePass | None
    is_over: bool
    renews: bool
    changes_plate: bool
    is_lost: bool

    @property
    def stands(self) -> bool:
        """Whether it can be printed, and reported lost."""
        return self.item.status == "granted" and not self.is_over

    @property
    def is_free(self) -> bool:
        """Whether nothing that was asked for instead of or after it is under way or good."""
        return self.follower is None or self.follower.status not in passes.LIVE

    @property
    def asks_again(self) -> bool:
        """Whether a duplicate of a lost one can be asked for once more: the first was refused or withdrawn."""
        return self.is_lost and self.is_free and not self.is_over


def _entry(item: VehiclePass, follower: VehiclePass | None, today: dt.date) -> Entry:
    return Entry(
        item,
        follower,
        is_over=item.valid_until_on < today,
        renews=pass_requests.may_renew(item, today),
        changes_plate=pass_requests.may_change_plate(item, today),
        is_lost=item.status == "suspended" and item.words == pass_requests.LOST_WORDS,
    )


def _own_case(case_id: int) -> Case:
    case = case_service.get(actor(), case_id)
    if case.enterprise_id not in actor().enterprise_ids:
        raise NotFound()
    return case


def _own_pass(pass_id: int) -> VehiclePass:
    found = service.get(actor(), pass_id)
    if found.case.enterprise_id not in actor().enterprise_ids:
        raise NotFound()
    return found


def _listed(case: Case, today: dt.date) -> Mapping[str, object]:
    """The page of the list that the address asks for; one that isn't there is the first."""
    typed = request.args.get("page", "")
    page = int(typed) if typed.isascii() and typed.isdigit() and 0 < int(typed[:4]) < 1000 else 1
    part = squeeze(request.args.get("plate", ""))[:10]
    found = passes.page_of_case(case.id, today, part=part, start=(page - 1) * PAGE, most=PAGE + 1)
    shown, more = found[:PAGE], len(found) > PAGE
    after = passes.followers_of([p.id for p in shown])
    total, standing = passes.counts_of_case(case.id, today)

    def address(number: int) -> str:
        return url_for("passes.index", case_id=case.id, page=number, plate=part or None, _anchor="asked")

    return {
        "entries": [_entry(p, after.get(p.id), today) for p in shown],
        "older_url": address(page + 1) if more else "",
        "newer_url": address(page - 1) if page > 1 else "",
        "part": part,
        "total": total,
        "standing": standing,
    }


def _offer(case: Case) -> Offer | None:
    return service.offer(actor(), case, now()) if case.permits else None


def _page(case: Case, form: VehicleForm, offer: Offer | None) -> str:
    form.offer_choices()
    today = shanghai_day(now())
    page = {"case": case, "form": form, "offer": offer, "today": today, **_listed(case, today)}
    page |= {"layouts": printing.LAYOUT_LABELS, "statuses": STATUSES, "reasons": REASONS, "follows": FOLLOWS}
    return render_template("passes/index.html", plate_kinds=PLATE_KINDS, purposes=passes.PURPOSES, **page)


@bp.get("/cases/<int:case_id>/passes")
@company
def index(case_id: int) -> str:
    """What the rules allow, the form for one more pass, and the list of all."""
    case, today = _own_case(case_id), shanghai_day(now())
    offer = _offer(case)
    last = today + dt.timedelta(days=offer.longest_days - 1 if offer else 0)
    dates = {"valid_from_on": today.isoformat(), "valid_until_on": last.isoformat(), "schedule": "always"}
    return _page(case, PassForm(formdata=None, data=dates), offer)


def _said(asked: VehiclePass) -> None:
    """Say what became of a request: it waits for an officer, or was granted at once."""
    after_commit(current_app.extensions["wake_worker"])
    plate = show_plate(asked.plate)
    if asked.status == "granted":
        flash(_("已自动发放 %(plate)s 的通行证，现在就可以打印。", plate=plate), "success")
    else:
        flash(_("已提交 %(plate)s 的通行证申请。", plate=plate), "success")


def _ask(
    case: Case, form: VehicleForm, page: Callable[[], str], reason: str = "new", replaces_id: int | None = None
) -> Response | tuple[str, int]:
    """Ask with what was typed; a refusal is said at its field and nothing typed is lost."""
    form.offer_choices()
    if not form.validate():
        return page(), 422
    case_id = case.id
    try:
        asked = service.request_pass(actor(), case_id, form.as_request(reason, replaces_id), now())
    except (Invalid, StepClosed) as error:
        db.session.rollback()
        form.refuse(error)
        return page(), error.status
    _said(asked)
    return redirect(url_for("passes.index", case_id=case_id, _anchor=f"pass-{asked.id}"), 303)


@bp.post("/cases/<int:case_id>/passes")
@company
def ask(case_id: int) -> Response | tuple[str, int]:
    """Ask for a first pass of a vehicle."""
    case, form = _own_case(case_id), PassForm()
    return _ask(case, form, lambda: _page(case, form, _offer(case)))


def _following(old: VehiclePass, form: VehicleForm, kind: str) -> str:
    """The page that asks for the next days, or for another plate, of a pass that there is."""
    form.offer_choices()
    words = {"case": old.case, "old": old, "form": form, "kind": kind, "offer": service.offer(actor(), old.case, now())}
    return render_template("passes/follow.html", plate_kinds=PLATE_KINDS, purposes=passes.PURPOSES, **words)


@bp.get("/passes/<int:pass_id>/renew")
@company
def renew(pass_id: int) -> str:
    """The next days of a pass that ends soon or ended lately, everything else as it was."""
    old, today = _own_pass(pass_id), shanghai_day(now())
    longest = service.offer(actor(), old.case, now()).of_kind(old.purpose).longest_days
    first, last = pass_requests.renewal_days(old, longest, today)
    dates = {"valid_from_on": first.isoformat(), "valid_until_on": last.isoformat()}
    return _following(old, PassForm(formdata=None, data={**values_of(old), **dates}), "renewal")


@bp.post("/passes/<int:pass_id>/renew")
@company
def ask_renewal(pass_id: int) -> Response | tuple[str, int]:
    """Ask for the next days; the old pass stays good to its end."""
    old, form = _own_pass(pass_id), PassForm()
    return _ask(old.case, form, lambda: _following(old, form, "renewal"), "renewal", old.id)


@bp.get("/passes/<int:pass_id>/plate")
@company
def other_plate(pass_id: int) -> str:
    """Another plate for the days that are left, everything else as it was."""
    old = _own_pass(pass_id)
    return _following(old, VehicleForm(formdata=None, data={**values_of(old), "plate": ""}), "plate")


@bp.post("/passes/<int:pass_id>/plate")
@company
def ask_other_plate(pass_id: int) -> Response | tuple[str, int]:
    """Ask for another plate; the old pass is good until the new one is granted."""
    old, form = _own_pass(pass_id), VehicleForm()
    return _ask(old.case, form, lambda: _following(old, form, "plate"), "plate", old.id)


def _refused(case_id: int, error: DomainError) -> tuple[str, int]:
    """The list with the refusal above it."""
    db.session.rollback()
    form = PassForm(formdata=None, data={"schedule": "always"})
    form.form_errors.append(say(error))
    case = _own_case(case_id)
    return _page(case, form, _offer(case)), error.status


@bp.post("/passes/<int:pass_id>/lost")
@company
def report_lost(pass_id: int) -> Response | tuple[str, int]:
    """Report the paper lost: it is dead at once, and another one is asked for."""
    case_id = _own_pass(pass_id).case_id
    try:
        asked = service.report_lost(actor(), pass_id, now())
    except (Invalid, StepClosed) as error:
        return _refused(case_id, error)
    flash(_("原通行证已停用，捡到的旧证不能再用。"), "info")
    _said(asked)
    return redirect(url_for("passes.index", case_id=case_id, _anchor=f"pass-{asked.id}"), 303)


@bp.post("/passes/<int:pass_id>/withdraw")
@company
def withdraw(pass_id: int) -> Response | tuple[str, int]:
    """Take back a request that is not decided."""
    case_id = _own_pass(pass_id).case_id
    try:
        gone = service.withdraw(actor(), pass_id, now())
    except (Invalid, StepClosed) as error:
        return _refused(case_id, error)
    flash(_("已撤回 %(plate)s 的通行证申请。", plate=show_plate(gone.plate)), "success")
    return redirect(url_for("passes.index", case_id=case_id, _anchor="asked"), 303)
