"""Appointments and rectification over HTTP: wishes and answers, the route, calendar files, drafts and photos."""

from __future__ import annotations

import datetime as dt
import io

import pytest
from flask.testing import FlaskClient
from icalendar import Calendar

from tests.builders import png
from tests.web.desk_fixtures import Site, page, site  # noqa: F401 - a fixture
from tests.web.test_desk_inspections import Visit, visit  # noqa: F401 - a fixture
from workflow.core.actors import Role
from workflow.core.times import shanghai_day, shanghai_time
from workflow.data.cases import Case
from workflow.data.inspections import Inspection
from workflow.extensions import db
from workflow.services import inspections as inspection_service


def _clerk(site: Site, case_id: int) -> FlaskClient:  # noqa: F811
    with site.building() as world:
        login = world.clerk_of(db.session.get_one(Case, case_id)).login
    return site.browser(login)


def _row(site: Site, visit_id: int) -> tuple[dt.datetime, str, bool, int]:  # noqa: F811
    """When, what became of the wish, whether it is confirmed, and the sequence."""
    with site.app.app_context():
        row = db.session.get_one(Inspection, visit_id)
        return row.visit_at, row.wish_status, row.confirmed_at is not None, row.sequence


def test_the_company_confirms_with_one_click(site: Site, visit: Visit) -> None:  # noqa: F811
    clerk = _clerk(site, visit.case_id)
    body = page(clerk.get(f"/cases/{visit.case_id}"))
    assert "确认这个时间" in body
    assert site.post(clerk, f"/inspections/{visit.id}/confirm").status_code == 422
    assert site.post(clerk, f"/inspections/{visit.id}/confirm", sequence="7").status_code == 409
    assert site.post(clerk, f"/inspections/{visit.id}/confirm", sequence="0").status_code == 303
    body = page(clerk.get(f"/cases/{visit.case_id}"))
    assert "您已确认" in body
    assert "确认这个时间" not in body
    assert "企业已确认" in page(visit.first.get("/inspections"))
    assert "企业已确认时间" in page(visit.first.get(f"/inspections/{visit.id}"))


def test_a_wish_is_sent_and_met(site: Site, visit: Visit) -> None:  # noqa: F811
    clerk, url = _clerk(site, visit.case_id), f"/inspections/{visit.id}/wish"
    assert "请求改核查时间" in page(clerk.get(url))
    wanted = shanghai_time(_row(site, visit.id)[0] + dt.timedelta(hours=3))
    good = {"sequence": "0", "wish_at": f"{wanted:%Y-%m-%dT%H:%M}", "words": "当天停电 <b>检修</b>"}
    for bad in ({"words": ""}, {"words": "长" * 501}, {"wish_at": "明天"}, {"wish_at": "2020-01-01T09:00"}):
        answer = site.post(clerk, url, **{**good, **bad})
        assert answer.status_code == 422, bad
    assert site.post(clerk, url, **good).status_code == 303
    assert "改期请求待答复" in page(clerk.get(f"/cases/{visit.case_id}"))
    body = page(visit.first.get(f"/inspections/{visit.id}"))
    assert "企业希望改时间" in body
    assert "<b>检修" not in body
    version = str(site.read(visit.case_id)[0])
    assert site.post(visit.first, f"/inspections/{visit.id}/accept", version="1").status_code == 409
    assert site.post(visit.first, f"/inspections/{visit.id}/accept", version=version).status_code == 303
    at, wish, confirmed, sequence = _row(site, visit.id)
    assert (shanghai_time(at).replace(second=0, microsecond=0), wish, confirmed, sequence) == (
        wanted.replace(second=0, microsecond=0),
        "accepted",
        True,
        1,
    )
    assert site.post(visit.first, f"/inspections/{visit.id}/accept", version=version).status_code == 409


def test_a_wish_is_kept_with_words(site: Site, visit: Visit) -> None:  # noqa: F811
    clerk = _clerk(site, visit.case_id)
    site.post(clerk, f"/inspections/{visit.id}/wish", sequence="0", words="负责人外出")
    url = f"/inspections/{visit.id}/keep"
    refused = site.post(visit.second, url, words=" ")
    assert refused.status_code == 422
    assert "为什么不改" in refused.get_data(as_text=True)
    assert site.post(clerk, url, words="不改").status_code == 403
    assert site.post(visit.second, url, words="当天统一核查").status_code == 303
    assert "当天统一核查" in page(clerk.get(f"/cases/{visit.case_id}"))
    assert site.post(visit.second, url, words="再答一次").status_code == 409


