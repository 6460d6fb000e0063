"""Catalogues: the product's files agree with flows, questions and the official lists; bad files are refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.core.scene import FLOWS, enterprise
from workflow.core.actors import AreaKind
from workflow.core.catalogue import (
    CatalogueInvalid,
    Limit,
    read_areas,
    read_checklist,
    read_industries,
    read_materials,
)
from workflow.core.facts import EnterpriseFacts
from workflow.core.tables import Label
from workflow.data import catalogue

FOLDER = Path(catalogue.__file__).parent.parent / "catalogue"
MATERIALS, CHECKLIST, AREAS, INDUSTRIES = (
    (FOLDER / name).read_text(encoding="utf-8")
    for name in ("materials.toml", "checklist.toml", "areas.json", "industries.json")
)


def test_each_flow_names_slots_and_a_checklist_that_exist() -> None:
    for key, flow in FLOWS.items():
        assert flow.key == key
        assert {m.slot for m in flow.materials} <= set(catalogue.material_slots())
        assert catalogue.checklist(flow.checklist).items


def test_the_catalogues_are_read_once() -> None:
    assert catalogue.material_slots() is catalogue.material_slots()
    assert catalogue.checklist() is catalogue.checklist()
    assert catalogue.shipped_rules() is catalogue.shipped_rules()


def test_there_is_nothing_under_an_unknown_name() -> None:
    for read in (catalogue.checklist, catalogue.flow_text, catalogue.checklist().item):
        with pytest.raises(KeyError):
            read("../../etc/passwd")


def test_the_form_is_the_first_slot() -> None:
    slots = list(catalogue.material_slots().values())
    assert [s.key for s in slots if s.form] == ["M01"] == [slots[0].key]


def test_the_checklist_is_whole() -> None:
    checklist = catalogue.checklist()
    assert len(checklist.items) == 74
    assert len({i.code for i in checklist.items}) == 74
    assert len({i.text.zh for i in checklist.items}) == len({i.text.en for i in checklist.items}) == 74
    assert sum(i.veto for i in checklist.items) == 23
    assert checklist.item("DORM-01").limit is not None


def test_the_short_check_asks_what_concerns_the_enterprise() -> None:
    checklist = catalogue.checklist()

    def codes(facts: EnterpriseFacts, *, short: bool = True) -> set[str]:
        return {i.code for i in checklist.items_for(facts, short=short)}

    usual = codes(enterprise())
    assert len(usual) == 24
    assert codes(enterprise(hazardous="yes")) - usual == {"SAFE-02", "SAFE-03", "SAFE-04"}
    assert codes(enterprise(sector="commerce", industry="62")) - usual == {"MKT-01", "MKT-02"}
    assert codes(enterprise(sector="construction")) - usual == {"SITE-01"}
    assert usual < codes(enterprise(), short=False)
    assert len(codes(enterprise(), short=False)) == 67
    for item in checklist.items:
        assert item.short or not item.veto


@pytest.mark.parametrize(
    ("low", "high", "value", "within"),
    [
        (2.5, None, 2.5, True),
        (2.5, None, 2.49, False),
        (None, 37.3, 37.3, True),
        (None, 37.3, 37.4, False),
        (250, 500, 250, True),
        (250, 500, 501, False),
        (250, 500, float("nan"), False),
        (2.5, None, float("inf"), True),
    ],
)
def test_limits(low: float | None, high: float | None, value: float, within: bool) -> None:
    assert Limit("米", low, high, Label("限", "limit")).within(value) is within


def test_areas_form_one_tree_with_official_codes() -> None:
    entries = catalogue.areas()
    kinds = [e.kind for e in entries]
    assert [kinds.count(k) for k in AreaKind] == [1, 10, 162, 20, 80]
    counties = {e.code: e.short_name for e in entries if e.kind is AreaKind.COUNTY}
    assert counties == {
        "330203": "海曙",
        "330205": "江北",
        "330206": "北仑",
        "330211": "镇海",
        "330212": "鄞州",
        "330213": "奉化",
        "330225": "象山",
        "330226": "宁海",
        "330281": "余姚",
        "330282": "慈溪",
    }
    by_code = {e.code: e for e in entries}
    assert by_code["330203002"].name == "江厦街道"
    assert sum(e.parent_code == "330203002" for e in entries) == 7
    assert [e.name for e in entries if e.parent_code == "330212006"] == ["园区组", "楼宇组", "商圈组"]
    assert len({e.name for e in entries if e.kind is AreaKind.BUILDING}) == 80


def test_industries_are_the_97_divisions() -> None:
    assert len(catalogue.industries()) == 97
    assert ("13", "13 农副食品加工业") in catalogue.industries()
    assert catalogue.industries()[-1] == ("97", "97 国际组织")


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ('key = "M02"', 'key = "M01"', "slot 'M01': named twice"),
        ('key = "M02"', 'key = "../M02"', "key must be a short name"),
        ('key = "M02"', "key = 2", "slot: key must be a text"),
        ("form = true", "form = 1", "form must be true or false"),
        ("form = true\n", "", "exactly one slot must be the form itself"),
        ("max_files = 3", "max_files = 0", "max_files must be a whole number from 1 to 50"),
        ('"heic", "docx", "doc"]', '"svg"]', "unknown name 'svg' in kinds"),
        ("templates = []", "vorlagen = []", "unknown key 'vorlagen'"),
        ('en = "Business licence (copy)"', 'fr = "Licence"', "label needs zh and en"),
        ('zh = "防疫物资清单"', 'zh = "<b>清单</b>"', "label needs zh and en"),
        ("[[slot]]", "[slot]", "not TOML"),
    ],
)
def test_bad_material_files(old: str, new: str, problem: str) -> None:
    assert old in MATERIALS
    with pytest.raises(CatalogueInvalid) as caught:
        read_materials(MATERIALS.replace(old, new, 1))
    assert any(problem in p for p in caught.value.problems), caught.value.problems


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("version = 1", 'version = "1"', "version must be a whole number"),
        ("\n[sources]", "\n[quellen]", "sources: must be a [sources] table"),
        ('code = "ORG-02"', 'code = "ORG-01"', "item 'ORG-01': named twice"),
        ("veto = true\nshort = true", "veto = true", "a veto item belongs to the short check"),
        ('sources = ["GF4"]', "sources = []", "names no source"),
        ('sources = ["GF4"]', 'sources = ["XYZ"]', "unknown name 'XYZ' in sources"),
        ('hazardous = "yes"', 'danger = "yes"', "unknown fact 'danger'"),
        ('hazardous = "yes"', 'hazardous = "ja"', "no answer is 'ja'"),
        ("min = 250, max = 500", "min = 500, max = 250", "needs a min, a max, or both in order"),
        ("min = 250, max = 500, ", "", "needs a min, a max, or both in order"),
        ("min = 250,", "min = nan,", "min must be a number"),
        ("min = 250,", "min = true,", "min must be a number"),
        ('limit = { unit = "%", min = 100', 'limit = { einheit = "%", min = 100', "unknown key 'einheit'"),
    ],
)
def test_bad_checklists(old: str, new: str, problem: str) -> None:
    assert old in CHECKLIST
    with pytest.raises(CatalogueInvalid) as caught:
        read_checklist(CHECKLIST.replace(old, new, 1))
    assert any(problem in p for p in caught.value.problems), caught.value.problems


def area(code: str, kind: str, parent: str | None, **more: object) -> dict[str, object]:
    """A row of the area file."""
    return {"code": code, "name": "某地", "short_name": "某", "kind": kind, "parent_code": parent} | more


CITY = area("3302", "city", None)


@pytest.mark.parametrize(
    ("rows", "problem"),
    [
        ([], "exactly one area must be the city"),
        ([CITY, CITY], "area '3302': named twice"),
        ([CITY, area("330203", "county", "3303")], "its parent '3303' must be listed before it"),
        ([CITY, area("330203001", "town", "3302")], "a town can't lie in '3302'"),
        ([CITY, area("330203", "county", None)], "a county can't lie in None"),
        ([CITY, area("440203", "county", "3302")], "its code must begin with its parent's"),
        ([CITY, area("330203", "district", "3302")], "kind 'district' is not one of"),
        ([CITY, area("330203", "county", "3302", name="")], "name must be a text"),
        ([CITY, area("330203", "county", "3302", short_name="某" * 21)], "is too long"),
        ([CITY, area("330203", "county", "3302", mayor="某")], "unknown key 'mayor'"),
        ([CITY, area("330203", "county", ["3302"])], "must be listed before it"),  # type: ignore[arg-type]
        (["3302"], "areas must be written as"),
    ],
)
def test_bad_area_files(rows: list[object], problem: str) -> None:
    with pytest.raises(CatalogueInvalid) as caught:
        read_areas(json.dumps({"areas": rows}))
    assert any(problem in p for p in caught.value.problems), caught.value.problems


@pytest.mark.parametrize("text", ["", "[]", "{", "1", "[" * 100_000])
def test_what_is_no_document_is_refused(text: str) -> None:
    for read in (read_areas, read_industries):
        with pytest.raises(CatalogueInvalid):
            read(text)
    if text:
        with pytest.raises(CatalogueInvalid):
            read_materials(text)


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ('"code": "01"', '"code": "02"', "division '02': named twice"),
        ('"section": "A"', '"section": "Z"', "section 'Z' is not one of"),
        ('"divisions"', '"teile"', "no division"),
    ],
)
def test_bad_industry_files(old: str, new: str, problem: str) -> None:
    with pytest.raises(CatalogueInvalid) as caught:
        read_industries(INDUSTRIES.replace(old, new, 1))
    assert any(problem in p for p in caught.value.problems), caught.value.problems
