"""The officers' pass desk: tabs, filters, pages, and deciding on many passes with a result for each."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from sqlalchemy import insert, select, update

from tests.web.desk_fixtures import Site, counted, page, site  # noqa: F401 - a fixture
from workflow.core.actors import Role
from workflow.core.times import shanghai_day
from workflow.data.bulk import BulkJob, BulkRow
from workflow.data.cases import Case
from workflow.data.enterprises import EnterpriseMember
from workflow.data.messages import Message
from workflow.data.passes import VehiclePass
from workflow.data.people import Account
from workflow.extensions import db
from workflow.jobs import drain
from workflow.services import passes as pass_service
from workflow.web.clock import now as real_now

OTHER_TOWN = "330203003"
PLATE = re.compile(r'<span class="fg-plate">([^<]+)</span>')
REASON = "行驶路线没有写清楚"


@pytest.fixture
def case_id(site: Site) -> int:  # noqa: F811
    """An approved case of the town."""
    return site.case("approved", name="宁波海曙东方之星国际物流供应链管理有限公司")


def ask(site: Site, case_id: int, *plates: str, **changes: object) -> list[int]:  # noqa: F811
    """Requests for passes of these plates."""
    with site.building() as world:
        world.now = real_now()
        case = db.session.get_one(Case, case_id)
        member = db.session.scalars(
            select(EnterpriseMember).where(EnterpriseMember.enterprise_id == case.enterprise_id)
        )
        clerk = db.session.scalars(select(Account).where(Account.person_id == member.one().person_id)).one()
        made = [
            pass_service.request_pass(world.actor(clerk), case_id, world.pass_request(p, **changes), world.now).id
            for p in plates
        ]
        db.session.commit()
        return made


def fill(site: Site, case_id: int, number: int, status: str = "requested") -> None:  # noqa: F811
    """Many passes of a case, as rows."""
    with site.building() as world:
        case, today = db.session.get_one(Case, case_id), shanghai_day(real_now())
        rows = [
            {
                "case_id": case.id,
                "town_id": case.town_id,
                "status": status,
                "plate": f"浙C{n:05d}",
                "plate_kind": "ordinary",
                "vehicle_type": "中型货车",
                "purpose": "goods",
                "route": "海曙区 → 北仑港",
                "schedule": "always",
                "reason": "new",
                "drivers": ["郑师傅"],
                "valid_from_on": today,
                "valid_until_on": today + dt.timedelta(days=6),
                "requested_by": world.officer(Role.REVIEWER).person_id,
                "requested_at": real_now(),
                "is_dead": False,
                "list_version": 0,
                "words": "",
            }
            for n in range(number)
        ]
        db.session.execute(insert(VehiclePass), rows)
        db.session.commit()


def status_of(site: Site, *ids: int) -> list[str]:  # noqa: F811
    """The statuses that are stored."""
    with site.app.app_context():
        found = dict(db.session.execute(select(VehiclePass.id, VehiclePass.status)).all())
        db.session.remove()
        return [found[i] for i in ids]


def work(site: Site) -> None:  # noqa: F811
    """Let the worker do what waits."""
    with site.app.app_context():
        drain.drain(real_now)
        db.session.remove()


def test_the_desk_shows_requests_and_narrows_them(site: Site, case_id: int) -> None:  # noqa: F811
    ask(site, case_id, "浙B12345", "浙BD12345")
    other = site.case("approved", name="宁波海曙试验百货有限公司")
    ask(site, other, "浙B77777", purpose="supplies")
    client = site.officer(Role.REVIEWER)
    body = page(client.get("/passes"))
    assert PLATE.findall(body) == ["浙B·12345", "浙B·D12345", "浙B·77777"]
    assert 'aria-current="page">待办理<span class="fg-tabs__count">3</span>' in body
    assert PLATE.findall(page(client.get("/passes?plate=b-o12".replace("o", "")))) == ["浙B·12345"]
    assert PLATE.findall(page(client.get("/passes?plate=I2345"))) == ["浙B·12345", "浙B·D12345"]
    assert PLATE.findall(page(client.get("/passes?company=百货"))) == ["浙B·77777"]
    assert PLATE.findall(page(client.get("/passes?kind=supplies"))) == ["浙B·77777"]
    assert PLATE.findall(page(client.get(f"/passes?case={other}"))) == ["浙B·77777"]
    assert "没有符合条件的通行证" in page(client.get("/passes?reason=lost"))
    assert "没有有效的通行证" in page(client.get("/passes?tab=standing"))
    for nonsense in ("tab=x&days=999&town=1&case=x&kind=%27", "after=99999999", "before=1", "plate=%00%25_"):
        assert client.get(f"/passes?{nonsense}").status_code == 200


def test_nobody_sees_another_towns_or_their_own_companys_passes(site: Site, case_id: int) -> None:  # noqa: F811
    (asked,) = ask(site, case_id, "浙B12345")
    stranger = site.officer(Role.REVIEWER, OTHER_TOWN)
    assert "浙B·12345" not in page(stranger.get("/passes"))
    body = page(site.post(stranger, "/passes/bulk", action="passes_grant", **{"pass": str(asked)}))
    assert "没有您可以办理的通行证" in body
    assert site.post(stranger, "/passes/bulk/start", action="passes_grant", row=str(asked)).status_code == 404
    for role in (Role.INSPECTOR, Role.AUDITOR, Role.ADMIN):
        client = site.officer(role, "330203002" if role is Role.INSPECTOR else "3302")
        assert client.get("/passes").status_code == 403
        assert site.post(client, "/passes/bulk/start", action="passes_grant", row=str(asked)).status_code == 403
    assert status_of(site, asked) == ["requested"]


def test_many_are_granted_refused_suspended_resumed_and_revoked(site: Site, case_id: int) -> None:  # noqa: F811
    first, second, third = ask(site, case_id, "浙B12345", "浙B12346", "浙B12347")
    client = site.officer(Role.REVIEWER)
    body = page(site.post(client, "/passes/bulk", action="passes_grant", **{"pass": [str(first), str(second)]}))
    assert "选了 2 张，其中 2 张可以办" in body
    answer = site.post(client, "/passes/bulk/start", action="passes_grant", row=[str(first), str(second)])
    result = page(client.get(answer.headers["Location"]))
    assert "共 2 张，已发放 2 张，未成 0 张" in result
    assert "浙B·12345" in result
    assert status_of(site, first, second, third) == ["granted", "granted", "requested"]
    again = page(site.post(client, "/passes/bulk", action="passes_grant", **{"pass": [str(first), str(third)]}))
    assert "1 张现在不能办" in again
    assert "这份通行证申请已经办理过了" in again
    for action, moved, row in (
        ("passes_refuse", ["granted", "granted", "refused"], third),
        ("passes_suspend", ["suspended", "granted", "refused"], first),
        ("passes_resume", ["granted", "granted", "refused"], first),
        ("passes_revoke", ["granted", "revoked", "refused"], second),
    ):
        refused = site.post(client, "/passes/bulk/start", action=action, row=str(row), passes=str(row), words=" 同意 ")
        assert refused.status_code == 422
        assert "理由请写具体" in refused.get_data(as_text=True)
        assert site.post(client, "/passes/bulk/start", action=action, row=str(row), words=REASON).status_code == 303
        assert status_of(site, first, second, third) == moved
    with site.app.app_context():
        assert {r.words for r in db.session.scalars(select(BulkRow))} == {""}
        assert db.session.get_one(VehiclePass, third).words == REASON


def test_one_refused_row_leaves_the_others(site: Site, case_id: int) -> None:  # noqa: F811
    first, second = ask(site, case_id, "浙B12345", "浙B12346")
    with site.building():
        past = shanghai_day(real_now()) - dt.timedelta(days=1)
        db.session.execute(
            update(VehiclePass).where(VehiclePass.id == first).values(valid_from_on=past, valid_until_on=past)
        )
        db.session.commit()
    client = site.officer(Role.REVIEWER)
    answer = site.post(
        client, "/passes/bulk/start", action="passes_grant", row=[str(first), str(second), "999999", "x"]
    )
    result = page(client.get(answer.headers["Location"]))
    assert "共 2 张，已发放 1 张，未成 1 张" in result
    assert "有效期已过" in result
    assert status_of(site, first, second) == ["requested", "granted"]
    assert "再办没办成的 1 张" in result


def test_a_double_click_makes_one_job(site: Site, case_id: int) -> None:  # noqa: F811
    (asked,) = ask(site, case_id, "浙B12345")
    client = site.officer(Role.REVIEWER)
    data = {"idempotency_key": "pass-double-click", "action": "passes_grant", "row": str(asked)}
    answers = [client.post("/passes/bulk/start", data=data) for _ in range(2)]
    assert answers[0].headers["Location"] == answers[1].headers["Location"]
    with site.app.app_context():
        assert len(db.session.scalars(select(BulkJob)).all()) == 1


def test_hundreds_are_left_to_the_worker_and_the_company_is_told_once(site: Site, case_id: int) -> None:  # noqa: F811
    fill(site, case_id, 130)
    client = site.officer(Role.REVIEWER)
    with counted(site.app) as seen:
        body = page(client.get("/passes"))
    assert len(seen) <= 15, seen
    assert len(body.encode()) <= 120_000
    preview = page(site.post(client, "/passes/bulk", action="passes_grant", tab="requested", all="1"))
    rows = re.findall(r'name="row" value="(\d+)"', preview)
    assert len(rows) == 130
    answer = site.post(client, "/passes/bulk/start", action="passes_grant", row=rows)
    shown = page(client.get(answer.headers["Location"]))
    assert "还剩 130 张" in shown
    work(site)
    with counted(site.app) as seen:
        done = page(client.get(answer.headers["Location"]))
    assert len(seen) <= 15, seen
    assert "共 130 张，已发放 130 张" in done
    with site.app.app_context():
        assert {p.status for p in db.session.scalars(select(VehiclePass))} == {"granted"}
        assert len(db.session.scalars(select(Message).where(Message.event == "pass_granted")).all()) <= 7
    assert "剩" not in PLATE.sub("", page(client.get("/passes?tab=standing"))).split("<tbody>")[1].split("</tbody>")[0]


def test_pages_follow_each_other_both_ways(site: Site, case_id: int) -> None:  # noqa: F811
    fill(site, case_id, 120)
    client = site.officer(Role.LEADER)
    seen: list[str] = []
    url = "/passes"
    while url:
        body = page(client.get(url))
        seen += PLATE.findall(body)
        on = re.search(r'href="([^"]+)" rel="next"', body)
        last, url = url, on[1].replace("&amp;", "&") if on else ""
    assert seen == [f"浙C·{n:05d}" for n in range(120)]
    back = re.search(r'href="([^"]+)" rel="prev"', page(client.get(last)))
    assert back
    assert PLATE.findall(page(client.get(back[1].replace("&amp;", "&")))) == seen[50:100]


def test_nothing_ticked_leads_back(site: Site, case_id: int) -> None:  # noqa: F811
    client = site.officer(Role.REVIEWER)
    answer = site.post(client, "/passes/bulk", action="passes_grant", tab="standing")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/passes?tab=standing")
    assert "请先勾选通行证" in page(client.get("/passes"))
    assert site.post(client, "/passes/bulk", action="accept", **{"pass": "1"}).status_code == 404
    assert site.post(client, "/desk/bulk", action="passes_grant", case="1").status_code == 404
    many = ",".join(map(str, range(1001)))
    assert site.post(client, "/passes/bulk", action="passes_grant", passes=many).status_code == 303


def test_what_is_ticked_is_printed_as_one_file(site: Site, case_id: int) -> None:  # noqa: F811
    first, second, other = ask(site, case_id, "浙B12345", "浙B12346", "浙B12347")
    client = site.officer(Role.REVIEWER)
    site.post(client, "/passes/bulk/start", action="passes_grant", row=[str(first), str(second), str(other)])
    standing = page(client.get("/passes?tab=standing"))
    assert 'formaction="/passes/prints"' in standing
    assert 'formaction="/passes/prints"' not in page(client.get("/passes"))
    ticked = {"pass": [str(first), str(second)]}
    answer = site.post(client, "/passes/prints", layout="half", format="pdf", tab="standing", **ticked)
    assert answer.status_code == 303
    assert "2 张" in page(client.get(answer.headers["Location"]))
    answer = site.post(client, "/passes/prints", layout="half", format="pdf")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/passes?tab=standing")
