"""The queue: who sees what in which tab, search, conditions, paging, columns, changes meanwhile, and its cost."""

from __future__ import annotations

import re

import pytest

from tests.web.desk_fixtures import Site, counted, page, site  # noqa: F401 - a fixture
from workflow.core.actors import Role
from workflow.core.clocks import NO_LIMIT
from workflow.web.context import due_state

ROW = re.compile(r"复工-[^<\s-]+-\d{8}-\d{4}(?:-\d{4})?(?=</a>)")
OTHER_COUNTY = "330205001"


@pytest.fixture
def two(site: Site) -> tuple[int, int]:  # noqa: F811
    """Two submitted cases of the town, one above scale with a name that has signs of its own."""
    plain = site.case(name="宁波海曙晨光服装有限公司")
    odd = site.case(name="宁波100%棉_纺🧵织'厂有限公司", size="above", head_count="300")
    return plain, odd


def test_the_queue_shows_what_waits_for_the_reader(site: Site, two: tuple[int, int]) -> None:  # noqa: F811
    body = page(site.officer(Role.REVIEWER).get("/desk"))
    assert "宁波海曙晨光服装有限公司" in body
    assert len(ROW.findall(body)) == 2
    assert "批量办理" in body
    assert 'data-tab="team" aria-current="page"' in body
    assert body.count("待分派</td>") == 2


def test_another_town_sees_none_of_it(site: Site, two: tuple[int, int]) -> None:  # noqa: F811
    client = site.officer(Role.REVIEWER, "330203003")
    for tab in ("mine", "open", "done"):
        assert "晨光" not in page(client.get(f"/desk?tab={tab}"))
    assert client.get(f"/cases/{two[0]}").status_code == 404
    assert client.get(f"/cases/{two[0]}/materials").status_code == 404


def test_wrong_roles_do_not_enter(site: Site) -> None:  # noqa: F811
    for role in (Role.ADMIN, Role.GUARD):
        client = site.officer(role)
        assert client.get("/desk").status_code == 403
    assert site.app.test_client().get("/desk").status_code == 303


def test_whoever_only_looks_gets_no_own_queue_and_no_boxes(site: Site, two: tuple[int, int]) -> None:  # noqa: F811
    body = page(site.officer(Role.AUDITOR).get("/desk"))
    assert 'data-tab="mine"' not in body
    assert 'data-tab="team"' not in body
    assert len(ROW.findall(body)) == 2
    assert 'name="case"' not in body


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("晨光", 1),
        ("光", 1),
        ("100%", 1),
        ("%", 1),
        ("_", 1),
        ("棉_纺", 1),
        ("%%", 0),
        ("'", 1),
        ("' OR 1=1 --", 0),
        ("🧵", 1),
        ("🚫", 0),
        ("91330201", 2),
        ("浙B12345", 0),
        ("<script>alert(1)</script>", 0),
        ("宁" * 10_000, 0),
        ("\x00\u202e宁波", 2),
        ("   ", 2),
    ],
)
def test_search(site: Site, two: tuple[int, int], text: str, found: int) -> None:  # noqa: F811
    body = page(site.officer(Role.REVIEWER).get("/desk", query_string={"q": text, "tab": "open"}))
    assert len(ROW.findall(body)) == found
    assert "<script>alert" not in body


def test_filters(site: Site, two: tuple[int, int]) -> None:  # noqa: F811
    client = site.officer(Role.REVIEWER)
    expected = {
        "flow=city-large": 1,
        "flow=city-small": 1,
        "group=review": 2,
        "group=inspection": 0,
        "group=decision": 0,
        "group=company": 0,
        "overdue=1": 0,
        "area=330203002": 2,
        "area=330205001": 2,
        "flow=nonsense&group=nonsense&area=nonsense&tab=open": 2,
    }
    seen = {query: len(ROW.findall(page(client.get(f"/desk?tab=open&{query}")))) for query in expected}
    assert seen == expected
    assert len(ROW.findall(page(client.get("/desk?tab=done")))) == 0


def test_closed_cases_are_under_done(site: Site) -> None:  # noqa: F811
    case_id = site.case("approved")
    client = site.officer(Role.LEADER)
    assert f"/cases/{case_id}" in page(client.get("/desk?tab=done&group=approved"))
    assert f"/cases/{case_id}" not in page(client.get("/desk?tab=done&group=ended"))
    assert f"/cases/{case_id}" not in page(client.get("/desk?tab=open"))


def test_paging_forward_and_back_with_equal_deadlines(site: Site, two: tuple[int, int]) -> None:  # noqa: F811
    site.copies(two[0], 118)
    client = site.officer(Role.REVIEWER)
    url, pages = "/desk?tab=open", []
    while url:
        body = page(client.get(url))
        pages.append(ROW.findall(body))
        found = re.search(r'href="([^"]+)" rel="next"', body)
        back = re.search(r'href="([^"]+)" rel="prev"', body)
        url = found[1].replace("&amp;", "&") if found else ""
    assert [len(p) for p in pages] == [50, 50, 20]
    assert len({r for p in pages for r in p}) == 120
    assert back is not None
    seen = []
    while back:
        body = page(client.get(back[1].replace("&amp;", "&")))
        seen.append(ROW.findall(body))
        back = re.search(r'href="([^"]+)" rel="prev"', body)
    assert seen == [pages[1], pages[0]]


@pytest.mark.parametrize("mark", ["x", "-1-2", "9" * 40 + "-1", "1-" + "9" * 40, "99999999999999999-1", ""])
def test_a_broken_place_shows_the_beginning(site: Site, two: tuple[int, int], mark: str) -> None:  # noqa: F811
    assert len(ROW.findall(page(site.officer(Role.REVIEWER).get(f"/desk?after={mark}")))) == 2


def test_the_number_of_statements_does_not_grow_with_the_rows(site: Site, two: tuple[int, int]) -> None:  # noqa: F811
    client = site.officer(Role.REVIEWER)
    site.copies(two[1], 60)  # more than a page already: whether there are more is a question of its own
    page(client.get("/desk"))
    with counted(site.app) as few:
        page(client.get("/desk?tab=open&q=宁波"))
    site.copies(two[0], 300)
    with counted(site.app) as many:
        page(client.get("/desk?tab=open&q=宁波"))
    assert len(many) == len(few)
    assert len(many) <= 15, many


def test_counts_are_capped(site: Site, two: tuple[int, int]) -> None:  # noqa: F811
    site.copies(two[0], 1000)
    body = page(site.officer(Role.REVIEWER).get("/desk?q=晨光"))
    assert "符合条件的共 1,000+ 件" in body


def test_a_case_without_a_limit_is_due_never() -> None:
    assert due_state(NO_LIMIT) == "none"
