"""Lots for post-checks: one seed a town and day, told to the history before its first draw, drawn again the same."""

from __future__ import annotations

import datetime as dt

import pytest
from flask import Flask
from sqlalchemy import select

from tests import walking
from tests.builders import World
from tests.web.company_browser import Browser, text_of
from workflow import cli
from workflow.core.actors import Role
from workflow.data import audit, samples
from workflow.data.audit import AuditEntry
from workflow.data.cases import Case
from workflow.data.samples import SamplingSeed
from workflow.extensions import db
from workflow.services import sampling


@pytest.fixture
def filed(world: World) -> list[Case]:
    """Cases filed by three companies on one day and by one on the next, all of them certain to be drawn."""
    world.publish_rules("filing")
    found = []
    for day in (0, 0, 0, 1):
        world.now += dt.timedelta(days=day)
        case = world.submitted(key_area_count="3")
        walking.walk(world, case, {"filed", "post_check"})
        found.append(case)
    return found


def test_one_seed_a_day_told_before_the_first_draw(filed: list[Case]) -> None:
    seeds = list(db.session.scalars(select(SamplingSeed).order_by(SamplingSeed.id)))
    days = {s.day_on for s in seeds}
    assert len(seeds) == len(days)
    rows = list(
        db.session.scalars(
            select(AuditEntry).where(AuditEntry.event.in_(("seed_made", "lot_drawn"))).order_by(AuditEntry.id)
        )
    )
    assert [r.event for r in rows].count("seed_made") == len(seeds)
    assert rows[0].event == "seed_made"
    assert {r.after["seed"] for r in rows if r.event == "seed_made"} == {s.seed for s in seeds}
    assert list(audit.verify()) == []


def test_a_case_that_is_drawn_goes_on_to_the_check_and_may_work_meanwhile(filed: list[Case]) -> None:
    for case in filed:
        (drawn,) = samples.of_case(case.id)
        assert (drawn.percent, drawn.drawn, case.state, case.permits) == (100, True, "post_check", True)
        assert sampling.holds(drawn, case.reference)
        assert not sampling.holds(drawn, case.reference + "0")


def test_drawing_again_finds_what_was_tampered_with(filed: list[Case], app: Flask) -> None:
    cli.register(app)
    runner = app.test_cli_runner()
    assert runner.invoke(args=["audit", "draws"]).exit_code == 0
    (drawn,) = samples.of_case(filed[1].id)
    drawn.value = 50.0
    db.session.commit()
    result = runner.invoke(args=["audit", "draws"])
    assert result.exit_code == 1
    assert f"case {filed[1].id}:" in result.output


def test_the_officers_page_shows_lot_and_seed(filed: list[Case], world: World, app: Flask) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    (drawn,) = samples.of_case(filed[0].id)
    seed, path = drawn.seed.seed, f"/cases/{filed[0].id}"
    page = text_of(Browser(app.test_client(), app).enter(world.officer(Role.REVIEWER)).get(path))
    assert seed in page
    assert "抽查比例 100%" in page
