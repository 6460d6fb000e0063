"""The organisation's people: what somebody holds, leave with a cover, declared interests, and handing over cases."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from workflow.core.actors import ROLE_LABELS, Permission, Role
from workflow.core.errors import DomainError, Invalid, NotFound
from workflow.core.times import shanghai_day
from workflow.data import candidates, organisation, people
from workflow.data.candidates import Work
from workflow.data.organisation import Absence, BuildingOfficer, Interest, TeamMember
from workflow.data.people import Person, PersonAppointment
from workflow.extensions import db
from workflow.services import absences, hand_over, interests
from workflow.services import organisation as organisation_service
from workflow.services.hand_over import Stack
from workflow.services.interests import RELATION_LABELS
from workflow.web.access import actor, requires
from workflow.web.boundary import after_commit
from workflow.web.clock import now
from workflow.web.organisation import WHOLE_DESK, Answer, Refused, number_field, refused

bp = Blueprint("organisation_people", __name__)


@dataclass(frozen=True, slots=True)
class PersonPage:
    """What a person holds and what the reader may do about it; ``stacks`` are the cases that could be handed over."""

    person: Person
    is_self: bool
    posts: list[PersonAppointment]
    duties: list[TeamMember]
    buildings: list[BuildingOfficer]
    work: Work
    leave: list[Absence]
    stands_in: list[Absence]
    covers: list[Person]
    interests: list[Interest]
    may_arrange: bool
    may_declare: bool
    may_withdraw: bool
    stacks: list[Stack]
    takers: list[Person]

    @property
    def is_away(self) -> bool:
        """Whether the person is on leave today."""
        return any(a.starts_on <= shanghai_day(now()) for a in self.leave)

    @property
    def cases(self) -> int:
        """How many cases could be handed over."""
        return sum(s.number for s in self.stacks)


@bp.app_template_filter("role_words")
def role_words(role: str) -> str:
    """A role in words."""
    return _(ROLE_LABELS[Role(role)])


@bp.app_template_global("last_day")
def _last_day(ends_on: dt.date) -> dt.date:
    """The last day of a leave that ends before ``ends_on``."""
    return ends_on - dt.timedelta(days=1)


def _readable(person: Person, posts: list[PersonAppointment], duties: list[TeamMember]) -> bool:
    if person.id == actor().person_id:
        return True
    areas = [p.area for p in posts] + [d.team.area for d in duties]
    return any(organisation_service.reads(actor(), a) for a in areas)


def _page_of(person_id: int) -> PersonPage:
    today, person = shanghai_day(now()), db.session.get(Person, person_id)
    if person is None:
        raise NotFound()
    posts, duties = people.current_appointments(person_id, today), organisation.duties_of(person_id, today)
    buildings = organisation.buildings_of(person_id, today)
    if not _readable(person, posts, duties) and not any(organisation_service.reads(actor(), b.area) for b in buildings):
        raise NotFound()
    arranges = absences.may_arrange(actor(), person_id, today)
    declares = interests.may_declare(actor(), person_id, today)
    gives = actor().may(Permission.ASSIGN_CASES)
    own = person_id == actor().person_id
    return PersonPage(
        person=person,
        is_self=own,
        posts=posts,
        duties=duties,
        buildings=buildings,
        work=candidates.work_of([person_id], now()).get(person_id, Work()),
        leave=absences.of_person(person_id, today),
        stands_in=absences.covered_by(person_id, today),
        covers=absences.covers_for(person_id, today) if arranges else [],
        interests=organisation.interests_of(person_id, today) if declares else [],
        may_arrange=arranges and bool(posts),
        may_declare=declares,
        may_withdraw=declares and not own,
        stacks=hand_over.preview(actor(), person_id, now()) if gives else [],
        takers=hand_over.takers(actor(), person_id, now()) if gives else [],
    )


def _show(person_id: int, wrong: Refused | None = None) -> tuple[str, int]:
    page = _page_of(person_id)
    today = shanghai_day(now())
    shown = render_template("organisation/person.html", page=page, wrong=wrong, relations=RELATION_LABELS, today=today)
    return shown, wrong.status if wrong else 200


@bp.get("/organisation/me")
@requires(*WHOLE_DESK)
def me() -> tuple[str, int]:
    """The reader's own page: leave, interests, teams."""
    return _show(actor().person_id)