def test_two_visits_at_one_time_are_refused_until_ticked(site: Site, visit: Visit) -> None:  # noqa: F811
    at = shanghai_time(_row(site, visit.id)[0])
    with site.building() as world:
        case_id = world.reviewed().id
        first, second = (i.person_id for i in world.inspectors())
    with site.app.app_context():
        row = db.session.get_one(Inspection, visit.id)
        row.visit_at = row.visit_at.replace(second=0, microsecond=0)
        db.session.commit()
    url, version = f"/cases/{case_id}/inspections/schedule_inspection", str(site.read(case_id)[0])
    form = {"visit_at": f"{at:%Y-%m-%dT%H:%M}", "lead_id": str(first), "second_id": str(second), "version": version}
    refused = site.post(visit.first, url, **form)
    assert refused.status_code == 422
    assert "仍按此时间安排" in refused.get_data(as_text=True)
    assert site.post(visit.first, url, **form, overlap_ok="y").status_code == 303
    assert "时间有重叠" in page(visit.first.get(f"/cases/{case_id}"))


def test_the_route_of_a_day(site: Site, visit: Visit) -> None:  # noqa: F811
    with site.building():  # a day that is surely not today: what was tomorrow two hours ago may be
        db.session.get_one(Inspection, visit.id).visit_at += dt.timedelta(days=2)
    day = shanghai_day(_row(site, visit.id)[0]).isoformat()
    body = page(visit.first.get(f"/inspections/route?on={day}"))
    for words in ("试验路 1 号", "先看", "未划片区", "13800138000"):
        assert words in body
    leader = site.officer(Role.LEADER)
    assert "试验路 1 号" in page(leader.get(f"/inspections/route?on={day}"))
    for text in ("", "昨天", "0001-01-01", "9999-12-31"):
        assert "这一天没有核查" in page(leader.get(f"/inspections/route?on={text}"))
    assert site.officer(Role.AUDITOR, "3302").get("/inspections/route").status_code == 403
    assert "试验路" not in page(
        site.officer(Role.INSPECTOR, "330203003").get(f"/inspections/route?on={day}&whose=area")
    )


def test_calendar_files(site: Site, visit: Visit) -> None:  # noqa: F811
    answer = visit.first.get("/inspections/calendar.ics")
    assert answer.headers["Content-Type"] == "text/calendar; charset=utf-8"
    (event,) = Calendar.from_ical(answer.data).walk("VEVENT")
    assert str(event["UID"]).startswith(f"visit-{visit.id}@")
    clerk = _clerk(site, visit.case_id)
    (own,) = Calendar.from_ical(clerk.get(f"/inspections/{visit.id}/calendar.ics").data).walk("VEVENT")
    assert "URL" not in own
    assert clerk.get("/inspections/calendar.ics").status_code == 403
    other = site.officer(Role.INSPECTOR, "330203003")
    assert other.get(f"/inspections/{visit.id}/calendar.ics").status_code == 404
    assert Calendar.from_ical(other.get("/inspections/calendar.ics").data).walk("VEVENT") == []


@pytest.fixture
def ordered(site: Site) -> tuple[int, FlaskClient]:  # noqa: F811
    """A case in rectification with one failed item, and its company's browser."""
    with site.building() as world:
        case = world.conclude(world.scheduled(), "order_rectification", "ENV-04", words="请整改")
        case_id, login = case.id, world.clerk_of(case).login
    return case_id, site.browser(login)


