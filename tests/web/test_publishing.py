"""The pages on rules and flows: every bad input gives a clear page, nothing typed is lost, two people publish."""

from __future__ import annotations

import datetime as dt
import io
import random
import re
import time

import pytest
from flask import Flask
from werkzeug.datastructures import FileStorage

from tests.conftest import sign_in
from tests.core.test_flow import mutated
from tests.services.published import published
from tests.web.publishing_desk import PublishingDesk, arrive, errors
from tests.web.test_statements import MOST, counting
from workflow.core.actors import Role
from workflow.core.times import SHANGHAI
from workflow.data import catalogue
from workflow.data.flows import FlowVersion, RuleVersion
from workflow.extensions import db

FAR = (dt.datetime.now(SHANGHAI).date() + dt.timedelta(days=365)).isoformat()
"""A day on which what is published here is not in force yet."""


@pytest.fixture
def desk(app: Flask) -> PublishingDesk:
    """Two commanders at their browsers."""
    return arrive(app)


def test_the_list_and_every_version_can_be_read(desk: PublishingDesk) -> None:
    page = desk.first.get("/publishing").get_data(as_text=True)
    assert "规则与流程" in page
    assert "施行中" in page
    for kind, model in (("flow", FlowVersion), ("rules", RuleVersion)):
        with desk.app.app_context():
            ids = list(db.session.scalars(db.select(model.id)))
        for version_id in ids:
            answer = desk.first.get(f"/publishing/{kind}/{version_id}")
            assert answer.status_code == 200
            assert "SHA-256" in answer.get_data(as_text=True)
        text = desk.first.get(f"/publishing/{kind}/{ids[0]}.toml").get_data(as_text=True)
        assert "zh" in text


def test_a_draft_begins_from_the_rules_of_ones_own_area(desk: PublishingDesk) -> None:
    with desk.building() as world:
        world.count = 10
        text = catalogue.rules_text("haishu").replace("海曙区复工规则", "鄞州区复工规则")
        published(world, "rules", text, "330212")
        logins = [world.new_officer(Role.COMMANDER, place).login for place in ("3302", "330212", "330203")]
    for login, title in zip(logins, ("宁波市复工规则", "鄞州区复工规则", "宁波市复工规则"), strict=True):
        page = sign_in(desk.app.test_client(), login).get("/publishing").get_data(as_text=True)
        chosen = re.search(r"<option[^>]* selected[^>]*>([^<]*)", page)
        assert chosen is not None
        assert title in chosen[1]


def test_a_saved_form_without_changes_changes_nothing(desk: PublishingDesk) -> None:
    for source in ("rules:approval", "flow:city-small"):
        draft_id = desk.start(source)
        before = desk.draft(draft_id)
        assert desk.save(desk.first, draft_id).status_code == 303
        after = desk.draft(draft_id)
        assert (after.text, after.revision) == (before.text, before.revision)


def test_form_and_text_come_together(desk: PublishingDesk) -> None:
    draft_id = desk.start("rules:approval")
    typed = desk.draft(draft_id).text.replace('zh = "宁波市复工规则', 'zh = "本市复工规则')
    answer = desk.save(desk.first, draft_id, text=typed, **{"rule-2-zh": "楼宇由物业统一申报"})
    assert answer.status_code == 303
    text = desk.draft(draft_id).text
    assert 'zh = "本市复工规则' in text
    assert 'zh = "楼宇由物业统一申报"' in text


@pytest.mark.parametrize(
    "act", ["up:rule:2", "down:rule:0", "drop:rule:1", "add:rule", "cond:rule:2", "uncond:rule:0:0"]
)
def test_every_button_of_the_form_changes_the_text_and_keeps_it_readable(desk: PublishingDesk, act: str) -> None:
    draft_id = desk.start("rules:approval")
    before = desk.draft(draft_id).text
    more = {"rule-new": "micro", "rule-2-newfact": "head_count"}
    answer = desk.save(desk.first, draft_id, act=act, **more)
    assert answer.status_code == 303
    after = desk.draft(draft_id).text
    assert after != before
    assert "not TOML" not in desk.first.get(f"/publishing/drafts/{draft_id}").get_data(as_text=True)


