"""Two officers on one case: the second is told what changed, and the words typed come back."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from flask.testing import FlaskClient

from tests.web.desk_fixtures import Site, material_id, page, site  # noqa: F401 - a fixture
from tests.web.test_desk_review import _accepted
from workflow.core.actors import Role
from workflow.data.passes import VehiclePass
from workflow.extensions import db
from workflow.services import inspections as inspection_service
from workflow.services import passes as pass_service

WORDS = "材料齐全<b>，拟同意受理，请尽快核查"
SHOWN = "材料齐全&lt;b&gt;，拟同意受理，请尽快核查"


@pytest.fixture
def pair(site: Site) -> tuple[FlaskClient, FlaskClient]:  # noqa: F811
    """Two reviewers of the same town."""
    with site.building() as world:
        logins = world.officer(Role.REVIEWER).login, world.new_officer(Role.REVIEWER).login
    return site.browser(logins[0]), site.browser(logins[1])


def _fields(body: str, action: str) -> dict[str, str]:
    """The hidden fields of the form with this address."""
    form = next(f for f in re.findall(r"<form.*?</form>", body, re.DOTALL) if f'action="{action}"' in f)
    found = dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', form))
    inputs = re.findall(r'<input[^>]*type="hidden"[^>]*>', form)
    for tag in inputs:
        name, value = re.search(r'name="([^"]+)"', tag), re.search(r'value="([^"]*)"', tag)
        if name:
            found[name[1]] = value[1] if value else ""
    return found


def test_the_second_step_is_told_what_changed(site: Site, pair: tuple[FlaskClient, FlaskClient]) -> None:  # noqa: F811
    case_id = site.case()
    first, second = pair
    version, _state = site.read(case_id)
    url = f"/cases/{case_id}/steps/accept"
    assert site.post(first, url, version=version, note="先受理了").status_code == 303
    answer = site.post(second, url, version=version, note=WORDS)
    body = answer.get_data(as_text=True)
    assert answer.status_code == 409
    assert "此案件已被他人更新" in body
    assert "最近一次办理" in body
    assert SHOWN in body
    assert site.read(case_id)[0] == version + 1


def test_words_come_back_into_the_form_that_is_still_open(
    site: Site,  # noqa: F811
    pair: tuple[FlaskClient, FlaskClient],
) -> None:
    case_id = site.case()
    version, _state = site.read(case_id)
    answer = site.post(pair[0], f"/cases/{case_id}/steps/accept", version=version + 5, note=WORDS)
    body = answer.get_data(as_text=True)
    assert answer.status_code == 409
    assert re.search(rf'id="note-accept"[^>]*>{re.escape(SHOWN)}<', body)
    fresh = _fields(body, f"/cases/{case_id}/steps/accept")
    assert site.post(pair[0], f"/cases/{case_id}/steps/accept", version=fresh["version"]).status_code == 303


def test_a_step_with_too_many_words_comes_back(site: Site, pair: tuple[FlaskClient, FlaskClient]) -> None:  # noqa: F811
    case_id = site.case()
    version, _state = site.read(case_id)
    answer = site.post(pair[0], f"/cases/{case_id}/steps/accept", version=version, note="字" * 2001)
    assert answer.status_code == 422
    assert "字" * 2001 in answer.get_data(as_text=True)


def test_a_version_of_many_digits_is_refused(site: Site, pair: tuple[FlaskClient, FlaskClient]) -> None:  # noqa: F811
    answer = site.post(pair[0], f"/cases/{site.case()}/steps/accept", version="9" * 5000)
    assert answer.status_code == 422


def test_the_second_verdict_on_one_material_is_told(site: Site, pair: tuple[FlaskClient, FlaskClient]) -> None:  # noqa: F811
    case_id = _accepted(site)
    material = material_id(site, case_id, "M01")
    url, where = f"/cases/{case_id}/materials/{material}/verdict", f"/cases/{case_id}/materials?m={material}"
    first, second = (_fields(page(client.get(where)), url) for client in pair)
    for fields in (first, second):
        fields.pop("idempotency_key")
    assert site.post(pair[0], url, **first, verdict="wrong", words="缺少公章").status_code == 303
    answer = site.post(pair[1], url, **second, verdict="expired", words=WORDS)
    body = answer.get_data(as_text=True)
    assert answer.status_code == 409
    assert "另一名审核员刚审过这项材料" in body
    assert SHOWN in body
    assert "缺少公章" in body
    again = _fields(body, url)
    again.pop("idempotency_key")
    assert site.post(pair[1], url, **again, verdict="expired", words=WORDS).status_code == 303


def test_a_verdict_after_the_case_moved_on_is_a_conflict(
    site: Site,  # noqa: F811
    pair: tuple[FlaskClient, FlaskClient],
) -> None:
    case_id = _accepted(site)
    material = material_id(site, case_id, "M01")
    url, where = f"/cases/{case_id}/materials/{material}/verdict", f"/cases/{case_id}/materials?m={material}"
    fields = _fields(page(pair[1].get(where)), url)
    fields.pop("idempotency_key")
    with site.building() as world:
        from workflow.data.cases import Case

        case = db.session.get_one(Case, case_id)
        world.judge_all(case, M01="缺少公章")
        world.step(world.officer(Role.REVIEWER), case, "return_for_correction")
    answer = site.post(pair[1], url, **fields, verdict="wrong", words=WORDS)
    assert answer.status_code == 409
    assert SHOWN in answer.get_data(as_text=True)


def _approved_pass(site: Site) -> tuple[int, int]:  # noqa: F811
    with site.building(days_ago=3) as world:
        clerk = world.company()
        case = world.approved(clerk)
        asked = pass_service.request_pass(world.actor(clerk), case.id, world.pass_request(), world.now)
        return case.id, asked.id


def test_a_pass_that_was_decided_meanwhile(site: Site) -> None:  # noqa: F811
    _case_id, pass_id = _approved_pass(site)
    client = site.officer(Role.REVIEWER)
    assert site.post(client, f"/passes/{pass_id}/grant").status_code == 303
    answer = site.post(client, f"/passes/{pass_id}/refuse", words=WORDS)
    assert answer.status_code == 409
    assert SHOWN in answer.get_data(as_text=True)
    missing = site.post(client, f"/passes/{pass_id}/revoke", words=" ")
    assert missing.status_code == 422
    assert "此项必填" in missing.get_data(as_text=True)
    with site.app.app_context():
        assert db.session.get_one(VehiclePass, pass_id).status == "granted"


def test_an_appointment_made_meanwhile_keeps_what_was_chosen(site: Site) -> None:  # noqa: F811
    with site.building() as world:
        case = world.reviewed()
        case_id, version = case.id, case.version
        people = [a.person_id for a in world.inspectors()]
        login = world.inspectors()[0].login
    client = site.browser(login)
    visit_at = f"{dt.datetime.now(dt.UTC) + dt.timedelta(days=2):%Y-%m-%dT%H:%M}"
    fields = {"visit_at": visit_at, "lead_id": people[0], "second_id": people[1], "meeting_point": WORDS}
    url = f"/cases/{case_id}/inspections/schedule_inspection"
    answer = site.post(client, url, **fields, version=version + 7)
    body = answer.get_data(as_text=True)
    assert answer.status_code == 409
    assert SHOWN in body
    assert visit_at in body
    assert site.post(client, url, **fields, version=_fields(body, url)["version"]).status_code == 303


def test_the_other_inspector_saved_first(site: Site) -> None:  # noqa: F811
    with site.building() as world:
        case = world.scheduled()
        visit = inspection_service.planned(case)
        assert visit is not None
        visit_id, code, version = visit.id, visit.items[0].code, case.version
        logins = [a.login for a in world.inspectors()]
    first, second = site.browser(logins[0]), site.browser(logins[1])
    url = f"/inspections/{visit_id}/save"
    revision = _fields(page(first.get(f"/inspections/{visit_id}")), url)["revision"]
    mine = {f"result_{code}": "fail", f"note_{code}": "门口没有测温"}
    theirs = {f"result_{code}": "conform", f"note_{code}": WORDS}
    assert site.post(first, url, **mine, revision=revision).status_code == 303
    answer = site.post(second, url, **theirs, revision=revision)
    body = answer.get_data(as_text=True)
    assert answer.status_code == 409
    assert SHOWN in body
    assert "已保存的是：不符合；门口没有测温" in body
    assert _fields(body, url)["revision"] != revision
    late = site.post(
        second, f"/inspections/{visit_id}/conclude", action="pass_inspection", words=WORDS, version=version + 9
    )
    assert late.status_code == 409
    assert SHOWN in late.get_data(as_text=True)


def test_an_error_page_gives_typed_words_back_but_no_password(site: Site) -> None:  # noqa: F811
    site.app.config["WTF_CSRF_ENABLED"] = True
    body = {"note": WORDS, "words": "第二段", "password": "a-secret-of-mine", "version": "1"}
    answer = site.app.test_client().post("/cases/1/steps/accept", data=body)
    text = answer.get_data(as_text=True)
    assert answer.status_code == 401
    assert SHOWN in text
    assert "第二段" in text
    assert "a-secret-of-mine" not in text
