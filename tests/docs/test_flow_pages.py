"""docs/flows is what the command would draw today, and every name that a flow may use has words in both languages."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from pathlib import Path
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner, Result

from workflow.cli import drawing
from workflow.core.actors import Role
from workflow.core.conditions import FACT_NAMES, read_condition
from workflow.core.effects import Effect
from workflow.core.flow_words import (
    EFFECT_WORDS,
    FACT_WORDS,
    GUARD_WORDS,
    ROLE_WORDS,
    condition_words,
    effect_words,
    guard_words,
)
from workflow.core.guards import GUARDS
from workflow.core.tables import Label
from workflow.data import catalogue

HAN = re.compile(r"[\u4e00-\u9fff]")


def run(*words: str) -> Result:
    """The command as it is typed behind ``flows``; it needs neither application nor database."""
    return CliRunner().invoke(drawing.draw_flows, words)


def test_the_pages_in_docs_are_those_of_the_shipped_flows() -> None:
    assert drawing.stale(drawing.FOLDER) == [], "run: flask --app wsgi flows draw"


@pytest.mark.parametrize(
    ("words", "names"),
    [(GUARD_WORDS, set(GUARDS)), (EFFECT_WORDS, set(Effect)), (FACT_WORDS, set(FACT_NAMES)), (ROLE_WORDS, set(Role))],
    ids=["guards", "effects", "facts", "roles"],
)
def test_every_name_has_words(words: Mapping[str, Label], names: set[str]) -> None:
    assert set(words) == names
    for label in words.values():
        assert HAN.search(label.zh), label
        assert re.search("[a-z]", label.en), label
        assert not HAN.search(label.en), label
        assert "_" not in label.en


def test_a_name_without_words_is_told_by_itself() -> None:
    assert guard_words("new_guard").zh == effect_words("new_guard").en == "new_guard"


CONDITIONS = [
    ({"size": "above"}, "企业规模：规上（限上）", "size: above scale"),
    ({"sector": ["industry", "finance"]}, "企业类型：工业或金融", "sector: industry or finance"),
    (
        {"head_count": {"gt": 20, "le": 100}},
        "企业总人数多于 20；企业总人数不超过 100",
        "head count above 20; head count at most 100",
    ),
    (
        {"filed_on": {"ge": dt.date(2020, 2, 10)}},
        "申请日期不早于 2020-02-10",
        "date of filing no earlier than 2020-02-10",
    ),
    ({"county": "330203"}, "所在区县：海曙区", "county: 海曙区 (330203)"),
    ({"county": "000000"}, "所在区县：000000", "county: 000000"),
    ({"listed": "yes"}, "列入负面清单：是", "on the negative list: yes"),
    ({"regime": "filing"}, "管理方式：备案制", "regime: filing"),
]


@pytest.mark.parametrize(("table", "zh", "en"), CONDITIONS)
def test_conditions_in_words(table: dict[str, object], zh: str, en: str) -> None:
    condition, problems = read_condition(table)
    assert problems == []
    assert condition_words(condition, drawing.name_of) == Label(zh, en)


def test_no_condition_has_no_words() -> None:
    assert condition_words(read_condition({})[0], drawing.name_of) is None


def test_the_command_writes_checks_and_clears(tmp_path: Path) -> None:
    folder = tmp_path / "flows"
    assert run("--check", "--to", str(folder)).exit_code == 1
    assert run("--to", str(folder)).exit_code == 0
    made = {p.name: p.read_bytes() for p in folder.iterdir()}
    assert set(made) == {"README.md", *(f"{k}.{s}" for k in catalogue.flow_keys() for s in ("md", "svg"))}
    assert run("--check", "--to", str(folder)).exit_code == 0
    key = catalogue.flow_keys()[0]
    (folder / f"{key}.md").write_text("changed", encoding="utf-8")
    (folder / f"{key}.svg").rename(folder / "gone.svg")
    (folder / "own.md").write_text("# Somebody's own page", encoding="utf-8")
    checked = run("--check", "--to", str(folder))
    assert checked.exit_code == 1
    assert checked.output.split("\n")[:-1] == [
        f"{key}.svg: missing",
        "gone.svg: left over",
        "own.md: left over",
        f"{key}.md: stale",
    ]
    assert run("--to", str(folder)).exit_code == 0
    assert (folder / "own.md").exists(), "what the command did not write it never removes"
    (folder / "own.md").unlink()
    assert {p.name: p.read_bytes() for p in folder.iterdir()} == made, "the same flows, the same bytes"


@pytest.mark.parametrize("key", catalogue.flow_keys())
def test_a_page_tells_both_languages_and_shows_a_sound_picture(key: str) -> None:
    made = drawing.files()
    chinese, english = made[f"{key}.md"].split("## English")
    assert f"]({key}.svg)" in chinese
    assert "必交材料每项至少有一个文件" in chinese
    assert "every required material has a file" in english
    assert not HAN.search(re.sub(r"\w+ \(\d+\)", "", english)), "English throughout, names of areas aside"
    ElementTree.fromstring(made[f"{key}.svg"])
