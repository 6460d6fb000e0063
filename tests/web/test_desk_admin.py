"""Account management and the auditor's page: who may, what is refused, and what follows at the next request."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text

from tests.builders import PASSWORD
from tests.conftest import sign_in
from tests.web.desk_fixtures import Site, page, site  # noqa: F401 - a fixture
from workflow.core.actors import Role
from workflow.data import audit
from workflow.data.people import Account, PersonAppointment
from workflow.extensions import db
from workflow.web import audit as audit_page

TOWN, OTHER = "330203002", "330203003"


@pytest.fixture
def admin(site: Site) -> FlaskClient:  # noqa: F811
    """The city's admin."""
    with site.building() as world:
        city = db.session.scalar(text("SELECT code FROM areas WHERE kind = 'city'"))
        return site.browser(world.officer(Role.ADMIN, city).login)


def _ids(site: Site, login: str) -> tuple[int, list[int]]:  # noqa: F811
    with site.app.app_context():
        account = db.session.scalar(db.select(Account).where(Account.login == login))
        assert account is not None
        held = db.session.scalars(db.select(PersonAppointment).where(PersonAppointment.person_id == account.person_id))
        return account.id, [a.id for a in held]


NEW = {"login": "Li_Si-2", "name": "李四<script>", "mobile": "", "password": PASSWORD}


def test_an_account_is_made_appointed_moved_and_ended(site: Site, admin: FlaskClient) -> None:  # noqa: F811
    case_id = site.case()
    answer = site.post(admin, "/admin/people", **NEW)
    assert answer.status_code == 303
    url = answer.headers["Location"]
    body = page(admin.get(url))
    assert "暂无职责" in body
    assert "<script>" not in body.split("<main", 1)[1].split("</main>")[0]
    person = sign_in(site.app.test_client(), "li_si-2")
    assert person.get("/desk").status_code == 403
    assert site.post(admin, f"{url}/appointments", role="reviewer", area=TOWN).status_code == 303
    assert page(person.get(f"/cases/{case_id}"))
    (held,) = _ids(site, "li_si-2")[1]
    assert site.post(admin, f"/admin/appointments/{held}/move", area=OTHER).status_code == 303
    assert person.get(f"/cases/{case_id}").status_code == 404
    assert "曾任职责" in page(admin.get(url))
    moved = _ids(site, "li_si-2")[1][-1]
    assert site.post(admin, f"/admin/appointments/{moved}/end").status_code == 303
    assert person.get("/desk").status_code == 403


def test_switching_off_and_a_new_password_end_sessions(site: Site, admin: FlaskClient) -> None:  # noqa: F811
    login = site.login(Role.REVIEWER)
    person, (account_id, _held) = site.browser(login), _ids(site, login)
    assert page(person.get("/desk"))
    assert site.post(admin, f"/admin/people/{account_id}/password", password="short").status_code == 422
    assert site.post(admin, f"/admin/people/{account_id}/password", password="another-horse-8").status_code == 303
    assert person.get("/desk").status_code == 303
    assert site.post(admin, f"/admin/people/{account_id}/switch", active="0").status_code == 303
    fields = {"login": login, "password": "another-horse-8"}
    assert site.post(site.app.test_client(), "/login", **fields).status_code == 422
    assert site.post(admin, f"/admin/people/{account_id}/switch", active="1").status_code == 303
    assert site.post(site.app.test_client(), "/login", **fields).status_code == 303


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("login", ""),
        ("login", "李四"),
        ("login", "a b"),
        ("login", "x" * 61),
        ("name", ""),
        ("name", "长" * 61),
        ("mobile", "12345"),
        ("password", ""),
        ("password", "aaaaaaaaaaaa"),
        ("password", "p" * 300),
    ],
)
def test_a_refused_account_keeps_what_was_typed(site: Site, admin: FlaskClient, field: str, value: str) -> None:  # noqa: F811
    answer = site.post(admin, "/admin/people", **{**NEW, "name": "王五", field: value})
    body = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert f'id="{field}-error"' in body
    assert field == "name" or 'value="王五"' in body
    assert PASSWORD not in body


