"""Passes and their public check: who may ask and grant, exact midnights, forgery, and nothing personal in the token."""

from __future__ import annotations

import base64
import datetime as dt
from typing import Any

import cbor2
import pytest

from tests.builders import World
from tests.services.test_four_eyes import appoint
from tests.services.together import failures, together
from workflow.core.actors import Role
from workflow.core.errors import Invalid, NotFound, NotPermitted, StepClosed
from workflow.core.times import shanghai_day
from workflow.data import audit, issued, outbox, passes
from workflow.data.cases import Case
from workflow.data.passes import VehiclePass
from workflow.data.people import Account
from workflow.documents import tokens
from workflow.extensions import db, settings
from workflow.jobs.drain import drain
from workflow.services import issuing, keys, verification
from workflow.services import passes as service

DAY = dt.timedelta(days=1)


@pytest.fixture
def clerk(world: World) -> Account:
    """The clerk of the company that asks."""
    return world.company()


def ask(world: World, clerk: Account, case: Case, **changes: Any) -> VehiclePass:
    """A request for a pass."""
    asked = service.request_pass(world.actor(clerk), case.id, world.pass_request(**changes), world.now)
    db.session.commit()
    return asked


def granted(world: World, clerk: Account, **changes: Any) -> VehiclePass:
    """A granted pass."""
    asked = ask(world, clerk, world.approved(clerk), **changes)
    service.grant(world.actor(world.officer(Role.REVIEWER)), asked.id, world.now)
    db.session.commit()
    return asked


def status(token: str | None, at: dt.datetime) -> str:
    """What the check says of a token."""
    return verification.check_token(token or "", at).status.value


def test_only_an_approved_case_has_passes(world: World, clerk: Account) -> None:
    case = world.conclude(world.scheduled(clerk))
    with pytest.raises(StepClosed):
        ask(world, clerk, case)
    world.step(world.officer(Role.LEADER), case, "refuse", "隔离场所没有落实")
    with pytest.raises(StepClosed):
        ask(world, clerk, case)


def test_only_its_own_company_asks(world: World, clerk: Account) -> None:
    case = world.approved(clerk)
    with pytest.raises(NotFound):
        ask(world, world.company(), case)
    with pytest.raises(NotPermitted):
        ask(world, world.officer(Role.REVIEWER), case)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("plate", "浙B1234"),
        ("plate", ""),
        ("plate", "浙BI2345"),
        ("purpose", "holiday"),
        ("purpose", "notice"),
        ("vehicle_type", " "),
        ("vehicle_type", "车" * 41),
        ("route", ""),
        ("route", "路" * 201),
        ("drivers", []),
        ("drivers", ["", " "]),
        ("drivers", ["郑师傅"] * 6),
        ("valid_from_on", None),
        ("valid_until_on", None),
    ],
)
def test_what_is_asked_must_be_whole(world: World, clerk: Account, field: str, value: Any) -> None:
    case = world.approved(clerk)
    with pytest.raises(Invalid) as refused:
        ask(world, clerk, case, **{field: value})
    assert refused.value.field == field
    assert passes.of_case(case.id) == []


def test_the_validity_is_from_today_and_as_long_as_the_settings_allow(world: World, clerk: Account) -> None:
    case = world.approved(clerk)
    today, most = shanghai_day(world.now), settings().pass_max_days
    bad = [
        (today - DAY, today),
        (today, today - DAY),
        (today, today + most * DAY),
        (today + 61 * DAY, today + 62 * DAY),
    ]
    for first, last in bad:
        with pytest.raises(Invalid):
            ask(world, clerk, case, valid_from_on=first, valid_until_on=last)
    asked = ask(world, clerk, case, valid_from_on=today, valid_until_on=today + (most - 1) * DAY)
    assert asked.status == "requested"


def test_a_plate_has_one_live_pass(world: World, clerk: Account) -> None:
    case = world.approved(clerk)
    first = ask(world, clerk, case)
    for plate in ("浙B12345", "浙b·12345", "浙B 12345"):
        with pytest.raises(Invalid) as refused:
            ask(world, clerk, case, plate=plate)
        assert refused.value.field == "plate"
    ask(world, clerk, case, plate="浙B54321")
    service.refuse(world.actor(world.officer(Role.REVIEWER)), first.id, "路线不清", world.now)
    db.session.commit()
    assert ask(world, clerk, case).status == "requested"


def test_a_plate_asked_for_twice_at_once_gets_one_pass(world: World, clerk: Account) -> None:
    case = world.approved(clerk)
    actor, case_id, request, now = world.actor(clerk), case.id, world.pass_request(), world.now
    outcomes = together(world.app, *[lambda: service.request_pass(actor, case_id, request, now).plate] * 3)
    assert [type(e) for e in failures(outcomes)] == [Invalid, Invalid]
    assert len(passes.of_case(case_id)) == 1


