"""Checklists are published like flows: with a day, an area and two people; a visit keeps the versions it began with."""

from __future__ import annotations

import datetime as dt

import pytest

from tests.builders import World
from tests.services.published import CITY, area, commander, drafted, proposed, published
from workflow.core.catalogue import CatalogueInvalid, read_checklist
from workflow.core.errors import Invalid, NotPermitted, StepClosed
from workflow.core.times import shanghai_day
from workflow.data import audit, catalogue, flows, inspections
from workflow.data.flows import ChecklistVersion
from workflow.data.inspections import Inspection
from workflow.extensions import db
from workflow.services import checklists, drafts, publishing, releases

HAISHU = "330203"
GENERAL = catalogue.checklist_texts()["general"]
SITE = catalogue.checklist_texts()["site"]
ONE_MORE = """
[[item]]
code = "NEW-01"
category = { zh = "新增", en = "New" }
text = { zh = "门口有当天的值班名单", en = "Today's duty list hangs at the door" }
short = true
sources = ["A4"]
"""


def _visit(world: World, **answers: str) -> Inspection:
    return inspections.of_case(world.scheduled(**answers).id)[-1]


def test_what_ships_is_published_once(world: World) -> None:
    versions = list(db.session.scalars(db.select(ChecklistVersion)))
    assert {v.key for v in versions} == catalogue.checklist_keys() >= {"general", "site", "hazardous", "small"}
    assert publishing.sync_checklists(world.now) == []


def test_a_changed_shipped_text_needs_a_new_version(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalogue, "checklist_texts", lambda: {"general": GENERAL + ONE_MORE})
    with pytest.raises(CatalogueInvalid, match="raise its version"):
        publishing.sync_checklists(world.now)
    later = (GENERAL + ONE_MORE).replace("\nversion = 1\n", "\nversion = 2\n", 1)
    monkeypatch.setattr(catalogue, "checklist_texts", lambda: {"general": later})
    (added,) = publishing.sync_checklists(world.now)
    assert added.revision == 2


def test_a_visit_keeps_the_list_it_was_arranged_with(world: World) -> None:
    before = _visit(world)
    published(world, "checklist", GENERAL + ONE_MORE, HAISHU)
    after = _visit(world)
    assert "NEW-01" not in {i.code for i in before.items}
    assert "NEW-01" in {i.code for i in after.items}
    assert checklists.of_visit(after).item("NEW-01").text.zh == "门口有当天的值班名单"
    with pytest.raises(KeyError):
        checklists.of_visit(before).item("NEW-01")
    old, new = checklists.of_visit(before), checklists.of_visit(after)
    assert checklists.digest_of_visit(before, old) != checklists.digest_of_visit(after, new)


def test_a_list_holds_in_its_area_from_its_day_on(world: World) -> None:
    day = shanghai_day(world.now) + dt.timedelta(days=3)
    draft = proposed(world, "checklist", GENERAL + ONE_MORE, HAISHU, day)
    releases.publish(commander(world, 2), draft.id, revision=draft.revision, now=world.now)
    here, elsewhere = area(HAISHU).lineage, area("330212").lineage
    assert checklists.in_force("general", day - dt.timedelta(days=1), here).checklist.version == 1
    codes = {i.code for i in checklists.in_force("site", day, here).checklist.items}
    assert {"NEW-01", "SITE-01"} <= codes
    assert "NEW-01" not in {i.code for i in checklists.in_force("general", day, elsewhere).checklist.items}


def test_two_people_and_a_row_of_history(world: World) -> None:
    draft = proposed(world, "checklist", GENERAL + ONE_MORE)
    with pytest.raises(NotPermitted):
        releases.publish(commander(world), draft.id, revision=draft.revision, now=world.now)
    version = releases.publish(commander(world, 2), draft.id, revision=draft.revision, now=world.now)
    db.session.commit()
    entry = db.session.scalars(
        db.select(audit.AuditEntry)
        .where(audit.AuditEntry.event == "checklist_published")
        .order_by(audit.AuditEntry.id.desc())
    ).first()
    assert entry is not None
    assert entry.after["checklist"] == "general"
    assert entry.after["version"] == version.id
    again = proposed(world, "checklist", GENERAL + ONE_MORE)
    with pytest.raises(Invalid, match="不必再发布"):
        releases.publish(commander(world, 2), again.id, revision=again.revision, now=world.now)


def test_a_list_that_is_needed_is_not_withdrawn(world: World) -> None:
    shipped = flows.newest_list("general", shanghai_day(world.now))
    assert shipped is not None
    with pytest.raises(StepClosed, match="没有别的版本"):
        releases.withdraw(commander(world), "checklist", shipped.id, world.now)
    version = published(world, "checklist", GENERAL + ONE_MORE)
    releases.withdraw(commander(world), "checklist", version.id, world.now)
    with pytest.raises(StepClosed):
        checklists.in_force("nothing", shanghai_day(world.now), area(CITY).lineage)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (('extends = "general"', 'extends = "nowhere"'), "does not exist"),
        (('extends = "general"', 'extends = "site"'), "extends itself"),
        (('extends = "general"', 'extends = "hazardous"'), "extends another itself"),
        (("veto = true", 'veto = "yes"'), "veto"),
        (("[[item]]", "[[thing]]"), "unknown key"),
    ],
)
def test_a_wrong_list_is_told_with_its_line(world: World, change: tuple[str, str], problem: str) -> None:
    draft = drafted(world, "checklist", SITE.replace(change[0], change[1], 1))
    found = drafts.checked(draft, world.now)
    assert any(problem in p.words for p in found.problems)
    assert all(p.line for p in found.problems if "no item" not in p.words)
    with pytest.raises(Invalid):
        drafts.propose(commander(world), draft.id, revision=draft.revision, now=world.now)


def test_a_flow_says_whether_everything_is_checked(world: World) -> None:
    short = {i.code for i in _visit(world).items}
    full = {i.code for i in _visit(world, size="above").items}
    listed = read_checklist(GENERAL)
    assert short == {i.code for i in listed.items if i.short and i.code in short}
    assert short < full
    assert len(full) > 60


def test_the_campaign_on_small_premises_is_a_list_of_its_own() -> None:
    small = catalogue.checklist("small")
    assert small.extends == ""
    assert {i.code[:3] for i in small.items} == {"SML"}


def test_an_uploaded_list_is_known_for_what_it_is() -> None:
    assert drafts.kind_of(GENERAL) == "checklist"
    assert drafts.kind_of(GENERAL.replace("key = ", "key : ")) == "checklist"
    assert drafts.kind_of(catalogue.flow_text("micro")) == "flow"
    assert drafts.kind_of(catalogue.rules_text()) == "rules"