def test_refused_appointments(site: Site, admin: FlaskClient) -> None:  # noqa: F811
    account_id, (held,) = _ids(site, site.login(Role.REVIEWER))
    url = f"/admin/people/{account_id}/appointments"
    wrong = [
        {"role": "", "area": TOWN},
        {"role": "filer", "area": TOWN},
        {"role": "leader", "area": ""},
        {"role": "leader", "area": "nowhere"},
        {"role": "bureau_reviewer", "area": "330203", "bureau": ""},
        {"role": "bureau_reviewer", "area": "330203", "bureau": "nonsense"},
    ]
    assert [site.post(admin, url, **w).status_code for w in wrong] == [422] * len(wrong)
    assert site.post(admin, f"/admin/appointments/{held}/move", area="nowhere").status_code == 422
    assert len(_ids(site, site.login(Role.REVIEWER))[1]) == 1
    assert site.post(admin, "/admin/appointments/999999/end").status_code == 404
    assert admin.get("/admin/people/999999").status_code == 404


def test_the_admin_sees_no_case_and_others_see_no_accounts(site: Site, admin: FlaskClient) -> None:  # noqa: F811
    case_id = site.case()
    for url in (f"/cases/{case_id}", "/desk", "/audit", f"/cases/{case_id}/materials", "/inspections"):
        assert admin.get(url).status_code == 403
    listing = page(admin.get("/admin/people"))
    assert "宁波海曙试验机械" not in listing
    assert "没有找到" in page(admin.get("/admin/people", query_string={"q": "%_'🧵" + "长" * 10_000}))
    client = site.officer(Role.LEADER)
    account_id, (held,) = _ids(site, site.login(Role.REVIEWER))
    posts = ("/admin/people", f"/admin/people/{account_id}/switch", f"/admin/appointments/{held}/end")
    assert client.get("/admin/people").status_code == 403
    assert [site.post(client, url).status_code for url in posts] == [403] * 3


def test_the_admin_does_not_lock_itself_out(site: Site, admin: FlaskClient) -> None:  # noqa: F811
    with site.app.app_context():
        account = db.session.scalar(db.select(Account).where(Account.login.like("admin-%")))
        assert account is not None
        account_id = account.id
    assert "停用账号" not in page(admin.get(f"/admin/people/{account_id}"))
    assert site.post(admin, f"/admin/people/{account_id}/switch", active="0").status_code == 422


def _city(site: Site) -> str:  # noqa: F811
    with site.app.app_context():
        return str(db.session.scalar(text("SELECT code FROM areas WHERE kind = 'city'")))


def test_an_admin_keeps_its_own_appointment_and_ended_ones_do_not_move(site: Site, admin: FlaskClient) -> None:  # noqa: F811
    with site.app.app_context():
        own = db.session.scalar(db.select(PersonAppointment.id).where(PersonAppointment.role == Role.ADMIN))
    assert site.post(admin, f"/admin/appointments/{own}/end").status_code == 422
    assert site.post(admin, f"/admin/appointments/{own}/move", area=TOWN).status_code == 422
    assert admin.get("/admin/people").status_code == 200
    _account, (held,) = _ids(site, site.login(Role.REVIEWER))
    assert site.post(admin, f"/admin/appointments/{held}/end").status_code == 303
    assert site.post(admin, f"/admin/appointments/{held}/move", area=OTHER).status_code == 422


def test_the_auditor_sees_whether_the_history_is_whole(
    site: Site,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    site.case()
    client = site.officer(Role.AUDITOR, _city(site))
    body = page(client.get("/audit"))
    assert "全部链条完整" in body
    assert "企业提交了申请" in body
    assert "账号和任职" in body
    monkeypatch.setattr(audit, "verify", lambda: iter([audit.Fault("accounts", 3, "its content was changed")]))
    assert "发现 1 条链不完整" in page(client.get("/audit"))
    monkeypatch.setattr(audit_page, "MOST_ROWS", 0)
    assert "页面上不逐行核验" in page(client.get("/audit"))


def test_the_auditors_pages_and_area(site: Site) -> None:  # noqa: F811
    site.case()
    with site.building() as world:
        for _n in range(60):
            audit.record(audit.CITY_FILED, chain="flows", actor=world.actor(world.officer(Role.LEADER)), at=world.now)
    city = site.officer(Role.AUDITOR, _city(site))
    first = page(city.get("/audit"))
    older = first.split('rel="next"')[0].rsplit('href="', 1)[1].split('"')[0]
    assert "企业提交了申请" not in first
    assert "企业提交了申请" in page(city.get(older))
    assert page(city.get("/audit?before=nonsense"))
    other = page(site.officer(Role.AUDITOR, OTHER).get("/audit"))
    assert "企业提交了申请" not in other
    assert "账号和任职" not in other
    assert "企业提交了申请" in page(site.officer(Role.AUDITOR, TOWN).get("/audit"))
    assert site.officer(Role.REVIEWER).get("/audit").status_code == 403
    assert site.post(city, "/audit").status_code == 405
