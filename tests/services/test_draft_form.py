"""The form beside the text: what is changed there is written where it stands, everything else stays to the letter."""

from __future__ import annotations

import difflib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workflow.core import toml_blocks
from workflow.core.errors import Invalid
from workflow.core.flow_file import read_flow
from workflow.core.rulebook import read_rulebook
from workflow.core.tables import read_toml
from workflow.data import catalogue
from workflow.services import draft_form
from workflow.services.draft_form import DraftForm

TEXTS = [("flow", k, catalogue.flow_text(k)) for k in catalogue.flow_keys()]
TEXTS += [("rules", k, catalogue.rules_text(k)) for k in catalogue.rule_keys()]
IDS = [f"{kind}-{k}" for kind, k, _text in TEXTS]


def sent(form: DraftForm) -> dict[str, list[str]]:
    """What a browser sends for a form that nobody touched."""
    boxes = {f"{k}-asked": ["1"] for k in form.fields if k.endswith(("-guards", "-value"))}
    return {k: v for k, v in form.fields.items() if v} | boxes


def changed(before: str, after: str) -> list[str]:
    """The lines that went and came."""
    rows = difflib.unified_diff(before.splitlines(), after.splitlines(), n=0, lineterm="")
    return [r for r in rows if not r.startswith(("---", "+++", "@@"))]


def form_of(kind: str, text: str) -> DraftForm:
    """The form of a text that has one."""
    form = draft_form.read(kind, text)
    assert form is not None
    return form


@pytest.mark.parametrize(("kind", "key", "text"), TEXTS, ids=IDS)
def test_an_untouched_form_changes_no_letter(kind: str, key: str, text: str) -> None:
    assert draft_form.write(kind, text, text, sent(form_of(kind, text))) == text


def test_one_field_changes_one_line() -> None:
    text = catalogue.rules_text("approval")
    fields = sent(form_of("rules", text)) | {"rule-2-zh": ["新理由"]}
    (before, after) = changed(text, draft_form.write("rules", text, text, fields))
    assert before.startswith("-why")
    assert after == before.replace("-", "+", 1).replace(before.split('"')[1], "新理由")


def test_a_new_key_comes_behind_the_last_key_not_behind_the_next_ones_comment() -> None:
    text = catalogue.flow_text("city-small").replace("[[step]]", "# 下面是步骤\n[[step]]", 1)
    last = len(form_of("flow", text).entries["state"]) - 1
    fields = sent(form_of("flow", text)) | {f"state-{last}-days": ["7"]}
    after = draft_form.write("flow", text, text, fields)
    assert changed(text, after) == ["+days = 7"]
    assert "days = 7\n\n# 下面是步骤\n[[step]]" in after


def test_form_and_text_changed_at_once_come_together() -> None:
    text = catalogue.rules_text("approval")
    typed = text.replace("notice_days = 1", "notice_days = 3")
    after = draft_form.write("rules", text, typed, sent(form_of("rules", text)) | {"title-zh": ["标题"]})
    assert "notice_days = 3" in after
    assert 'zh = "标题"' in after


def test_tables_added_in_the_text_and_fields_changed_in_the_form_do_not_mix() -> None:
    text = catalogue.rules_text("approval")
    typed = toml_blocks.dropped(text, "rule", 0)
    with pytest.raises(Invalid):
        draft_form.write("rules", text, typed, sent(form_of("rules", text)) | {"rule-3-zh": ["甲"]})
    assert draft_form.write("rules", text, typed, sent(form_of("rules", text))) == typed


def test_guards_keep_their_order_and_boxes_without_a_tick_empty_the_list() -> None:
    text = catalogue.flow_text("city-small")
    form = form_of("flow", text)
    number = next(n for n in range(20) if len(form.fields[f"step-{n}-guards"]) > 1)
    name = f"step-{number}-guards"
    fields = sent(form)
    fields[name] = [*reversed(form.fields[name]), "two_inspectors"]
    read = read_flow(draft_form.write("flow", text, text, fields))
    assert read.steps[number].guards == (*form.fields[name], "two_inspectors")
    del fields[name]
    assert read_flow(draft_form.write("flow", text, text, fields)).steps[number].guards == ()


def test_a_moved_rule_takes_its_comment_along() -> None:
    text = catalogue.rules_text("approval")
    book = read_rulebook(text)
    after = draft_form.act("rules", text, "up:rule:1")
    assert read_rulebook(after).rules[:2] == (book.rules[1], book.rules[0])
    comment = '# 没有同意复工记录的企业选了“追加”，按普通复工申请往下找。\n[[rule]]\nflow = "extra-staff"'
    assert comment in text
    assert comment in after
    assert sorted(after.split()) == sorted(text.split())


def test_conditions_come_and_go() -> None:
    text = catalogue.rules_text("approval")
    more = draft_form.act("rules", text, "cond:rule:2", "head_count")
    assert "head_count" in {c.fact for c in read_rulebook(more).rules[2].when.clauses}
    rows = form_of("rules", more).entries["rule"][2].rows
    less = draft_form.act("rules", more, f"uncond:rule:2:{len(rows) - 1}")
    assert read_rulebook(less) == read_rulebook(text)


STRAY = [
    "",
    "up",
    "up:rule",
    "up:rule:0",
    "down:rule:999",
    "drop:rule:-1",
    "uncond:rule:0:9",
    "cond:rule:77",
    "x:rule:1",
]


@pytest.mark.parametrize("action", STRAY)
def test_a_button_that_fits_nothing_changes_nothing(action: str) -> None:
    text = catalogue.rules_text("approval")
    if action in ("", "up"):
        with pytest.raises(Invalid):
            draft_form.act("rules", text, action)
    else:
        assert draft_form.act("rules", text, action) == text


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(["up", "down", "drop", "add"]), min_size=1, max_size=6), st.randoms())
def test_any_row_of_buttons_leaves_readable_text(verbs: list[str], chance) -> None:  # type: ignore[no-untyped-def]
    text = catalogue.rules_text("approval")
    for verb in verbs:
        count = len(toml_blocks.blocks(text, "rule"))
        text = draft_form.act("rules", text, f"{verb}:rule:{chance.randrange(count) if count else 0}", "micro")
    document, problems = read_toml(text)
    assert not problems
    assert len(document.get("rule", [])) == len(toml_blocks.blocks(text, "rule"))


def test_texts_that_fit_no_form_have_none() -> None:
    assert draft_form.read("flow", "key = ") is None
    assert draft_form.read("flow", "state = [{ key = 'a' }]") is None
    assert draft_form.read("flow", "[[state]]\nkey='a'\n" * 61) is None
    assert draft_form.read("rules", "rule = 3") is None
