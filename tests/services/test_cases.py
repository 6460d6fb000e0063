"""The one write path for a case's state: what it refuses, what it writes together, and the race it prevents."""

from __future__ import annotations

import ast
import contextlib
import threading
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm.exc import StaleDataError

from config import ROOT
from tests.builders import World
from tests.services.together import failures, together
from workflow.core.actors import Actor, Role
from workflow.core.effects import Effect
from workflow.core.engine import Engine
from workflow.core.errors import Invalid, NotFound, NotPermitted, Stale, StepClosed
from workflow.data import audit, cases, decisions, inspections, issued
from workflow.data.audit import AuditEntry
from workflow.data.cases import Case
from workflow.data.decisions import Opinion
from workflow.data.issued import IssuedDocument
from workflow.data.outbox import OutboxItem
from workflow.extensions import db
from workflow.services import bulk, effects
from workflow.services import cases as case_service

TABLES = (AuditEntry, Opinion, OutboxItem, IssuedDocument)


def counts() -> dict[str, int]:
    """How many rows each table has that a move may write."""
    return {t.__tablename__: db.session.scalar(select(func.count()).select_from(t)) or 0 for t in TABLES}


def picture(case_id: int) -> tuple[Any, ...]:
    """What a refused step must leave as it was, read from the database."""
    db.session.rollback()
    case = db.session.get_one(Case, case_id, populate_existing=True)
    return case.state, case.version, case.moves, case.round, case.cycle, case.holder, case.due_at, counts()


def perform(world: World, account: Any, case: Case, action: str, **changes: Any) -> Case:
    """The step with the case's present version, unless changed."""
    values = {"version": case.version, "now": world.now, "note": "同意", **changes}
    return case_service.perform(world.actor(account), case.id, action, **values)


def test_a_stale_version_changes_nothing(world: World) -> None:
    case = world.submitted()
    seen = case.version
    world.step(world.officer(Role.REVIEWER), case, "accept")
    before = picture(case.id)
    with pytest.raises(Stale):
        perform(world, world.officer(Role.REVIEWER), case, "pass_materials", version=seen)
    assert picture(case.id) == before


def test_a_step_of_another_state_is_closed(world: World) -> None:
    case, leader = world.submitted(), world.officer(Role.LEADER)
    before = picture(case.id)
    for action in ("approve", "no_such_step", "_state", ""):
        with pytest.raises(StepClosed):
            perform(world, leader, case, action)
    assert picture(case.id) == before


def test_a_closed_step_gives_every_reason(world: World) -> None:
    case = world.submitted()
    reviewer = world.officer(Role.REVIEWER)
    world.step(reviewer, case, "accept")
    before = picture(case.id)
    with pytest.raises(StepClosed) as refused:
        perform(world, reviewer, case, "return_for_correction")
    reasons = [str(r) for r in refused.value.reasons]
    assert len(reasons) == 2
    assert reasons[0].startswith("还有")
    assert reasons[1] == "没有需要补正的材料"
    assert picture(case.id) == before


@pytest.mark.parametrize("role", [Role.INSPECTOR, Role.LEADER, Role.COMMANDER, Role.AUDITOR])
def test_the_wrong_role_may_not(world: World, role: Role) -> None:
    case, officer = world.submitted(), world.officer(role)
    before = picture(case.id)
    with pytest.raises(NotPermitted):
        perform(world, officer, case, "accept")
    assert picture(case.id) == before


def test_a_company_takes_no_step_of_the_authorities(world: World) -> None:
    clerk = world.company()
    case = world.submitted(clerk)
    with pytest.raises(NotPermitted):
        perform(world, clerk, case, "accept")


def test_what_is_not_visible_does_not_exist(world: World) -> None:
    case = world.submitted()
    strangers = [
        world.company(),
        world.officer(Role.REVIEWER, "330203003"),
        world.officer(Role.ADMIN, "3302"),
        world.officer(Role.GUARD),
    ]
    before = picture(case.id)
    for stranger in strangers:
        with pytest.raises(NotFound):
            perform(world, stranger, case, "accept")
    with pytest.raises(NotFound):
        case_service.perform(world.actor(strangers[1]), 10**9, "accept", version=1, now=world.now)
    assert picture(case.id) == before


