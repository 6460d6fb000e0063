"""Search finds what a plain filter over every case finds, along the indexes and by walking, for every text."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, select

from tests.builders import World, uscc
from workflow.core.actors import Role
from workflow.core.grams import folded
from workflow.data import names, search
from workflow.data import queue as data
from workflow.data.cases import Case
from workflow.data.enterprises import Enterprise
from workflow.data.filters import Filters, Sort, Tab
from workflow.extensions import db

NAMES = (
    "宁波海曙晨光服装有限公司",
    "宁波 晨光 Textile有限公司",
    "宁波ABC精密机械（集团）股份有限公司",
    "宁波abc贸易有限公司",
    "宁波１２３ＡＢＣ电子厂",
    "宁波100%棉_纺🧵织'厂",
    "光",
    "晨晨光晨光光有限公司",
    "宁波\\反斜杠\\有限公司",
    "宁波ÄÖÜ德资有限公司",
    "公司公司公",
    "宁波0042号店",
)
ALPHABET = "宁波晨光公司有限ABCabcＡ１%_'\\🧵 äÄ0042"


@pytest.fixture
def many(world: World) -> World:
    """Cases of the town with every name, half of them closed, and one with the same names in another town."""
    first = world.submitted()
    table = Case.__table__
    row = dict(db.session.execute(select(table).where(table.c.id == first.id)).mappings().one())
    del row["id"]
    others = {**row, "town_id": row["town_id"] + 1}
    for n, name in enumerate(NAMES):
        for m, values in enumerate((row, others)):
            change = {"enterprise_name": name, "reference": f"复工-海曙-20200215-9{m}{n:02d}", "is_open": n % 2 == 0}
            db.session.execute(insert(table), [{**values, **change}])
    cases = db.session.execute(select(Case.id, Case.town_id, Case.enterprise_name).where(Case.id != first.id)).all()
    names.keep(db.session(), [tuple(c) for c in cases])
    db.session.commit()
    return world


def _plain(text: str, tab: Tab, town_id: int) -> set[int]:
    """The same by looking at every case."""
    letters = folded(text)
    found = set()
    for case in db.session.scalars(select(Case).where(Case.town_id == town_id)):
        if case.is_open == (tab is Tab.OPEN) and letters and letters in folded(case.enterprise_name):
            found.add(case.id)
    return found


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(ALPHABET, min_size=1, max_size=4), tab=st.sampled_from([Tab.OPEN, Tab.DONE]), few=st.booleans())
def test_part_of_a_name_finds_what_a_plain_filter_finds(many: World, text: str, tab: Tab, few: bool) -> None:
    with pytest.MonkeyPatch.context() as patch:
        if not few:  # whatever is found at all is then too much to be listed
            patch.setattr(search, "FEW", 0)
            patch.setattr(search, "FEW_BEGUN", 0)
        actor = many.actor(many.officer(Role.REVIEWER))
        town_id = actor.appointments[0].area_id
        filters = Filters(tab=tab, text=text)
        found = {row.id for row in data.stream(actor, filters, many.now)}
        wanted = _plain(text, tab, town_id)
        parts = {  # besides the name, digits and dashes are looked for in references
            row.id
            for row in data.stream(actor, Filters(tab=tab), many.now)
            if folded(text).upper() in row.reference and any(c.isdigit() or c == "-" for c in text)
        }
        if not folded(text):
            assert found == {row.id for row in data.stream(actor, Filters(tab=tab), many.now)}
            return
        assert wanted <= found <= wanted | parts or not text.isascii()
        assert data.count(actor, filters, many.now) == len(found)


@pytest.mark.parametrize("sort", list(Sort))
def test_the_order_holds_however_the_rows_are_found(many: World, sort: Sort, monkeypatch: pytest.MonkeyPatch) -> None:
    actor = many.actor(many.officer(Role.REVIEWER))
    filters = Filters(tab=Tab.OPEN, text="宁波", sort=sort)
    listed = [row.id for row in data.stream(actor, filters, many.now)]
    monkeypatch.setattr(search, "FEW", 0)
    assert [row.id for row in data.stream(actor, filters, many.now)] == listed
    assert len(listed) > 3


def test_codes_references_and_plates(world: World) -> None:
    clerk = world.company()
    case = world.approved(clerk)
    other = world.approved()
    from workflow.services import passes as pass_service

    pass_service.request_pass(world.actor(clerk), case.id, world.pass_request("浙B1Q0K8"), world.now)
    db.session.commit()
    actor = world.actor(world.officer(Role.REVIEWER))
    code = db.session.get_one(Enterprise, case.enterprise_id).uscc

    def found(text: str) -> set[int]:
        return {row.id for row in data.page(actor, Filters(tab=Tab.DONE, text=text), world.now).rows}

    assert code.startswith(uscc(1)[:8])
    assert found(code) == found(code.lower()) == {case.id}
    assert found(code[:10]) == {case.id, other.id}
    assert found(case.reference) == {case.id}
    assert found(case.reference[-13:]) == {case.id}
    assert found(f" {case.reference[3:].replace('-', ' - ')} ") == {case.id}
    for plate in ("浙B1Q0K8", "浙B·1Q0K8", "浙b iqok8", "Q0K8", "IQO", "浙B1"):
        assert found(plate) == {case.id}, plate
    for nothing in ("浙B9", "Z9Z9", "浙C", "9" * 30, "-" * 40, "晨" * 10_000, "\U0010ffff", "\ud7ff", "%%", "''"):
        assert found(nothing) == set(), nothing


def test_another_town_is_never_found(many: World) -> None:
    stranger = many.actor(many.officer(Role.REVIEWER, "330203005"))
    assert data.count(stranger, Filters(tab=Tab.OPEN, text="晨光"), many.now) == 0
    commander = many.actor(many.officer(Role.COMMANDER, "330203"))
    here = {row.id for row in data.stream(commander, Filters(tab=Tab.OPEN, text="晨光"), many.now)}
    assert len(here) >= 2
