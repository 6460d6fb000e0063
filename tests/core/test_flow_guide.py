"""The officers' guide to flow files: complete against the vocabularies, and its example is a flow that loads."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

import pytest

from workflow.core import flow_file as flow_module
from workflow.core import pass_rules, rulebook
from workflow.core.actors import Role
from workflow.core.conditions import FACT_NAMES
from workflow.core.effects import Effect
from workflow.core.engine import Engine
from workflow.core.flow import InspectionRule, NoteRule, StateKind
from workflow.core.flow_file import read_flow
from workflow.core.guards import GUARDS
from workflow.core.identifiers import PlateKind

GUIDE = (Path(__file__).parents[2] / "docs" / "guide" / "flows.md").read_text(encoding="utf-8")
NAMED = set(re.findall(r"`([^`\s]+)`", GUIDE))

VOCABULARIES: dict[str, Iterable[str]] = {
    "guards": GUARDS,
    "effects": Effect,
    "roles": Role,
    "facts": FACT_NAMES,
    "kinds of state": StateKind,
    "note rules": NoteRule,
    "forms": flow_module.FORMS,
    "tones": flow_module.TONES,
    "keys of the file": flow_module.TOP_KEYS - {"state", "step", "material", "opinion", "sample"},
    "times of inspection": InspectionRule,
    "keys of a state": flow_module.STATE_KEYS,
    "keys of a step": flow_module.STEP_KEYS,
    "keys of a material": flow_module.MATERIAL_KEYS,
    "keys of an opinion": flow_module.OPINION_KEYS,
    "keys of a sample": flow_module.SAMPLE_KEYS,
    "words of a rulebook": rulebook.TOP_KEYS - {"calendar", "regime", "area_class", "listed", "rule", "pass"},
    "words of pass rules": pass_rules.PASS_KEYS | pass_rules.QUOTA_KEYS | set(pass_rules.Decision),
    "words of its tables": rulebook.CALENDAR_KEYS
    | rulebook.REGIME_KEYS
    | rulebook.AREA_CLASS_KEYS
    | rulebook.LISTED_KEYS
    | rulebook.RULE_KEYS,
    "tables": (
        "[[state]]",
        "[[step]]",
        "[[material]]",
        "[[opinion]]",
        "[[sample]]",
        "[[rule]]",
        "[[regime]]",
        "[[area_class]]",
        "[[listed]]",
        "[[pass]]",
        "[[item]]",
        "[calendar]",
    ),
}


@pytest.mark.parametrize("vocabulary", VOCABULARIES)
def test_every_name_is_explained(vocabulary: str) -> None:
    assert [name for name in map(str, VOCABULARIES[vocabulary]) if name not in NAMED] == []


@pytest.mark.parametrize(("heading", "names"), [("### 把关条件", set(GUARDS)), ("### 办理效果", set(map(str, Effect)))])
def test_the_tables_list_what_exists_and_nothing_else(heading: str, names: set[str]) -> None:
    section = GUIDE.split(heading, 1)[1].split("\n#", 1)[0]
    assert set(re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)) == names


def test_the_example_is_a_flow() -> None:
    example = next(t for t in re.findall(r"```toml\n(.*?)```", GUIDE, re.DOTALL) if t.startswith("key ="))
    flow = read_flow(example)
    assert flow.key == "tiny"
    assert Engine(flow).flow is flow


def test_the_example_of_pass_rules_is_a_rulebook() -> None:
    example = next(t for t in re.findall(r"```toml\n(.*?)```", GUIDE, re.DOTALL) if t.startswith("[[pass]]"))
    book = rulebook.read_rulebook('title = { zh = "例", en = "Example" }\n' + example)
    assert [r.decision for r in book.passes] == [pass_rules.Decision.AUTOMATIC]


def test_the_plates_of_pass_rules_are_explained() -> None:
    assert [k for k in map(str, PlateKind) if k not in NAMED] == []