def test_words_are_needed_where_the_flow_says_so_and_limited(world: World) -> None:
    case = world.conclude(world.scheduled())
    leader = world.officer(Role.LEADER)
    before = picture(case.id)
    for words in ("", "  \u200b\n ", "字" * 2001):
        with pytest.raises(Invalid) as refused:
            perform(world, leader, case, "approve", note=words)
        assert refused.value.field == "note"
    assert picture(case.id) == before
    perform(world, leader, case, "approve", note="字" * 2000)
    assert case.state == "approved"


def test_a_move_writes_state_history_opinion_document_and_outbox_together(world: World) -> None:
    case, leader = world.conclude(world.scheduled()), world.officer(Role.LEADER)
    before, moves, version = counts(), case.moves, case.version
    at = world.later(minutes=5)
    perform(world, leader, case, "approve", note="同意复工")
    db.session.commit()
    assert (case.state, case.holder, case.is_open, case.moves) == ("approved", "", False, moves + 1)
    assert case.version > version
    assert case.decided_at == case.state_since_at == at
    after = counts()
    # history: the move and the notice; outbox: the message and the rendering of the notice
    assert {k: after[k] - before[k] for k in after} == {
        "audit_entries": 2,
        "opinions": 1,
        "outbox": 2,
        "issued_documents": 1,
    }
    move = next(e for e in audit.of_case(case.id) if e.event == "approve")
    assert (move.before, move.after) == (
        {"state": "awaiting_decision"},
        {"state": "approved", "moves": case.moves, "round": 1},
    )
    assert (move.person_id, move.role, move.at) == (world.officer(Role.LEADER).person_id, "leader", at)
    opinion = decisions.of_case(case.id)[-1]
    assert (opinion.words, opinion.is_decision, opinion.move) == ("同意复工", True, case.moves)


@pytest.mark.parametrize("effect", [Effect.ISSUE_NOTICE, Effect.TELL_COMPANY])
def test_nothing_remains_when_an_effect_fails(world: World, monkeypatch: pytest.MonkeyPatch, effect: Effect) -> None:
    case, leader = world.conclude(world.scheduled()), world.officer(Role.LEADER)
    before = picture(case.id)
    genuine = effects.HANDLERS[effect]

    def fails_late(occasion: effects.Occasion) -> None:
        genuine(occasion)
        db.session.flush()
        raise RuntimeError("the disk is full")

    monkeypatch.setitem(effects.HANDLERS, effect, fails_late)  # type: ignore[arg-type]
    with pytest.raises(RuntimeError):
        perform(world, leader, case, "approve")
    assert picture(case.id) == before
    assert list(audit.verify()) == []


def test_the_state_can_not_be_assigned(world: World) -> None:
    case = world.submitted()
    with pytest.raises(AttributeError):
        case.state = "approved"
    with pytest.raises(AttributeError):
        Case(state="approved")
    assert case.state == "submitted"


def test_a_move_is_applied_only_in_the_state_it_was_decided_for(world: World) -> None:
    case = world.submitted()
    reviewer = world.actor(world.officer(Role.REVIEWER))
    facts = case_service.case_facts(case, world.now)
    move = case.engine.move(case.state, "accept", reviewer, facts)
    case.apply(move, by=reviewer, at=world.now)
    with pytest.raises(ValueError, match="can't be applied"):
        case.apply(move, by=reviewer, at=world.now)


def _touches_state(path: Path) -> bool:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        named = (
            (isinstance(node, ast.Attribute) and node.attr == "_state")
            or (isinstance(node, ast.keyword) and node.arg == "_state")
            or (isinstance(node, ast.Constant) and node.value == "_state")
        )
        if named:
            return True
    return False


def test_only_the_case_itself_touches_the_stored_state() -> None:
    touching = [p.relative_to(ROOT).as_posix() for p in (ROOT / "workflow").rglob("*.py") if _touches_state(p)]
    assert touching == ["workflow/data/cases.py"]


def test_withdrawing_cancels_the_visit(world: World) -> None:
    clerk = world.company()
    case = world.scheduled(clerk)
    world.step(clerk, case, "withdraw", "不再复工")
    assert case.state == "withdrawn"
    assert [v.status for v in inspections.of_case(case.id)] == ["cancelled"]
    with pytest.raises(StepClosed):
        perform(world, clerk, case, "withdraw")