def test_the_company_answers_in_words_and_photos_that_the_recheck_shows(
    site: Site,  # noqa: F811
    ordered: tuple[int, FlaskClient],
) -> None:
    case_id, clerk = ordered
    url = f"/cases/{case_id}/rectification"
    assert "ENV-04" in page(clerk.get(url))
    with site.app.app_context():
        last = inspection_service.last_concluded(db.session.get_one(Case, case_id))
        assert last is not None
        revision = last.revision
    saved = clerk.post(
        f"{url}/draft",
        json={"revision": revision, "fields": {"remedy_ENV-04": "已全面消毒"}},
        headers={"Idempotency-Key": "draft-of-a-remedy-1"},
    )
    assert saved.status_code == 200
    again = clerk.post(
        f"{url}/draft",
        json={"revision": revision, "fields": {"remedy_ENV-04": "另一个窗口"}},
        headers={"Idempotency-Key": "draft-of-a-remedy-2"},
    )
    assert (again.status_code, again.json["fields"]) == (409, {"remedy_ENV-04": "已全面消毒"})
    assert "已全面消毒" in page(clerk.get(url))
    photo = {"photo_ENV-04": (io.BytesIO(png(5)), "现场.png"), "remedy_ENV-04": "已消毒并记录"}
    photo["revision"] = str(saved.json["revision"])
    assert site.post(clerk, f"{url}/ENV-04/photos", **photo).status_code == 303
    assert site.post(clerk, f"{url}/SUP-02/photos", file=(io.BytesIO(png(6)), "a.png")).status_code == 404
    bad = site.post(clerk, f"{url}/ENV-04/photos", **{"photo_ENV-04": (io.BytesIO(b"no picture"), "a.png")})
    assert bad.status_code == 422
    body = page(clerk.get(url))
    assert "/photos/" in body
    assert "已消毒并记录" in body
    version = str(site.read(case_id)[0])
    assert site.post(clerk, url, version=version, **{"remedy_ENV-04": "已消毒并记录"}).status_code == 303
    with site.building() as world:
        recheck = inspection_service.planned(world.schedule(db.session.get_one(Case, case_id)))
        assert recheck is not None
        visit_id, login = recheck.id, world.inspectors()[0].login
    body = page(site.browser(login).get(f"/inspections/{visit_id}"))
    assert "已消毒并记录" in body
    assert "企业整改后照片" in body


def test_a_photo_is_taken_back_before_reporting(site: Site, ordered: tuple[int, FlaskClient]) -> None:  # noqa: F811
    case_id, clerk = ordered
    url = f"/cases/{case_id}/rectification"
    site.post(clerk, f"{url}/ENV-04/photos", **{"photo_ENV-04": (io.BytesIO(png(5)), "现场.png")})
    with site.app.app_context():
        visit_row = inspection_service.last_concluded(db.session.get_one(Case, case_id))
        assert visit_row is not None
        (photo_id,) = [p.id for p in visit_row.photos if p.by_company]
    assert site.post(clerk, f"{url}/photos/{photo_id}/remove").status_code == 303
    assert "/photos/" not in page(clerk.get(url)).replace(f"{url}/ENV-04/photos", "")
    assert site.post(site.officer(Role.INSPECTOR), f"{url}/photos/{photo_id}/remove").status_code == 403


def test_a_failed_veto_item_passes_neither_on_the_page_nor_from_the_phone(site: Site, visit: Visit) -> None:  # noqa: F811
    with site.building() as world:
        case = db.session.get_one(Case, visit.case_id)
        planned = inspection_service.planned(case)
        assert planned is not None
        veto = next(i.code for i in planned.items if i.is_veto)
        world.fill_sheet(case, veto)
    version = site.read(visit.case_id)[0]
    on_page = site.post(visit.first, f"/inspections/{visit.id}/conclude", action="pass_inspection", version=version)
    assert on_page.status_code == 409
    body = {
        "op_id": "0b5c5c1e-5f0c-4d4e-9b1e-111111111111",
        "action": "pass_inspection",
        "words": "",
        "rectify_by_on": "",
        "case_version": version,
        "device_at": dt.datetime.now(dt.UTC).isoformat(),
    }
    from_phone = visit.first.post(
        f"/field/{visit.id}/conclude", json=body, headers={"Idempotency-Key": "phone-concludes-1"}
    )
    assert from_phone.status_code in (409, 422)
    assert "不符合" in from_phone.get_data(as_text=True) or from_phone.json["reasons"]
    assert site.read(visit.case_id)[1] == "inspecting"


def test_an_item_gets_its_own_date_on_the_page(site: Site, visit: Visit) -> None:  # noqa: F811
    code, day = visit.codes[0], (dt.date.today() + dt.timedelta(days=2)).isoformat()  # noqa: DTZ011 - any later day
    url = f"/inspections/{visit.id}"
    with site.app.app_context():
        revision = db.session.get_one(Inspection, visit.id).revision
    form = {f"result_{code}": "fail", f"note_{code}": "没有记录", "revision": str(revision)}
    assert site.post(visit.first, f"{url}/save", **form, **{f"rectify_{code}": "后天"}).status_code == 422
    assert site.post(visit.first, f"{url}/save", **form, **{f"rectify_{code}": day}).status_code == 303
    assert f'value="{day}"' in page(visit.first.get(url))