def test_a_typing_error_is_named_with_its_line_and_kept(desk: PublishingDesk) -> None:
    draft_id = desk.start("flow:city-small")
    typed = desk.draft(draft_id).text.replace("days = 2", "dayz = 2", 1).replace('key = "city-small"', "key = ", 1)
    assert desk.save(desk.first, draft_id, text=typed).status_code == 303
    page = desk.first.get(f"/publishing/drafts/{draft_id}").get_data(as_text=True)
    assert "不合 TOML 写法" in page
    assert "第 3 行" in page
    answer = desk.save(desk.first, draft_id, act="propose", effective_on=FAR)
    assert answer.status_code == 422
    assert "处问题" in errors(answer)
    assert "dayz = 2" in answer.get_data(as_text=True)


def test_the_check_says_what_is_wrong_and_keeps_nothing(desk: PublishingDesk) -> None:
    draft_id = desk.start("flow:city-small")
    before = desk.draft(draft_id)
    cycle = before.text.replace('dest = "approved"', 'dest = "reviewing"').replace("<", "")
    answer = desk.first.post(f"/publishing/drafts/{draft_id}/check", data={"text": cycle})
    assert answer.status_code == 200
    assert "没有步骤能走到这里" in answer.get_data(as_text=True)
    markup = before.text.replace("待受理", "<b>待受理</b>")
    said = desk.first.post(f"/publishing/drafts/{draft_id}/check", data={"text": markup}).get_data(as_text=True)
    assert "不能有 &lt; &gt;" in said
    assert "<b>待受理" not in said
    assert desk.draft(draft_id).text == before.text


def test_a_cycle_without_exit_is_refused(desk: PublishingDesk) -> None:
    text = (
        'key = "ring"\nrevision = 1\nlabel = { zh = "环", en = "Ring" }\nsummary = { zh = "环", en = "Ring" }\n'
        'main = ["a"]\nchecklist = "general"\n'
        '[[state]]\nkey = "draft"\nlabel = { zh = "草", en = "D" }\nkind = "draft"\nholder = "filer"\n'
        '[[state]]\nkey = "a"\nlabel = { zh = "甲", en = "A" }\nholder = "leader"\n'
        '[[step]]\naction = "submit"\nlabel = { zh = "交", en = "S" }\nsource = ["draft"]\ndest = "a"\nrole = "filer"\n'
        '[[step]]\naction = "again"\nlabel = { zh = "再", en = "R" }\nsource = ["a"]\ndest = "a"\nrole = "leader"\n'
    )
    draft_id = desk.start("flow:city-small")
    assert desk.save(desk.first, draft_id, text=text).status_code == 303
    assert "走不到办结" in desk.first.get(f"/publishing/drafts/{draft_id}").get_data(as_text=True)
    assert desk.save(desk.first, draft_id, act="propose", effective_on=FAR).status_code == 422


def test_ten_thousand_states_are_refused_fast(desk: PublishingDesk) -> None:
    many = "".join(f'[[state]]\nkey="s{n}"\n' for n in range(10_000))
    assert len(many) > 200_000
    draft_id = desk.start("flow:city-small")
    began = time.process_time()
    answer = desk.save(desk.first, draft_id, text=many)
    assert answer.status_code == 422
    assert "最多 200000 个" in errors(answer)
    assert "key=&#34;s9999&#34;" in answer.get_data(as_text=True)
    short = "".join(f'[[state]]\nkey="s{n}"\n' for n in range(7_000))
    assert desk.save(desk.first, draft_id, text=short).status_code == 303
    page = desk.first.get(f"/publishing/drafts/{draft_id}").get_data(as_text=True)
    assert "有 7000 个环节，最多 200 个" in page
    assert "暂时不能用表单改" in page
    assert time.process_time() - began < 10


def test_two_rules_that_both_match_are_told_with_an_example(desk: PublishingDesk) -> None:
    draft_id = desk.start("rules:approval")
    page = desk.first.get(f"/publishing/drafts/{draft_id}").get_data(as_text=True)
    assert "都适用于同一类企业" in page
    assert "以前面的为准" in page


