"""Accounts: a company registers itself, the admin makes staff accounts and appoints, anybody signs in."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import joinedload

from workflow.core.actors import STAFF_ROLES, SYSTEM, Actor, AreaKind, Permission, Role
from workflow.core.errors import N_, Invalid, NotFound, NotPermitted
from workflow.core.identifiers import parse_phone, parse_uscc
from workflow.core.texts import required_line
from workflow.core.times import shanghai_day
from workflow.data import areas, audit, catalogue, enterprises, people
from workflow.data.areas import Area
from workflow.data.enterprises import Enterprise, EnterpriseMember
from workflow.data.people import Account, Person, PersonAppointment
from workflow.extensions import db, settings
from workflow.services import releasing

_hasher = PasswordHasher()
_DUMMY_HASH = _hasher.hash("no account has this password")
MIN_PASSWORD = 10
CHAIN = "accounts"


@dataclass(frozen=True, slots=True)
class Registration:
    """What a company gives to register: texts as typed."""

    uscc: str
    company_name: str
    contact_name: str
    mobile: str
    password: str


def check_password_rules(password: str, login: str = "") -> None:
    """Raise :class:`Invalid` unless the password is long enough and not the login or one character repeated."""
    if len(password) < MIN_PASSWORD:
        raise Invalid(N_("密码至少 %(n)s 个字符。"), field="password", n=MIN_PASSWORD)
    if len(password) > 200:
        raise Invalid(N_("密码最多 200 个字符。"), field="password")
    if len(set(password)) < 4 or (login and login.lower() in password.lower()):
        raise Invalid(N_("密码太容易猜到，请换一个。"), field="password")


def hash_password(password: str) -> str:
    """The Argon2id hash of a password."""
    return _hasher.hash(password)


def _new_account(person: Person, login: str, password: str, now: dt.datetime, *, is_demo: bool = False) -> Account:
    account = Account(
        login=login.lower(),
        person=person,
        password_hash=hash_password(password),
        is_demo=is_demo,
        created_at=now,
    )
    db.session.add(account)
    return account


def _flush_unique(message: str, field: str) -> None:
    """Flush; when somebody else took the same unique value a moment ago, say it as the check before would have."""
    try:
        db.session.flush()
    except IntegrityError as error:
        raise Invalid(message, field=field) from error


def register_company(registration: Registration, now: dt.datetime, *, is_demo: bool = False) -> Account:
    """Register an enterprise with its first clerk; the mobile number is the login.

    Raises :class:`Invalid` with the field for a wrong or known USCC, a known mobile, a weak password.
    """
    uscc = parse_uscc(registration.uscc)
    company_name = required_line(registration.company_name, "company_name", 200)
    contact_name = required_line(registration.contact_name, "contact_name", 60)
    mobile = parse_phone(registration.mobile, "mobile", mobile_only=True)
    check_password_rules(registration.password, mobile)
    if enterprises.by_uscc(uscc) is not None:
        raise Invalid(N_("该统一社会信用代码已注册，请直接登录，或联系所在镇街专班。"), field="uscc")
    if people.account_by_login(mobile) is not None:
        raise Invalid(N_("该手机号已注册，请直接登录。"), field="mobile")
    person = Person(name=contact_name, mobile=mobile, created_at=now)
    enterprise = Enterprise(
        uscc=uscc,
        name=company_name,
        profile={"name": company_name, "contact_name": contact_name, "contact_mobile": mobile},
        created_at=now,
    )
    db.session.add_all([person, enterprise])
    account = _new_account(person, mobile, registration.password, now, is_demo=is_demo)
    _flush_unique(N_("该统一社会信用代码或手机号已注册，请直接登录。"), "uscc")
    db.session.add(EnterpriseMember(enterprise_id=enterprise.id, person_id=person.id))
    actor = Actor(person.id, account.id, person.name)
    after = {"enterprise": enterprise.id, "account": account.id}
    audit.record(audit.COMPANY_REGISTERED, chain=CHAIN, actor=actor, at=now, after=after)
    return account


def _need_admin(actor: Actor) -> None:
    if actor is not SYSTEM and not actor.may(Permission.MANAGE_ACCOUNTS):
        raise NotPermitted()


def create_staff(
    actor: Actor, *, login: str, name: str, password: str, mobile: str, now: dt.datetime, is_demo: bool = False
) -> Account:
    """Make a staff account without any appointment yet; raises :class:`Invalid` for a taken login."""
    _need_admin(actor)
    login = required_line(login, "login", 60).lower()
    if not login.replace("-", "").replace(".", "").replace("_", "").isalnum() or not login.isascii():
        raise Invalid(N_("登录名只能用字母、数字、点、短横和下划线。"), field="login")
    if people.account_by_login(login) is not None:
        raise Invalid(N_("该登录名已被使用。"), field="login")
    check_password_rules(password, login)
    phone = parse_phone(mobile, "mobile") if mobile.strip() else None
    person = Person(name=required_line(name, "name", 60), mobile=phone, created_at=now)
    db.session.add(person)
    account = _new_account(person, login, password, now, is_demo=is_demo)
    _flush_unique(N_("该登录名已被使用。"), "login")
    audit.record(audit.ACCOUNT_CREATED, chain=CHAIN, actor=actor, at=now, after={"account": account.id})
    return account


def appoint(
    actor: Actor, *, person_id: int, role: str, area_code: str, bureau: str | None, now: dt.datetime
) -> PersonAppointment:
    """Give a person a role in an area from today on; raises :class:`Invalid` for a wrong role, area or bureau."""
    _need_admin(actor)
    if role not in STAFF_ROLES:
        raise Invalid(N_("请选择列表中的一项。"), field="role")
    area = areas.by_code(area_code)
    if area is None:
        raise Invalid(N_("请选择所在区域。"), field="area")
    bureau = _checked_bureau(role, bureau, area)
    today = shanghai_day(now)
    same = [
        a
        for a in people.current_appointments(person_id, today)
        if (a.role, a.area_id, a.bureau) == (role, area.id, bureau)
    ]
    if same:
        return same[0]
    appointment = PersonAppointment(person_id=person_id, role=role, area_id=area.id, bureau=bureau, starts_on=today)
    db.session.add(appointment)
    db.session.flush()
    after = {"person": person_id, "role": role, "area": area.code, "appointment": appointment.id}
    audit.record(audit.APPOINTED, chain=CHAIN, actor=actor, at=now, after=after)
    return appointment


def _checked_bureau(role: str, bureau: str | None, area: Area) -> str | None:
    """The department's code for a role that belongs to one, None for all others; a department is a county's."""
    if role == Role.BUREAU_REVIEWER:
        if bureau not in {b.code for b in catalogue.bureaus()}:
            raise Invalid(N_("请选择主管部门。"), field="bureau")
        return bureau
    if role != Role.DEPARTMENT:
        return None
    if bureau not in {d.code for d in catalogue.departments()}:
        raise Invalid(N_("请选择部门。"), field="bureau")
    if area.area_kind is not AreaKind.COUNTY:
        raise Invalid(N_("协同部门按区县任职，请选择区县。"), field="area")
    return bureau


def end_appointment(actor: Actor, appointment_id: int, now: dt.datetime) -> None:
    """End an appointment today; it stops to count at the person's next request."""
    _need_admin(actor)
    appointment = db.session.get(PersonAppointment, appointment_id)
    if appointment is None:
        raise NotFound()
    if appointment.role == Role.ADMIN and appointment.person_id == actor.person_id:
        raise Invalid(N_("不能结束或调动自己的管理员任职，请由另一位管理员办理。"))
    if appointment.ends_on is None:
        appointment.ends_on = max(shanghai_day(now), appointment.starts_on)
        after = {"appointment": appointment.id, "person": appointment.person_id}
        audit.record(audit.APPOINTMENT_ENDED, chain=CHAIN, actor=actor, at=now, after=after)
        releasing.release_unheld(appointment.person_id, actor, now)


