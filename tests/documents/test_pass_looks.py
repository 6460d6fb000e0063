"""Tests of what areas print on passes, and of a kind of pass that is added as data."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.documents import pdfa, samples
from tests.documents.test_sheets import batch, difference, picture, printed, without_code, words
from workflow.core.pass_catalogue import read_passes
from workflow.documents import pass_kinds, pass_layouts, pass_paper
from workflow.documents.official import render_pass
from workflow.documents.pass_facts import PassFacts
from workflow.documents.pass_layouts import changed, layouts
from workflow.documents.pass_looks import (
    PLAIN,
    SEAL_FOLDER,
    LooksInvalid,
    PassLook,
    look_from,
    look_of,
    narrowest,
    read_areas,
)
from workflow.documents.pass_paper import design_for, render_whole
from workflow.documents.pass_setting import set_pass
from workflow.documents.sheets import render_single
from workflow.documents.tokens import PassClaims, SigningKey, sign, verify
from workflow.documents.typeset import width

WINDSCREEN, CARD = layouts()["windscreen"], layouts()["card"]
AREAS = {"city": "330206001", "haishu": "330203012", "yinzhou": "330212003"}
KINDS = [k for k in pass_kinds.catalogue().kinds.values() if k.is_pass]
FACTS: dict[str, Any] = {"hours": "周一至周五 6:00–22:00", "address": "宁波市鄞州区试验路 8 号 3 幢 12 层"}


def of_area(name: str, **changes: Any) -> PassFacts:
    """A pass as this area prints it, with hours and the building."""
    return samples.vehicle_pass(**{**FACTS, "look": look_of(AREAS[name]), **changes})


@pytest.mark.parametrize("layout", [WINDSCREEN, CARD], ids=lambda layout: layout.key)
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.key)
@pytest.mark.parametrize("area", list(AREAS))
def test_every_area_kind_and_design_looks_the_same_both_ways(area: str, kind: Any, layout: Any) -> None:
    facts = of_area(area, kind=kind.key)
    design = design_for(facts, layout)
    fast, plain = picture(render_single(facts, layout)), picture(render_whole(facts, design))
    mine = replace(layout, design=design)
    assert difference(without_code(fast, mine), without_code(plain, mine))[1] < 0.06


@pytest.mark.parametrize("area", list(AREAS))
def test_areas_print_their_words_and_stay_local_and_archival(area: str) -> None:
    facts = of_area(area)
    data = render_single(facts, WINDSCREEN)
    text = words(data)
    assert "".join(facts.look.words.split()) in text
    assert "本证为本地防控通行凭证" in text
    assert "不替代国家统一式样的通行证" in text
    assert "通行时段周一至周五6:00–22:00" in text
    assert ("企业地址" in text) is (area == "yinzhou")
    assert "样张" in text, "the seal's own text"
    assert pdfa.problems(data) == []
    assert pdfa.problems(printed(batch(9, **FACTS, look=facts.look), CARD)) == []
    assert "周一至周五6:00–22:00" in words(render_single(facts, CARD))


def test_a_pass_without_hours_or_area_has_no_row_for_them() -> None:
    plain = samples.vehicle_pass()
    assert plain.look is PLAIN
    assert "通行时段" not in words(render_pass(plain))
    assert words(render_pass(samples.vehicle_pass(**FACTS))).count("通行时段") == 1


@pytest.mark.parametrize("area", list(AREAS))
def test_a_seal_for_demonstrations_is_never_printed_in_earnest(area: str) -> None:
    assert "样张" not in words(render_single(of_area(area, demo=False), WINDSCREEN))
    assert "演示" not in words(render_single(of_area(area, demo=False), CARD))


def test_a_real_seal_is_never_printed_in_a_demonstration() -> None:
    content = {**look_of(AREAS["haishu"]).content}
    content["seal"] = {"svg": content["seal"]["svg"].replace("演示", "某某"), "demo": False}
    look = look_from(content)
    earnest, demo = (words(render_single(of_area("city", look=look, demo=d), WINDSCREEN)) for d in (False, True))
    assert "某某" in earnest
    assert "演示" not in earnest
    assert "某某" not in demo
    assert "非正式文件" in demo, "the plain demo seal stands in its place"


def test_the_narrowest_area_wins_and_the_same_content_is_one_object() -> None:
    areas = {
        "3302": {"words": "市", "accent": "#111111"},
        "330203": {"words": "区"},
        "330203012": {"accent": "#222222"},
    }
    look = narrowest(areas, "330203012")
    assert (look.words, look.accent) == ("区", "#222222")
    assert narrowest(areas, "330203013").accent == "#111111"
    assert narrowest(areas, "110101") is PLAIN
    assert look_from({"accent": "#222222", "words": "区"}) is look
    assert look_of("330203001") is look_of("330203002") is not look_of("330212001")


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ({"words": "长" * 60}, "longer than their line"),
        ({"accent": "red"}, "accent"),
        ({"issuer": "某局"}, "issuer must name"),
        ({"details": ["enterprise", "phone"]}, "details"),
        ({"seal": "ghost"}, "no seal"),
        ({"sael": "city-demo"}, "unknown keys"),
    ],
)
def test_an_area_that_cannot_be_printed_is_refused(table: dict[str, Any], told: str) -> None:
    with pytest.raises(LooksInvalid, match=told):
        read_areas({"areas": {"330203": table}}, SEAL_FOLDER)


@pytest.mark.parametrize(
    ("drawing", "told"),
    [
        ("<svg", "seal"),
        (
            '<svg xmlns="http://www.w3.org/2000/svg"><text>演示</text><image href="file:///etc/passwd"/></svg>',
            "not drawn",
        ),
        ('<svg xmlns="http://www.w3.org/2000/svg"><text>演示</text><script>1</script></svg>', "not drawn"),
        ('<svg xmlns="http://www.w3.org/2000/svg"><text fill="url(http://x.example)">演示</text></svg>', "not drawn"),
        ('<svg xmlns="http://www.w3.org/2000/svg"><circle r="3"/></svg>', "says 演示"),
    ],
)
def test_a_seal_that_is_no_plain_drawing_is_refused(tmp_path: Path, drawing: str, told: str) -> None:
    (tmp_path / "x.svg").write_text(drawing, encoding="utf-8")
    with pytest.raises(LooksInvalid, match=told):
        read_areas({"seals": {"x": {"file": "x.svg", "demo": True}}}, tmp_path)


@pytest.mark.parametrize(
    "changes",
    [
        {"code": {"x": 290.0}},
        {"fields": {"short_code": {"y": 170.0}}},
        {"fields": {"ghost": {"x": 1.0}}},
        {"fields": {"plate": {"colr": "#000000"}}},
        {"ghost": {}},
    ],
)
def test_places_that_cannot_be_printed_well_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="design windscreen"):
        changed(WINDSCREEN.design, changes)


def test_long_texts_keep_clear_of_the_seal() -> None:
    for area in AREAS:
        facts = samples.filled(of_area(area), samples.LONG)
        facts = replace(facts, look=look_of(AREAS[area]))
        for layout in (WINDSCREEN, CARD):
            design = design_for(facts, layout)
            seal = facts.look.seal(design.key, demo=True)
            if seal is None:
                continue
            details = [line for line in set_pass(facts, design).lines if seal["y"] < line.y < seal["y"] + seal["side"]]
            for line in details:
                if line.x < seal["x"] + seal["side"]:
                    assert line.x + width(line.text, bold=line.bold) * line.size <= seal["x"] + 0.01


def test_another_kind_is_a_table_in_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    text = pass_kinds._FILE.read_text(encoding="utf-8")
    text += """
