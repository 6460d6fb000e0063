"""The command that draws every shipped flow into docs/flows, and checks that what lies there is what it would draw."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import click

from workflow.cli.flows import group as group  # with the command below, this is what gets registered
from workflow.core.chart_svg import CHART_OPENING
from workflow.core.conditions import Value
from workflow.core.flow_page import MADE_BY, chart_file, index, page
from workflow.core.tables import Label
from workflow.data import catalogue
from workflow.data.flows import engine_for

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "flows"


def name_of(fact: str, value: Value) -> Label | None:
    """The name of an area, an industry or a department; English keeps the official code beside a Chinese name."""
    if fact in ("county", "town"):
        area = next((a for a in catalogue.areas() if a.code == value), None)
        return Label(area.name, f"{area.name} ({value})") if area else None
    if fact == "industry":
        shown = dict(catalogue.industries()).get(str(value))
        return Label(shown, shown) if shown else None
    if fact == "department":
        return next((d.label for d in catalogue.departments() if d.code == value), None)
    return None


def files() -> Mapping[str, str]:
    """Every file of docs/flows by name, made from the shipped flows alone."""
    flows = [engine_for(catalogue.flow_text(key)).flow for key in catalogue.flow_keys()]
    slots = {key: slot.label for key, slot in catalogue.material_slots().items()}
    made = {"README.md": index(flows)}
    for flow in flows:
        made[f"{flow.key}.svg"] = chart_file(flow)
        made[f"{flow.key}.md"] = page(flow, slots, name_of)
    return made


def stale(folder: Path) -> list[str]:
    """What is wrong with ``folder``: files that are missing or differ, and files of no flow."""
    made = files()
    there = {p.name: p for p in folder.iterdir() if p.is_file()} if folder.is_dir() else {}
    wrong = [f"{name}: missing" for name in sorted(made.keys() - there.keys())]
    wrong += [f"{name}: left over" for name in sorted(there.keys() - made.keys())]
    shared = sorted(made.keys() & there.keys())
    return wrong + [f"{name}: stale" for name in shared if there[name].read_bytes() != made[name].encode()]


def _is_ours(path: Path) -> bool:
    """Whether a file was made by this command: nothing else is ever removed, whatever folder is named."""
    if path.suffix not in (".md", ".svg") or not path.is_file():
        return False
    return path.read_text(encoding="utf-8", errors="replace").startswith((MADE_BY, CHART_OPENING))


@group.command("draw", with_appcontext=False)
@click.option("--check", is_flag=True, help="Write nothing; name what is stale or left over and exit with 1.")
@click.option(
    "--to", "folder", type=click.Path(file_okay=False, path_type=Path), default=FOLDER, show_default="docs/flows"
)
def draw_flows(check: bool, folder: Path) -> None:
    """Draw each shipped flow and write its page, with an index; removes drawings and pages of flows that are gone."""
    if check:
        wrong = stale(folder)
        for each in wrong:
            click.echo(each, err=True)
        if wrong:
            raise SystemExit(1)
        click.echo("docs/flows: up to date")
        return
    made = files()
    folder.mkdir(parents=True, exist_ok=True)
    for path in sorted(folder.iterdir()):
        if path.name not in made and _is_ours(path):
            path.unlink()
    for name, text in made.items():
        (folder / name).write_text(text, encoding="utf-8", newline="\n")
    click.echo(f"flows: {len(made)} files drawn")