def test_thousands_of_rules_are_refused_fast(desk: PublishingDesk) -> None:
    rule = '[[rule]]\nflow="micro"\nwhy={zh="a",en="b"}\nwhen={head_count={le=%d}}\n'
    text = 'title={zh="a",en="b"}\n' + "".join(rule % n for n in range(2000))
    began = time.process_time()
    draft_id = desk.start("rules:approval")
    assert desk.save(desk.first, draft_id, text=text).status_code == 303
    page = desk.first.get(f"/publishing/drafts/{draft_id}").get_data(as_text=True)
    assert "有 2000 条规则，最多 200 条" in page
    assert time.process_time() - began < 5


def test_the_longest_text_can_be_saved_and_a_longer_one_comes_back(desk: PublishingDesk) -> None:
    draft_id = desk.start("flow:city-small")
    longest = "# " + "长" * 199_997 + "\n"
    assert desk.save(desk.first, draft_id, text=longest).status_code == 303
    answer = desk.save(desk.first, draft_id, text=longest + "#")
    assert answer.status_code == 422
    assert "长" * 1000 in answer.get_data(as_text=True)


def test_no_page_runs_more_than_fifteen_statements(desk: PublishingDesk) -> None:
    with desk.building() as world:
        world.count = 30
        world.submitted()
    rules, flow = desk.start("rules:approval"), desk.start("flow:city-small")
    with desk.app.app_context():
        version = db.session.scalars(db.select(FlowVersion.id).where(FlowVersion.key == "city-small")).one()
    pages = [f"/publishing/drafts/{d}{part}" for d in (rules, flow) for part in ("", "/simulation")]
    for page in ("/publishing", f"/publishing/flow/{version}", f"/publishing/flow/{version}/cases", *pages):
        assert desk.first.get(page).status_code == 200, page
        with counting() as found:
            desk.first.get(page)
        assert 0 < len(found) <= MOST, f"{page}: {len(found)}\n" + "\n".join(found)


def test_an_empty_text_is_told(desk: PublishingDesk) -> None:
    draft_id = desk.start("flow:city-small")
    assert desk.save(desk.first, draft_id, text="").status_code == 303
    page = desk.first.get(f"/publishing/drafts/{draft_id}")
    assert page.status_code == 200
    assert "处问题" in page.get_data(as_text=True)


def test_no_random_mutation_of_a_text_breaks_the_page(desk: PublishingDesk) -> None:
    for source, kind in (("rules:filing", "rules"), ("flow:micro", "flow")):
        draft_id = desk.start(source)
        text = desk.draft(draft_id).text
        for seed in range(25):
            draft = desk.draft(draft_id)
            bad = mutated(text, random.Random(seed)).replace("\0", "")
            fields = {"version": draft.revision, "base": draft.text, "text": bad}
            answer = desk.post(desk.first, f"/publishing/drafts/{draft_id}", **fields)
            assert answer.status_code in (303, 422), (kind, seed)
            assert desk.first.get(f"/publishing/drafts/{draft_id}").status_code == 200, (kind, seed)
            assert desk.first.get(f"/publishing/drafts/{draft_id}/simulation").status_code == 200, (kind, seed)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "文件是空的"),
        (b"x" * 200_001, "超过 200 KB"),
        (b"\xff\xfe\xff\x00\x81", "不是文本"),
    ],
)
def test_a_file_that_is_no_text_is_refused(desk: PublishingDesk, content: bytes, words: str) -> None:
    fields = {"source": "file", "area": "3302", "file": FileStorage(io.BytesIO(content), "流程.toml")}
    answer = desk.post(desk.first, "/publishing/drafts", **fields)
    assert answer.status_code == 422
    assert words in answer.get_data(as_text=True)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_file_is_taken_in_either_encoding(desk: PublishingDesk, encoding: str) -> None:
    content = catalogue.rules_text("approval").encode(encoding)
    fields = {"source": "file", "area": "330282", "file": FileStorage(io.BytesIO(content), "慈溪规则.toml")}
    answer = desk.post(desk.first, "/publishing/drafts", **fields)
    draft = desk.draft(int(answer.headers["Location"].rpartition("/")[2]))
    assert (draft.kind, draft.name, draft.text) == ("rules", "慈溪规则.toml", catalogue.rules_text("approval"))
