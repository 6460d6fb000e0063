"""Who acts: roles, permissions and appointments, the one vocabulary for route, row and step checks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from workflow.core.errors import N_


class Role(StrEnum):
    """What a person may be appointed to; codes are stored and named in flow files."""

    FILER = "filer"
    HOST_FILER = "host_filer"
    REVIEWER = "reviewer"
    INSPECTOR = "inspector"
    LEADER = "leader"
    BUREAU_REVIEWER = "bureau_reviewer"
    LEADING_GROUP = "leading_group"
    GUARD = "guard"
    DEPARTMENT = "department"
    COMMANDER = "commander"
    AUDITOR = "auditor"
    ADMIN = "admin"
    SYSTEM = "system"
    """Steps that nobody takes: a clock that ran out, a case drawn for a post-check. Nobody can be appointed to it."""


ROLE_LABELS: Mapping[Role, str] = {
    Role.FILER: N_("企业经办人"),
    Role.HOST_FILER: N_("统一申报人"),
    Role.REVIEWER: N_("专班科员"),
    Role.INSPECTOR: N_("核查员"),
    Role.LEADER: N_("镇街领导"),
    Role.BUREAU_REVIEWER: N_("行业主管部门"),
    Role.LEADING_GROUP: N_("防控领导小组"),
    Role.GUARD: N_("卡口值守"),
    Role.DEPARTMENT: N_("协同部门"),
    Role.COMMANDER: N_("复工指挥部"),
    Role.AUDITOR: N_("纪检审计"),
    Role.ADMIN: N_("系统管理员"),
    Role.SYSTEM: N_("系统"),
}

COMPANY_ROLES = frozenset({Role.FILER, Role.HOST_FILER})
STAFF_ROLES = frozenset(Role) - COMPANY_ROLES - {Role.SYSTEM}


class AreaKind(StrEnum):
    """Levels of the area tree, widest first."""

    CITY = "city"
    COUNTY = "county"
    TOWN = "town"
    ZONE = "zone"
    BUILDING = "building"


class Permission(StrEnum):
    """What a route may demand; a role holds a fixed set of these."""

    FILE_APPLICATION = "file_application"
    SEE_CASE = "see_case"
    SEE_DESK = "see_desk"
    ACT_ON_CASE = "act_on_case"
    REVIEW_MATERIALS = "review_materials"
    PLAN_INSPECTION = "plan_inspection"
    INSPECT = "inspect"
    REQUEST_PASS = "request_pass"  # noqa: S105 - a permission, not a password
    DECIDE_PASS = "decide_pass"  # noqa: S105
    MANAGE_ACCOUNTS = "manage_accounts"
    SEE_AUDIT = "see_audit"
    PUBLISH_RULES = "publish_rules"
    GIVE_OPINION = "give_opinion"
    TAILOR_CASE = "tailor_case"
    ASSIGN_CASES = "assign_cases"
    MANAGE_ORGANISATION = "manage_organisation"
    SEE_BOARD = "see_board"
    EXPORT_PERSONAL = "export_personal"
    MANAGE_GATES = "manage_gates"
    SEE_GATES = "see_gates"


_P = Permission
_DESK = frozenset({_P.SEE_CASE, _P.SEE_DESK})
_LEADS = frozenset({_P.ASSIGN_CASES, _P.MANAGE_ORGANISATION, _P.SEE_BOARD, _P.EXPORT_PERSONAL, _P.SEE_GATES})
_COMPANY = frozenset({_P.FILE_APPLICATION, _P.SEE_CASE, _P.ACT_ON_CASE, _P.REQUEST_PASS})

ROLE_PERMISSIONS: Mapping[Role, frozenset[Permission]] = {
    Role.FILER: _COMPANY,
    Role.HOST_FILER: _COMPANY,
    Role.REVIEWER: _DESK
    | {_P.ACT_ON_CASE, _P.REVIEW_MATERIALS, _P.PLAN_INSPECTION, _P.DECIDE_PASS, _P.TAILOR_CASE, _P.SEE_GATES},
    Role.INSPECTOR: _DESK | {_P.ACT_ON_CASE, _P.PLAN_INSPECTION, _P.INSPECT},
    Role.LEADER: _DESK | _LEADS | {_P.ACT_ON_CASE, _P.PLAN_INSPECTION, _P.DECIDE_PASS, _P.TAILOR_CASE, _P.MANAGE_GATES},
    Role.BUREAU_REVIEWER: _DESK | {_P.ACT_ON_CASE, _P.TAILOR_CASE},
    Role.LEADING_GROUP: _DESK | _LEADS | {_P.ACT_ON_CASE, _P.TAILOR_CASE},
    Role.GUARD: frozenset({_P.SEE_GATES}),
    Role.DEPARTMENT: frozenset({_P.SEE_CASE, _P.GIVE_OPINION}),
    Role.COMMANDER: _DESK
    | {_P.PUBLISH_RULES, _P.ASSIGN_CASES, _P.MANAGE_ORGANISATION, _P.SEE_BOARD, _P.MANAGE_GATES, _P.SEE_GATES},
    Role.AUDITOR: _DESK | {_P.SEE_AUDIT, _P.SEE_BOARD, _P.SEE_GATES},
    Role.ADMIN: frozenset({_P.MANAGE_ACCOUNTS, _P.MANAGE_ORGANISATION, _P.MANAGE_GATES}),
    Role.SYSTEM: frozenset(),
}


ACTING_ROLES = tuple(
    r for r in Role if Permission.ACT_ON_CASE in ROLE_PERMISSIONS[r] and r not in (Role.HOST_FILER, Role.SYSTEM)
)
"""Who can be given a step of a flow; whoever files for a building does so as its filer."""
SUPERVISORS = (Role.LEADER, Role.LEADING_GROUP, Role.COMMANDER)
"""Who is told of late cases; the queue shows them a tab for those."""


@dataclass(frozen=True, slots=True)
class Appointment:
    """A role held in an area; ``bureau`` is the code of the bureau for bureau reviewers and departments."""

    role: Role
    area_id: int
    area_kind: AreaKind
    area_name: str = ""
    bureau: str | None = None

    def covers(self, area_ids: frozenset[int], bureau: str | None) -> bool:
        """Whether this appointment reaches a case lying in ``area_ids`` (all its levels) under ``bureau``.

        A department is asked case by case whatever bureau the case lies under.
        """
        if self.role is Role.DEPARTMENT:
            return self.area_id in area_ids
        return self.area_id in area_ids and (self.bureau is None or self.bureau == bureau)


@dataclass(frozen=True, slots=True)
class Actor:
    """A signed-in person with the appointments that hold at this moment; built anew on every request."""

    person_id: int
    account_id: int
    name: str
    appointments: tuple[Appointment, ...] = ()
    enterprise_ids: frozenset[int] = field(default_factory=frozenset)

    @property
    def roles(self) -> frozenset[Role]:
        """Every role held anywhere, with ``filer`` for people who act for a company."""
        staff = frozenset(a.role for a in self.appointments)
        return staff | {Role.FILER} if self.enterprise_ids else staff

    @property
    def permissions(self) -> frozenset[Permission]:
        """The union of the permissions of all roles."""
        return frozenset[Permission]().union(*(ROLE_PERMISSIONS[r] for r in self.roles))

    @property
    def is_company(self) -> bool:
        """Whether the person acts for a company."""
        return bool(self.enterprise_ids)

    @property
    def is_staff(self) -> bool:
        """Whether the person holds any appointment."""
        return bool(self.appointments)

    @property
    def role_labels(self) -> list[str]:
        """Source texts of the labels of all roles, in the order of :class:`Role`."""
        return [ROLE_LABELS[r] for r in Role if r in self.roles]

    def may(self, permission: Permission) -> bool:
        """Whether any role grants ``permission``."""
        return permission in self.permissions

    def areas_with(self, permission: Permission) -> list[int]:
        """The ids of the areas in which an appointment grants ``permission``: it reaches all that lies in them."""
        return [a.area_id for a in self.appointments if permission in ROLE_PERMISSIONS[a.role]]

    def roles_for(self, *, enterprise_id: int | None, area_ids: frozenset[int], bureau: str | None) -> frozenset[Role]:
        """The roles this person holds towards one case, by company membership and by area and bureau."""
        if self.person_id == SYSTEM_PERSON:
            return frozenset({Role.SYSTEM})
        roles = {a.role for a in self.appointments if a.covers(area_ids, bureau)} - {Role.SYSTEM}
        if enterprise_id is not None and enterprise_id in self.enterprise_ids:
            roles.add(Role.FILER)
        return frozenset(roles)


SYSTEM_PERSON = 0
SYSTEM = Actor(person_id=SYSTEM_PERSON, account_id=0, name="系统")
"""The actor of scheduled work and commands; only steps of the role ``system`` are open to it."""
