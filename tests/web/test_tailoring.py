"""Pages of one enterprise, one policy: choosing, the preview of the chart, proposing, deciding, and who sees it."""

from __future__ import annotations

import re
from urllib.parse import urlencode

import pytest
from flask.testing import FlaskClient

from tests.web.desk_fixtures import Site, counted, page
from tests.web.desk_fixtures import site as site  # a fixture
from workflow.core.actors import Role
from workflow.data.cases import Case
from workflow.extensions import db

CHOICE = {
    "extra": "safety",
    "waive": "licence",
    "role": "leading_group",
    "before": "awaiting_decision",
    "step_days": "2",
    "state": "reviewing",
    "more_days": "3",
}
LINES = (
    "追加材料：安全检查情况报备表",
    "免交材料：营业执照副本",
    "加办：进入“待镇街审定”前由防控领导小组先同意（2 个工作日）",
    "延长时限：“材料审核中”多给 3 个工作日",
)


class Story:
    """A submitted case with a reviewer and a leader at their browsers."""

    def __init__(self, site: Site) -> None:
        self.site = site
        with site.building() as world:
            clerk = world.company()
            self.clerk_login = clerk.login
            self.case_id = world.submitted(clerk).id
            world.officer(Role.LEADING_GROUP, "330203")
        self.reviewer, self.leader = site.officer(Role.REVIEWER), site.officer(Role.LEADER)
        self.url = f"/cases/{self.case_id}/tailoring"

    def propose(self, client: FlaskClient | None = None, **changes: str) -> int:
        """Propose the choice; gives the status."""
        version, _state = self.site.read(self.case_id)
        fields = {**CHOICE, "reason": "冷链企业", "version": version, **changes}
        return self.site.post(client or self.reviewer, self.url, **fields).status_code

    def proposal(self) -> str:
        """The address of the pending proposal's acts."""
        found = re.search(r"/tailorings/\d+", page(self.leader.get(self.url)))
        assert found is not None
        return found.group()


@pytest.fixture
def story(site: Site) -> Story:
    return Story(site)


def test_a_choice_is_shown_in_words_and_as_a_chart_before_anything_is_written(story: Story) -> None:
    empty = page(story.reviewer.get(story.url))
    assert "预览调整" in empty
    assert "提出调整建议" not in empty
    shown = page(story.reviewer.get(f"{story.url}?{urlencode(CHOICE)}"))
    for line in LINES:
        assert line in shown
    assert "调整后的流程图" in shown
    assert "加办：防控领导小组" in shown
    with story.site.app.app_context():
        assert db.session.get_one(Case, story.case_id).tailoring is None


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"role": ""}, "加办步骤要同时选"),
        ({"before": "submitted"}, "案件已过此环节"),
        ({"more_days": "99"}, "延长的工作日应在"),
        ({"extra": "licence", "waive": ""}, "追加的材料本来就要交"),
        ({"state": "approved"}, "没有时限"),
    ],
)
def test_a_choice_that_can_not_be_is_explained(story: Story, changes: dict[str, str], words: str) -> None:
    typed = {k: v for k, v in {**CHOICE, **changes}.items() if v}
    answer = story.reviewer.get(f"{story.url}?{urlencode(typed)}")
    assert answer.status_code == 422
    assert words in answer.get_data(as_text=True)
    assert story.propose(**changes) == 422


def test_what_a_leader_approves_everybody_sees(story: Story) -> None:
    assert story.propose() == 303
    desk = page(story.leader.get(f"/cases/{story.case_id}"))
    assert "待审定" in desk
    assert "查看并审定" in desk
    waiting = page(story.leader.get(story.url))
    for line in LINES:
        assert line in waiting
    assert "冷链企业" in waiting
    assert story.site.post(story.leader, f"{story.proposal()}/approve", words="同意").status_code == 303
    company = page(story.site.browser(story.clerk_login).get(f"/cases/{story.case_id}"))
    for text in (company, page(story.reviewer.get(f"/cases/{story.case_id}"))):
        assert "本企业适用一企一策：" in text
        assert "同意一企一策调整" in text
        assert "加办：防控领导小组" in text, "the chart shows the extra step"
        for line in LINES:
            assert line in text
    assert "冷链企业" not in company, "the officers' reason stays with them"


