"""The life of a pass: every act by everybody in every status, what follows from it, and walks that keep its order."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from tests.builders import World
from workflow.core.actors import SYSTEM, Actor, Role
from workflow.core.errors import DomainError, Invalid, NotFound, NotPermitted, StepClosed
from workflow.core.pass_life import ACTS, Action, Who, is_open
from workflow.core.times import shanghai_day
from workflow.data import audit, issued, passes
from workflow.data.cases import Case
from workflow.data.outbox import OutboxItem
from workflow.data.passes import DEAD, NEVER_GRANTED, STATUSES, VehiclePass
from workflow.data.people import Account
from workflow.extensions import db
from workflow.services import cases as case_service
from workflow.services import pass_requests, verification
from workflow.services import passes as service

DAY = dt.timedelta(days=1)
ROLES: dict[str, Who | None] = {
    "own": Who.COMPANY,
    "peer": None,
    "reviewer": Who.OFFICER,
    "leader": Who.OFFICER,
    "inspector": None,
    "admin": None,
    "system": None,
    "elsewhere": None,
}


@dataclass(slots=True)
class Scene:
    """An approved case, its company's clerk, and those who might act."""

    world: World
    clerk: Account
    case: Case
    actors: dict[str, Actor]

    def ask(self, plate: str, **changes: object) -> VehiclePass:
        """A request for a short pass."""
        today = shanghai_day(self.world.now)
        days = {"valid_from_on": today, "valid_until_on": today + 3 * DAY, **changes}
        request = self.world.pass_request(plate, **days)
        return service.request_pass(self.actors["own"], self.case.id, request, self.world.now)

    def granted(self, plate: str, **changes: object) -> VehiclePass:
        """A granted pass."""
        return service.grant(self.actors["reviewer"], self.ask(plate, **changes).id, self.world.now)

    def in_status(self, status: str, plate: str) -> VehiclePass:
        """A pass that came to a status by the acts that lead there."""
        now, officer = self.world.now, self.actors["reviewer"]
        if status in NEVER_GRANTED:
            found = self.ask(plate)
            if status == "refused":
                service.refuse(officer, found.id, "路线不清", now)
            if status == "withdrawn":
                service.withdraw(self.actors["own"], found.id, now)
            return found
        found = self.granted(plate)
        if status == "suspended":
            service.suspend(officer, found.id, "核查中", now)
        if status == "revoked":
            service.revoke(officer, found.id, "车辆已售", now)
        if status == "replaced":
            service.grant(officer, service.report_lost(self.actors["own"], found.id, now).id, now)
        return found


@pytest.fixture
def scene(world: World) -> Scene:
    """The scene."""
    clerk = world.company()
    case = world.approved(clerk)
    people = {
        "own": clerk,
        "peer": world.company(),
        "reviewer": world.officer(Role.REVIEWER),
        "leader": world.officer(Role.LEADER),
        "inspector": world.officer(Role.INSPECTOR),
        "admin": world.officer(Role.ADMIN),
        "elsewhere": world.officer(Role.REVIEWER, "330203003"),
    }
    return Scene(world, clerk, case, {**{k: world.actor(v) for k, v in people.items()}, "system": SYSTEM})


Doing = Callable[[Actor, VehiclePass, dt.datetime], object]


def _follow(reason: str) -> Doing:
    def ask(actor: Actor, old: VehiclePass, now: dt.datetime) -> object:
        request = pass_requests.same_again(old, reason)
        if reason == "renewal":
            first, last = pass_requests.renewal_days(old, 14, shanghai_day(now))
            request = replace(request, valid_from_on=first, valid_until_on=last)
        else:
            request = replace(request, plate="浙B99X99")
        return service.request_pass(actor, old.case_id, request, now)

    return ask


