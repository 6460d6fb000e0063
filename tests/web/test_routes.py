"""Every route, every role, own area and another: the recorded table, and what each really answers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_migrate import upgrade
from sqlalchemy import select

from config import load_settings
from tests.builders import World
from tests.conftest import building, sign_in
from workflow.app import create_app
from workflow.core.actors import ROLE_PERMISSIONS, STAFF_ROLES, Permission, Role
from workflow.core.tailoring import Tailoring
from workflow.data import applications, issued, materials
from workflow.data.areas import Area
from workflow.data.people import Account
from workflow.extensions import db
from workflow.services import drafts as draft_service
from workflow.services import inspections as inspection_service
from workflow.services import opinions as opinion_service
from workflow.services import passes as pass_service
from workflow.services import tailoring as tailoring_service
from workflow.web import access

P = Permission
PUBLIC: frozenset[Permission] = frozenset()
FILE, CASE, DESK = frozenset({P.FILE_APPLICATION}), frozenset({P.SEE_CASE}), frozenset({P.SEE_DESK})
EITHER = FILE | CASE
REVIEW, PLAN, INSPECT = frozenset({P.REVIEW_MATERIALS}), frozenset({P.PLAN_INSPECTION}), frozenset({P.INSPECT})
ASK, DECIDE, ADMIN = frozenset({P.REQUEST_PASS}), frozenset({P.DECIDE_PASS}), frozenset({P.MANAGE_ACCOUNTS})
PUBLISH = frozenset({P.PUBLISH_RULES})
OPINE, TAILOR = frozenset({P.GIVE_OPINION}), frozenset({P.TAILOR_CASE})

TABLE: dict[str, frozenset[Permission]] = {
    "accounts.login": PUBLIC,
    "accounts.logout": PUBLIC,
    "accounts.register": PUBLIC,
    "accounts.sign_in": PUBLIC,
    "accounts.sign_in_demo": PUBLIC,
    "accounts.sign_up": PUBLIC,
    "admin.appoint": ADMIN,
    "admin.create": ADMIN,
    "admin.end": ADMIN,
    "admin.move": ADMIN,
    "admin.people": ADMIN,
    "admin.person": ADMIN,
    "admin.reset": ADMIN,
    "admin.switch": ADMIN,
    "applications.areas_below": FILE,
    "applications.autosave": FILE,
    "applications.check": FILE,
    "applications.discard": FILE,
    "applications.home": FILE,
    "applications.save_topic": FILE,
    "applications.start": FILE,
    "applications.submit": FILE,
    "applications.submitted": FILE,
    "applications.tasks": FILE,
    "applications.topic": FILE,
    "audit.overview": frozenset({P.SEE_AUDIT}),
    "cases.show": CASE,
    "cases.step": frozenset({P.ACT_ON_CASE}),
    "checks.check": PUBLIC,
    "checks.token": PUBLIC,
    "desk.accept": REVIEW,
    "desk.accept_preview": REVIEW,
    "desk.accepted": REVIEW,
    "desk.queue": DESK,
    "drafts.check": PUBLISH,
    "drafts.discard": PUBLISH,
    "drafts.publish": PUBLISH,
    "drafts.save": PUBLISH,
    "drafts.send_back": PUBLISH,
    "drafts.show": PUBLISH,
    "drafts.simulate": PUBLISH,
    "drafts.start": PUBLISH,
    "files.download": EITHER,
    "files.image": EITHER,
    "files.page": EITHER,
    "files.photo": EITHER,
    "files.text": EITHER,
    "health.alive": PUBLIC,
    "health.ready": PUBLIC,
    "inspections.add_photo": INSPECT,
    "inspections.arrange": PLAN,
    "inspections.conclude": INSPECT,
    "inspections.mine": INSPECT,
    "inspections.save": INSPECT,
    "inspections.schedule": PLAN,
    "inspections.sheet": DESK,
    "materials.corrections": FILE,
    "materials.remove": FILE,
    "materials.slots": FILE,
    "materials.template": PUBLIC,
    "materials.upload": FILE,
    "messages.inbox": FILE,
    "messages.read": FILE,
    "migration.move": PUBLISH,
    "migration.preview": PUBLISH,
    "migration.result": PUBLISH,
    "opinions.answer": OPINE,
    "opinions.ask": frozenset({P.ACT_ON_CASE}),
    "opinions.inbox": OPINE,
    "opinions.remind": frozenset({P.ACT_ON_CASE}),
    "opinions.show": OPINE,
    "opinions.withdraw": frozenset({P.ACT_ON_CASE}),
    "papers.document": CASE,
    "papers.passes_of_case": CASE,
    "papers.vehicle_pass": CASE,
    "pass_desk.grant": DECIDE,
    "pass_desk.refuse": DECIDE,
    "pass_desk.revoke": DECIDE,
    "passes.ask": ASK,
    "passes.index": ASK,
    "public.guide": PUBLIC,
    "public.home": PUBLIC,
    "public.set_language": PUBLIC,
    "public.set_text_size": PUBLIC,
    "rectifications.save": FILE,
    "rectifications.show": FILE,
    "review.judge": REVIEW,
    "review.materials": DESK,
    "review.summary": DESK,
    "publishing.download": PUBLISH,
    "publishing.index": PUBLISH,
    "publishing.version": PUBLISH,
    "publishing.withdraw": PUBLISH,
    "static": PUBLIC,
    "tailoring.approve": TAILOR,
    "tailoring.propose": TAILOR,
    "tailoring.refuse": TAILOR,
    "tailoring.show": TAILOR,
    "tailoring.withdraw": TAILOR,
    "well_known.keys_in_use": PUBLIC,
}
"""Who may enter what; a new route is written here too, or the test fails."""

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
    }
)


def test_every_route_is_recorded_with_what_it_demands(app: Flask) -> None:
    found = {endpoint: access.access_of(app, endpoint) for endpoint in app.view_functions}
    assert {e: a.permissions for e, a in found.items()} == TABLE
    assert {e for e, a in found.items() if a.public} == {e for e, wanted in TABLE.items() if wanted == PUBLIC}


def test_a_route_that_declares_nothing_stops_the_start(app: Flask) -> None:
    app._got_first_request = False
    app.add_url_rule("/undeclared", "undeclared", lambda: "")
    with pytest.raises(access.UndeclaredRoute, match="undeclared"):
        access.check_declarations(app)


def test_no_get_route_shares_its_rule_with_a_state_change(app: Flask) -> None:
    for rule in app.url_map.iter_rules():
        methods = (rule.methods or set()) - {"HEAD", "OPTIONS"}
        assert methods in ({"GET"}, {"POST"}), f"{rule.endpoint} answers {methods}"


@dataclass(frozen=True)
class Ids:
    """What the routes are asked about: one approved case with everything on it."""

    values: dict[str, str | int]
    logins: dict[str, str]


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
    staff: dict[str, Account] = {}
    for role in (r for r in Role if r in STAFF_ROLES):
        wide = role in (Role.COMMANDER, Role.AUDITOR, Role.ADMIN)
        county = role in (Role.BUREAU_REVIEWER, Role.LEADING_GROUP, Role.DEPARTMENT)
        bureau = {Role.BUREAU_REVIEWER: "jingxin", Role.DEPARTMENT: "weijian"}.get(role)
        staff[f"{role}/own"] = world.officer(role, "3302" if wide else "330203" if county else "330203002", bureau)
        staff[f"{role}/other"] = world.new_officer(role, "330206" if wide or county else "330206004", bureau)
    area = db.session.scalars(select(Area).where(Area.code == "3302")).one()
    draft = draft_service.start_from(world.actor(staff["commander/own"]), "rules:approval", area, "", world.now)
    db.session.commit()
    values: dict[str, str | int] = {
        "case_id": case.id,
        "application_id": application.id,
        "file_id": held[0].id,
        "photo_id": photo.id,
        "inspection_id": visit.id,
        "document_id": issued.of_case(case.id)[0].id,
        "pass_id": asked.id,
        "opinion_id": opinion.id,
        "proposal_id": proposal.id,
        "draft_id": draft.id,
        "version_id": case.flow_version_id,
        "kind": "flow",
        "suffix": "pdf",
        "material_id": held[0].material_id,
        "account_id": clerk.id,
        "appointment_id": 10**6,
        "topic": "enterprise",
        "slot": "licence",
        "action": "schedule_inspection",
        "code": "M02",
        "number": 1,
        "token": "FORGED",
        "filename": "css/fugong.css",
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
def ids(app: Flask) -> Ids:
    """One case with everything on it, seen by people of every role."""
    with building(app) as world:
        return _everything(world)


def test_strangers_are_sent_to_sign_in(app: Flask, client: FlaskClient, ids: Ids) -> None:
    for number, (endpoint, method, path, _names) in enumerate(_requests(app, ids)):
        status = _ask(client, method, path, number)
        if TABLE[endpoint]:
            assert status == 303, f"{endpoint} let a stranger in: {status}"
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
        if TABLE[endpoint] and not TABLE[endpoint] & held:
            assert status == 403, told
        elif TABLE[endpoint] and names & OF_A_CASE and place == "other":
            # 422: the form was incomplete before anything was looked up.
            assert status in ((404,) if method == "GET" else (404, 422)), told
        elif endpoint == "public.home" or method == "POST":
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