def move_person(actor: Actor, appointment_id: int, area_code: str, now: dt.datetime) -> PersonAppointment:
    """Move an appointment to another area: the old one ends and the new one begins in the same act."""
    _need_admin(actor)
    old = db.session.get(PersonAppointment, appointment_id)
    if old is None:
        raise NotFound()
    if old.ends_on is not None and old.ends_on <= shanghai_day(now):
        raise Invalid(N_("这项任职已经结束，请重新任职。"))
    end_appointment(actor, appointment_id, now)
    return appoint(actor, person_id=old.person_id, role=old.role, area_code=area_code, bureau=old.bureau, now=now)


def set_active(actor: Actor, account_id: int, active: bool, now: dt.datetime) -> None:
    """Switch an account on or off; switching off ends its sessions at the next request."""
    _need_admin(actor)
    account = db.session.get(Account, account_id)
    if account is None:
        raise NotFound()
    if account.id == actor.account_id and not active:
        raise Invalid(N_("不能停用自己的账号。"))
    account.is_active = active
    account.epoch += 1
    after = {"account": account.id, "active": active}
    audit.record(audit.ACCOUNT_CHANGED, chain=CHAIN, actor=actor, at=now, after=after)
    if not active:
        releasing.release_unheld(account.person_id, actor, now)