[[kind]]
key = "staff"
number = 7
subject = "person"
word = { zh = "职工", en = "Staff" }
label = { zh = "职工通行", en = "Staff" }
colour = "#155e75"
template = "pass"
title = "复工职工通行证"
"""
    made = read_passes(text)
    monkeypatch.setattr(pass_kinds, "catalogue", lambda: made)
    monkeypatch.setattr("workflow.documents.tokens.catalogue", lambda: made)
    facts = samples.vehicle_pass(kind="staff", plate="张*", look=look_of(AREAS["haishu"]))
    for layout in (WINDSCREEN, CARD):
        data = render_single(facts, layout)
        assert "职工" in words(data)
        assert "复工职工通行证" in words(data)
        assert pdfa.problems(data) == []
    key = SigningKey.generate()
    begin = dt.datetime(2020, 2, 15, tzinfo=dt.UTC)
    claims = PassClaims("330203000042", "staff", "张*", begin, begin.replace(day=28), "330203", "weekdays")
    assert verify(sign(claims, key), {key.kid: key.public}) == claims


def test_a_kind_with_a_template_of_its_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The template decides where the facts stand; pieces share the papers of the layouts."""
    places = (pass_layouts.FOLDER / "pass.toml").read_text(encoding="utf-8")
    (tmp_path / "staff.toml").write_text(places.replace("size = 56.0", "size = 30.0"), encoding="utf-8")
    monkeypatch.setattr(pass_layouts, "FOLDER", tmp_path)
    monkeypatch.setattr(pass_paper, "kind_called", lambda key: replace(pass_kinds.kind("person"), template="staff"))
    facts = samples.vehicle_pass(kind="person", look=PLAIN)
    design = design_for(facts, WINDSCREEN)
    assert next(f.size for f in design.fields if f.fact == "plate") == 30.0
    layouts("staff")["windscreen"]
    (tmp_path / "staff.toml").write_text(places.replace("width = 297.0\n", "width = 296.0\n", 1), encoding="utf-8")
    pass_layouts.layouts.cache_clear()
    try:
        with pytest.raises(ValueError, match=r"no piece|leaves"):
            design_for(facts, WINDSCREEN)
    finally:
        pass_layouts.layouts.cache_clear()


def test_a_look_is_named_by_its_content() -> None:
    assert PassLook({"words": "一"}).digest != PassLook({"words": "二"}).digest
    assert PassLook(dict(look_of("330203").content)).digest == look_of("330203").digest
