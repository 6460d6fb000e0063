"""The board and what visits teach, as pages: who sees them, what they say, and that they cost few statements."""

from __future__ import annotations

import pytest
from flask import Flask

from tests.conftest import building, sign_in
from tests.web.test_statements import MOST, counting
from workflow.core.actors import Role

CITY = "3302"


@pytest.fixture
def logins(app: Flask) -> dict[str, str]:
    """A case under review, and who looks at the board."""
    app.config["WTF_CSRF_ENABLED"] = False
    with building(app) as world:
        case = world.submitted()
        world.step(world.officer(Role.REVIEWER), case, "accept")
        world.approved()
        return {
            "commander": world.officer(Role.COMMANDER, CITY).login,
            "leader": world.officer(Role.LEADER).login,
            "reviewer": world.officer(Role.REVIEWER).login,
            "auditor": world.officer(Role.AUDITOR, CITY).login,
        }


@pytest.mark.parametrize("who", ["commander", "leader", "auditor"])
def test_the_board_shows_numbers_in_few_statements(app: Flask, logins: dict[str, str], who: str) -> None:
    client = sign_in(app.test_client(), logins[who])
    client.get("/board")  # the first request of a process reads the texts of the flows
    with counting() as statements:
        page = client.get("/board")
    assert page.status_code == 200
    assert "今日新收" in page.text
    assert len(statements) <= MOST, "\n".join(statements)


def test_the_board_leads_down_and_no_further(app: Flask, logins: dict[str, str]) -> None:
    client = sign_in(app.test_client(), logins["commander"])
    assert "海曙区" in client.get("/board").text
    assert "江厦街道" in client.get("/board?area=330203").text
    assert "天一片区" in client.get("/board?area=330203002&days=7").text
    assert client.get("/board?days=nonsense").status_code == 200
    leader = sign_in(app.test_client(), logins["leader"])
    assert leader.get("/board?area=330203").status_code == 404
    assert sign_in(app.test_client(), logins["reviewer"]).get("/board").status_code == 403


def test_what_visits_teach_is_for_all_of_the_desk(app: Flask, logins: dict[str, str]) -> None:
    for login in logins.values():
        page = sign_in(app.test_client(), login).get("/inspections/learning?sector=unknown")
        assert page.status_code == 200
        assert "常见问题" in page.text
