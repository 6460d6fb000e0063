"""Demo data: invented companies played through the services, and bulk cases for benchmarks."""

from __future__ import annotations

import time

import click
from flask.cli import AppGroup

from workflow.cli.clock import clock, writing
from workflow.cli.demo import bulk, gates, organisation, stories, wording
from workflow.data import people

group = AppGroup("demo", help="Invented data to try the system with.")


@group.command("seed")
def seed() -> None:
    """Play the companies through their flows; does nothing when they are there already."""
    if people.account_by_login(stories.FIRST_LOGIN) is not None:
        click.echo("demo: already there")
        return
    started = time.monotonic()
    with writing():
        count = stories.play_all(clock())
        teams = organisation.build(clock())
        wording.build(clock())
        gates.build(clock())
    click.echo(f"demo: {count} companies, {teams} teams in {time.monotonic() - started:.0f} s")


@group.command("load")
@click.option("--cases", "count", type=click.IntRange(1, 2_000_000), required=True, help="How many cases to add.")
def load(count: int) -> None:
    """Add cases in bulk for benchmarks, with true history; rows are written directly, not by the services."""
    started = time.monotonic()
    bulk.load(count, clock(), lambda done: click.echo(f"demo: {done} cases, {time.monotonic() - started:.0f} s"))
