"""The phone over HTTP: the day, operations, photos as evidence, signatures and the conclusion, and what is refused."""

# ruff: noqa: F811 - fixtures are imported, and named again by whoever takes them

from __future__ import annotations

import base64
import io
from typing import Any

import pytest
from PIL import Image

from tests.web.desk_fixtures import Site, counted, page, site  # noqa: F401 - a fixture
from tests.web.phone import DEVICE, Visit, day, gps_jpeg, items, op, sync, uid, visit  # noqa: F401 - fixtures among them
from workflow.core.actors import Role
from workflow.data import inspections
from workflow.data.inspections import Inspection
from workflow.extensions import db
from workflow.services import inspections as inspection_service
from workflow.services import rectifications
from workflow.services.inspections import Appointment


def test_the_day_holds_all_that_a_basement_needs(site: Site, visit: Visit) -> None:
    found = day(visit.first)
    (taken,) = found["visits"]
    assert found["csrf"]
    assert (taken["id"], taken["status"], taken["address"]) == (visit.id, "planned", "试验路 1 号")
    assert taken["contact"] == {"name": "吴联络", "phone": "13800138000"}
    assert list(items(taken)) == visit.codes
    one = next(i for i in items(taken).values() if i["limit_words"])
    assert one["unit"]
    assert one["result"] == ""
    assert {c["outcome"] for c in taken["conclusions"]} == {"pass", "rectify", "fail"}
    assert [c["needs_date"] for c in taken["conclusions"] if c["outcome"] == "rectify"] == [True]
    assert not any(c["open"] for c in taken["conclusions"])
    assert taken["signatures"] == {"company": None, "lead": None, "second": None}
    assert day(site.officer(Role.INSPECTOR, "330203003"))["visits"] == []
    with counted(site.app) as seen:
        day(visit.first)
    assert len(seen) <= 45, len(seen)


def test_a_lost_reply_and_two_phones(visit: Visit) -> None:
    sent = [op(visit, n) for n in range(4)]
    first = sync(visit.first, *sent)
    assert [r["status"] for r in first] == ["applied"] * 4
    again = sync(visit.first, *sent)
    assert [r["status"] for r in again] == ["duplicate"] * 4
    assert [r["current"] for r in again] == [r["current"] for r in first]
    clash, other = op(visit, 50, code=visit.codes[0], result="na", measured=""), op(visit, 51, code=visit.codes[5])
    found = sync(visit.second, clash, other)
    assert [r["status"] for r in found] == ["conflict", "applied"]
    assert (found[0]["current"]["result"], found[0]["current"]["marked_by"]) == ("conform", "干部" + _digits(found[0]))
    assert "另一名核查员" in found[0]["message"]
    resolved = op(visit, 52, code=visit.codes[0], result="na", measured="", base_revision=found[0]["revision"])
    assert [r["status"] for r in sync(visit.second, resolved)] == ["applied"]
    assert items(day(visit.first)["visits"][0])[visit.codes[0]]["result"] == "na"


def _digits(result: dict[str, Any]) -> str:
    return "".join(c for c in result["current"]["marked_by"] if c.isdigit())


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"op_id": "x"}, "编号格式"),
        ({"op_id": None}, "编号格式"),
        ({"kind": "delete"}, "种类不明"),
        ({"inspection_id": "1"}, "表单内容不对"),
        ({"base_revision": True}, "表单内容不对"),
        ({"base_revision": 1 << 40}, "表单内容不对"),
        ({"note": 7}, "表单内容不对"),
        ({"device_at": "yesterday"}, "手机时间"),
        ({"device_at": "2020-02-15T09:30:00"}, "手机时间"),
        ({"device_at": "0001-01-01T00:00:00+08:00"}, "手机时间"),
    ],
)
def test_a_misshapen_operation_is_refused_alone(visit: Visit, changes: dict[str, Any], words: str) -> None:
    found = sync(visit.first, op(visit, 1, **changes), op(visit, 2))
    assert [r["status"] for r in found] == ["refused", "applied"]
    assert words in found[0]["message"]


def test_misshapen_requests_are_refused_as_a_whole(visit: Visit) -> None:
    client = visit.first
    many = [op(visit, n) for n in range(501)]
    for body in ([], {}, {"device_id": DEVICE, "ops": {}}, {"device_id": "x", "ops": [op(visit, 1)]}):
        assert client.post("/field/sync", json=body).status_code == 422
    assert client.post("/field/sync", json={"device_id": DEVICE, "ops": many}).status_code == 422
    fat = [op(visit, n, note="长" * 1000) for n in range(200)]
    answer = client.post("/field/sync", json={"device_id": DEVICE, "ops": fat})
    assert (answer.status_code, answer.get_json()["message"]) == (413, "一次上传的记录过多，请分批上传。")
    assert sync(client, None, 7, op(visit, 3))[2]["status"] == "applied"
    assert sync(client) == []


