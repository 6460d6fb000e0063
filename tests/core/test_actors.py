"""Who may what: permissions by role, roles towards a case by area, bureau and company."""

from __future__ import annotations

import pytest

from tests.core.scene import BUREAU, COMPANY, TOWN, person
from workflow.core.actors import (
    COMPANY_ROLES,
    ROLE_LABELS,
    ROLE_PERMISSIONS,
    STAFF_ROLES,
    SYSTEM,
    Actor,
    Appointment,
    AreaKind,
    Permission,
    Role,
)

HERE = frozenset({1, 2, TOWN})


def roles_of(
    actor: Actor, *, areas: frozenset[int] = HERE, bureau: str | None = BUREAU, company: int | None = COMPANY
) -> set[Role]:
    """The roles towards a case, as a set."""
    return set(actor.roles_for(enterprise_id=company, area_ids=areas, bureau=bureau))


def test_every_role_has_permissions_and_a_label() -> None:
    assert set(ROLE_PERMISSIONS) == set(Role) == set(ROLE_LABELS)
    assert set(Role) == COMPANY_ROLES | STAFF_ROLES | {Role.SYSTEM}
    assert not COMPANY_ROLES & STAFF_ROLES
    assert len(set(ROLE_LABELS.values())) == len(Role)


def test_every_permission_is_held_by_some_role() -> None:
    assert frozenset[Permission]().union(*ROLE_PERMISSIONS.values()) == set(Permission)


def test_the_admin_sees_no_case() -> None:
    arranges = {Permission.MANAGE_ACCOUNTS, Permission.MANAGE_ORGANISATION, Permission.MANAGE_GATES}
    assert ROLE_PERMISSIONS[Role.ADMIN] == arranges


def test_those_who_watch_change_nothing() -> None:
    acting = {p for p in Permission if not p.value.startswith("see_")}
    commands = {
        Permission.PUBLISH_RULES,
        Permission.ASSIGN_CASES,
        Permission.MANAGE_ORGANISATION,
        Permission.MANAGE_GATES,
    }
    own = {Role.COMMANDER: commands, Role.DEPARTMENT: {Permission.GIVE_OPINION}}
    for role in (Role.AUDITOR, Role.COMMANDER, Role.GUARD, Role.DEPARTMENT):
        assert ROLE_PERMISSIONS[role] & acting == own.get(role, set())


@pytest.mark.parametrize("role", [r for r in Role if r not in COMPANY_ROLES])
def test_staff_never_file_and_companies_never_review(role: Role) -> None:
    assert Permission.FILE_APPLICATION not in ROLE_PERMISSIONS[role]
    for company in COMPANY_ROLES:
        assert not ROLE_PERMISSIONS[company] & {Permission.SEE_DESK, Permission.DECIDE_PASS, Permission.INSPECT}


def test_a_role_reaches_the_cases_of_its_area_only() -> None:
    reviewer = person(Role.REVIEWER)
    assert roles_of(reviewer) == {Role.REVIEWER}
    assert roles_of(reviewer, areas=frozenset({1, 2, 8})) == set()
    assert roles_of(reviewer, areas=frozenset()) == set()


def test_a_bureau_reviews_its_own_sectors_only() -> None:
    officer = person(Role.BUREAU_REVIEWER)
    assert roles_of(officer) == {Role.BUREAU_REVIEWER}
    assert roles_of(officer, bureau="shangwu") == set()
    assert roles_of(officer, bureau=None) == set()


def test_a_filer_acts_for_the_own_company_only() -> None:
    filer = person(Role.FILER)
    assert roles_of(filer) == {Role.FILER}
    assert roles_of(filer, company=COMPANY + 1) == set()
    assert roles_of(filer, company=None) == set()
    assert filer.is_company
    assert not filer.is_staff


def test_one_person_can_hold_several_roles() -> None:
    both = Actor(
        1,
        1,
        "某人",
        (Appointment(Role.INSPECTOR, TOWN, AreaKind.TOWN), Appointment(Role.LEADER, 8, AreaKind.TOWN)),
        frozenset({COMPANY}),
    )
    assert both.roles == {Role.INSPECTOR, Role.LEADER, Role.FILER}
    assert roles_of(both) == {Role.INSPECTOR, Role.FILER}
    assert both.role_labels == ["企业经办人", "核查员", "镇街领导"]
    assert both.may(Permission.INSPECT)
    assert not both.may(Permission.MANAGE_ACCOUNTS)


def test_a_department_is_asked_whatever_bureau_the_case_lies_under() -> None:
    officer = Actor(1, 1, "某人", (Appointment(Role.DEPARTMENT, 2, AreaKind.COUNTY, bureau="weijian"),))
    assert roles_of(officer, bureau="shangwu") == {Role.DEPARTMENT}
    assert roles_of(officer, areas=frozenset({8})) == set()


def test_the_system_takes_its_own_steps_and_nobody_else_does() -> None:
    assert roles_of(SYSTEM) == {Role.SYSTEM}
    assert SYSTEM.permissions == frozenset()
    impostor = Actor(1, 1, "某人", (Appointment(Role.SYSTEM, TOWN, AreaKind.TOWN),))
    assert roles_of(impostor) == set()
