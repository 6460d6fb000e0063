"""What the rules in force allow a company: quotas over all its cases, days, who decides, and plates of other makes."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine

from tests.builders import World
from tests.services.together import failures, together
from workflow.core.actors import Role
from workflow.core.errors import DomainError, Invalid, NotFound, StepClosed
from workflow.core.rulebook import read_rulebook
from workflow.core.times import shanghai_day
from workflow.data import audit, passes
from workflow.data.flows import RuleVersion, digest_of
from workflow.data.passes import VehiclePass
from workflow.data.people import Account
from workflow.extensions import db
from workflow.services import flow_check
from workflow.services import passes as service

DAY = dt.timedelta(days=1)


@pytest.fixture
def clerk(world: World) -> Account:
    """The clerk of the company that asks."""
    return world.company()


def publish(world: World, entries: str) -> None:
    """Put rules on passes in force in the town, besides the city's."""
    text = f'title = {{ zh = "规则", en = "Rules" }}\n{entries}\nwhy = {{ zh = "试验规则", en = "Trial" }}\n'
    read_rulebook(text)
    version = world.publish_rules("approval", "330203002")
    version.text, version.digest = text, digest_of(text)
    db.session.commit()
    assert db.session.get(RuleVersion, version.id) is version


def test_the_city_starts_with_officers_and_a_quota_by_heads(world: World, clerk: Account) -> None:
    case = world.approved(clerk)
    offer = service.offer(world.actor(clerk), case, world.now)
    assert (offer.decision, offer.quota, offer.used, offer.longest_days) == ("officer", 10 + 12, 0, 14)
    assert set(offer.kinds) == set(passes.PURPOSES)
    assert offer.others == ()
    assert service.offer(world.actor(world.officer(Role.REVIEWER)), case, world.now) == offer
    with pytest.raises(NotFound):
        service.offer(world.actor(world.company()), case, world.now)


def test_filing_grants_goods_at_once_and_leaves_the_rest_to_officers(world: World, clerk: Account) -> None:
    world.publish_rules("filing")
    case, actor = world.approved(clerk), world.actor(clerk)
    assert case.flow.key == "filing"
    now = world.now
    goods = service.request_pass(actor, case.id, world.pass_request("浙B10001"), now)
    charter = service.request_pass(actor, case.id, world.pass_request("浙B20002", purpose="charter"), now)
    police = service.request_pass(actor, case.id, world.pass_request("浙B3003警"), now)
    odd = service.request_pass(actor, case.id, world.pass_request("使 123456", special=True), now)
    db.session.commit()
    assert [p.status for p in (goods, charter, police, odd)] == ["granted", "requested", "requested", "requested"]
    assert goods.number
    assert goods.token
    assert goods.decided_by is None
    assert goods.decided_at == now
    assert (odd.plate, odd.plate_kind) == ("使123456", "other")
    rows = [e for e in audit.of_case(case.id) if e.event in ("pass_requested", "pass_granted")]
    assert [(e.event, e.person_id, e.after["status"]) for e in rows[:2]] == [
        ("pass_requested", clerk.person_id, "requested"),
        ("pass_granted", 0, "granted"),
    ]
    lost = service.report_lost(actor, goods.id, now)
    db.session.commit()
    assert (goods.status, lost.status) == ("replaced", "granted")
    offer = service.offer(actor, case, now)
    assert [(o.decision, o.used) for o in offer.parts] == [("automatic", 3), ("officer", 1)]


@pytest.mark.parametrize("plate", ["", "使", "使12345678901", "<b>", "浙\u202e1234", "浙\x0012345"])
def test_a_special_plate_has_to_be_one(world: World, clerk: Account, plate: str) -> None:
    case = world.approved(clerk)
    with pytest.raises(Invalid) as refused:
        service.request_pass(world.actor(clerk), case.id, world.pass_request(plate, special=True), world.now)
    assert refused.value.field == "plate"


@pytest.mark.parametrize(
    ("plate", "hint"),
    [
        ("浙BI2345", "I 和 O"),
        ("浙BO1234", "I 和 O"),
        ("13800138000", "省份简称"),
        ("浙B123456", "7 位"),
        ("军A12345", "省份简称"),
    ],
)
def test_a_wrong_plate_is_refused_with_a_hint(world: World, clerk: Account, plate: str, hint: str) -> None:
    case = world.approved(clerk)
    with pytest.raises(Invalid, match=hint):
        service.request_pass(world.actor(clerk), case.id, world.pass_request(plate), world.now)


def test_full_width_and_a_tick_too_many_make_an_ordinary_plate(world: World, clerk: Account) -> None:
    case = world.approved(clerk)
    request = world.pass_request("浙Ｂ·１２３４５", special=True)
    asked = service.request_pass(world.actor(clerk), case.id, request, world.now)
    assert (asked.plate, asked.plate_kind) == ("浙B12345", "ordinary")


@pytest.mark.parametrize("change", [{"schedule": "sometimes"}, {"reason": "renewal"}, {"replaces_id": 1}])
def test_what_no_form_sends_is_refused(world: World, clerk: Account, change: dict[str, object]) -> None:
    case = world.approved(clerk)
    with pytest.raises(DomainError):
        service.request_pass(world.actor(clerk), case.id, world.pass_request(**change), world.now)


