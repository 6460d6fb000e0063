"""Drafts become versions by two people; a county's own flow runs to a printed pass without a line of code."""

from __future__ import annotations

import datetime as dt
import io

import pypdfium2
import pytest
from sqlalchemy.exc import IntegrityError

from tests.builders import World
from tests.services.published import CITY, area, commander, drafted, proposed, published, staffed
from tests.services.together import failures, together
from workflow.core.actors import Actor, Role
from workflow.core.errors import Invalid, NotFound, NotPermitted, Stale, StepClosed
from workflow.core.times import shanghai_day
from workflow.data import audit, catalogue, flows
from workflow.data.flows import FlowVersion, RuleVersion
from workflow.extensions import db
from workflow.services import drafts, issuing, publishing, releases
from workflow.services import passes as pass_service

CIXI = "330282"


def _town_of(county: str) -> str:
    return next(a.code for a in catalogue.areas() if a.kind == "town" and a.code.startswith(county))


def test_every_act_is_one_row_of_history(world: World) -> None:
    version = published(world, "rules", catalogue.rules_text("filing"))
    events = [e.event for e in db.session.scalars(db.select(audit.AuditEntry).where(audit.AuditEntry.person_id > 0))]
    assert events.count("draft_changed") == 3
    assert events.count("rules_published") == 1
    assert isinstance(version, RuleVersion)
    assert version.drafted_by != version.approved_by
    assert list(audit.verify()) == []
    kept = str([e.after for e in db.session.scalars(db.select(audit.AuditEntry))])
    assert "宁波市" not in kept


def test_nobody_approves_their_own_draft(world: World) -> None:
    draft = proposed(world, "rules", catalogue.rules_text("filing"))
    with pytest.raises(NotPermitted):
        releases.publish(commander(world), draft.id, revision=draft.revision, now=world.now)


def test_the_database_refuses_it_too(world: World) -> None:
    draft = proposed(world, "rules", catalogue.rules_text("filing"))
    draft.approved_by, draft.status = draft.proposed_by, "published"
    with pytest.raises(IntegrityError):
        db.session.flush()


def test_the_second_to_save_is_told(world: World) -> None:
    draft = drafted(world, "rules", catalogue.rules_text("filing"))
    seen = draft.revision
    drafts.save(commander(world, 2), draft.id, revision=seen, now=world.now, text="title = 1\n")
    with pytest.raises(Stale):
        drafts.save(commander(world), draft.id, revision=seen, now=world.now, text="title = 2\n")


def test_a_day_in_the_past_and_a_text_with_problems_are_refused(world: World) -> None:
    yesterday = shanghai_day(world.now) - dt.timedelta(days=1)
    draft = drafted(world, "rules", catalogue.rules_text("filing"), on=yesterday)
    with pytest.raises(Invalid, match="不能早于今天"):
        drafts.propose(commander(world), draft.id, revision=draft.revision, now=world.now)
    wrong = drafted(world, "rules", catalogue.rules_text("filing").replace("[[rule]]", "[[role]]", 1))
    with pytest.raises(Invalid, match="处问题"):
        drafts.propose(commander(world), wrong.id, revision=wrong.revision, now=world.now)


def test_a_proposal_that_waited_too_long_is_not_published_in_the_past(world: World) -> None:
    draft = proposed(world, "rules", catalogue.rules_text("filing"))
    world.later(days=2)
    with pytest.raises(Invalid, match="不能早于今天"):
        releases.publish(commander(world, 2), draft.id, revision=draft.revision, now=world.now)


def test_the_same_text_is_not_published_twice(world: World) -> None:
    published(world, "rules", catalogue.rules_text("filing"))
    draft = proposed(world, "rules", catalogue.rules_text("filing"))
    with pytest.raises(Invalid, match="不必再发布"):
        releases.publish(commander(world, 2), draft.id, revision=draft.revision, now=world.now)


def test_a_commander_stays_in_the_own_area(world: World) -> None:
    own = commander(world, place=CIXI)
    with pytest.raises(Invalid):
        drafts.area_for(own, CITY)
    with pytest.raises(NotPermitted):
        drafts.start(own, "rules", "", catalogue.rules_text("filing"), area(CITY), world.now)
    draft = drafted(world, "rules", catalogue.rules_text("filing"))
    with pytest.raises(NotFound):
        drafts.get(own, draft.id)
    assert {a.code[:6] for a in drafts.areas_of(own)} == {CIXI}


def test_a_flow_that_rules_need_is_not_withdrawn_until_another_serves(world: World) -> None:
    shipped = flows.newest("city-small", shanghai_day(world.now))
    assert shipped is not None
    with pytest.raises(StepClosed):
        releases.withdraw(commander(world), "flow", shipped.id, world.now)
    staffed(world, "330203002")
    published(world, "flow", catalogue.flow_text("city-small").replace("days = 1", "days = 2", 1))
    with pytest.raises(StepClosed):  # the shipped book is for everywhere, the new version for the city alone
        releases.withdraw(commander(world), "flow", shipped.id, world.now)
    county = published(world, "flow", catalogue.flow_text("city-small").replace("days = 1", "days = 3", 1), "330203")
    assert releases.withdraw(commander(world), "flow", county.id, world.now).withdrawn_at == world.now
    with pytest.raises(Stale):
        releases.withdraw(commander(world), "flow", county.id, world.now)


