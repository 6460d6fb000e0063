"""Inspections over HTTP: an inspector's days, arranging, the sheet with autosave, photos and the result."""

from __future__ import annotations

import datetime as dt
import io
from dataclasses import dataclass

import pytest
from flask.testing import FlaskClient

from tests.builders import measured, png
from tests.web.desk_fixtures import Site, counted, page, site  # noqa: F401 - a fixture
from workflow.core.actors import Role
from workflow.core.times import shanghai_time
from workflow.data import catalogue
from workflow.data.cases import Case
from workflow.data.inspections import Inspection
from workflow.extensions import db
from workflow.services import inspections as inspection_service

NASTY = "<script>alert(1)</script>"


@dataclass(slots=True)
class Visit:
    """A planned visit: ids, item codes, and the browsers of its two inspectors."""

    id: int
    case_id: int
    codes: list[str]
    first: FlaskClient
    second: FlaskClient


@pytest.fixture
def visit(site: Site) -> Visit:  # noqa: F811
    """A visit arranged for tomorrow."""
    with site.building() as world:
        case = world.scheduled()
        planned = inspection_service.planned(case)
        assert planned is not None
        logins = [a.login for a in world.inspectors()]
        made = (planned.id, case.id, [i.code for i in planned.items])
    return Visit(*made, *(site.browser(login) for login in logins))


def _revision(site: Site, visit_id: int) -> str:  # noqa: F811
    with site.app.app_context():
        return str(db.session.get_one(Inspection, visit_id).revision)


def _fields(codes: list[str], *fail: str) -> dict[str, str]:
    fields = {f"result_{c}": "fail" if c in fail else "conform" for c in codes}
    values = {f"measured_{c}": measured(c) for c in codes if measured(c) and c not in fail}
    return {**fields, **values, **{f"note_{c}": "现场未落实" for c in fail}}


def _when(days: int = 1) -> str:
    return f"{shanghai_time(dt.datetime.now(dt.UTC)) + dt.timedelta(days=days):%Y-%m-%dT%H:%M}"


def test_an_inspector_sees_visits_and_what_is_to_be_arranged(site: Site, visit: Visit) -> None:  # noqa: F811
    waiting = site.case("reviewed")
    body = page(visit.first.get("/inspections"))
    assert f"/inspections/{visit.id}" in body
    assert "试验路 1 号" in body
    assert f"/cases/{waiting}/inspections/schedule_inspection" in body
    assert f"/cases/{visit.case_id}/inspections/" not in body
    other = page(site.officer(Role.INSPECTOR, "330203003").get("/inspections"))
    assert "没有安排给您的核查" in other
    assert site.officer(Role.REVIEWER).get("/inspections").status_code == 403


def test_arranging(site: Site) -> None:  # noqa: F811
    case_id = site.case("reviewed")
    with site.building() as world:
        first, second = world.inspectors()
        people, login = (first.person_id, second.person_id), first.login
    client, url = site.browser(login), f"/cases/{case_id}/inspections/schedule_inspection"
    assert "只列本辖区在任的核查员" in page(client.get(url))
    good = {"visit_at": _when(), "lead_id": str(people[0]), "second_id": str(people[1]), "meeting_point": "东门"}
    version = str(site.read(case_id)[0])
    bad = {
        "visit_at": ("", "明天", "2020-13-99T99:99", _when(-3), _when(90)),
        "lead_id": ("", "x", "999999", "1"),
        "second_id": (str(people[0]),),
    }
    for field, values in bad.items():
        for value in values:
            answer = site.post(client, url, **{**good, field: value, "version": version})
            assert answer.status_code == 422, (field, value)
            assert "东门" in answer.get_data(as_text=True)
    assert site.post(client, url, **good, version="1").status_code == 409
    assert site.post(client, url, **good, version=version).status_code == 303
    assert site.read(case_id)[1] == "inspecting"
    assert client.get(url).status_code == 409
    change = f"/cases/{case_id}/inspections/change_appointment"
    assert f'value="{good["visit_at"]}"' in page(client.get(change))
    assert site.officer(Role.INSPECTOR, "330203003").get(change).status_code == 404
    assert site.officer(Role.AUDITOR).get(change).status_code == 403