def reset_password(actor: Actor, account_id: int, password: str, now: dt.datetime) -> None:
    """Set a new password for an account and end its sessions."""
    _need_admin(actor)
    account = db.session.get(Account, account_id)
    if account is None:
        raise NotFound()
    check_password_rules(password, account.login)
    account.password_hash = hash_password(password)
    account.epoch += 1
    account.failures, account.locked_until_at = 0, None
    after = {"account": account.id, "password": "reset"}
    audit.record(audit.ACCOUNT_CHANGED, chain=CHAIN, actor=actor, at=now, after=after)


def _account_for(login: str) -> Account | None:
    """By login name, or by the USCC of a company that has exactly one clerk."""
    account = people.account_by_login(login)
    if account is not None:
        return account
    try:
        enterprise = enterprises.by_uscc(parse_uscc(login))
    except Invalid:
        return None
    if enterprise is None:
        return None
    members = enterprises.people_of(enterprise.id)
    accounts = db.session.scalars(select(Account).where(Account.person_id.in_(members))).all()
    return accounts[0] if len(accounts) == 1 else None


def _fits(stored: str, password: str) -> bool:
    try:
        return _hasher.verify(stored, password)
    except (VerificationError, InvalidHashError):
        return False


def sign_in(login: str, password: str, now: dt.datetime) -> Account | None:
    """The account when login and password fit, else None; the answer is the same for every kind of failure.

    Failures are counted in the database; after too many the account is locked for a while, also for the right
    password. The caller commits in both cases, so that failures count.
    """
    account = _account_for(login)
    stored = account.password_hash if account else _DUMMY_HASH
    fits = _fits(stored, password)
    if account is None or not account.is_active:
        return None
    if account.locked_until_at and account.locked_until_at > now:
        return None
    if not fits:
        account.failures += 1
        if account.failures >= settings().lockout_failures:
            account.locked_until_at = now + dt.timedelta(minutes=settings().lockout_minutes)
            account.failures = 0
        return None
    account.failures, account.locked_until_at, account.last_login_at = 0, None, now
    if _hasher.check_needs_rehash(account.password_hash):
        account.password_hash = hash_password(password)
    return account


def staff_directory(actor: Actor) -> list[tuple[Account, list[PersonAppointment]]]:
    """Every staff account with its running and past appointments, for the admin."""
    _need_admin(actor)
    in_company = select(EnterpriseMember.person_id)
    accounts = db.session.scalars(
        select(Account).where(Account.person_id.not_in(in_company)).order_by(Account.login).limit(500)
    ).all()
    held: dict[int, list[PersonAppointment]] = {}
    query = (
        select(PersonAppointment)
        .where(PersonAppointment.person_id.in_([a.person_id for a in accounts]))
        .order_by(PersonAppointment.id)
    )
    for appointment in db.session.scalars(query.options(joinedload(PersonAppointment.area))):
        held.setdefault(appointment.person_id, []).append(appointment)
    return [(account, held.get(account.person_id, [])) for account in accounts]