def test_a_reopened_case_starts_a_new_cycle_and_may_be_approved_again(world: World) -> None:
    case = world.conclude(world.scheduled())
    leader = world.officer(Role.LEADER)
    world.step(leader, case, "refuse", "方案不全")
    world.step(leader, case, "reopen", "企业已补充说明")
    assert (case.state, case.cycle, case.round) == ("reviewing", 2, 2)
    world.step(world.officer(Role.REVIEWER), case, "pass_materials")
    world.conclude(world.schedule(case))
    world.step(leader, case, "approve", "同意")
    assert case.state == "approved"
    assert [(o.cycle, o.action) for o in decisions.of_case(case.id) if o.is_decision] == [(1, "refuse"), (2, "approve")]
    assert len([d for d in issued.of_case(case.id) if d.kind == "notice"]) == 1


def test_two_bulk_jobs_in_opposite_order_do_not_block_each_other(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each rests after its first case, so that the other one gets hold of one too: without an order they would wait
    for each other for ever."""
    made = [world.submitted() for _ in range(4)]
    wanted = [bulk.Wanted(c.id, c.version) for c in made]
    reviewer = world.actor(world.officer(Role.REVIEWER))
    now, genuine, rest = world.now, bulk._take, threading.Barrier(2)

    def take_and_rest(*args: Any) -> Any:
        refusal = genuine(*args)
        with contextlib.suppress(threading.BrokenBarrierError):
            rest.wait(0.5)
        return refusal

    monkeypatch.setattr(bulk, "_take", take_and_rest)

    def job(order: list[bulk.Wanted]) -> tuple[int, int]:
        started = bulk.start(reviewer, "accept", {"step": "accept"}, order, now)
        return started.done, started.refused

    outcomes = together(world.app, lambda: job(wanted), lambda: job(wanted[::-1]))
    assert failures(outcomes) == []
    assert sorted(outcomes) == [(0, 4), (4, 0)]
    assert list(audit.verify()) == []


def _count_decided(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Notes each move that the engine decided, that is each time every check was passed."""
    decided: list[str] = []
    genuine = Engine.move

    def move(self: Engine, state: str, action: str, *rest: Any) -> Any:
        found = genuine(self, state, action, *rest)
        decided.append(action)
        return found

    monkeypatch.setattr(Engine, "move", move)
    return decided


def test_of_two_approvals_at_once_exactly_one_wins(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    case = world.conclude(world.scheduled())
    case_id, version, now = case.id, case.version, world.later(hours=1)
    leader, other = world.actor(world.officer(Role.LEADER)), world.actor(world.new_officer(Role.LEADER))
    decided = _count_decided(monkeypatch)

    def approve(actor: Any) -> Any:
        return lambda: case_service.perform(actor, case_id, "approve", version=version, now=now, note="同意").id

    outcomes = together(world.app, approve(leader), approve(other))
    assert outcomes.count(case_id) == 1
    (loser,) = failures(outcomes)
    assert isinstance(loser, Stale | StepClosed)
    assert decided == ["approve"], "with the lock only one of them passes the checks"
    assert [o.action for o in decisions.of_case(case_id)].count("approve") == 1
    assert [d.kind for d in issued.of_case(case_id)].count("notice") == 1
    assert list(audit.verify()) == []


def test_without_the_lock_both_pass_the_checks_and_only_the_database_stops_the_second(
    world: World, monkeypatch: pytest.MonkeyPatch, backend: str
) -> None:
    """Shows that the race is there: what prevents it is the lock, not luck."""
    case = world.conclude(world.scheduled())
    case_id, version, now = case.id, case.version, world.later(hours=1)
    leader = world.actor(world.officer(Role.LEADER))
    both_have_read = threading.Barrier(2)

    def plain_read(who: Actor, wanted: int) -> Case:
        found = db.session.get_one(Case, wanted, populate_existing=True)
        both_have_read.wait(30)
        return found

    monkeypatch.setattr(cases, "lock_visible", plain_read)
    decided = _count_decided(monkeypatch)

    def approve() -> int:
        return case_service.perform(leader, case_id, "approve", version=version, now=now, note="同意").id

    # On SQLite BEGIN IMMEDIATE is the lock; it is switched off by not saying that the transaction means to write.
    outcomes = together(world.app, approve, approve, writing=backend != "sqlite")
    if backend == "sqlite":
        assert isinstance(failures(outcomes)[0], OperationalError)
    else:
        assert isinstance(failures(outcomes)[0], StaleDataError)
    assert decided == ["approve", "approve"], "without the lock both pass the checks"
    assert outcomes.count(case_id) == 1
    assert [o.action for o in decisions.of_case(case_id)].count("approve") == 1