def test_a_sheet_is_filled_in_and_passed(site: Site, visit: Visit) -> None:  # noqa: F811
    url = f"/inspections/{visit.id}"
    body = page(visit.first.get(url))
    assert "项未填" in body
    assert "一票否决" in body
    answer = site.post(visit.first, f"{url}/save", **_fields(visit.codes), revision=_revision(site, visit.id))
    assert answer.status_code == 303
    body = page(visit.second.get(url))
    assert body.count(" checked") == len(visit.codes)
    version = str(site.read(visit.case_id)[0])
    done = site.post(visit.second, f"{url}/conclude", action="pass_inspection", version=version, words="属实")
    assert done.status_code == 303
    assert site.read(visit.case_id)[1].startswith("awaiting_")
    body = page(visit.first.get(url))
    assert "核查结论：通过" in body
    assert "/documents/" in body
    assert 'name="result_' not in body
    assert site.post(visit.first, f"{url}/save", **_fields(visit.codes), revision="2").status_code == 409


def test_a_failed_item_closes_passing_and_needs_words_and_a_date(site: Site, visit: Visit) -> None:  # noqa: F811
    url, code = f"/inspections/{visit.id}", visit.codes[0]
    fields = _fields(visit.codes, code)
    fields[f"note_{code}"] = NASTY
    site.post(visit.first, f"{url}/save", **fields, revision=_revision(site, visit.id))
    body = page(visit.first.get(url))
    assert "有 1 项不符合，不能判为通过" in body
    assert "<script>alert" not in body
    version = str(site.read(visit.case_id)[0])

    def conclude(**form: str) -> tuple[int, str]:
        answer = site.post(visit.first, f"{url}/conclude", **{"version": version, **form})
        return answer.status_code, answer.get_data(as_text=True)

    assert conclude(action="pass_inspection", words="好")[0] == 409
    assert conclude(action="order_rectification", words="限期整改")[0] == 409
    assert conclude(action="order_rectification", words="", rectify_by_on="2099-01-01")[0] == 422
    code_, body = conclude(action="order_rectification", words="补齐消毒台账", rectify_by_on="soon")
    assert code_ == 422
    assert "补齐消毒台账" in body
    assert conclude(action="nonsense")[0] == 409
    late = (dt.date.today() + dt.timedelta(days=5)).isoformat()  # noqa: DTZ011 - any later day will do
    assert conclude(action="order_rectification", words="补齐台账", rectify_by_on=late)[0] == 303
    assert site.read(visit.case_id)[1] == "rectifying"


def test_saving_refuses_what_is_outside_the_limit_and_keeps_what_was_typed(site: Site, visit: Visit) -> None:  # noqa: F811
    checklist = catalogue.checklist()
    limited = [c for c in visit.codes if (limit := checklist.item(c).limit) and limit.maximum is not None]
    if not limited:
        limited = [c for c in visit.codes if checklist.item(c).limit]
    code = limited[0]
    limit = checklist.item(code).limit
    assert limit is not None
    wrong = str(limit.maximum + 1) if limit.maximum is not None else str((limit.minimum or 0) - 1)
    fields = {**_fields(visit.codes), f"measured_{code}": wrong, f"note_{visit.codes[-1]}": "这句话不能丢"}
    answer = site.post(visit.first, f"/inspections/{visit.id}/save", **fields, revision=_revision(site, visit.id))
    body = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert f'id="{code}-error"' in body
    assert "这句话不能丢" in body
    fields[f"measured_{code}"] = "很多"
    answer = site.post(visit.first, f"/inspections/{visit.id}/save", **fields, revision=_revision(site, visit.id))
    assert answer.status_code == 422


