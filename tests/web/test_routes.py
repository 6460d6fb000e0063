"""Every route, every role, own area and another: the recorded table, and what each really answers."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_migrate import upgrade
from sqlalchemy import select

from config import load_settings
from tests.builders import World
from tests.conftest import Prepared, sign_in
from tests.services.gates_at_work import standing
from tests.web.route_table import DEVICES, PUBLIC, TABLE
from workflow.app import create_app
from workflow.core.actors import ROLE_PERMISSIONS, STAFF_ROLES, SYSTEM, Actor, Role
from workflow.core.tailoring import Tailoring
from workflow.core.times import shanghai_day
from workflow.data import applications, issued, materials
from workflow.data.areas import Area
from workflow.data.cases import Case
from workflow.data.enterprises import Enterprise
from workflow.data.organisation import Team
from workflow.data.people import Account
from workflow.data.robots import Robot
from workflow.data.vehicle_lists import VehicleList
from workflow.extensions import db
from workflow.services import absences, interests
from workflow.services import bulk as bulk_service
from workflow.services import drafts as draft_service
from workflow.services import exports as export_service
from workflow.services import inspections as inspection_service
from workflow.services import opinions as opinion_service
from workflow.services import organisation as organisation_service
from workflow.services import passes as pass_service
from workflow.services import phrases as phrase_service
from workflow.services import tailoring as tailoring_service
from workflow.services import views as view_service
from workflow.services.organisation import TeamValues
from workflow.web import access

OF_A_CASE = frozenset(
    {
        "case_id",
        "application_id",
        "file_id",
        "photo_id",
        "inspection_id",
        "document_id",
        "pass_id",
        "opinion_id",
        "proposal_id",
        "draft_id",
        "job_id",
        "export_id",
        "gate_id",
        "device_id",
        "list_id",
    }
)


def test_every_route_is_recorded_with_what_it_demands(app: Flask) -> None:
    found = {endpoint: access.access_of(app, endpoint) for endpoint in app.view_functions}
    assert {e: a.permissions for e, a in found.items()} == TABLE
    open_to_all = {e for e, wanted in TABLE.items() if wanted == PUBLIC}
    assert {e for e, a in found.items() if a.public} == open_to_all - DEVICES
    assert {e for e, a in found.items() if a.device} == DEVICES


def test_a_route_that_declares_nothing_stops_the_start(app: Flask) -> None:
    app._got_first_request = False
    app.add_url_rule("/undeclared", "undeclared", lambda: "")
    with pytest.raises(access.UndeclaredRoute, match="undeclared"):
        access.check_declarations(app)


def test_no_get_route_shares_its_rule_with_a_state_change(app: Flask) -> None:
    for rule in app.url_map.iter_rules():
        methods = (rule.methods or set()) - {"HEAD", "OPTIONS"}
        assert methods in ({"GET"}, {"POST"}, {"PUT"}, {"DELETE"}), f"{rule.endpoint} answers {methods}"


FIXED: dict[str, str | int] = {
    "client_id": "00000000-0000-0000-0000-000000000001",
    "party": "lead",
    "kind": "flow",
    "suffix": "pdf",
    "appointment_id": 10**6,
    "topic": "enterprise",
    "slot": "licence",
    "action": "schedule_inspection",
    "code": "M02",
    "number": 1,
    "token": "FORGED",
    "filename": "css/fugong.css",
}
"""Parts of addresses that need no row."""


@dataclass(frozen=True)
class Ids:
    """What the routes are asked about: one approved case with everything on it."""

    values: dict[str, str | int]
    logins: dict[str, str]


def _robot(world: World, case: Case) -> int:
    """A robot of a team of the case's town; its id."""
    team = Team(code="ROBOT", name="机器人专班", kind="team", area_id=case.town_id, created_at=world.now)
    db.session.add(team)
    db.session.flush()
    owner = world.officer(Role.LEADER).person_id
    robot = Robot(team_id=team.id, kind="wecom", name="群", url="", shown="", created_by=owner, created_at=world.now)
    db.session.add(robot)
    db.session.commit()
    return robot.id


def _organised(world: World, case: Case) -> dict[str, str | int]:
    """A team with a member, leave and an interest in the case's town; their ids."""
    person, now = world.officer(Role.REVIEWER).person_id, world.now
    enterprise = world.clerk_of(world.submitted(town="330206004"))
    team = organisation_service.create_team(SYSTEM, TeamValues("名册专班", "team", case.town_id), now)
    member = organisation_service.add_member(SYSTEM, team.id, person, "member", now)
    today = shanghai_day(now)
    dates = {"starts_on": today + dt.timedelta(days=30), "last_on": today + dt.timedelta(days=31)}
    absence = absences.declare(SYSTEM, person, **dates, cover_id=None, hands_over=False, now=now)
    (other,) = world.actor(enterprise).enterprise_ids
    interest = interests.declare(SYSTEM, person, db.session.get_one(Enterprise, other).uscc, "own", now)
    db.session.commit()
    return {
        "area_id": case.town_id,
        "team_id": team.id,
        "member_id": member.id,
        "person_id": person,
        "absence_id": absence.id,
        "interest_id": interest.id,
    }


