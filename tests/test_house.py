"""House rules that a program can check: sizes, names, docstrings, handlers, documentation, safe production."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import click
import pytest

from config import ROOT, Settings, UnsafeConfiguration, load_settings
from workflow import cli, services
from workflow.core.effects import Effect
from workflow.jobs import drain
from workflow.services import effects

MODULE_LINES, FUNCTION_LINES, VIEW_LINES = 400, 40, 25
LONG_TABLES = {"workflow/cli/demo/bulk.py:_case"}
"""Functions that are one table of literal values, which would not become clearer in pieces."""
VAGUE_NAMES = {"utils", "util", "helpers", "helper", "common", "misc", "manager", "managers"}
SOURCES = sorted(
    p for p in (ROOT / "workflow").rglob("*.py") if "versions" not in p.parts and "__pycache__" not in p.parts
)
OURS = [*SOURCES, ROOT / "config.py", ROOT / "wsgi.py"]
SCRIPTS = sorted(p for folder in ("tests", "tools", "bench") for p in (ROOT / folder).rglob("*.py"))


def name_of(path: Path) -> str:
    """The path as shown in failures."""
    return path.relative_to(ROOT).as_posix()


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Every function and method of a module."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def length(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines from ``def`` to the end."""
    return (node.end_lineno or node.lineno) - node.lineno + 1