def test_strangers_and_expired_sign_ins_are_answered_in_json(site: Site, visit: Visit) -> None:
    stranger = site.app.test_client()
    for method, url in (
        ("GET", "/field/day.json"),
        ("POST", "/field/sync"),
        ("GET", f"/field/{visit.id}/photos"),
        ("PUT", f"/field/{visit.id}/photos/{uid(1)}"),
        ("PUT", f"/field/{visit.id}/signatures/lead"),
        ("POST", f"/field/{visit.id}/conclude"),
    ):
        answer = stranger.open(url, method=method)
        assert (answer.status_code, answer.is_json) == (401, True), url
        assert answer.get_json()["message"]
    site.app.config["WTF_CSRF_ENABLED"] = True
    body = {"device_id": DEVICE, "ops": []}
    assert stranger.post("/field/sync", json=body).status_code == 401
    refused = visit.first.post("/field/sync", json=body)
    assert (refused.status_code, refused.is_json) == (400, True)
    token = day(visit.first)["csrf"]
    assert visit.first.post("/field/sync", json=body, headers={"X-CSRFToken": token}).status_code == 200
    site.app.config["WTF_CSRF_ENABLED"] = False


def drawing(side: int = 60) -> str:
    """A stroke, black on transparent, as a canvas gives it."""
    picture = Image.new("RGBA", (side * 3, side), (0, 0, 0, 0))
    for x in range(10, side * 3 - 10):
        picture.putpixel((x, side // 2), (0, 0, 0, 255))
    output = io.BytesIO()
    picture.save(output, "PNG")
    return "data:image/png;base64," + base64.b64encode(output.getvalue()).decode()


def test_signatures(visit: Visit) -> None:
    url, body = (
        f"/field/{visit.id}/signatures",
        {"status": "signed", "name": "周试验", "post": "厂长", "image": drawing()},
    )
    signed = visit.second.put(f"{url}/company", json={**body, "op_id": uid(1)})
    assert signed.status_code == 200, signed.get_data(as_text=True)
    assert visit.second.put(f"{url}/company", json={**body, "op_id": uid(1)}).status_code == 200
    assert visit.second.put(f"{url}/lead", json={**body, "op_id": uid(2)}).status_code == 403
    assert visit.first.put(f"{url}/lead", json={"op_id": uid(3), "status": "signed"}).status_code == 200
    shown = day(visit.first)["visits"][0]["signatures"]
    assert (shown["company"]["name"], shown["company"]["stale"], shown["second"]) == ("周试验", False, None)
    sync(visit.first, op(visit, 70))
    assert day(visit.first)["visits"][0]["signatures"]["company"]["stale"] is True
    wrong: list[tuple[str, dict[str, Any], int]] = [
        ("company", {"status": "refused", "reason": ""}, 422),
        ("company", {"status": "maybe"}, 422),
        ("company", {"name": "", "image": ""}, 422),
        ("company", {"image": "data:image/png;base64,AAAA"}, 422),
        ("company", {"image": "data:image/svg+xml;base64,AAAA"}, 422),
        ("company", {"image": "data:image/png;base64," + "A" * 300_000}, 422),
        ("company", {"op_id": "x"}, 422),
        ("guard", {}, 404),
    ]
    for number, (party, changes, status) in enumerate(wrong):
        answer = visit.first.put(f"{url}/{party}", json={**body, "op_id": uid(10 + number), **changes})
        assert answer.status_code == status, (party, changes)
    refused = {"op_id": uid(30), "status": "refused", "reason": "对结果有异议", "name": "周试验"}
    assert visit.first.put(f"{url}/company", json=refused).get_json()["signature"]["status"] == "refused"


def test_a_whole_sheet_and_its_conclusion(site: Site, visit: Visit) -> None:
    sync(visit.first, *(op(visit, n) for n in range(len(visit.codes) - 1)))
    url, version = f"/field/{visit.id}/conclude", day(visit.first)["visits"][0]["case_version"]
    body = {"op_id": uid(800), "action": "pass_inspection", "words": "属实", "case_version": version}
    early = visit.first.post(url, json=body)
    assert early.status_code == 409
    assert early.get_json()["reasons"] == ["核查清单还有 1 项未填"]
    sync(visit.second, op(visit, len(visit.codes) - 1))
    assert visit.first.post(url, json={**body, "case_version": version - 1}).status_code == 409
    assert visit.first.post(url, json={**body, "case_version": "1"}).status_code == 422
    assert visit.first.post(url, json={**body, "rectify_by_on": "soon"}).status_code == 422
    done = visit.first.post(url, json=body)
    assert (done.status_code, done.get_json()["status"]) == (200, "concluded")
    assert done.get_json()["document_id"]
    assert visit.first.post(url, json=body).get_json() == done.get_json()
    assert visit.second.post(url, json={**body, "op_id": uid(801)}).status_code == 409
    (taken,) = day(visit.second)["visits"]
    assert (taken["status"], taken["conclusions"]) == ("concluded", [])
    late = sync(visit.second, op(visit, 1, op_id=uid(802), result="fail", note="晚到"))
    assert (late[0]["status"], late[0]["current"]["result"]) == ("refused", "conform")
    assert visit.put(9, gps_jpeg()).status_code == 409
    assert site.read(visit.case_id)[1] == "awaiting_decision"


def test_a_veto_item_does_not_pass_by_the_phone_either(site: Site, visit: Visit) -> None:
    veto = next(c for c, i in items(day(visit.first)["visits"][0]).items() if i["veto"])
    marks = [op(visit, n) for n in range(len(visit.codes))]
    bad = next(m for m in marks if m["code"] == veto)
    bad.update(result="fail", measured="", note="不合格")
    sync(visit.first, *marks)
    version = site.read(visit.case_id)[0]
    body = {"op_id": uid(800), "action": "pass_inspection", "words": "", "case_version": version}
    answer = visit.first.post(f"/field/{visit.id}/conclude", json=body)
    assert answer.status_code == 409
    assert "不符合" in answer.get_json()["reasons"][0]


def test_what_a_replaced_inspector_left_is_listed_and_taken_over(site: Site, visit: Visit) -> None:
    with site.building() as world:
        first, second = world.inspectors()
        third = world.new_officer(Role.INSPECTOR)
        case = db.session.get_one(Inspection, visit.id).case
        new = Appointment(db.session.get_one(Inspection, visit.id).visit_at, third.person_id, second.person_id)
        inspection_service.schedule(
            world.actor(second), case.id, "change_appointment", new, version=case.version, now=world.now
        )
        login = third.login
        assert first.person_id != third.person_id
    found = sync(visit.first, op(visit, 1, result="fail", measured="", note="<b>通道堵塞</b>"))
    assert (found[0]["status"], found[0]["current"]) == ("refused", None)
    newcomer, url = site.browser(login), f"/field/{visit.id}/left"
    assert "有 1 条他人留下的记录" in page(newcomer.get(f"/inspections/{visit.id}"))
    body = page(newcomer.get(url))
    assert "&lt;b&gt;通道堵塞" in body
    number = body.split('name="operation" value="')[1].split('"')[0]
    assert visit.first.get(url).status_code == 403
    assert site.post(newcomer, url).status_code == 422
    assert site.post(newcomer, url, operation=number).status_code == 303
    assert items(day(newcomer)["visits"][0])[visit.codes[1]]["result"] == "fail"
    assert "没有他人留下的记录" in page(newcomer.get(url))


def test_two_pages_do_not_overwrite_each_other(site: Site, visit: Visit) -> None:
    url = f"/inspections/{visit.id}"
    drawn = page(visit.first.get(url))
    seen = drawn.split('name="seen" value="')[1].split('"')[0]
    a, b = visit.codes[:2]
    fields = {f"{part}_{c}": "" for part in ("measured", "note") for c in visit.codes}
    other = {**fields, f"result_{b}": "fail", f"note_{b}": "后门堵塞"}
    assert site.post(visit.second, f"{url}/save", **other, revision="1", seen=seen).status_code == 303
    mine = {**fields, f"result_{a}": "na"}
    assert site.post(visit.first, f"{url}/save", **mine, revision="1", seen=seen).status_code == 303
    marks = items(day(visit.first)["visits"][0])
    assert (marks[a]["result"], marks[b]["result"], marks[b]["note"]) == ("na", "fail", "后门堵塞")
    clash = {**fields, f"result_{b}": "na"}
    refused = site.post(visit.first, f"{url}/save", **clash, revision="1", seen=seen)
    assert refused.status_code == 409
    assert "后门堵塞" in refused.get_data(as_text=True)


def test_a_recheck_shows_what_the_company_put_right(site: Site) -> None:
    """Only what failed is asked again, with the company's words and the number of its photos."""
    with site.building(days_ago=6) as world:
        case = world.scheduled()
        failed = [i.code for i in inspections.of_case(case.id)[-1].items if not i.is_veto][1]
        world.conclude(case, "order_rectification", failed, words="请整改")
        clerk = world.actor(world.clerk_of(case))
        rectifications.add_photo(clerk, case.id, failed, world.file(), caption="已装好", now=world.later(hours=1))
        db.session.commit()
        db.session.refresh(case)
        inspection_service.report_rectified(
            clerk, case.id, "report_rectified", {failed: "已整改"}, version=case.version, now=world.later(hours=1)
        )
        db.session.commit()
        db.session.refresh(case)
        world.schedule(case)
        login = world.inspectors()[0].login
    taken = day(site.browser(login))["visits"][-1]
    assert taken["is_recheck"]
    (one,) = items(taken).values()
    assert (one["code"], one["remedy"], one["remedy_photos"], one["result"]) == (failed, "已整改", 1, "")
