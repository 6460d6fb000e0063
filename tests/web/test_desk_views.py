"""The queue's tabs by who has a case, what changed meanwhile, columns, and saved views as pages."""

from __future__ import annotations

import re
from urllib.parse import urlencode

import pytest

from tests.web.desk_fixtures import Site, page, site  # noqa: F401 - a fixture
from workflow.core.actors import SYSTEM, Role
from workflow.data.cases import Case
from workflow.data.people import Account
from workflow.extensions import db

TAB = re.compile(r'data-tab="(\w+)"(?: aria-current="page")?>[^<]+<span class="fg-tabs__count">([^<]+)<')


def _counts(body: str) -> dict[str, str]:
    return dict(TAB.findall(body))


def test_the_tabs_follow_who_has_a_case(site: Site) -> None:  # noqa: F811
    first, second = site.case(), site.case()
    login = site.login(Role.REVIEWER)
    client, leader = site.browser(login), site.officer(Role.LEADER)
    assert _counts(page(client.get("/desk"))) == {
        "mine": "0", "team": "2", "open": "2", "overdue": "0", "returned": "0", "company": "0", "done": "0",
    }  # fmt: skip
    assert "escalated" in _counts(page(leader.get("/desk")))
    with site.building() as world:
        mine = db.session.query(Account).filter_by(login=login).one().person_id
        other = world.new_officer(Role.REVIEWER).person_id
        db.session.get_one(Case, first).assign(mine, because={"how": "test"}, by=SYSTEM, at=world.now)
        db.session.get_one(Case, second).assign(other, because={"how": "test"}, by=SYSTEM, at=world.now)
    body = page(client.get("/desk"))
    assert 'data-tab="mine" aria-current="page"' in body
    counts = _counts(body)
    assert (counts["mine"], counts["team"], counts["open"]) == ("1", "1", "2")
    assert "fg-who--me" in page(client.get("/desk?tab=open"))
    assert f'data-id="{second}"' in page(client.get("/desk?tab=open&assignee=" + str(other)))
    assert f'data-id="{second}"' not in page(client.get("/desk?tab=open&assignee=me"))
    assert f'data-id="{first}"' not in page(client.get("/desk?tab=open&assignee=nobody"))


def test_what_came_back_from_the_company_has_a_tab(site: Site) -> None:  # noqa: F811
    with site.building() as world:
        clerk = world.company()
        case = world.submitted(clerk)
        reviewer = world.officer(Role.REVIEWER)
        world.step(reviewer, case, "accept")
        world.judge_all(case, commitment="请补签")
        world.step(reviewer, case, "return_for_correction")
        case_id, waits = case.id, case.came_back
    client = site.officer(Role.REVIEWER)
    counts = _counts(page(client.get("/desk")))
    assert not waits
    assert (counts["returned"], counts["company"]) == ("0", "1")
    with site.building() as world:
        from workflow.data import applications
        from workflow.services import materials

        case = db.session.get_one(Case, case_id)
        application = applications.of_case(case_id)
        who = next(a for a in db.session.query(Account) if world.actor(a).enterprise_ids)
        materials.add_file(world.actor(who), application.id, "commitment", world.file(), world.now)
        db.session.commit()
        world.step(who, case, "resubmit")
    counts = _counts(page(client.get("/desk")))
    assert (counts["returned"], counts["company"]) == ("1", "0")
    assert f'data-id="{case_id}"' in page(client.get("/desk?tab=returned&again=1"))


@pytest.mark.parametrize("tab", ["mine", "team", "open", "escalated", "overdue", "returned", "company", "done"])
def test_every_empty_tab_says_so(site: Site, tab: str) -> None:  # noqa: F811
    body = page(site.officer(Role.LEADER).get(f"/desk?tab={tab}"))
    assert f'data-tab="{tab}" aria-current="page"' in body
    assert "fg-empty__title" in body


