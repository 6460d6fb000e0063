"""Guards: each agrees and refuses, in words that are marked for translation."""

from __future__ import annotations

import ast
import dataclasses
import datetime as dt
import inspect

import pytest

from tests.core.scene import AGREES, PERSON, REFUSES, TODAY, agreeing, case, material, person
from workflow.core.actors import Role
from workflow.core.facts import CaseFacts, Verdict
from workflow.core.guards import FACT_GROUPS, GUARDS, NEEDS


def test_the_tables_of_these_tests_know_every_guard() -> None:
    assert set(AGREES) == set(REFUSES) == set(GUARDS)


@pytest.mark.parametrize("name", GUARDS)
def test_a_guard_agrees(name: str) -> None:
    assert GUARDS[name](person(Role.INSPECTOR), agreeing([name])) is None


@pytest.mark.parametrize("name", GUARDS)
def test_a_guard_refuses_in_words(name: str) -> None:
    reason = GUARDS[name](person(Role.INSPECTOR), case(**REFUSES[name](PERSON)))
    assert reason is not None
    assert str(reason)
    assert "%" not in str(reason)


@pytest.mark.parametrize("name", GUARDS)
def test_a_guard_says_what_it_is_for(name: str) -> None:
    assert GUARDS[name].__doc__


def test_reasons_count_what_is_missing() -> None:
    pending = (material(Verdict.PENDING), material(Verdict.PENDING), material(Verdict.OK))
    reason = GUARDS["materials_marked"](person(Role.REVIEWER), case(materials=pending))
    assert str(reason) == "还有 2 项材料未审"


def test_a_case_without_materials_has_none_accepted() -> None:
    assert GUARDS["materials_accepted"](person(Role.REVIEWER), case(materials=())) is not None


def test_a_required_material_may_not_be_empty_but_another_may() -> None:
    empty = material(Verdict.PENDING, content=False, required=False)
    assert GUARDS["required_present"](person(Role.FILER), case(materials=(empty,))) is None


@pytest.mark.parametrize(("days", "agrees"), [(-1, False), (0, True), (3, True)])
def test_rectification_ends_today_or_later(days: int, agrees: bool) -> None:
    facts = case(rectify_by_on=TODAY + dt.timedelta(days=days))
    assert (GUARDS["rectify_date_set"](person(Role.INSPECTOR), facts) is None) is agrees


def test_an_appointed_inspector_counts_as_inspector_before_the_visit() -> None:
    facts = case(appointed_inspectors=(PERSON, 2), past_inspectors=frozenset())
    assert GUARDS["not_the_inspector"](person(Role.LEADER), facts) is not None


def test_each_guard_looks_at_no_more_than_it_says() -> None:
    own = {"today"}
    for name, guard in GUARDS.items():
        source = ast.parse(inspect.getsource(guard))
        looked_at = {
            node.attr
            for node in ast.walk(source)
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "facts"
        }
        said = frozenset[str]().union(*(FACT_GROUPS[g] for g in NEEDS[name]))
        assert looked_at - own <= said, name
        assert all(FACT_GROUPS[g] & looked_at for g in NEEDS[name]), name


def test_the_groups_cover_everything_that_is_read_about_a_case() -> None:
    always = {"enterprise_id", "area_ids", "bureau", "today"}
    grouped = [field for fields in FACT_GROUPS.values() for field in fields]
    assert len(grouped) == len(set(grouped))
    assert set(grouped) | always == {f.name for f in dataclasses.fields(CaseFacts)}