def test_a_vehicle_gets_its_next_pass_when_or_before_the_last_one_ends(world: World, clerk: Account) -> None:
    today = shanghai_day(world.now)
    first = granted(world, clerk)
    first_day = first.valid_until_on + DAY
    case = first.case
    with pytest.raises(Invalid):
        ask(world, clerk, case, valid_from_on=first.valid_until_on, valid_until_on=first_day)
    db.session.rollback()
    ask(world, clerk, case, valid_from_on=first_day, valid_until_on=first_day)
    world.later(days=30)
    later = ask(world, clerk, case)
    assert later.valid_from_on > today
    service.grant(world.actor(world.officer(Role.REVIEWER)), later.id, world.now)
    assert status(later.token, world.now) == "valid"
    assert status(first.token, world.now) == "expired"


def test_granting_gives_number_code_and_token_once(world: World, clerk: Account) -> None:
    asked = granted(world, clerk)
    assert (asked.number, asked.status) == ("330203000001", "granted")
    assert keys.parse_short_code(asked.short_code or "") == asked.short_code
    number, token = asked.number, asked.token
    reviewer = world.actor(world.officer(Role.REVIEWER))
    for act in (
        lambda: service.grant(reviewer, asked.id, world.now),
        lambda: service.refuse(reviewer, asked.id, "晚了", world.now),
    ):
        with pytest.raises(StepClosed):
            act()
    assert (asked.number, asked.token) == (number, token)
    events = [e.event for e in audit.of_case(asked.case_id) if e.event.startswith("pass_") and "pass" in e.after]
    assert events == ["pass_requested", "pass_granted"]


def test_two_officers_who_grant_at_once_give_one_number(world: World, clerk: Account) -> None:
    asked = ask(world, clerk, world.approved(clerk))
    officers = [world.actor(world.officer(r)) for r in (Role.REVIEWER, Role.LEADER)]
    pass_id, now = asked.id, world.now
    outcomes = together(world.app, *[lambda o=o: service.grant(o, pass_id, now).number for o in officers])
    assert [type(e) for e in failures(outcomes)] == [StepClosed]
    assert "330203000001" in outcomes


def test_refusing_and_revoking_need_words_and_the_right_state(world: World, clerk: Account) -> None:
    case = world.approved(clerk)
    asked, other = ask(world, clerk, case), ask(world, clerk, case, plate="浙B54321")
    reviewer = world.actor(world.officer(Role.REVIEWER))
    with pytest.raises(StepClosed):
        service.revoke(reviewer, asked.id, "没有发过", world.now)
    with pytest.raises(Invalid):
        service.refuse(reviewer, asked.id, " ", world.now)
    service.refuse(reviewer, asked.id, "路线不清", world.now)
    assert (asked.status, asked.number, asked.words) == ("refused", None, "路线不清")
    service.grant(reviewer, other.id, world.now)
    with pytest.raises(Invalid):
        service.revoke(reviewer, other.id, "", world.now)
    service.revoke(reviewer, other.id, "车辆已出售", world.later(hours=1))
    db.session.commit()
    assert (other.status, other.changed_at) == ("revoked", world.now)
    with pytest.raises(StepClosed):
        service.revoke(reviewer, other.id, "再来一次", world.now)


@pytest.mark.parametrize("role", [Role.INSPECTOR, Role.COMMANDER, Role.AUDITOR])
def test_who_may_not_decide_passes(world: World, clerk: Account, role: Role) -> None:
    asked = ask(world, clerk, world.approved(clerk))
    with pytest.raises(NotPermitted):
        service.grant(world.actor(world.officer(role)), asked.id, world.now)
    with pytest.raises(NotFound):
        service.grant(world.actor(world.officer(Role.REVIEWER, "330203003")), asked.id, world.now)
    with pytest.raises(NotPermitted):
        service.grant(world.actor(clerk), asked.id, world.now)


def test_a_right_held_in_another_town_grants_nothing_here(world: World, clerk: Account) -> None:
    asked = ask(world, clerk, world.approved(clerk))
    mixed = world.new_officer(Role.REVIEWER, "330203003")
    appoint(world, mixed, Role.INSPECTOR)
    assert service.get(world.actor(mixed), asked.id) is asked, "seen as an inspector"
    with pytest.raises(NotPermitted):
        service.grant(world.actor(mixed), asked.id, world.now)


