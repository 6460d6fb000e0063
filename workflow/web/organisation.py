"""The organisation's pages: who holds what in an area, its teams, and the officers of its buildings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from workflow.core.actors import AreaKind, Permission
from workflow.core.errors import DomainError, Invalid, NotFound
from workflow.core.questions import QUESTIONS
from workflow.core.times import shanghai_day
from workflow.data import organisation as organisation_data
from workflow.data.areas import Area
from workflow.data.organisation import Duty, Team, TeamKind
from workflow.data.people import Person
from workflow.extensions import db
from workflow.services import directory, org_chart
from workflow.services import organisation as organisation_service
from workflow.services.org_chart import GAP_LABELS
from workflow.services.organisation import DUTY_LABELS, KIND_LABELS, TeamValues
from workflow.web.access import actor, requires
from workflow.web.clock import now

bp = Blueprint("organisation", __name__)

Answer = Response | tuple[str, int]
WHOLE_DESK = (Permission.SEE_DESK, Permission.MANAGE_ORGANISATION)


@dataclass(frozen=True, slots=True)
class Refused:
    """A form that was refused: which one, why, and what was typed."""

    act: str
    error: DomainError
    typed: Mapping[str, str] = field(default_factory=dict)

    @property
    def status(self) -> int:
        """The HTTP status of the page that says so."""
        return self.error.status


def refused(act: str, error: DomainError) -> Refused:
    """What was refused just now, with the session rolled back."""
    db.session.rollback()
    return Refused(act, error, request.form.to_dict())


def number_field(name: str, message: str) -> int:
    """An id from a form; :class:`Invalid` with ``message`` when nothing was chosen."""
    value = request.form.get(name, "")
    if not value.isascii() or not value.isdigit() or len(value) > 18:
        raise Invalid(message, field=name)
    return int(value)


def _optional_number(name: str) -> int | None:
    return number_field(name, _("请选择列表中的一项。")) if request.form.get(name) else None


@bp.app_template_filter("team_kind")
def team_kind(kind: str) -> str:
    """A team's kind in words."""
    return _(KIND_LABELS[TeamKind(kind)])


@bp.app_template_filter("duty")
def duty_words(duty: str) -> str:
    """A member's duty in words."""
    return _(DUTY_LABELS[Duty(duty)]) if duty else ""


@bp.app_template_global("may_manage_somewhere")
def _may_manage_somewhere() -> bool:
    """Whether the reader may change the organisation of any area."""
    return actor().may(Permission.MANAGE_ORGANISATION)


def _own_area(areas: list[Area]) -> Area | None:
    """The area that the reader's page opens with: the own town, else the widest that is readable."""
    asked = request.args.get("area", "")
    if asked:
        found = next((a for a in areas if a.code == asked), None)
        if found is None:
            raise NotFound(_("没有找到这个区域，或您无权查看。"))
        return found
    towns = [a for a in areas if a.area_kind is AreaKind.TOWN]
    return towns[0] if len(towns) == 1 else None


@bp.get("/organisation")
@requires(*WHOLE_DESK)
def chart() -> str:
    """Who holds what: an overview of the reader's towns, or one town's (county's) chart."""
    areas = org_chart.readable(actor())
    area = _own_area(areas)
    counties = {a.id for a in areas if a.area_kind is AreaKind.COUNTY}
    below = [a for a in areas if (a.county_id == area.id if area else a.id in counties or a.county_id not in counties)]
    shown = org_chart.chart_of(area, now()) if area else None
    return render_template(
        "organisation/chart.html",
        areas=areas,
        area=area,
        chart=shown,
        lines=org_chart.overview([a for a in below if a != area], now()),
        manages=area is not None and organisation_service.manages(actor(), area),
        gap_labels=GAP_LABELS,
    )


def people_choices(area: Area) -> list[tuple[int, str]]:
    """Whom a place in ``area`` can be given to: staff there and above, and members of its teams."""
    around = directory.people_around(area, shanghai_day(now()))
    return [(person_id, f"{name} · {login}" if login else name) for person_id, name, login in around]


def _team_page(area: Area, team: Team | None, wrong: Refused | None = None) -> tuple[str, int]:
    today = shanghai_day(now())
    top = [area.id, *(i for i in (area.town_id, area.county_id, area.city_id) if i is not None)]
    places = organisation_service.places_of(area)
    teams = organisation_data.teams_in([*top, *(p.id for p in places)])
    node = org_chart.team_node(team, now()) if team else None
    page = render_template(
        "organisation/team.html",
        area=area,
        team=team,
        node=node,
        places=places,
        parents=[t for t in teams if team is None or t.id != team.id],
        sectors=QUESTIONS["sector"].options,
        people=people_choices(area),
        past=organisation_data.past_members(team.id, today) if team else [],
        manages=organisation_service.manages(actor(), area),
        kinds=KIND_LABELS,
        duties=DUTY_LABELS,
        wrong=wrong,
    )
    return page, wrong.status if wrong else 200


def _values(area_id: int) -> TeamValues:
    form = request.form
    ids = [int(v) for v in form.getlist("covers") if v.isascii() and v.isdigit() and len(v) < 19]
    known = {key for key, _label in QUESTIONS["sector"].options}
    return TeamValues(
        name=form.get("name", ""),
        kind=form.get("kind", ""),
        area_id=area_id,
        parent_id=_optional_number("parent"),
        group_name=form.get("group_name", ""),
        area_ids=ids,
        sectors=[s for s in form.getlist("sectors") if s in known],
    )


@bp.get("/organisation/areas/<int:area_id>/teams/new")
@requires(Permission.MANAGE_ORGANISATION)
def new_team(area_id: int) -> tuple[str, int]:
    """The form of a new team in an area."""
    return _team_page(organisation_service.get_area(actor(), area_id, to_change=True), None)


