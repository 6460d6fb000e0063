"""What commanders do with drafts and versions: two at once, two to publish, no past days, withdrawal, moving cases."""

from __future__ import annotations

import datetime as dt

import pytest
from flask import Flask

from tests.conftest import sign_in
from tests.web.publishing_desk import PublishingDesk, arrive, errors
from workflow.core.actors import Role
from workflow.core.times import SHANGHAI
from workflow.data import flows
from workflow.data.areas import Area
from workflow.data.flows import FlowVersion, RuleVersion
from workflow.extensions import db
from workflow.services import publishing

FAR = (dt.datetime.now(SHANGHAI).date() + dt.timedelta(days=365)).isoformat()
"""A day on which what is published here is not in force yet."""


@pytest.fixture
def desk(app: Flask) -> PublishingDesk:
    """Two commanders at their browsers."""
    return arrive(app)


def test_two_commanders_on_one_draft_get_both_texts_back(desk: PublishingDesk) -> None:
    draft_id = desk.start("rules:approval")
    revision, text = desk.draft(draft_id).revision, desk.draft(draft_id).text
    theirs, mine = (
        text.replace("notice_days = 1", "notice_days = 2"),
        text.replace("notice_days = 1", "notice_days = 3"),
    )
    url = f"/publishing/drafts/{draft_id}"
    assert desk.post(desk.second, url, version=revision, base=text, text=theirs).status_code == 303
    answer = desk.post(desk.first, url, version=revision, base=text, text=mine)
    body = answer.get_data(as_text=True)
    assert answer.status_code == 409
    assert "notice_days = 2" in body
    assert "notice_days = 3" in body
    assert desk.draft(draft_id).text == theirs
    again = desk.post(desk.first, url, version=desk.draft(draft_id).revision, base=theirs, text=mine)
    assert again.status_code == 303
    assert desk.draft(draft_id).text == mine


def test_what_is_typed_after_the_draft_was_proposed_is_not_lost(desk: PublishingDesk) -> None:
    draft_id = desk.start("rules:approval")
    base, revision = desk.draft(draft_id).text, desk.draft(draft_id).revision
    desk.proposed(draft_id, FAR)
    mine = base.replace("notice_days = 1", "notice_days = 9")
    answer = desk.post(desk.second, f"/publishing/drafts/{draft_id}", version=revision, base=base, text=mine)
    assert answer.status_code == 409
    assert "notice_days = 9" in answer.get_data(as_text=True)
    kept = desk.post(
        desk.second, "/publishing/drafts", source="text", kind="rules", area="3302", name="另存", text=mine
    )
    assert kept.status_code == 303


def test_the_past_and_a_mistyped_year_are_refused(desk: PublishingDesk) -> None:
    draft_id = desk.start("rules:approval")
    for day, words in (
        ("2020-02-01", "不能早于今天"),
        ("2099-02-01", "不能晚于两年之后"),
        ("昨天", "生效日期写得不对"),
        ("", "请先填写生效日期"),
    ):
        answer = desk.save(desk.first, draft_id, act="propose", effective_on=day)
        assert answer.status_code == 422
        assert words in errors(answer)


def test_nobody_approves_what_they_proposed(desk: PublishingDesk) -> None:
    draft_id = desk.start("rules:filing")
    desk.proposed(draft_id, FAR)
    revision = desk.draft(draft_id).revision
    answer = desk.post(desk.first, f"/publishing/drafts/{draft_id}/publish", version=revision)
    assert answer.status_code == 403
    assert "另一位同事" in answer.get_data(as_text=True)
    assert desk.publish(draft_id).status_code == 303
    assert desk.draft(draft_id).status == "published"


def test_publishing_twice_is_refused(desk: PublishingDesk) -> None:
    draft_id = desk.start("rules:filing")
    desk.proposed(draft_id, FAR)
    assert desk.publish(draft_id).status_code == 303
    assert desk.publish(draft_id).status_code == 409
    second = desk.start("rules:filing")
    desk.proposed(second, FAR)
    answer = desk.publish(second)
    assert answer.status_code == 422
    assert "不必再发布" in answer.get_data(as_text=True)


