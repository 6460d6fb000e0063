"""Fixtures for tests in real Chromium."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Browser, sync_playwright

from tests import browsing
from tests.browsing import Person


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """One Chromium for the whole run."""
    if not browsing.CHROMIUM.exists():
        pytest.fail("Chromium is missing; install it with: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = browsing.launch(playwright)
        yield browser
        browser.close()


@pytest.fixture(params=["sqlite"])
def backend(request: pytest.FixtureRequest) -> str:
    """Browser tests run on the embedded database; the same routes run on PostgreSQL without a browser."""
    return str(request.param)


@pytest.fixture
def live(app: Flask) -> Iterator[str]:
    """The address of a running server."""
    with browsing.serving(app) as address:
        yield address


@pytest.fixture(params=[browsing.WIDE, browsing.PHONE], ids=["wide", "phone"])
def viewport(request: pytest.FixtureRequest) -> dict[str, int]:
    """A desk's screen and a phone's."""
    viewport: dict[str, int] = request.param
    return viewport


@pytest.fixture
def arrive(chromium: Browser, live: str, viewport: dict[str, int]) -> Iterator[object]:
    """A maker of people at browsers of their own; at the end none of their pages may have complained."""
    people: list[Person] = []

    def make() -> Person:
        people.append(Person.arrive(chromium, live, viewport))
        return people[-1]

    yield make
    for person in people:
        person.page.context.close()
        person.content()


LEFT_OPEN = "ignore:Exception ignored in. <_io.FileIO name='.*/static/:pytest.PytestUnraisableExceptionWarning"
"""A browser that goes away in the middle of a style sheet leaves the test server's open file to the collector."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Bear with that, in these tests and for those files only."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.filterwarnings(LEFT_OPEN))