@bp.post("/organisation/areas/<int:area_id>/teams")
@requires(Permission.MANAGE_ORGANISATION)
def create_team(area_id: int) -> Answer:
    """Make a team; its members follow on its page."""
    area = organisation_service.get_area(actor(), area_id, to_change=True)
    try:
        team = organisation_service.create_team(actor(), _values(area_id), now())
    except Invalid as error:
        wrong = refused("team", error)
        return _team_page(db.session.get_one(Area, area.id), None, wrong)
    flash(_("组织已建立，请接着安排人员。"), "success")
    return redirect(url_for("organisation.team", team_id=team.id), 303)


@bp.get("/organisation/teams/<int:team_id>")
@requires(*WHOLE_DESK)
def team(team_id: int) -> tuple[str, int]:
    """One team: its people, what it covers, and the forms that change it."""
    found = organisation_service.get_team(actor(), team_id)
    return _team_page(found.area, found)


def _changed(team_id: int, act: str, change: Callable[[], object], words: str) -> Answer:
    """Change something of a team and come back to its page; a refusal comes there too."""
    try:
        change()
    except Invalid as error:
        wrong = refused(act, error)
        found = organisation_service.get_team(actor(), team_id)
        return _team_page(found.area, found, wrong)
    flash(words, "success")
    return redirect(url_for("organisation.team", team_id=team_id), 303)


@bp.post("/organisation/teams/<int:team_id>")
@requires(Permission.MANAGE_ORGANISATION)
def change_team(team_id: int) -> Answer:
    """Change a team's name, kind, parent, areas and industries."""
    area_id = organisation_service.get_team(actor(), team_id).area_id
    return _changed(
        team_id,
        "team",
        lambda: organisation_service.change_team(actor(), team_id, _values(area_id), now()),
        _("已保存。"),
    )


@bp.post("/organisation/teams/<int:team_id>/close")
@requires(Permission.MANAGE_ORGANISATION)
def close_team(team_id: int) -> Answer:
    """Dissolve a team."""
    found = organisation_service.get_team(actor(), team_id)
    code = found.area.code
    try:
        organisation_service.close_team(actor(), team_id, now())
    except Invalid as error:
        return _team_page(found.area, found, refused("close", error))
    flash(_("组织已撤销，成员的职责同时结束。"), "success")
    return redirect(url_for("organisation.chart", area=code), 303)


def _chosen_person(area: Area) -> int:
    """The person chosen, or somebody without an account who is registered by name in the same act."""
    name = request.form.get("new_person", "")
    if name.strip():
        return organisation_service.new_person(actor(), name, area, now()).id
    person_id = number_field("person", _("请选择人员，或填写新登记人员的姓名。"))
    if db.session.get(Person, person_id) is None:
        raise Invalid(_("请选择人员。"), field="person")
    return person_id


@bp.post("/organisation/teams/<int:team_id>/members")
@requires(Permission.MANAGE_ORGANISATION)
def add_member(team_id: int) -> Answer:
    """Give somebody a duty in a team."""
    area = organisation_service.get_team(actor(), team_id, to_change=True).area
    return _changed(
        team_id,
        "member",
        lambda: organisation_service.add_member(
            actor(), team_id, _chosen_person(area), request.form.get("duty", ""), now()
        ),
        _("已安排。"),
    )


@bp.post("/organisation/members/<int:member_id>/end")
@requires(Permission.MANAGE_ORGANISATION)
def end_member(member_id: int) -> Response:
    """End a duty in a team today."""
    member = organisation_service.end_member(actor(), member_id, now())
    flash(_("已结束此人在本组织的职责。"), "success")
    return redirect(url_for("organisation.team", team_id=member.team_id), 303)


def _place_page(area: Area, wrong: Refused | None = None) -> tuple[str, int]:
    officer = organisation_data.officers_of([area.id], shanghai_day(now())).get(area.id)
    page = render_template(
        "organisation/place.html",
        area=area,
        town=db.session.get(Area, area.town_id or area.id),
        officer=officer,
        past=organisation_data.past_officers(area.id, shanghai_day(now())),
        people=people_choices(area),
        manages=organisation_service.manages(actor(), area),
        wrong=wrong,
    )
    return page, wrong.status if wrong else 200


@bp.get("/organisation/places/<int:area_id>")
@requires(*WHOLE_DESK)
def place(area_id: int) -> tuple[str, int]:
    """A building, park or business circle: its officer now and before."""
    return _place_page(organisation_service.get_area(actor(), area_id))


@bp.post("/organisation/places/<int:area_id>/officer")
@requires(Permission.MANAGE_ORGANISATION)
def name_officer(area_id: int) -> Answer:
    """Name the officer of a building, or hand the building on."""
    area = organisation_service.get_area(actor(), area_id, to_change=True)
    hand_on = request.form.get("hand_on") == "1"
    try:
        organisation_service.name_officer(actor(), area_id, _chosen_person(area), now(), hand_on=hand_on)
    except Invalid as error:
        wrong = refused("officer", error)
        return _place_page(db.session.get_one(Area, area_id), wrong)
    flash(_("专员已确定，从今天起。"), "success")
    return redirect(url_for("organisation.place", area_id=area_id), 303)


@bp.post("/organisation/places/<int:area_id>/officer/end")
@requires(Permission.MANAGE_ORGANISATION)
def end_officer(area_id: int) -> Response:
    """Leave a building without an officer."""
    organisation_service.end_officer(actor(), area_id, now())
    flash(_("已结束，此处暂无专员。"), "success")
    return redirect(url_for("organisation.place", area_id=area_id), 303)
