"""The commands on flows: listing, checking with lines, explaining."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask

from workflow import cli
from workflow.data import catalogue


@pytest.fixture
def run(app: Flask):  # type: ignore[no-untyped-def]
    """Run a command of the application."""
    cli.register(app)

    def call(*words: str) -> Result:
        result: Result = app.test_cli_runner().invoke(args=["flows", *words])
        return result

    return call


def test_the_list_tells_every_flow_with_the_revision_in_force(run) -> None:  # type: ignore[no-untyped-def]
    rows = json.loads(run("list", "--json").output)
    assert [r["key"] for r in rows if r["kind"] == "flow"] == list(catalogue.flow_keys())
    assert all(r["in_force"] == r["revision"] for r in rows if r["kind"] == "flow")
    assert [r["in_force"] for r in rows if r["kind"] == "rules"] == [1]
    assert "approve" in rows[0]["steps"]
    assert "city-small" in run("list").output


def test_the_shipped_flows_are_right(run) -> None:  # type: ignore[no-untyped-def]
    result = run("check")
    assert result.exit_code == 0, result.output
    assert "nothing wrong" in result.output


def test_a_wrong_file_is_told_with_every_problem_and_its_line(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    text = catalogue.flow_text("city-small").replace('dest = "reviewing"', 'dest = "nowhere"', 1)
    text = text.replace('role = "leader"', 'role = "mayor"', 1)
    path = tmp_path / "mine.toml"
    path.write_text(text, encoding="utf-8")
    result = run("check", str(path))
    assert result.exit_code == 1
    lines = text.splitlines()
    wrong = next(n for n, line in enumerate(lines, 1) if line == 'dest = "nowhere"')
    assert f"mine.toml:{wrong}: step 'accept': unknown state 'nowhere'" in result.output
    mayor = next(n for n, line in enumerate(lines, 1) if line == 'role = "mayor"')
    assert f"mine.toml:{mayor}: step " in result.output


@pytest.mark.parametrize("encoding", ["utf-8-sig", "gb18030"])
def test_a_file_is_read_as_an_upload_is(run, tmp_path: Path, encoding: str) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "mine.toml"
    path.write_bytes(catalogue.rules_text("haishu").replace("towns = []", 'towns = ["无"]', 1).encode(encoding))
    result = run("check", str(path))
    assert result.exit_code == 1
    assert "towns: '无' is no town" in result.output


def test_a_file_that_is_no_text_is_refused(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "mine.toml"
    path.write_bytes(b"\x89PNG\r\n\x1a\n\x00\xff")
    result = run("check", str(path))
    assert result.exit_code == 1
    assert "mine.toml" in result.output
    assert "Traceback" not in result.output


@pytest.mark.parametrize("code", ["county = '33020'", "town = '330203'", "building = 'nowhere'", "industry = '999'"])
def test_areas_and_industries_that_do_not_exist_are_told(run, tmp_path: Path, code: str) -> None:  # type: ignore[no-untyped-def]
    text = catalogue.rules_text("haishu")
    old = 'when = { trade = ["training", "banquet"] }'
    assert old in text
    path = tmp_path / "mine.toml"
    path.write_text(text.replace(old, f"when = {{ {code} }}"), encoding="utf-8")
    result = run("check", str(path))
    assert result.exit_code == 1
    line = next(n for n, x in enumerate(text.splitlines(), 1) if x == old)
    fact, _sep, value = code.partition(" = ")
    assert f"mine.toml:{line}: listed 2: {fact}: no answer is {value}" in result.output


def test_roles_that_nobody_holds_in_the_area_are_told(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "mine.toml"
    path.write_text(catalogue.flow_text("city-small"), encoding="utf-8")
    result = run("check", str(path), "--area", "330203002")
    assert result.exit_code == 1
    assert "role 'reviewer' is held by nobody in" in result.output
    assert run("check", str(path), "--area", "999999").exit_code == 1
    assert run("check", str(path)).exit_code == 0


def test_a_file_that_is_no_toml_is_told(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "broken.toml"
    path.write_text("key = \n", encoding="utf-8")
    result = run("check", str(path))
    assert result.exit_code == 1
    assert "not TOML" in result.output


def test_the_route_is_explained(run) -> None:  # type: ignore[no-untyped-def]
    result = run("explain", "size=below", "sector=industry", "head_count=86", "hazardous=no")
    assert result.exit_code == 0
    assert "regime: approval" in result.output
    assert "yinzhou-town — not: county in ('330212',)" in result.output
    assert "city-large — not: size in ('above',)" in result.output
    assert "city-small — 规下（限下）企业" in result.output


@pytest.mark.parametrize("words", ["colour=red", "size=", "head_count=many"])
def test_what_is_no_fact_is_refused(run, words: str) -> None:  # type: ignore[no-untyped-def]
    assert run("explain", words).exit_code == 1


def test_an_enterprise_that_no_rule_takes_is_told(run) -> None:  # type: ignore[no-untyped-def]
    result = run("explain", "size=enormous", "county=330203")
    assert result.exit_code == 1
    assert "no rule takes" in result.output