def test_a_quota_holds_over_all_cases_and_frees_what_ended(world: World, clerk: Account) -> None:
    publish(world, "[[pass]]\nquota = { base = 2 }\ndays = 3\nahead = 1")
    first, second = world.approved(clerk), world.approved(clerk)
    actor, now, today = world.actor(clerk), world.now, shanghai_day(world.now)
    days = {"valid_from_on": today, "valid_until_on": today + 2 * DAY}
    one = service.request_pass(actor, first.id, world.pass_request("浙B10001", **days), now)
    service.request_pass(actor, second.id, world.pass_request("浙B20002", **days), now)
    db.session.commit()
    with pytest.raises(Invalid, match="名额已满"):
        service.request_pass(actor, second.id, world.pass_request("浙B30003", **days), now)
    service.withdraw(actor, one.id, now)
    service.request_pass(actor, second.id, world.pass_request("浙B30003", **days), now)
    with pytest.raises(Invalid) as refused:
        service.request_pass(
            actor, first.id, world.pass_request("浙B4", valid_from_on=today, valid_until_on=today + 3 * DAY), now
        )
    assert refused.value.field == "plate"
    for change, field in (
        ({"valid_from_on": today, "valid_until_on": today + 3 * DAY}, "valid_until_on"),
        ({"valid_from_on": today + 2 * DAY, "valid_until_on": today + 3 * DAY}, "valid_from_on"),
        ({"valid_from_on": today + DAY, "valid_until_on": today}, "valid_until_on"),
    ):
        with pytest.raises(Invalid) as refused:
            service.request_pass(actor, first.id, world.pass_request("浙B40004", **change), now)
        assert refused.value.field == field
    later = world.later(days=3)
    days = {"valid_from_on": shanghai_day(later), "valid_until_on": shanghai_day(later)}
    assert service.request_pass(actor, first.id, world.pass_request("浙B40004", **days), later).status == "requested"


def test_clerks_who_ask_at_once_on_two_cases_never_pass_the_quota(world: World, clerk: Account) -> None:
    publish(world, "[[pass]]\nquota = { base = 2 }")
    ids = [world.approved(clerk).id, world.approved(clerk).id]
    actor, now = world.actor(clerk), world.now
    asks = [
        lambda n=n: service.request_pass(actor, ids[n % 2], world.pass_request(f"浙B{n}000{n}"), now).id
        for n in range(1, 7)
    ]
    outcomes = together(world.app, *asks)
    assert len(failures(outcomes)) == 4
    assert all(isinstance(e, Invalid) for e in failures(outcomes)), outcomes
    assert sum(len(passes.of_case(i)) for i in ids) == 2


def test_a_list_is_answered_in_its_order_with_few_statements(world: World, clerk: Account) -> None:
    publish(world, '[[pass]]\ndecision = "automatic"\nquota = { base = 90 }')
    case, actor = world.approved(clerk), world.actor(clerk)
    requests = [world.pass_request(f"浙B{n:05d}") for n in range(100)]
    requests[7] = world.pass_request("浙BI0007")
    requests[8] = world.pass_request("浙B00006")
    requests[9] = world.pass_request("浙B00009", purpose="holiday")
    db.session.commit()
    seen: list[str] = []

    def note(*told: Any) -> None:
        seen.append(told[2])

    event.listen(Engine, "before_cursor_execute", note)
    outcomes = service.request_many(actor, case.id, requests, world.now)
    db.session.commit()
    event.remove(Engine, "before_cursor_execute", note)
    assert [n for n, o in enumerate(outcomes) if isinstance(o, DomainError)] == [7, 8, 9, *range(93, 100)]
    good = [o for o in outcomes if isinstance(o, VehiclePass)]
    assert {p.status for p in good} == {"granted"}
    assert len({p.number for p in good}) == len(good) == 90
    assert [p.plate for p in good[:3]] == ["浙B00000", "浙B00001", "浙B00002"]
    inserts = [
        s for s in seen if s.startswith("INSERT INTO passes")
    ]  # SQLite takes rows one by one, PostgreSQL at once
    assert len(inserts) <= (1 if db.engine.dialect.name == "postgresql" else len(good))
    assert len(seen) - len(inserts) <= 25, seen
    assert list(audit.verify()) == []


def test_a_stopped_or_undecided_case_asks_for_nothing(world: World, clerk: Account) -> None:
    case = world.submitted(clerk)
    with pytest.raises(StepClosed):
        service.request_many(world.actor(clerk), case.id, [world.pass_request()], world.now)


def test_the_check_of_a_rulebook_names_what_no_pass_is_for(world: World) -> None:
    why = 'why = { zh = "理由", en = "Reason" }\n'
    text = (
        'title = { zh = "规则", en = "Rules" }\n'
        f'[[pass]]\nkinds = ["boat"]\nquota = {{ base = 1 }}\n{why}'
        f"[[pass]]\nquota = {{ base = 1 }}\n{why}"
        f'[[pass]]\nkinds = ["goods"]\nquota = {{ base = 1 }}\n{why}'
    )
    found = {(p.line, p.words) for p in flow_check.check_rules(text).problems}
    assert (3, "pass 1: kinds: 'boat' is no kind of vehicle pass") in found
    assert any(words == "pass 3: never wins" for _line, words in found)