def test_a_request_whose_days_are_over_is_not_granted(world: World, clerk: Account) -> None:
    asked = ask(world, clerk, world.approved(clerk))
    with pytest.raises(StepClosed):
        service.grant(world.actor(world.officer(Role.REVIEWER)), asked.id, world.later(days=7))


def test_a_pass_begins_and_ends_at_shanghais_midnight(world: World, clerk: Account) -> None:
    first, last = shanghai_day(world.now) + 2 * DAY, shanghai_day(world.now) + 3 * DAY
    asked = granted(world, clerk, valid_from_on=first, valid_until_on=last)
    begins = dt.datetime(first.year, first.month, first.day, tzinfo=dt.UTC) - dt.timedelta(hours=8)
    ends = begins + 2 * DAY
    tick = dt.timedelta(microseconds=1)
    expected = [
        (begins - tick, "not_yet"),
        (begins, "valid"),
        (ends - tick, "valid"),
        (ends, "expired"),
        (ends + 400 * DAY, "expired"),
    ]
    assert [(at, status(asked.token, at)) for at, _ in expected] == expected
    by_code = [(at, verification.check_code(asked.short_code or "", at).status.value) for at, _ in expected]
    assert by_code == expected
    claims = tokens.verify(asked.token or "", keys.public_keys())
    assert (claims.not_before, claims.expires) == (begins, ends), "a device without the register says the same"


def test_revocation_wins_over_the_dates(world: World, clerk: Account) -> None:
    asked = granted(world, clerk)
    service.revoke(world.actor(world.officer(Role.LEADER)), asked.id, "停用", world.now)
    for at in (world.now, world.now - 30 * DAY, world.now + 30 * DAY):
        assert status(asked.token, at) == "revoked"


def test_what_nobody_here_signed_is_forged(world: World, clerk: Account) -> None:
    asked = granted(world, clerk)
    token = asked.token or ""
    claims = tokens.verify(token, keys.public_keys())
    theirs = tokens.sign(claims, tokens.SigningKey.generate())
    middle = len(token) // 2
    changed = token[:middle] + ("A" if token[middle] != "A" else "B") + token[middle + 1 :]
    for text in (theirs, changed, token[:-4], token.lower(), "", "A", "复工", token + token, "A" * 5000):
        assert verification.check_token(text, world.now) == verification.Check(verification.Status.FORGED)


def test_a_genuine_token_that_the_register_does_not_know_is_unknown(world: World, clerk: Account) -> None:
    """Signed with the right key, but never issued: a stolen backup, or a restored register."""
    asked = granted(world, clerk)
    day = shanghai_day(world.now)
    goods, notice_kind = "goods", "notice"
    for number, kind in (("330203999999", goods), (asked.number or "", goods), ("x", notice_kind)):
        token = issuing.document_token(kind, number, "浙B99999", "330203", day, day)
        assert status(token, world.now) == "unknown"
    notice = next(d for d in issued.of_case(asked.case_id) if d.kind == "notice")
    other = issuing.document_token("notice", notice.short_code, "-", "330203", day, day)
    assert status(other, world.now) == "unknown"


def test_a_notice_is_checked_too(world: World, clerk: Account) -> None:
    case = world.approved(clerk)
    for kind in ("notice", "inspection_sheet"):
        document = next(d for d in issued.of_case(case.id) if d.kind == kind)
        check = verification.check_token(document.token, world.now)
        assert check == verification.check_code(document.short_code, world.now)
        assert (check.status.value, check.is_pass, check.number) == ("valid", False, document.number)
        assert status(document.token, world.now + dt.timedelta(days=issuing.NOTICE_DAYS + 1)) == "expired"
        document.revoked_at = world.now
        assert status(document.token, world.now) == "revoked"
    receipt = next(d for d in issued.of_case(case.id) if d.kind == "receipt")
    assert verification.check_code(receipt.short_code, world.now).status.value == "unknown"


def test_a_short_code_with_one_wrong_character_is_unknown(world: World, clerk: Account) -> None:
    code = granted(world, clerk).short_code or ""
    assert verification.check_code(f" {code[:4].lower()}-{code[4:]} ", world.now).status.value == "valid"
    for place, letter in enumerate(code):
        for other in "23456789ABCDEFGHJKLMNPQRSTUVWXYZ".replace(letter, ""):
            wrong = code[:place] + other + code[place + 1 :]
            assert keys.parse_short_code(wrong) is None, wrong
    for text in ("", code[:-1], code + "2", "I" + code[1:], "一" * 9, "%" * 9):
        assert verification.check_code(text, world.now).status.value == "unknown"


