"""Notes, the thread and standard phrases: who may write and read what, who is told, and what is refused."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from tests.builders import World
from workflow.core.actors import Role
from workflow.core.errors import Invalid, NotFound, NotPermitted, StepClosed
from workflow.data import casework
from workflow.data.casework import Note, Phrase
from workflow.data.outbox import OutboxItem
from workflow.data.people import Account
from workflow.extensions import db
from workflow.services import cases, notes, phrases, threads
from workflow.services.notes import AmbiguousName


def told(kind: str) -> list[dict[str, object]]:
    """What is in the outbox of a kind, oldest first."""
    found = db.session.scalars(select(OutboxItem).where(OutboxItem.kind == kind).order_by(OutboxItem.id))
    return [dict(item.payload) for item in found]


def rename(account: Account, name: str) -> Account:
    """Give somebody a name."""
    account.person.name = name
    db.session.commit()
    return account


def test_a_note_calls_a_colleague_by_name(world: World) -> None:
    case = world.submitted()
    reviewer, leader = world.officer(Role.REVIEWER), rename(world.officer(Role.LEADER), "李试验")
    note = notes.add(world.actor(reviewer), case.id, "请@李试验看一下租赁合同", (), world.now)
    assert note.mentions == [leader.person_id]
    (notice,) = [n for n in told("notice") if n["event"] == "mentioned"]
    assert notice["people"] == [leader.person_id]
    assert [n.words for n in casework.talk_of(case.id).notes] == ["请@李试验看一下租赁合同"]


def test_a_name_that_several_have_has_to_be_chosen(world: World) -> None:
    case = world.submitted()
    reviewer = world.actor(world.officer(Role.REVIEWER))
    one, two = (rename(world.new_officer(r), "王重名") for r in (Role.LEADER, Role.INSPECTOR))
    with pytest.raises(AmbiguousName) as refused:
        notes.add(reviewer, case.id, "@王重名 请看", (), world.now)
    assert {c.person_id for c in refused.value.choices} == {one.person_id, two.person_id}
    note = notes.add(reviewer, case.id, "@王重名 请看", {two.person_id}, world.now)
    assert note.mentions == [two.person_id]


def test_who_can_not_see_the_case_can_not_be_called(world: World) -> None:
    clerk = world.company()
    case = world.submitted(clerk)
    rename(clerk, "经办甲")
    rename(world.new_officer(Role.REVIEWER, "330206004"), "外区乙")
    rename(world.new_officer(Role.BUREAU_REVIEWER, "330203", "shangwu"), "别局丙")
    reviewer = world.actor(world.officer(Role.REVIEWER))
    for name in ("经办甲", "外区乙", "别局丙", "没有的人"):
        with pytest.raises(Invalid, match=name):
            notes.add(reviewer, case.id, f"@{name} 请看", (), world.now)
    assert db.session.scalars(select(Note)).all() == []


def test_company_auditor_and_other_areas_write_no_notes(world: World) -> None:
    clerk = world.company()
    case = world.submitted(clerk)
    with pytest.raises(NotFound):
        notes.add(world.actor(clerk), case.id, "内部", (), world.now)
    with pytest.raises(NotFound):
        notes.colleagues(world.actor(clerk), case.id, world.now)
    with pytest.raises(NotFound):
        notes.add(world.actor(world.officer(Role.REVIEWER, "330206004")), case.id, "内部", (), world.now)
    with pytest.raises(NotPermitted):
        notes.add(world.actor(world.officer(Role.AUDITOR, "3302")), case.id, "内部", (), world.now)
    for words in ("", "  \n ", "\u200b"):
        with pytest.raises(Invalid):
            notes.add(world.actor(world.officer(Role.REVIEWER)), case.id, words, (), world.now)
    with pytest.raises(Invalid):
        notes.add(world.actor(world.officer(Role.REVIEWER)), case.id, "字" * 2001, (), world.now)


def test_both_sides_write_and_each_is_told_and_reads_its_own_marks(world: World) -> None:
    clerk = world.company()
    case = world.submitted(clerk)
    company, reviewer = world.actor(clerk), world.actor(world.officer(Role.REVIEWER))
    asked = threads.write(company, case.id, "租赁合同复印件可以吗？", world.now)
    (notice,) = [n for n in told("notice") if n["event"] == "thread_message"]
    assert notice["people"] == [reviewer.person_id]
    read = threads.read(reviewer, case)
    assert (read.unread, read.new_from) == (1, asked.id)
    assert threads.read(company, case).unread == 0
    before = len(told("message"))
    answered = threads.write(reviewer, case.id, "可以，请加盖公章。", world.now)
    assert len(told("message")) == before + 1
    assert threads.read(reviewer, case).unread == 0
    read = threads.read(company, case)
    assert (read.unread, read.new_from, read.seen_by_other) == (1, answered.id, answered.id)
    assert casework.unread_by_company([case.id]) == {case.id: 1}
    threads.mark_read(company, case.id, 10**12, world.now)
    assert threads.read(company, case).unread == 0
    assert casework.unread_by_company([case.id]) == {}
    threads.mark_read(company, case.id, 1, world.now)
    assert threads.read(company, case).unread == 0, "a mark never goes back"


def test_the_assignee_alone_is_told_of_a_message(world: World) -> None:
    clerk = world.company()
    case = world.submitted(clerk)
    world.officer(Role.REVIEWER)
    holding = world.new_officer(Role.REVIEWER)
    case.assign(holding.person_id, because={"how": "claimed"}, by=world.actor(holding), at=world.now)
    threads.write(world.actor(clerk), case.id, "在吗", world.now)
    assert [n["people"] for n in told("notice") if n["event"] == "thread_message"] == [[holding.person_id]]


def test_a_thread_ends_with_the_case_and_stays_readable(world: World) -> None:
    clerk = world.company()
    case = world.approved(clerk)
    threads.write(world.actor(clerk), case.id, "通行证怎么打印？", world.now)
    ended = world.submitted(clerk)
    threads.write(world.actor(clerk), ended.id, "先撤回了", world.now)
    cases.perform(world.actor(clerk), ended.id, "withdraw", version=ended.version, now=world.now, note="重新申请")
    db.session.commit()
    with pytest.raises(StepClosed):
        threads.write(world.actor(clerk), ended.id, "还在吗", world.now)
    read = threads.read(world.actor(clerk), ended)
    assert read.is_closed
    assert not read.may_write
    assert [m.words for m in read.messages] == ["先撤回了"]


def test_outsiders_have_no_thread(world: World) -> None:
    case, other = world.submitted(), world.company()
    for who in (other, world.officer(Role.REVIEWER, "330206004")):
        with pytest.raises(NotFound):
            threads.write(world.actor(who), case.id, "？", world.now)
    with pytest.raises(NotPermitted):
        threads.write(world.actor(world.officer(Role.AUDITOR, "3302")), case.id, "？", world.now)
    assert threads.side_of(world.actor(world.officer(Role.DEPARTMENT, "330203", "weijian")), case) is None


def test_a_long_thread_goes_back_page_by_page(world: World) -> None:
    clerk = world.company()
    case = world.submitted(clerk)
    for n in range(threads.PAGE + 5):
        threads.write(world.actor(clerk), case.id, f"第{n}条", world.now)
    newest = threads.read(world.actor(clerk), case)
    assert newest.has_earlier
    assert [m.words for m in newest.messages] == [f"第{n}条" for n in range(5, threads.PAGE + 5)]
    older = threads.read(world.actor(clerk), case, before=newest.messages[0].id)
    assert [m.words for m in older.messages] == [f"第{n}条" for n in range(5)]
    assert not older.has_earlier


def test_phrases_are_offered_from_the_narrow_topic_to_the_wide_by_use(world: World) -> None:
    case = world.submitted()
    me, leader = world.actor(world.officer(Role.REVIEWER)), world.actor(world.officer(Role.LEADER))
    town = case.town_id
    phrases.add(me, "verdict.wrong", "请加盖公章", None, world.now)
    phrases.add(me, "verdict.wrong.licence", "执照与名称不符", None, world.now)
    phrases.add(me, "verdict.missing", "请上传", None, world.now)
    phrases.add(leader, "verdict.wrong", "请重新扫描，字迹不清", town, world.now)
    phrases.add(leader, "verdict.wrong", "领导自己的", None, world.now)
    far = world.actor(world.officer(Role.LEADER, "330206004"))
    phrases.add(far, "verdict.wrong", "别处共享的", far.appointments[0].area_id, world.now)
    assert {p.words for p in phrases.suggestions(me, "verdict.wrong.licence", case)} == {
        "请加盖公章",
        "执照与名称不符",
        "请重新扫描，字迹不清",
    }
    phrases.count_use(me, "verdict.wrong.licence", "请加盖公章\n另附说明", case)
    db.session.expire_all()
    assert phrases.suggestions(me, "verdict.wrong.licence", None)[0].words == "请加盖公章"
    assert phrases.by_topic(me, ["verdict.missing", "note"], case)["note"] == []


def test_only_leaders_share_and_everybody_keeps_their_own(world: World) -> None:
    case = world.submitted()
    me, peer = world.actor(world.officer(Role.REVIEWER)), world.actor(world.new_officer(Role.REVIEWER))
    leader = world.actor(world.officer(Role.LEADER))
    with pytest.raises(NotPermitted):
        phrases.add(me, "note", "共享", case.town_id, world.now)
    with pytest.raises(NotPermitted):
        phrases.add(leader, "note", "共享", case.county_id, world.now)
    own = phrases.add(me, "note", "已电话核实", None, world.now)
    assert phrases.add(me, "note", "已电话核实 ", None, world.now).id == own.id
    shared = phrases.add(leader, "note", "已现场核实", case.town_id, world.now)
    assert {p.words for p in phrases.kept(peer)} == {"已现场核实"}
    with pytest.raises(NotFound):
        phrases.change(peer, own.id, "改")
    with pytest.raises(NotPermitted):
        phrases.delete(peer, shared.id)
    assert phrases.change(me, own.id, "改过了").words == "改过了"
    phrases.delete(leader, shared.id)
    db.session.flush()
    assert db.session.scalars(select(Phrase.words)).all() == ["改过了"]


@pytest.mark.parametrize(
    "topic", ["", "x", "verdict.ok", "verdict.wrong.nothing", "step.", "step.A b", "note.a", "a.b.c.d"]
)
def test_a_phrase_needs_a_topic_that_there_is(world: World, topic: str) -> None:
    with pytest.raises(Invalid):
        phrases.add(world.actor(world.officer(Role.REVIEWER)), topic, "字", None, world.now)


def test_a_refusal_needs_a_reason_that_says_something(world: World) -> None:
    case = world.conclude(world.scheduled())
    leader = world.actor(world.officer(Role.LEADER))
    for words in ("", "同意", "。。", "123"):
        with pytest.raises(Invalid):
            cases.perform(leader, case.id, "refuse", version=case.version, now=world.now, note=words)
    refused = cases.perform(leader, case.id, "refuse", version=case.version, now=world.now, note="隔离点未落实")
    assert refused.state == "refused"
