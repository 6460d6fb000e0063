"""Accounts: registration, appointments, signing in with a lock after failures, and what the admin alone may do."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from tests.builders import NOW, PASSWORD, TOWN, World, mobile, uscc
from tests.services.together import failures, together
from workflow.core.actors import SYSTEM, Role
from workflow.core.errors import Invalid, NotFound, NotPermitted
from workflow.core.times import shanghai_day
from workflow.data import audit, enterprises, people
from workflow.data.people import Account
from workflow.extensions import db, settings
from workflow.services import accounts


def registration(number: int = 70, **changes: str) -> accounts.Registration:
    """A good registration, unless changed."""
    values = {
        "uscc": uscc(number),
        "company_name": "宁波海曙试验机械有限公司",
        "contact_name": "吴联络",
        "mobile": mobile(number),
        "password": PASSWORD,
        **changes,
    }
    return accounts.Registration(**values)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("uscc", uscc(70)[:-1] + ("0" if uscc(70)[-1] != "0" else "1")),
        ("uscc", "9133"),
        ("company_name", " \u200b"),
        ("company_name", "企" * 201),
        ("contact_name", ""),
        ("mobile", "0574-87654321"),
        ("mobile", "12345"),
        ("password", "short"),
        ("password", "a" * 12),
        ("password", f"x{mobile(70)}x"),
        ("password", "pw" * 101),
    ],
)
def test_a_registration_is_refused_at_its_field(world: World, field: str, value: str) -> None:
    with pytest.raises(Invalid) as refused:
        accounts.register_company(registration(**{field: value}), NOW)
    assert refused.value.field == field
    db.session.rollback()
    assert enterprises.by_uscc(uscc(70)) is None


def test_a_company_and_a_mobile_register_once_however_they_are_written(world: World) -> None:
    accounts.register_company(registration(), NOW)
    db.session.commit()
    wide = "".join(chr(ord(c) + 0xFEE0) for c in uscc(70))
    for written in (uscc(70), uscc(70).lower(), wide, f" {uscc(70)} "):
        with pytest.raises(Invalid) as refused:
            accounts.register_company(registration(71, uscc=written), NOW)
        assert refused.value.field == "uscc"
    with pytest.raises(Invalid) as refused:
        accounts.register_company(registration(72, mobile=mobile(70)), NOW)
    assert refused.value.field == "mobile"


def test_a_login_made_twice_at_once_exists_once(world: World) -> None:
    def act() -> int:
        return accounts.create_staff(SYSTEM, login="reviewer-x", name="干部", password=PASSWORD, mobile="", now=NOW).id

    outcomes = together(world.app, act, act, act)
    assert [type(e) for e in failures(outcomes)] == [Invalid, Invalid]
    assert list(audit.verify()) == []


def test_every_failed_sign_in_looks_the_same_and_many_lock(world: World) -> None:
    officer = world.new_officer(Role.REVIEWER)
    assert accounts.sign_in("nobody-here", PASSWORD, NOW) is None
    assert accounts.sign_in(f" {officer.login.upper()} ", PASSWORD, NOW) is officer
    for _ in range(settings().lockout_failures):
        assert accounts.sign_in(officer.login, "wrong-password", NOW) is None
    locked_until = NOW + dt.timedelta(minutes=settings().lockout_minutes)
    assert officer.locked_until_at == locked_until
    assert accounts.sign_in(officer.login, PASSWORD, locked_until - dt.timedelta(seconds=1)) is None
    assert accounts.sign_in(officer.login, PASSWORD, locked_until) is officer
    assert (officer.failures, officer.locked_until_at) == (0, None)


def test_a_company_signs_in_by_its_code_while_it_has_one_clerk(world: World) -> None:
    clerk = world.company()
    code = uscc(1)
    assert accounts.sign_in(code.lower(), PASSWORD, NOW) is clerk
    (enterprise,) = world.actor(clerk).enterprise_ids
    other = world.new_officer(Role.REVIEWER)
    db.session.add(enterprises.EnterpriseMember(enterprise_id=enterprise, person_id=other.person_id))
    db.session.flush()
    assert accounts.sign_in(code, PASSWORD, NOW) is None


def test_switching_off_and_a_new_password_end_sessions(world: World) -> None:
    officer, admin = world.new_officer(Role.REVIEWER), world.actor(world.officer(Role.ADMIN, "3302"))
    epoch = officer.epoch
    accounts.reset_password(admin, officer.id, "another-horse-8", NOW)
    assert accounts.sign_in(officer.login, PASSWORD, NOW) is None
    assert accounts.sign_in(officer.login, "another-horse-8", NOW) is officer
    accounts.set_active(admin, officer.id, False, NOW)
    assert accounts.sign_in(officer.login, "another-horse-8", NOW) is None
    assert officer.epoch == epoch + 2
    with pytest.raises(Invalid):
        accounts.set_active(admin, admin.account_id, False, NOW)


@pytest.mark.parametrize("role", [Role.REVIEWER, Role.LEADER, Role.AUDITOR, Role.COMMANDER])
def test_only_the_admin_manages_accounts(world: World, role: Role) -> None:
    actor, officer = world.actor(world.officer(role)), world.new_officer(Role.INSPECTOR)
    (held,) = people.current_appointments(officer.person_id, shanghai_day(NOW))
    place: dict[str, Any] = {"area_code": TOWN, "bureau": None, "now": NOW}
    for act in (
        lambda: accounts.create_staff(actor, login="x-1", name="某", password=PASSWORD, mobile="", now=NOW),
        lambda: accounts.appoint(actor, person_id=actor.person_id, role="admin", **place),
        lambda: accounts.end_appointment(actor, held.id, NOW),
        lambda: accounts.move_person(actor, held.id, "330203003", NOW),
        lambda: accounts.set_active(actor, officer.id, False, NOW),
        lambda: accounts.reset_password(actor, officer.id, PASSWORD, NOW),
        lambda: accounts.staff_directory(actor),
    ):
        with pytest.raises(NotPermitted):
            act()
    assert held.ends_on is None


def test_appointments_name_a_real_role_area_and_bureau(world: World) -> None:
    officer = world.new_officer(Role.REVIEWER)
    bad = [
        ({"role": "filer"}, "role"),
        ({"role": "emperor"}, "role"),
        ({"area_code": "000000"}, "area"),
        ({"role": "bureau_reviewer", "bureau": None}, "bureau"),
        ({"role": "bureau_reviewer", "bureau": "unheard"}, "bureau"),
    ]
    for change, field in bad:
        values: dict[str, Any] = {"role": "leader", "area_code": TOWN, "bureau": None, **change}
        with pytest.raises(Invalid) as refused:
            accounts.appoint(SYSTEM, person_id=officer.person_id, now=NOW, **values)
        assert refused.value.field == field
    with pytest.raises(NotFound):
        accounts.end_appointment(SYSTEM, 10**9, NOW)


def test_appointing_twice_is_appointing_once(world: World) -> None:
    officer = world.new_officer(Role.REVIEWER)
    again = accounts.appoint(
        SYSTEM, person_id=officer.person_id, role="reviewer", area_code=TOWN, bureau="jingxin", now=NOW
    )
    assert [a.id for a in people.current_appointments(officer.person_id, shanghai_day(NOW))] == [again.id]


def test_stored_passwords_are_argon2id(world: World) -> None:
    stored = db.session.get_one(Account, world.company().id).password_hash
    assert stored.startswith("$argon2id$")
    assert PASSWORD not in stored