@bp.get("/organisation/people/<int:person_id>")
@requires(*WHOLE_DESK)
def show(person_id: int) -> tuple[str, int]:
    """What a person holds."""
    return _show(person_id)


def _changed(person_id: int, act: str, change: Callable[[], object], words: str) -> Answer:
    """Change something about a person and come back; a refusal comes on the person's page."""
    try:
        change()
    except Invalid as error:
        return _show(person_id, refused(act, error))
    after_commit(current_app.extensions["wake_worker"])
    flash(words, "success")
    return redirect(url_for("organisation_people.show", person_id=person_id), 303)


def _day(name: str) -> dt.date:
    try:
        return dt.date.fromisoformat(request.form.get(name, "").strip())
    except ValueError as error:
        raise Invalid(_("请填写日期，如 2020-02-15。"), field=name) from error


def _declare_leave(person_id: int) -> None:
    chosen = request.form.get("cover", "")
    absences.declare(
        actor(),
        person_id,
        starts_on=_day("starts_on"),
        last_on=_day("last_on"),
        cover_id=number_field("cover", _("请选择代办人。")) if chosen else None,
        hands_over=request.form.get("hands_over") == "1",
        now=now(),
    )


@bp.post("/organisation/people/<int:person_id>/leave")
@requires(*WHOLE_DESK)
def declare_leave(person_id: int) -> Answer:
    """Put a person on leave, with a cover."""
    _page_of(person_id)
    return _changed(person_id, "leave", lambda: _declare_leave(person_id), _("请假已登记。"))


@bp.post("/organisation/leave/<int:absence_id>/end")
@requires(*WHOLE_DESK)
def end_leave(absence_id: int) -> Response:
    """End a leave today."""
    absence = absences.end(actor(), absence_id, now())
    flash(_("请假已结束，从今天起恢复分派。"), "success")
    return redirect(url_for("organisation_people.show", person_id=absence.person_id), 303)


@bp.post("/organisation/people/<int:person_id>/interests")
@requires(*WHOLE_DESK)
def declare_interest(person_id: int) -> Answer:
    """Keep a person away from a company."""
    _page_of(person_id)
    form = request.form
    return _changed(
        person_id,
        "interest",
        lambda: interests.declare(actor(), person_id, form.get("uscc", ""), form.get("relation", ""), now()),
        _("已申报，相关案件不会再分给此人。"),
    )


@bp.post("/organisation/interests/<int:interest_id>/withdraw")
@requires(Permission.ASSIGN_CASES)
def withdraw_interest(interest_id: int) -> Response:
    """End a declared interest."""
    interest = interests.withdraw(actor(), interest_id, now())
    flash(_("申报已撤销。"), "success")
    return redirect(url_for("organisation_people.show", person_id=interest.person_id), 303)


def _hand_over(person_id: int) -> tuple[int, list[DomainError]]:
    to = request.form.get("to", "")
    expected = number_field("expected", _("这份表单已失效，请刷新页面后再提交。"))
    chosen = None if to == "rules" else number_field("to", _("请选择转交给谁。"))
    results = hand_over.hand_over(actor(), person_id, chosen, expected, now())
    return sum(r.refusal is None for r in results), [r.refusal for r in results if r.refusal is not None]


@bp.post("/organisation/people/<int:person_id>/hand-over")
@requires(Permission.ASSIGN_CASES)
def give_all(person_id: int) -> Answer:
    """Hand a person's open cases over in one act."""
    _page_of(person_id)
    try:
        done, refusals = _hand_over(person_id)
    except Invalid as error:
        return _show(person_id, refused("hand_over", error))
    after_commit(current_app.extensions["wake_worker"])
    flash(_("已转交 %(n)s 件。", n=done), "success")
    for message, number in _reasons(refusals).items():
        flash(_("%(n)s 件没有转交：%(why)s", n=number, why=message), "warning")
    return redirect(url_for("organisation_people.show", person_id=person_id), 303)


def _reasons(refusals: list[DomainError]) -> dict[str, int]:
    found: dict[str, int] = {}
    for refusal in refusals:
        words = _(refusal.message, **refusal.params)
        found[words] = found.get(words, 0) + 1
    return found