def test_autosave_and_two_phones(site: Site, visit: Visit) -> None:  # noqa: F811
    url = f"/inspections/{visit.id}/save"
    code = visit.codes[0]

    def send(client: FlaskClient, key: str, body: object) -> tuple[int, dict[str, object]]:
        headers = {"Idempotency-Key": f"autosave-{key}", "Accept": "application/json"}
        answer = client.post(url, json=body, headers=headers)
        return answer.status_code, answer.get_json()

    body = {"revision": 1, "fields": {f"result_{code}": "conform", "stranger": "x"}}
    assert send(visit.first, "1", body) == (200, {"revision": 2})
    assert send(visit.first, "1", body) == (200, {"revision": 2})
    status, answer = send(visit.second, "2", {"revision": 1, "fields": {f"result_{code}": "na"}})
    assert status == 409
    assert answer["revision"] == 2
    assert answer["fields"][f"result_{code}"] == "conform"  # type: ignore[index]
    for number, wrong in enumerate(([], {"revision": "x", "fields": {}}, {"revision": 2, "fields": {"a": 1}}, None)):
        assert send(visit.first, f"wrong-{number}", wrong)[0] == 422


def test_photos(site: Site, visit: Visit) -> None:  # noqa: F811
    url, code = f"/inspections/{visit.id}/photos", visit.codes[0]
    good = {"photo": (io.BytesIO(png(1)), "大门.png"), "code": code, "caption": NASTY}
    assert site.post(visit.first, url, **good).status_code == 303
    body = page(visit.first.get(f"/inspections/{visit.id}"))
    assert "/photos/1.jpg" in body
    assert "<script>alert" not in body
    headers = {"Idempotency-Key": "photo-key-1", "Accept": "application/json"}
    file = {"file": (io.BytesIO(png(2)), "b.png")}
    answer = visit.second.post(f"{url}?code={code}", data=file, headers=headers)
    assert answer.status_code == 200
    assert answer.get_json()["html"].count("<img") == 2
    assert f'data-upload-slot="photos-{code}"' in answer.get_json()["html"]
    assert site.post(visit.first, url, code=code).status_code == 422
    wrong = {"photo": (io.BytesIO(b"hello"), "a.jpg"), "code": ""}
    assert site.post(visit.first, url, **wrong).status_code == 422
    assert site.post(visit.first, url, photo=(io.BytesIO(png(3)), "c.png"), code="NO-99").status_code == 422


def test_nobody_else_fills_in(site: Site, visit: Visit) -> None:  # noqa: F811
    url = f"/inspections/{visit.id}"
    with site.building() as world:
        third = world.new_officer(Role.INSPECTOR).login
    reader = site.browser(third)
    assert 'name="result_' not in page(reader.get(url))
    assert site.post(reader, f"{url}/save", revision="1", **_fields(visit.codes)).status_code == 403
    assert site.post(reader, f"{url}/photos", photo=(io.BytesIO(png(4)), "d.png")).status_code == 403
    assert site.officer(Role.INSPECTOR, "330203003").get(url).status_code == 404
    assert site.post(site.officer(Role.LEADER), f"{url}/save", revision="1").status_code == 403
    with site.building() as world:
        assert db.session.get_one(Case, visit.case_id) is not None
        clerk = world.company().login
    assert site.browser(clerk).get(url).status_code == 403


def test_a_stale_paper_form_is_refused(site: Site, visit: Visit) -> None:  # noqa: F811
    url = f"/inspections/{visit.id}/save"
    assert site.post(visit.first, url, revision="1", **_fields(visit.codes)).status_code == 303
    assert site.post(visit.second, url, revision="1", **_fields(visit.codes, visit.codes[1])).status_code == 409
    assert site.post(visit.second, url, **_fields(visit.codes)).status_code == 422


def test_statements_of_the_sheet(site: Site, visit: Visit) -> None:  # noqa: F811
    page(visit.first.get(f"/inspections/{visit.id}"))
    with counted(site.app) as seen:
        page(visit.first.get(f"/inspections/{visit.id}"))
    assert len(seen) <= 30, seen