DOING: dict[Action, Doing] = {
    Action.GRANT: lambda a, p, now: service.grant(a, p.id, now),
    Action.REFUSE: lambda a, p, now: service.refuse(a, p.id, "理由", now),
    Action.WITHDRAW: lambda a, p, now: service.withdraw(a, p.id, now),
    Action.SUSPEND: lambda a, p, now: service.suspend(a, p.id, "理由", now),
    Action.RESUME: lambda a, p, now: service.resume(a, p.id, "理由", now),
    Action.REVOKE: lambda a, p, now: service.revoke(a, p.id, "理由", now),
    Action.REPORT_LOST: lambda a, p, now: service.report_lost(a, p.id, now),
    Action.RENEW: _follow("renewal"),
    Action.CHANGE_PLATE: _follow("plate"),
}


def test_every_status_act_and_role_keep_to_the_table(scene: Scene) -> None:
    made = {s: scene.in_status(s, f"浙B{n}000{n}").id for n, s in enumerate(STATUSES, 1)}
    db.session.commit()
    tried = 0
    for status, pass_id in made.items():
        for action, do in DOING.items():
            for role, who in ROLES.items():
                found = db.session.get_one(VehiclePass, pass_id)
                assert found.status == status
                savepoint, refusal = db.session.begin_nested(), ""
                try:
                    do(scene.actors[role], found, scene.world.now)
                except (NotFound, NotPermitted, StepClosed, Invalid) as error:
                    refusal = type(error).__name__
                became = found.status
                savepoint.rollback()
                allowed = who is not None and is_open(action, status, who)
                assert (not refusal) == allowed, (status, action, role, refusal)
                assert refusal or became == (ACTS[action].dest or status), (status, action, role, became)
                tried += 1
    assert tried == len(STATUSES) * len(DOING) * len(ROLES)
    assert list(audit.verify()) == []


@pytest.mark.parametrize("action", [a for a in DOING if ACTS[a].words])
def test_a_reason_is_asked_where_the_table_asks_for_one(scene: Scene, action: Action) -> None:
    found = scene.in_status(ACTS[action].sources[0], "浙B10001")
    acts = {"refuse": service.refuse, "suspend": service.suspend, "resume": service.resume, "revoke": service.revoke}
    for words in ("", "  ", "长" * 501):
        with pytest.raises(Invalid) as refused:
            acts[action.value](scene.actors["reviewer"], found.id, words, scene.world.now)
        assert refused.value.field == "words"


def test_a_lost_pass_dies_at_once_and_its_duplicate_takes_its_place(scene: Scene) -> None:
    old, now = scene.granted("浙B10001"), scene.world.now
    new = service.report_lost(scene.actors["own"], old.id, now)
    db.session.commit()
    assert (old.status, old.is_dead, old.words) == ("suspended", True, pass_requests.LOST_WORDS)
    assert verification.check_token(old.token or "", now).status.value == "revoked"
    assert (new.status, new.reason, new.replaces_id, new.plate) == ("requested", "lost", old.id, old.plate)
    assert (new.valid_from_on, new.valid_until_on) == (old.valid_from_on, old.valid_until_on)
    with pytest.raises(Invalid):
        service.report_lost(scene.actors["own"], old.id, now)
    with pytest.raises(StepClosed):
        service.resume(scene.actors["leader"], old.id, "找到了", now)
    db.session.rollback()
    service.grant(scene.actors["reviewer"], new.id, now)
    db.session.commit()
    assert (old.status, new.status) == ("replaced", "granted")
    assert old.number != new.number
    assert service.offer(scene.actors["own"], scene.case, now).used == 1


def test_a_refused_duplicate_leaves_the_lost_pass_suspended_and_can_be_asked_again(scene: Scene) -> None:
    old, now, own = scene.granted("浙B10001"), scene.world.now, scene.actors["own"]
    first = service.report_lost(own, old.id, now)
    service.refuse(scene.actors["reviewer"], first.id, "请先登报声明", now)
    db.session.commit()
    assert old.status == "suspended"
    again = service.report_lost(own, old.id, scene.world.later(hours=3))
    assert (again.status, again.replaces_id) == ("requested", old.id)
    service.withdraw(own, again.id, scene.world.now)
    db.session.commit()
    assert service.resume(scene.actors["leader"], old.id, "旧证找到", scene.world.now).status == "granted"