def _at_a_gate(world: World) -> dict[str, str | int]:
    """A gate of the town with a device; their ids."""
    found = standing(world)
    return {"gate_id": found.gate_id, "device_id": found.device_id}


def _phrase(world: World) -> int:
    """A phrase that a reviewer keeps; its id."""
    reviewer = world.actor(world.officer(Role.REVIEWER))
    phrase = phrase_service.add(reviewer, "note", "已电话核实。", None, world.now)
    db.session.commit()
    return phrase.id


def _on_the_desk(world: World, case: Case, owner: Actor) -> dict[str, str | int]:
    """A bulk job, an export and a saved view of one officer."""
    waiting = [bulk_service.Wanted(case.id, case.version)]
    job = bulk_service.start(owner, "remind", {}, waiting, world.now)
    export = export_service.start(owner, export_service.Asking({}), world.now)
    view = view_service.save(owner, "视图", {"tab": "open"}, view_service.Sharing(), is_default=False, now=world.now)
    db.session.commit()
    return {"job_id": job.id, "export_id": export.id, "move": "pause", "view_id": view.id}


def _vehicle_list(world: World, case_id: int, clerk: Account) -> int:
    """A list of vehicles that the clerk uploaded; its id."""
    kept = VehicleList(
        case_id=case_id, person_id=clerk.person_id, name="车辆.xlsx", sha256="0" * 64, rows=[], created_at=world.now
    )
    db.session.add(kept)
    db.session.commit()
    return kept.id


def _staff(world: World) -> dict[str, Account]:
    """Somebody of every role in the case's own area, and in another one."""
    staff: dict[str, Account] = {}
    for role in (r for r in Role if r in STAFF_ROLES):
        wide = role in (Role.COMMANDER, Role.AUDITOR, Role.ADMIN)
        county = role in (Role.BUREAU_REVIEWER, Role.LEADING_GROUP, Role.DEPARTMENT)
        bureau = {Role.BUREAU_REVIEWER: "jingxin", Role.DEPARTMENT: "weijian"}.get(role)
        staff[f"{role}/own"] = world.officer(role, "3302" if wide else "330203" if county else "330203002", bureau)
        staff[f"{role}/other"] = world.new_officer(role, "330206" if wide or county else "330206004", bureau)
    return staff


def _everything(world: World) -> Ids:
    clerk, peer = world.company(), world.company()
    case = world.scheduled(clerk)
    visit = inspection_service.planned(case)
    assert visit is not None
    first, _ = world.inspectors()
    photo = inspection_service.add_photo(world.actor(first), visit.id, world.file(), code="", caption="", now=world.now)
    opinion = opinion_service.ask_more(
        world.actor(first), case.id, "weijian", "？", 2, version=case.version, now=world.now
    )
    reviewer, wanted = world.actor(world.officer(Role.REVIEWER)), Tailoring(longer=(("awaiting_decision", 1),))
    proposal = tailoring_service.propose(reviewer, case.id, wanted, "？", version=case.version, now=world.now)
    world.conclude(case)
    world.step(world.officer(Role.LEADER), case, "approve", "同意")
    asked = pass_service.request_pass(world.actor(clerk), case.id, world.pass_request(), world.now)
    pass_service.grant(world.actor(world.officer(Role.REVIEWER)), asked.id, world.now)
    db.session.commit()
    application = applications.of_case(case.id)
    held = [f for m in materials.of_application(application.id) for f in m.files]
    staff = _staff(world)
    area = db.session.scalars(select(Area).where(Area.code == "3302")).one()
    draft = draft_service.start_from(world.actor(staff["commander/own"]), "rules:approval", area, "", world.now)
    db.session.commit()
    values: dict[str, str | int] = {
        **FIXED,
        **_on_the_desk(world, case, world.actor(staff["reviewer/own"])),
        "case_id": case.id,
        "application_id": application.id,
        "file_id": held[0].id,
        "photo_id": photo.id,
        "inspection_id": visit.id,
        "document_id": issued.of_case(case.id)[0].id,
        "pass_id": asked.id,
        "list_id": _vehicle_list(world, case.id, clerk),
        "opinion_id": opinion.id,
        "proposal_id": proposal.id,
        "draft_id": draft.id,
        "robot_id": _robot(world, case),
        **_at_a_gate(world),
        **_organised(world, case),
        "phrase_id": _phrase(world),
        "version_id": case.flow_version_id,
        "material_id": held[0].material_id,
        "account_id": clerk.id,
    }
    logins = {"filer/own": clerk.login, "filer/other": peer.login, **{k: a.login for k, a in staff.items()}}
    db.session.remove()
    return Ids(values, logins)