def test_nothing_personal_is_in_a_token_or_in_the_answer(world: World, clerk: Account) -> None:
    asked = granted(world, clerk, drivers=["郑师傅", "何师傅"])
    notice = next(d for d in issued.of_case(asked.case_id) if d.kind == "notice")
    first, last = asked.valid_from_on, asked.valid_until_on
    token = asked.token or ""
    data = base64.b32decode(token + "=" * (-len(token) % 8))
    _protected, unprotected, payload, _signature = cbor2.loads(data[1:])
    assert unprotected == {}
    number = int(asked.number or "")
    begin = dt.datetime(first.year, first.month, first.day, tzinfo=dt.UTC) - dt.timedelta(hours=8)
    end = dt.datetime(last.year, last.month, last.day, tzinfo=dt.UTC) + dt.timedelta(hours=16)
    assert cbor2.loads(payload) == {
        2: "浙B12345",
        4: int(end.timestamp()),
        5: int(begin.timestamp()),
        7: b"\x00" + number.to_bytes((number.bit_length() + 7) // 8, "big"),
        "k": cbor2.loads(payload)["k"],
    }
    paper = notice.token + "=" * (-len(notice.token) % 8)
    claims = cbor2.loads(cbor2.loads(base64.b32decode(paper)[1:])[2])
    assert (claims[2], claims[7]) == ("-", notice.short_code.encode())
    answer = repr(verification.check_token(token, world.now)) + repr(verification.check_token(notice.token, world.now))
    for personal in ("郑师傅", "何师傅", "周试验", "吴联络", "13800138000", "87654321", "干部", clerk.person.name):
        assert personal not in answer


def test_rotation_keeps_old_tokens_valid_and_a_removed_key_makes_them_forged(world: World, clerk: Account) -> None:
    case = world.approved(clerk)
    reviewer = world.actor(world.officer(Role.REVIEWER))
    old = ask(world, clerk, case)
    service.grant(reviewer, old.id, world.now)
    old_kid = keys.signing_key().kid
    path = keys.make_key()
    assert path.stat().st_mode & 0o077 == 0
    assert keys.signing_key().kid != old_kid
    new = ask(world, clerk, case, plate="浙B54321")
    service.grant(reviewer, new.id, world.now)
    assert status(old.token, world.now) == status(new.token, world.now) == "valid"
    assert len(keys.public_keys()) == 2
    for pem in settings().keys_dir.glob(f"*{old_kid.hex()}.pem"):
        pem.unlink()
    assert status(old.token, world.now) == "forged"
    assert status(new.token, world.now) == "valid"


def test_a_key_that_was_exchanged_signs_no_more(world: World) -> None:
    """The compromise drill: another process takes the key out and puts one in; as many files as before."""
    old = keys.signing_key()
    (path,) = settings().keys_dir.glob("*.pem")
    new = tokens.SigningKey.generate()
    path.unlink()
    path.with_name(f"0002-{new.kid.hex()}.pem").write_bytes(new.to_pem())
    assert keys.signing_key().kid == new.kid
    assert set(keys.public_keys()) == {new.kid}
    assert old.kid != new.kid


def test_a_reprint_is_the_same_bytes(world: World, clerk: Account) -> None:
    asked = granted(world, clerk)
    for document in issued.of_case(asked.case_id):
        first = issuing.render_pdf(document)
        assert first.startswith(b"%PDF-")
        assert issuing.render_pdf(document) == first, document.kind
    assert issuing.render_pass_pdf(asked) == issuing.render_pass_pdf(asked)


def test_a_document_says_what_was_true_when_it_was_issued(world: World, clerk: Account) -> None:
    asked = granted(world, clerk)
    notice = next(d for d in issued.of_case(asked.case_id) if d.kind == "notice")
    before = issuing.render_pdf(notice)
    asked.case.enterprise_name = asked.case.enterprise.name = "改名后的公司"
    db.session.commit()
    db.session.expire_all()
    assert issuing.render_pdf(notice) == before
    assert verification.check_token(notice.token, world.now).enterprise == "宁波海曙试验机械有限公司"


def test_a_kept_document_is_not_rendered_again(world: World, clerk: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    case = world.submitted(clerk)
    (receipt,) = issued.of_case(case.id)
    rendered: list[int] = []
    monkeypatch.setattr(issuing, "render_pdf", lambda d: rendered.append(d.id) or b"%PDF-1.7 stand-in")
    db.session.commit()
    drain(lambda: world.now)
    kept = issued.of_case(case.id)[0].file_id
    assert kept is not None
    outbox.put("render", {"document_id": receipt.id}, world.now)
    db.session.commit()
    drain(lambda: world.now)
    assert issued.of_case(case.id)[0].file_id == kept
    assert rendered == [receipt.id]