def test_a_proposed_draft_is_sent_back_with_words(desk: PublishingDesk) -> None:
    draft_id = desk.start("rules:filing")
    desk.proposed(draft_id, FAR)
    url = f"/publishing/drafts/{draft_id}/return"
    assert desk.post(desk.second, url, version=desk.draft(draft_id).revision).status_code == 422
    words = "负面清单少了<影院>"
    answer = desk.post(desk.second, url, version=desk.draft(draft_id).revision, words=words)
    assert answer.status_code == 303
    page = desk.first.get(f"/publishing/drafts/{draft_id}").get_data(as_text=True)
    assert "负面清单少了&lt;影院&gt;" in page


def test_a_version_in_use_is_not_withdrawn(desk: PublishingDesk) -> None:
    with desk.app.app_context():
        flow_id = db.session.scalars(db.select(FlowVersion.id).where(FlowVersion.key == "city-small")).one()
        rules_id = db.session.scalars(db.select(RuleVersion.id)).one()
    answer = desk.post(desk.first, f"/publishing/flow/{flow_id}/withdraw")
    assert answer.status_code == 409
    assert "要用这个流程" in answer.get_data(as_text=True)
    answer = desk.post(desk.first, f"/publishing/rules/{rules_id}/withdraw")
    assert answer.status_code == 409
    assert "没有别的规则可用" in answer.get_data(as_text=True)


def test_a_county_commander_stays_in_the_county(desk: PublishingDesk) -> None:
    draft_id = desk.start("rules:filing")
    with desk.building() as world:
        world.count = 10
        login = world.officer(Role.COMMANDER, "330282").login
    county = sign_in(desk.app.test_client(), login)
    assert county.get(f"/publishing/drafts/{draft_id}").status_code == 404
    answer = desk.post(county, "/publishing/drafts", source="rules:filing", area="330203")
    assert answer.status_code == 422
    assert desk.post(county, "/publishing/drafts", source="rules:filing", area="330282").status_code == 303
    with desk.app.app_context():
        flow_id = db.session.scalars(db.select(FlowVersion.id).where(FlowVersion.key == "filing")).first()
    if flow_id is not None:
        assert desk.post(county, f"/publishing/flow/{flow_id}/withdraw").status_code == 403


def test_the_simulation_is_shown_for_both_kinds(desk: PublishingDesk) -> None:
    with desk.building() as world:
        world.submitted()
    for source in ("rules:none", "flow:city-small"):
        draft_id = desk.start(source)
        answer = desk.first.get(f"/publishing/drafts/{draft_id}/simulation")
        assert answer.status_code == 200
        assert "data-trial" in answer.get_data(as_text=True)


def test_open_cases_are_moved_from_the_page(desk: PublishingDesk) -> None:
    with desk.building() as world:
        case = world.submitted()
        case_id, version = case.id, case.version
    draft_id = desk.start("flow:city-small")
    text = desk.draft(draft_id).text.replace("days = 1", "days = 3", 1)
    assert desk.save(desk.first, draft_id, text=text).status_code == 303
    with desk.building() as world:
        world.count = 20
        for role in (Role.INSPECTOR, Role.LEADER, Role.REVIEWER):
            world.officer(role)
    desk.proposed(draft_id, FAR)
    answer = desk.publish(draft_id)
    assert answer.status_code == 303, errors(answer)
    version_id = int(answer.headers["Location"].rpartition("/")[2])
    url = f"/publishing/flow/{version_id}/cases"
    assert "可以转" in desk.first.get(url).get_data(as_text=True)
    assert desk.post(desk.first, url).status_code == 422
    moved = desk.post(desk.first, url, case=case_id, **{f"version_{case_id}": version})
    assert moved.status_code == 303
    result = desk.first.get(moved.headers["Location"]).get_data(as_text=True)
    assert "已转入 1 件" in result


def test_the_flows_published_by_people_do_not_disturb_the_next_sync(desk: PublishingDesk) -> None:
    draft_id = desk.start("flow:city-small", "330282")
    with desk.building() as world:
        world.count = 10
        town = db.session.scalars(db.select(Area.code).where(Area.code.like("330282%"), Area.kind == "town")).first()
        for role in (Role.INSPECTOR, Role.LEADER, Role.REVIEWER):
            world.officer(role, str(town))
    desk.proposed(draft_id, FAR)
    answer = desk.publish(draft_id)
    assert answer.status_code == 303, errors(answer)
    with desk.building() as world:
        assert publishing.sync_flows(world.now) == []
        found = flows.newest("city-small", world.now.date())
        assert found is not None
        assert found.drafted_by is None