def test_a_coming_rulebook_keeps_its_flow_too(world: World) -> None:
    town = _town_of(CIXI)
    staffed(world, town)
    flow = published(world, "flow", _cixi_flow(), CIXI)
    later = shanghai_day(world.now) + dt.timedelta(days=9)
    book = published(world, "rules", _cixi_rules(), CIXI, later)
    with pytest.raises(StepClosed):
        releases.withdraw(commander(world), "flow", flow.id, world.now)
    releases.withdraw(commander(world), "rules", book.id, world.now)
    releases.withdraw(commander(world), "flow", flow.id, world.now)


def test_the_last_rulebook_is_not_withdrawn(world: World) -> None:
    (shipped,) = db.session.scalars(db.select(RuleVersion)).all()
    with pytest.raises(StepClosed):
        releases.withdraw(commander(world), "rules", shipped.id, world.now)
    own = published(world, "rules", catalogue.rules_text("filing"))
    releases.withdraw(commander(world), "rules", own.id, world.now)


def test_a_book_does_not_come_back_to_a_flow_that_is_gone(world: World) -> None:
    staffed(world, _town_of(CIXI))
    flow = published(world, "flow", _cixi_flow(), CIXI)
    published(world, "rules", _cixi_rules(), CIXI)
    second = published(world, "rules", catalogue.rules_text("filing"), CIXI)
    releases.withdraw(commander(world), "flow", flow.id, world.now)
    with pytest.raises(StepClosed, match="已经撤回"):
        releases.withdraw(commander(world), "rules", second.id, world.now)


def test_what_people_publish_does_not_stop_what_ships(world: World) -> None:
    staffed(world, _town_of(CIXI))
    key = "city-small"
    version = published(world, "flow", catalogue.flow_text(key).replace("days = 1", "days = 4", 1), CIXI)
    staffed(world, "330203002")
    same = published(world, "flow", catalogue.flow_text(key), "330203")
    assert isinstance(version, FlowVersion)
    assert same.revision == version.revision + 1
    assert publishing.sync_flows(world.now) == []
    everywhere = flows.newest(key, shanghai_day(world.now))
    assert everywhere is not None
    assert everywhere.drafted_by is None


def test_two_approvals_at_once_give_one_version(world: World) -> None:
    draft = proposed(world, "rules", catalogue.rules_text("filing"))
    third = commander(world, 3)
    second, draft_id, revision, now = commander(world, 2), draft.id, draft.revision, world.now

    def approve(actor: Actor) -> int:
        return releases.publish(actor, draft_id, revision=revision, now=now).revision

    outcomes = together(world.app, lambda: approve(second), lambda: approve(third))
    assert len(failures(outcomes)) == 1
    assert isinstance(failures(outcomes)[0], StepClosed)
    assert [o for o in outcomes if isinstance(o, int)] == [2]


def test_two_drafts_approved_at_once_get_two_numbers(world: World) -> None:
    one = proposed(world, "rules", catalogue.rules_text("filing"))
    other = proposed(world, "rules", catalogue.rules_text("none"))
    second, now = commander(world, 2), world.now
    wanted = [(one.id, one.revision), (other.id, other.revision)]

    def approve(number: int) -> int:
        return releases.publish(second, wanted[number][0], revision=wanted[number][1], now=now).revision

    assert sorted(together(world.app, lambda: approve(0), lambda: approve(1))) == [2, 3]


def _cixi_flow() -> str:
    text = catalogue.flow_text("city-small").replace('key = "city-small"', 'key = "cixi-quick"', 1)
    return text.replace('zh = "规下（限下）企业复工审核"', 'zh = "慈溪企业快速复工"', 1)


def _cixi_rules() -> str:
    return (
        'title = { zh = "慈溪市复工规则", en = "Cixi rules" }\n\n'
        '[[rule]]\nflow = "cixi-quick"\nwhen = { county = "330282", purpose = "resume", sector = "industry" }\n'
        'why = { zh = "慈溪工业企业走快速流程", en = "Cixi industry goes the quick way" }\n'
    )


def test_a_county_that_does_not_ship_runs_to_a_printed_pass(world: World) -> None:
    town = _town_of(CIXI)
    staffed(world, town)
    flow = published(world, "flow", _cixi_flow(), CIXI)
    book = published(world, "rules", _cixi_rules(), CIXI)
    clerk = world.company("慈溪试行阀门有限公司")
    case = world.approved(clerk, town=town)
    assert case.flow_version_id == flow.id
    assert case.flow.label.zh == "慈溪企业快速复工"
    assert case.routed_because["rules"] == book.revision
    assert case.permits
    asked = pass_service.request_pass(world.actor(clerk), case.id, world.pass_request(), world.now)
    pass_service.grant(world.actor(world.officer(Role.REVIEWER, town)), asked.id, world.now)
    db.session.commit()
    printed = issuing.render_pass_pdf(pass_service.get(world.actor(clerk), asked.id))
    pages = pypdfium2.PdfDocument(io.BytesIO(printed))
    assert len(pages) >= 1