def test_another_plate_replaces_the_old_one_when_it_is_granted(scene: Scene) -> None:
    old, now, own = scene.granted("浙B10001"), scene.world.now, scene.actors["own"]
    request = replace(pass_requests.same_again(old, "plate"), plate="浙B20002")
    new = service.request_pass(own, scene.case.id, request, now)
    assert (old.status, new.status) == ("granted", "requested")
    with pytest.raises(Invalid):
        service.request_pass(own, scene.case.id, replace(request, plate="浙B30003"), now)
    service.grant(scene.actors["reviewer"], new.id, now)
    db.session.commit()
    assert (old.status, new.status, new.valid_until_on) == ("replaced", "granted", old.valid_until_on)


def test_nothing_is_granted_instead_of_a_pass_that_was_revoked(scene: Scene) -> None:
    old, now = scene.granted("浙B10001"), scene.world.now
    new = service.report_lost(scene.actors["own"], old.id, now)
    service.revoke(scene.actors["leader"], old.id, "转借他人", now)
    db.session.commit()
    with pytest.raises(StepClosed):
        service.grant(scene.actors["reviewer"], new.id, now)


@pytest.mark.parametrize(("shift", "open_"), [(0, False), (1, True), (6, True), (13, True), (14, False)])
def test_a_renewal_is_offered_near_the_end_and_leaves_the_old_one_good(scene: Scene, shift: int, open_: bool) -> None:
    today = shanghai_day(scene.world.now)
    old = scene.granted("浙B10001", valid_until_on=today + 6 * DAY)
    db.session.commit()
    now = scene.world.later(days=shift)
    own, request = scene.actors["own"], pass_requests.same_again(old, "renewal")
    first, last = pass_requests.renewal_days(old, 14, shanghai_day(now))
    request = replace(request, valid_from_on=first, valid_until_on=last)
    if not open_:
        with pytest.raises(Invalid):
            service.request_pass(own, scene.case.id, request, now)
        return
    new = service.request_pass(own, scene.case.id, request, now)
    service.grant(scene.actors["reviewer"], new.id, now)
    db.session.commit()
    assert (old.status, new.status) == ("granted", "granted")
    assert new.valid_from_on == max(shanghai_day(now), old.valid_until_on + DAY)
    assert (new.valid_until_on - new.valid_from_on).days == 6
    with pytest.raises(Invalid):
        service.request_pass(own, scene.case.id, request, now)