def test_changes_meanwhile(site: Site) -> None:  # noqa: F811
    case_id = site.case()
    client = site.officer(Role.REVIEWER)
    body = page(client.get("/desk?tab=team"))
    poll = re.search(r'data-poll="([^"]+)" data-tag="(\w+)"', body)
    assert poll is not None
    address, tag = poll[1].replace("&amp;", "&"), poll[2]
    same = client.get(address, headers={"If-None-Match": f'"{tag}"', "Accept": "application/json"})
    assert (same.status_code, same.data) == (304, b"")
    with site.building() as world:
        world.step(world.officer(Role.REVIEWER), db.session.get_one(Case, case_id), "accept")
    fresh = client.get(address, headers={"If-None-Match": f'"{tag}"', "Accept": "application/json"})
    assert fresh.status_code == 200
    assert f'data-id="{case_id}"' in fresh.get_data(as_text=True)
    assert fresh.headers["ETag"] != f'"{tag}"'
    assert site.app.test_client().get(address, headers={"Accept": "application/json"}).status_code == 401


def test_columns_are_kept_for_the_session(site: Site) -> None:  # noqa: F811
    site.case()
    client = site.officer(Role.REVIEWER)
    assert "fg-cell-filed" not in page(client.get("/desk"))
    answer = site.post(client, "/desk/columns", column=["filed", "sector", "nonsense"], asked="tab=open&q=机械")
    assert answer.headers["Location"].startswith("/desk?tab=open&q=")
    body = page(client.get("/desk"))
    assert "fg-cell-filed" in body
    assert "fg-cell-zone" not in body
    site.post(client, "/desk/columns", asked="tab=open")
    assert "fg-cell-filed" not in page(client.get("/desk"))


def test_a_view_is_saved_opened_changed_and_deleted(site: Site) -> None:  # noqa: F811
    site.case(name="宁波海曙晨光服装有限公司")
    client = site.officer(Role.REVIEWER)
    asked = urlencode({"tab": "open", "q": "晨光", "sort": "filed-new", "cols": "who"})
    opened = site.post(client, "/desk/views", name="晨光的", asked=asked, default="1").headers["Location"]
    body = page(client.get(opened))
    assert "关键词：晨光" in body
    assert "晨光的" in body
    assert "关键词：晨光" in page(client.get("/desk"))  # the default opens by itself
    assert "关键词" not in page(client.get("/desk?tab=open"))
    assert site.post(client, "/desk/views", name="晨光的", asked=asked).headers["Location"].startswith("/desk?")
    assert "已有一个叫" in page(client.get("/desk"))
    listed = page(client.get("/desk/views"))
    view_id = int(re.search(r"/desk/views/(\d+)/delete", listed)[1])  # type: ignore[index]
    stale = site.post(client, f"/desk/views/{view_id}", version="99", name="别的")
    assert stale.status_code == 303
    assert "已在另一个窗口改过" in page(client.get("/desk/views"))
    site.post(client, f"/desk/views/{view_id}", version="1", name="改了名", shared="team")
    assert "改了名" in page(client.get("/desk/views"))
    stranger = site.officer(Role.REVIEWER, "330203003")
    assert site.post(stranger, f"/desk/views/{view_id}/delete", version="2").status_code == 404
    assert "改了名" not in page(stranger.get("/desk/views"))
    site.post(client, f"/desk/views/{view_id}/delete", version="2")
    assert "改了名" not in page(client.get("/desk/views"))
    assert "没有采用：视图" in page(client.get(opened))


def test_a_view_whose_condition_is_gone_says_which(site: Site) -> None:  # noqa: F811
    client = site.officer(Role.REVIEWER)
    asked = urlencode({"tab": "open", "flow": "withdrawn-flow", "assignee": "987654", "heads_from": "1"})
    opened = site.post(client, "/desk/views", name="旧条件", asked=asked).headers["Location"]
    body = page(client.get(opened))
    assert "没有采用：流程、经办人" in body
    assert "复工人数至少：1" in body


def test_bad_values_are_left_out_with_a_note(site: Site) -> None:  # noqa: F811
    client = site.officer(Role.REVIEWER)
    bad = {"tab": "x", "due": "x", "filed_from": "0000-99-99", "heads_from": "9" * 400, "heads_to": "１", "view": "x"}
    body = page(client.get("/desk", query_string={**bad, "sort": "x", "again": "x", "q": "晨" * 10_000}))
    assert "没有采用" in body
    assert page(client.get("/desk", query_string={"q": "%" * 5000, "tab": "done", "after": "9" * 18 + "-1"}))
