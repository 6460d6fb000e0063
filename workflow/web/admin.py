"""Account management: staff accounts, their appointments in areas, moving, switching off and new passwords."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from workflow.core.actors import ROLE_LABELS, AreaKind, Permission, Role
from workflow.core.errors import DomainError, NotFound
from workflow.core.times import shanghai_day
from workflow.data import areas, catalogue
from workflow.data.areas import Area
from workflow.data.people import Account, PersonAppointment
from workflow.extensions import db
from workflow.i18n import reader_locale
from workflow.services import accounts
from workflow.web.access import actor, requires
from workflow.web.clock import now
from workflow.web.forms.admin import AppointForm, AreaChoices, AreaForm, NewStaffForm, ResetForm

bp = Blueprint("admin", __name__)

Refused = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Held:
    """An appointment in words; ``is_current`` when it holds today."""

    appointment: PersonAppointment
    role: str
    bureau: str
    is_current: bool


@dataclass(frozen=True, slots=True)
class StaffLine:
    """A staff account with the appointments that hold and those that ended."""

    account: Account
    held: list[Held]

    @property
    def current(self) -> list[Held]:
        """The appointments that hold today."""
        return [h for h in self.held if h.is_current]

    @property
    def past(self) -> list[Held]:
        """The appointments that ended."""
        return [h for h in self.held if not h.is_current]


def _held(appointment: PersonAppointment) -> Held:
    names = {d.code: d.label.text(reader_locale()) for d in catalogue.departments()}
    ends_on = appointment.ends_on
    return Held(
        appointment=appointment,
        role=_(ROLE_LABELS[Role(appointment.role)]),
        bureau=names.get(appointment.bureau or "", ""),
        is_current=ends_on is None or ends_on > shanghai_day(now()),
    )


def _directory() -> list[StaffLine]:
    found = accounts.staff_directory(actor())
    return [StaffLine(account, [_held(a) for a in held]) for account, held in found]


def _line(account_id: int) -> StaffLine:
    line = next((line for line in _directory() if line.account.id == account_id), None)
    if line is None:
        raise NotFound()
    return line


def area_choices() -> AreaChoices:
    """Every area down to zones, grouped by county: city and counties stand first in their groups."""
    kinds = (AreaKind.CITY, AreaKind.COUNTY, AreaKind.TOWN, AreaKind.ZONE)
    rows = {kind: list(db.session.scalars(areas.of_kind(kind))) for kind in kinds}
    names = {a.id: a.name for found in rows.values() for a in found}
    grouped: AreaChoices = {c.name: [(c.code, c.name)] for c in rows[AreaKind.CITY]}
    for county in rows[AreaKind.COUNTY]:
        below = [a for k in (AreaKind.TOWN, AreaKind.ZONE) for a in rows[k] if a.county_id == county.id]
        lines = [(a.code, _area_label(a, names)) for a in sorted(below, key=lambda a: a.code)]
        grouped[county.name] = [(county.code, county.name), *lines]
    return grouped


def _area_label(area: Area, names: dict[int, str]) -> str:
    return f"{names.get(area.town_id or 0, '')} › {area.name}" if area.kind == AreaKind.ZONE else area.name


def _appoint_form(*, bound: bool = False) -> AppointForm:
    form = AppointForm() if bound else AppointForm(formdata=None)
    form.offer(area_choices())
    form.offer_departments([(d.code, d.label) for d in catalogue.departments()])
    return form


def _people(form: NewStaffForm, code: int = 200) -> Refused:
    text = request.args.get("q", "").strip()[:60]
    lines = [x for x in _directory() if text.lower() in x.account.login or text in x.account.person.name]
    return render_template("admin/people.html", lines=lines, form=form, text=text), code


def _person(
    line: StaffLine, code: int = 200, appoint: AppointForm | None = None, reset: ResetForm | None = None
) -> Refused:
    move = AreaForm(formdata=None)
    move.offer(area_choices())
    forms = {"appoint": appoint or _appoint_form(), "move": move, "reset": reset or ResetForm(formdata=None)}
    page = render_template("admin/person.html", line=line, is_self=line.account.id == actor().account_id, **forms)
    return page, code


def _done(account_id: int, words: str) -> Response:
    flash(words, "success")
    return redirect(url_for("admin.person", account_id=account_id), 303)


def _account_of(appointment_id: int) -> int:
    held = (x.account.id for x in _directory() for h in x.held if h.appointment.id == appointment_id)
    account_id = next(held, None)
    if account_id is None:
        raise NotFound()
    return account_id


@bp.get("/admin/people")
@requires(Permission.MANAGE_ACCOUNTS)
def people() -> Refused:
    """Staff accounts and who holds what; no case content."""
    return _people(NewStaffForm(formdata=None))


@bp.post("/admin/people")
@requires(Permission.MANAGE_ACCOUNTS)
def create() -> Response | Refused:
    """Make a staff account; the appointment follows on its page."""
    form = NewStaffForm()
    if form.validate():
        try:
            account = accounts.create_staff(actor(), **form.values(), now=now())
        except DomainError as error:
            db.session.rollback()
            form.refuse(error)
        else:
            return _done(account.id, _("账号已建立，请接着安排职责。"))
    return _people(form, 422)


@bp.get("/admin/people/<int:account_id>")
@requires(Permission.MANAGE_ACCOUNTS)
def person(account_id: int) -> Refused:
    """One account: what it holds, and the forms that change it."""
    return _person(_line(account_id))


@bp.post("/admin/people/<int:account_id>/appointments")
@requires(Permission.MANAGE_ACCOUNTS)
def appoint(account_id: int) -> Response | Refused:
    """Give the person a role in an area from today on."""
    person_id, form = _line(account_id).account.person_id, _appoint_form(bound=True)
    if form.validate():
        try:
            values = {"role": form.role.data, "area_code": form.area.data, "bureau": form.bureau.data or None}
            accounts.appoint(actor(), person_id=person_id, **values, now=now())
        except DomainError as error:
            db.session.rollback()
            form.refuse(error)
        else:
            return _done(account_id, _("已任职，从本人下一次操作起生效。"))
    return _person(_line(account_id), 422, appoint=form)


@bp.post("/admin/appointments/<int:appointment_id>/end")
@requires(Permission.MANAGE_ACCOUNTS)
def end(appointment_id: int) -> Response:
    """End an appointment today."""
    account_id = _account_of(appointment_id)
    accounts.end_appointment(actor(), appointment_id, now())
    return _done(account_id, _("任职已结束，本人下一次操作起不再有此权限。"))


@bp.post("/admin/appointments/<int:appointment_id>/move")
@requires(Permission.MANAGE_ACCOUNTS)
def move(appointment_id: int) -> Response:
    """Move an appointment to another area in one act."""
    account_id = _account_of(appointment_id)
    accounts.move_person(actor(), appointment_id, request.form.get("area", ""), now())
    return _done(account_id, _("已调动，原区域的案件立即不可见。"))


@bp.post("/admin/people/<int:account_id>/switch")
@requires(Permission.MANAGE_ACCOUNTS)
def switch(account_id: int) -> Response:
    """Switch an account on or off; its sessions end."""
    _line(account_id)
    active = request.form.get("active") == "1"
    accounts.set_active(actor(), account_id, active, now())
    return _done(account_id, _("账号已启用。") if active else _("账号已停用，登录立即失效。"))


@bp.post("/admin/people/<int:account_id>/password")
@requires(Permission.MANAGE_ACCOUNTS)
def reset(account_id: int) -> Response | Refused:
    """Set a new password and end the account's sessions."""
    _line(account_id)
    form = ResetForm()
    if form.validate():
        try:
            accounts.reset_password(actor(), account_id, form.password.data or "", now())
        except DomainError as error:
            db.session.rollback()
            form.refuse(error)
        else:
            return _done(account_id, _("新密码已设置，原有登录已失效。"))
    return _person(_line(account_id), 422, reset=form)
