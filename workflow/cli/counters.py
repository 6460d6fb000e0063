"""Commands on the counters that boards read: compare them with the cases, and make them right."""

from __future__ import annotations

import click
from flask.cli import AppGroup

from workflow.cli.clock import writing
from workflow.data import counters

group = AppGroup("counters", help="The counters that boards read.")


@group.command("check")
def check() -> None:
    """Compare the counters with a count of every case; exits with 1 when one is wrong."""
    right, kept = counters.recount(), counters.kept()
    wrong = sorted(place for place in right.keys() | kept.keys() if right[place] != kept[place])
    for kind, day, town, key in wrong:
        place = (kind, day, town, key)
        click.echo(f"{kind} {day} town {town} {key}: {kept[place]} kept, {right[place]} counted", err=True)
    if wrong:
        raise SystemExit(1)
    click.echo(f"counters: all {len(kept)} are right")


@group.command("repair")
def repair() -> None:
    """Make the counters what a count of every case gives; to be run while nobody works."""
    with writing():
        wrong = counters.repair()
    click.echo(f"counters: {wrong} were wrong")