def _requests(app: Flask, ids: Ids) -> Iterator[tuple[str, str, str, frozenset[str]]]:
    for rule in app.url_map.iter_rules():
        path = rule.rule
        for name in rule.arguments:
            for form in (f"<int:{name}>", f"<path:{name}>", f"<{name}>"):
                path = path.replace(form, str(ids.values[name]))
        methods = (rule.methods or set()) - {"HEAD", "OPTIONS"}
        yield rule.endpoint, next(iter(methods)), path, frozenset(rule.arguments)


def _ask(client: FlaskClient, method: str, path: str, number: int) -> int:
    data = None if method == "GET" else {"idempotency_key": f"route-table-{number:04d}"}
    with client.open(path, method=method, data=data) as answer:
        return answer.status_code


@pytest.fixture
def ids(prepared: Prepared) -> Ids:
    """One case with everything on it, seen by people of every role."""
    made = prepared("everything", _everything)
    assert isinstance(made, Ids)
    return made


def test_strangers_are_sent_to_sign_in(app: Flask, client: FlaskClient, ids: Ids) -> None:
    for number, (endpoint, method, path, _names) in enumerate(_requests(app, ids)):
        status = _ask(client, method, path, number)
        if endpoint in DEVICES:
            assert status == 401, f"{endpoint} answered a stranger with {status}"
        elif TABLE[endpoint]:
            scripts_only = hasattr(app.view_functions[endpoint], "answers_json")
            assert status == (401 if scripts_only else 303), f"{endpoint} let a stranger in: {status}"
        else:
            assert status in (200, 303, 404, 422), f"{endpoint} answered a stranger with {status}"
        client.delete_cookie("fugong")


@pytest.mark.parametrize("place", ["own", "other"])
@pytest.mark.parametrize("role", [r.value for r in Role if r not in (Role.HOST_FILER, Role.SYSTEM)])
def test_each_role_enters_what_it_may_and_nothing_else(
    app: Flask, client: FlaskClient, ids: Ids, role: str, place: str
) -> None:
    sign_in(client, ids.logins[f"{role}/{place}"])
    held = ROLE_PERMISSIONS[Role(role)]
    for number, (endpoint, method, path, names) in enumerate(_requests(app, ids)):
        if endpoint == "accounts.logout":
            continue
        status = _ask(client, method, path, number)
        told = f"{role} of {place} place at {method} {endpoint}: {status}"
        assert status < 500, told
        if endpoint in DEVICES:
            assert status == 401, told
        elif TABLE[endpoint] and not TABLE[endpoint] & held:
            assert status == 403, told
        elif TABLE[endpoint] and names & OF_A_CASE and place == "other":
            # 422: the form was incomplete before anything was looked up.
            assert status in ((404,) if method == "GET" else (404, 422)), told
        elif endpoint == "public.home" or method != "GET":
            assert status in (200, 302, 303, 403, 404, 409, 422), told
        elif TABLE[endpoint] and names & OF_A_CASE:
            # 404: this file has no such preview, or the page belongs to the company alone; 409: the step is closed.
            assert status in (200, 302, 303, 404, 409), told


def test_production_has_no_demo_sign_in(tmp_path: object) -> None:
    settings = load_settings(
        {
            "FUGONG_ENV": "production",
            "FUGONG_VAR_DIR": str(tmp_path),
            "FUGONG_SECRET_KEY": "a-long-and-quite-random-secret-0123456789",
            "FUGONG_TRUSTED_HOSTS": "localhost",
            "FUGONG_PUBLIC_URL": "https://localhost",
            "FUGONG_QUEUE_URL": "memory://",
            "FUGONG_LOG_LEVEL": "CRITICAL",
        }
    )
    app = create_app(settings)
    app.config["WTF_CSRF_ENABLED"] = False
    with app.app_context():
        upgrade()
    client = app.test_client()
    page = client.get("/login", base_url="https://localhost").get_data(as_text=True)
    assert "/login/demo" not in page
    data = {"login": "reviewer", "idempotency_key": "demo-in-production"}
    assert client.post("/login/demo", data=data, base_url="https://localhost").status_code == 404
