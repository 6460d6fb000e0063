"""Commands of ``flask --app wsgi …``: data that ships, keys, accounts, audit, the worker and the demo."""

from __future__ import annotations

import json

import click
from flask import Flask, current_app
from flask.cli import AppGroup, with_appcontext

from workflow.cli import counters, demo, keys
from workflow.cli import publishing as flow_commands
from workflow.cli.clock import clock, writing
from workflow.core.actors import SYSTEM
from workflow.data import audit, people
from workflow.services import accounts, file_check, publishing, sampling

areas_group = AppGroup("areas", help="The area tree.")
audit_group = AppGroup("audit", help="The history's chain.")
staff_group = AppGroup("staff", help="Staff accounts.")


@areas_group.command("sync")
def sync_areas() -> None:
    """Add and rename areas as shipped; deletes none."""
    with writing():
        count = publishing.sync_areas()
    click.echo(f"areas: {count} changed")


@audit_group.command("verify")
@click.option("--files", is_flag=True, help="Read every stored file that the history names, too.")
def verify_audit(files: bool) -> None:
    """Check every chain of the history; names the first bad row of each and exits with 1."""
    faults = list(audit.verify())
    for fault in faults:
        click.echo(f"{fault.chain} row {fault.number}: {fault.why}", err=True)
    wrong = _verify_files() if files else 0
    if faults or wrong:
        raise SystemExit(1)
    click.echo("audit: every chain is whole")


def _verify_files() -> int:
    """Print every file that is not what the history recorded; returns how many these are."""
    checked, wrong = file_check.Checked(), 0
    for fault in file_check.faults(checked):
        wrong += 1
        click.echo(f"case {fault.reference}, {fault.what}: {fault.why} ({fault.sha256[:16]})", err=True)
    if not wrong:
        click.echo(f"audit: {checked.files} stored files are as recorded")
    return wrong


@audit_group.command("heads")
def export_heads() -> None:
    """Print the end of every chain as JSON lines, to be kept outside of the database."""
    for head in audit.heads():
        click.echo(json.dumps({"chain": head.chain, "number": head.number, "hash": head.hash}))


@audit_group.command("draws")
def verify_draws() -> None:
    """Draw every lot for post-checks again by its recorded seed; names those that come out otherwise, exit code 1."""
    wrong = [f"case {d.case_id}: the lot drawn at {d.at:%Y-%m-%d %H:%M} UTC" for d in sampling.wrong_draws()]
    for line in wrong:
        click.echo(line, err=True)
    if wrong:
        raise SystemExit(1)
    click.echo("audit: every lot is drawn again the same")


@staff_group.command("create")
@click.option("--login", required=True)
@click.option("--name", required=True)
@click.option("--role", required=True)
@click.option("--area", required=True, help="Official code, e.g. 330203002.")
@click.option("--bureau", default=None, help="Department code for bureau_reviewer and department, e.g. weijian.")
@click.option("--mobile", default="")
@click.password_option()
def create_staff(login: str, name: str, role: str, area: str, bureau: str | None, mobile: str, password: str) -> None:
    """Create a staff account with one appointment; the first admin is made like this."""
    now = clock()
    with writing():
        account = accounts.create_staff(SYSTEM, login=login, name=name, password=password, mobile=mobile, now=now)
        accounts.appoint(SYSTEM, person_id=account.person_id, role=role, area_code=area, bureau=bureau, now=now)
    click.echo(f"staff: {account.login} created")


@staff_group.command("password")
@click.option("--login", required=True, help="A staff login, or the mobile number of a company's clerk.")
@click.password_option()
def set_password(login: str, password: str) -> None:
    """Set a new password for any account, staff or company; its sessions end."""
    account = people.account_by_login(login)
    if account is None:
        raise click.ClickException("no account has this login")
    with writing():
        accounts.reset_password(SYSTEM, account.id, password, clock())
    click.echo(f"staff: password of {account.login} changed")


@click.command("worker")
@with_appcontext
def run_worker() -> None:
    """Run the worker: drains the outbox when woken and every minute. Ends on SIGTERM."""
    queue = current_app.extensions["queue"]
    queue.huey.create_consumer(workers=1, periodic=True, initial_delay=0.1, max_delay=2.0).run()


def register(app: Flask) -> None:
    """Attach the commands to the application."""
    groups = (areas_group, flow_commands.group, audit_group, keys.group, staff_group, counters.group, demo.group)
    for group in (*groups, run_worker):
        app.cli.add_command(group)