def test_a_proposer_does_not_approve_and_may_take_it_back(story: Story) -> None:
    assert story.propose(story.leader) == 303
    waiting = page(story.leader.get(story.url))
    assert "/approve" not in waiting
    url = story.proposal()
    refused = story.site.post(story.leader, f"{url}/approve", words="同意")
    assert refused.status_code == 403
    assert story.site.post(story.reviewer, f"{url}/approve", words="同意").status_code == 403
    assert story.site.post(story.leader, f"{url}/withdraw").status_code == 303
    assert "已撤回" in page(story.leader.get(story.url))
    assert story.site.post(story.leader, f"{url}/withdraw").status_code == 409


def test_a_refusal_needs_words_which_stay(story: Story) -> None:
    assert story.propose() == 303
    url = story.proposal()
    assert story.site.post(story.leader, f"{url}/refuse", words="").status_code == 422
    assert story.site.post(story.leader, f"{url}/refuse", words="照常办理即可").status_code == 303
    text = page(story.reviewer.get(story.url))
    assert "未同意" in text
    assert "照常办理即可" in text


def test_a_stale_or_incomplete_proposal_gives_the_words_back(story: Story) -> None:
    stale = story.site.post(story.reviewer, story.url, **{**CHOICE, "reason": "写了很久的理由", "version": 99})
    assert stale.status_code == 409
    text = stale.get_data(as_text=True)
    assert "写了很久的理由" in text
    assert LINES[0] in text, "the choice is still there, drawn from the present version"
    assert story.propose(reason=" ") == 422


def test_a_case_that_moved_on_is_not_changed(story: Story) -> None:
    assert story.propose(extra="", waive="", role="leader", before="reviewing", state="") == 303
    url = story.proposal()
    with story.site.building() as world:
        world.step(world.officer(Role.REVIEWER), db.session.get_one(Case, story.case_id), "accept")
    answer = story.site.post(story.leader, f"{url}/approve", words="同意，尽快")
    assert answer.status_code == 409
    text = answer.get_data(as_text=True)
    assert "这项调整不再适用" in text
    assert "案件已过此环节" in text
    assert "同意，尽快" in text


def test_after_the_review_no_materials_are_offered(story: Story) -> None:
    with story.site.building() as world:
        case = db.session.get_one(Case, story.case_id)
        reviewer = world.officer(Role.REVIEWER)
        world.step(reviewer, case, "accept")
        world.judge_all(case)
        world.step(reviewer, case, "pass_materials")
    text = page(story.reviewer.get(story.url))
    assert "不能再追加或免交材料" in text
    assert 'name="waive"' not in text


def test_the_queue_names_an_extra_step_and_lists_it_for_whoever_takes_it(story: Story) -> None:
    assert story.propose(extra="", waive="", role="leader", before="reviewing", state="") == 303
    group = story.site.officer(Role.LEADING_GROUP, "330203")
    assert story.site.post(group, f"{story.proposal()}/approve", words="").status_code == 303
    with story.site.building() as world:
        world.step(world.officer(Role.REVIEWER), db.session.get_one(Case, story.case_id), "accept")
    assert "加办：镇街领导" in page(story.leader.get("/desk"))
    with counted(story.site.app) as seen:
        page(story.leader.get("/desk"))
    assert len(seen) <= 15
    assert "镇街领导同意" in page(story.leader.get(f"/cases/{story.case_id}"))
    agree = "agree-extra-leader-reviewing"
    version, _state = story.site.read(story.case_id)
    fields = {"version": version, "note": "同意"}
    assert story.site.post(story.leader, f"/cases/{story.case_id}/steps/{agree}", **fields).status_code == 303
    assert story.site.read(story.case_id)[1] == "reviewing"
    auditor = story.site.officer(Role.AUDITOR, "3302")
    assert "镇街领导同意（加办）" in page(auditor.get("/audit"))


def test_the_pages_run_few_statements(story: Story) -> None:
    assert story.propose() == 303
    for path in (story.url, f"/cases/{story.case_id}"):
        page(story.leader.get(path))
        with counted(story.site.app) as seen:
            page(story.leader.get(path))
        found = [s for s in seen if s.startswith("SELECT")]
        assert len(found) <= 15, f"{path}: {len(found)}\n" + "\n".join(found)