def test_a_number_whose_fingerprint_is_taken_is_not_given_out(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    first = scene.granted("浙B10001")
    genuine, taken = passes.fingerprint_of, first.fingerprint
    clash = f"330203{int((first.number or '')[6:]) + 1:06d}"
    monkeypatch.setattr(passes, "fingerprint_of", lambda n: taken if n == clash else genuine(n))
    second = scene.granted("浙B20002")
    db.session.commit()
    assert int((second.number or "")[6:]) == int((first.number or "")[6:]) + 2
    assert second.fingerprint == genuine(second.number or "")


def _move(scene: Scene, action: str, role: Role = Role.LEADER) -> None:
    case = db.session.get_one(Case, scene.case.id)
    who = scene.world.actor(scene.world.in_charge(role, case))
    case_service.perform(
        who, case.id, action, version=case.version, now=scene.world.later(minutes=5), note="现场未落实"
    )
    db.session.commit()


def _notice(scene: Scene) -> tuple[str, bool]:
    """What the check says of the notice that the enterprise may work: its status, and whether it may be good again."""
    notice = next(d for d in issued.of_case(scene.case.id) if d.kind == "notice")
    check = verification.check_token(notice.token, scene.world.now)
    return check.status.value, check.is_suspended


def test_passes_are_suspended_with_their_case_and_come_back_with_it(scene: Scene) -> None:
    good, held, asked = scene.granted("浙B10001"), scene.in_status("suspended", "浙B20002"), scene.ask("浙B30003")
    gone = scene.in_status("revoked", "浙B40004")
    db.session.commit()
    _move(scene, "suspend")
    assert [p.status for p in (good, held, asked, gone)] == ["suspended", "suspended", "requested", "revoked"]
    assert (good.with_case, held.with_case, good.words) == (True, False, "现场未落实")
    assert good.list_version > 0
    now = scene.world.now
    assert verification.check_token(good.token or "", now).status.value == "revoked"
    assert _notice(scene) == ("revoked", True)
    for act in (
        lambda: service.resume(scene.actors["leader"], good.id, "放行", now),
        lambda: service.grant(scene.actors["reviewer"], asked.id, now),
        lambda: scene.ask("浙B50005"),
        lambda: service.report_lost(scene.actors["own"], good.id, now),
    ):
        with pytest.raises(StepClosed):
            act()
        db.session.rollback()
    _move(scene, "resume")
    assert [p.status for p in (good, held, asked, gone)] == ["granted", "suspended", "requested", "revoked"]
    assert not good.with_case
    assert verification.check_token(good.token or "", scene.world.now).status.value == "valid"
    assert _notice(scene) == ("valid", False)
    assert scene.case.permits
    _move(scene, "suspend")
    _move(scene, "revoke")
    assert [p.status for p in (good, held, asked, gone)] == ["revoked", "revoked", "refused", "revoked"]
    assert not scene.case.permits
    assert _notice(scene) == ("revoked", False)
    assert list(audit.verify()) == []


def test_the_company_is_told_once_an_act_and_case(scene: Scene) -> None:
    ids = [scene.ask(f"浙B{n}000{n}").id for n in range(1, 6)]
    db.session.commit()
    before = set(db.session.scalars(select(OutboxItem.id)))
    now, officer = scene.world.now, scene.actors["reviewer"]
    outcomes = service.decide_many(officer, ids[:3], "grant", "", now)
    service.refuse(officer, ids[3], "路线不清", now)
    outcomes |= service.decide_many(officer, [*ids[:3], ids[4], 999999], "suspend", "核查中", now)
    db.session.commit()
    assert outcomes[ids[0]] is None
    assert isinstance(outcomes[ids[4]], StepClosed)
    assert isinstance(outcomes[999999], NotFound)
    sent = [i.payload for i in db.session.scalars(select(OutboxItem).order_by(OutboxItem.id)) if i.id not in before]
    told = [(p["event"], p["details"]["done"]["zh"]) for p in sent if "event" in p]
    assert told == [
        ("pass_granted", "已发放 3 张车辆通行证"),
        ("pass_refused", "1 张车辆通行证申请未同意"),
        ("pass_suspended", "3 张车辆通行证已暂停"),
    ]


WALK = st.lists(
    st.tuples(st.sampled_from(list(DOING)), st.sampled_from(sorted(ROLES)), st.integers(0, 30)), max_size=14
)


def test_any_walk_keeps_what_must_hold(scene: Scene) -> None:
    for n in range(1, 4):
        scene.ask(f"浙B{n}000{n}")
    db.session.commit()
    taken: set[Action] = set()

    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
    @given(WALK)
    def walk(acts: list[tuple[Action, str, int]]) -> None:
        outer = db.session.begin_nested()
        version = 0
        for action, role, which in acts:
            all_of_case = passes.of_case(scene.case.id)
            subject = all_of_case[which % len(all_of_case)]
            inner = db.session.begin_nested()
            try:
                DOING[action](scene.actors[role], subject, scene.world.now)
                inner.commit()
                taken.add(action)
            except DomainError:
                inner.rollback()
            version = _holds(scene, version)
        outer.rollback()

    walk()
    assert taken, "no walk got anywhere"


def _holds(scene: Scene, version: int) -> int:
    db.session.flush()
    found = passes.of_case(scene.case.id)
    for one in found:
        assert one.is_dead == (one.status in DEAD)
        assert (one.number is None) == (one.status in NEVER_GRANTED)
    live = [p for p in found if p.status in ("requested", "granted")]
    for one in live:
        for other in live:
            same = one.plate == other.plate and one is not other
            assert not (
                same and one.valid_from_on <= other.valid_until_on and other.valid_from_on <= one.valid_until_on
            )
    newest = max((p.list_version for p in found), default=0)
    assert newest >= version
    return newest