def is_view(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether a blueprint's decorator makes it a view."""
    return any(ast.unparse(d).startswith("bp.") for d in node.decorator_list)


def public_functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef]:
    """Functions, classes and methods that others may use."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in tree.body:
        if not isinstance(node, ast.FunctionDef | ast.ClassDef) or node.name.startswith("_"):
            continue
        yield node
        if isinstance(node, ast.ClassDef):
            yield from (m for m in node.body if isinstance(m, ast.FunctionDef) and not m.name.startswith("_"))


def test_modules_are_short() -> None:
    lengths = {name_of(p): len(p.read_text(encoding="utf-8").splitlines()) for p in OURS}
    assert {n: c for n, c in lengths.items() if c > MODULE_LINES} == {}
    assert len(lengths) > 50, "the sources are found"


def test_functions_are_short() -> None:
    long = {f"{name_of(p)}:{f.name}": length(f) for p in OURS for f in functions(p) if length(f) > FUNCTION_LINES}
    assert {n: c for n, c in long.items() if n not in LONG_TABLES} == {}


def test_views_are_shorter() -> None:
    found = {f"{name_of(p)}:{f.name}": length(f) for p in OURS for f in functions(p) if is_view(f)}
    assert {n: c for n, c in found.items() if c > VIEW_LINES} == {}
    assert len(found) > 20, "the views are found"


def test_every_module_says_what_it_is_for() -> None:
    silent = [name_of(p) for p in [*OURS, *SCRIPTS] if not ast.get_docstring(ast.parse(p.read_text(encoding="utf-8")))]
    assert silent == []


def test_public_things_have_docstrings() -> None:
    silent = [
        f"{name_of(p)}:{node.name}"
        for p in OURS
        for node in public_functions(p)
        if not ast.get_docstring(node) and node.name not in {"Meta"}
    ]
    assert silent == []


def test_every_service_function_has_a_docstring() -> None:
    silent = []
    for found in pkgutil.iter_modules(services.__path__):
        module = importlib.import_module(f"workflow.services.{found.name}")
        for name, function in inspect.getmembers(module, inspect.isfunction):
            if function.__module__ == module.__name__ and not name.startswith("_") and not inspect.getdoc(function):
                silent.append(f"{module.__name__}.{name}")
    assert silent == []


def test_no_module_has_a_name_that_says_nothing() -> None:
    assert [name_of(p) for p in [*OURS, *SCRIPTS] if p.stem in VAGUE_NAMES] == []


def test_nothing_is_put_off_and_nothing_of_this_machine_is_written_down() -> None:
    words = re.compile(r"\b(TO[D]O|FIX[M]E|XX[X])\b|/wor[k]/")
    found = [(name_of(p), m.group()) for p in [*OURS, *SCRIPTS] for m in words.finditer(p.read_text(encoding="utf-8"))]
    assert found == []


def test_no_test_is_skipped_and_none_sleeps() -> None:
    found = []
    for path in (p for p in SCRIPTS if p.is_relative_to(ROOT / "tests")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute):
                called = ast.unparse(node)
                if called.startswith(("time.sleep", "pytest.skip", "pytest.mark.skip", "pytest.mark.xfail")):
                    found.append(f"{name_of(path)}: {called}")
    assert found == []


def test_only_the_boundary_commands_and_jobs_commit() -> None:
    committing = {
        name_of(p)
        for p in SOURCES
        for node in ast.walk(ast.parse(p.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and ast.unparse(node) == "db.session.commit"
    }
    outside = {n for n in committing if not n.startswith(("workflow/cli/", "workflow/jobs/"))}
    assert outside == {"workflow/web/boundary.py"}


def test_the_clock_is_read_in_three_places_only() -> None:
    reading = {
        name_of(p)
        for p in SOURCES
        for node in ast.walk(ast.parse(p.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and node.attr in {"now", "utcnow", "today"} and "dt." in ast.unparse(node)
    }
    assert reading == {"workflow/web/clock.py", "workflow/cli/clock.py", "workflow/jobs/queue.py"}


def test_every_effect_has_a_handler() -> None:
    assert set(effects.HANDLERS) == set(Effect)


def test_every_kind_of_outbox_item_has_a_handler() -> None:
    kinds = {
        node.args[0].value
        for p in SOURCES
        for node in ast.walk(ast.parse(p.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) == "outbox.put"
        and isinstance(node.args[0], ast.Constant)
    }
    assert kinds == set(drain.HANDLERS)


def commands() -> Iterator[str]:
    """Every command of ours as it is typed behind ``flask --app wsgi``."""

    class Recorder:
        """Stands for the application: notes what is registered."""

        def __init__(self) -> None:
            self.added: list[click.Command] = []
            self.cli = self

        def add_command(self, command: click.Command) -> None:
            """Note a command."""
            self.added.append(command)

    recorder = Recorder()
    cli.register(recorder)  # type: ignore[arg-type]
    for command in recorder.added:
        if isinstance(command, click.Group):
            yield from (f"{command.name} {name}" for name in command.commands)
        else:
            yield str(command.name)


def test_every_setting_and_command_is_documented() -> None:
    text = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    settings = [f"FUGONG_{f.name.upper()}" for f in fields(Settings)]
    wanted = [*settings, *commands()]
    assert len(wanted) > 20
    assert [w for w in wanted if w not in text] == []


SAFE = {
    "FUGONG_ENV": "production",
    "FUGONG_SECRET_KEY": "q7Zp2Lx9Vn4Tb8Kc3Wm6Rf1Hd5Js0Yg7Ua",
    "FUGONG_TRUSTED_HOSTS": "fugong.example.org",
    "FUGONG_PUBLIC_URL": "https://fugong.example.org",
}


def test_safe_production_settings_are_taken(tmp_path: Path) -> None:
    settings = load_settings(SAFE | {"FUGONG_VAR_DIR": str(tmp_path)})
    assert settings.is_production
    assert not settings.demo_mode
    flask = settings.for_flask()
    assert flask["SESSION_COOKIE_SECURE"] is True
    assert flask["SESSION_COOKIE_NAME"] == "__Host-fugong"
    assert flask["TRUSTED_HOSTS"] == ["fugong.example.org"]
    assert not (tmp_path / "secret_key").exists(), "no secret is made up in production"


UNSAFE: list[tuple[dict[str, str], str]] = [
    ({"FUGONG_SECRET_KEY": ""}, "FUGONG_SECRET_KEY"),
    ({"FUGONG_SECRET_KEY": "short"}, "FUGONG_SECRET_KEY"),
    ({"FUGONG_SECRET_KEY": "a" * 64}, "FUGONG_SECRET_KEY"),
    ({"FUGONG_DEMO_MODE": "1"}, "FUGONG_DEMO_MODE"),
    ({"FUGONG_TRUSTED_HOSTS": ""}, "FUGONG_TRUSTED_HOSTS"),
    ({"FUGONG_TRUSTED_HOSTS": " , "}, "FUGONG_TRUSTED_HOSTS"),
    ({"FUGONG_PUBLIC_URL": "http://fugong.example.org"}, "FUGONG_PUBLIC_URL"),
    ({"FUGONG_PUBLIC_URL": "ftp://fugong.example.org"}, "FUGONG_PUBLIC_URL"),
    ({"FUGONG_PUBLIC_URL": "https://"}, "FUGONG_PUBLIC_URL"),
    ({"FUGONG_ENV": "prod"}, "FUGONG_ENV"),
    ({"FUGONG_MAX_UPLOAD_MB": "0"}, "FUGONG_MAX_UPLOAD_MB"),
    ({"FUGONG_MAX_UPLOAD_MB": "101"}, "FUGONG_MAX_UPLOAD_MB"),
    ({"FUGONG_MAX_UPLOAD_MB": "-5"}, "FUGONG_MAX_UPLOAD_MB"),
    ({"FUGONG_PASS_MAX_DAYS": "91"}, "FUGONG_PASS_MAX_DAYS"),
    ({"FUGONG_PASS_MAX_DAYS": "１４"}, "FUGONG_PASS_MAX_DAYS"),
    ({"FUGONG_PROXY_COUNT": "many"}, "FUGONG_PROXY_COUNT"),
    ({"FUGONG_MAIL_URL": "http://mail.example", "FUGONG_MAIL_FROM": "a@b.example"}, "FUGONG_MAIL_URL"),
    ({"FUGONG_MAIL_URL": "smtp://"}, "FUGONG_MAIL_URL"),
    ({"FUGONG_MAIL_URL": "smtp://a:port"}, "FUGONG_MAIL_URL"),
    ({"FUGONG_MAIL_URL": "smtp://mail.example"}, "FUGONG_MAIL_FROM"),
    ({"FUGONG_MAIL_URL": "smtp://mail.example", "FUGONG_MAIL_FROM": "复工通"}, "FUGONG_MAIL_FROM"),
    ({"FUGONG_ROBOT_HOSTS": "http://127.0.0.1"}, "FUGONG_ROBOT_HOSTS"),
]


@pytest.mark.parametrize(
    ("change", "named"), UNSAFE, ids=[" ".join(f"{n}={v[:12]}" for n, v in c.items()) for c, _ in UNSAFE]
)
def test_unsafe_settings_are_refused_by_name(tmp_path: Path, change: dict[str, str], named: str) -> None:
    with pytest.raises(UnsafeConfiguration) as refused:
        load_settings(SAFE | {"FUGONG_VAR_DIR": str(tmp_path)} | change)
    assert any(named in p for p in refused.value.problems)


def test_debug_is_refused_in_production(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLASK_DEBUG", "1")
    with pytest.raises(UnsafeConfiguration, match="FLASK_DEBUG"):
        load_settings(SAFE | {"FUGONG_VAR_DIR": str(tmp_path)})


def test_every_problem_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(UnsafeConfiguration) as refused:
        load_settings({"FUGONG_ENV": "production", "FUGONG_DEMO_MODE": "1", "FUGONG_VAR_DIR": str(tmp_path)})
    assert len(refused.value.problems) == 4
