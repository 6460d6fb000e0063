"""Materials: verdicts with words, one notice with everything, corrections of what was flagged, all versions kept."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import func, select

from tests.builders import World, png
from tests.documents import files
from tests.services.test_four_eyes import appoint
from tests.services.together import failures, together
from workflow.core.actors import Role
from workflow.core.errors import DomainError, Invalid, NotFound, NotPermitted, Stale, StepClosed
from workflow.data import applications, audit, catalogue, issued, materials
from workflow.data.cases import Case
from workflow.data.materials import Material, MaterialFile
from workflow.data.people import Account
from workflow.documents.uploads import WrongFileType
from workflow.extensions import db
from workflow.services import materials as service


def material(case: Case, slot: str) -> Material:
    """One slot of the case's application."""
    return next(m for m in materials.of_application(applications.of_case(case.id).id) if m.slot == slot)


def reviewing(world: World, clerk: Account | None = None) -> Case:
    """An accepted case."""
    case = world.submitted(clerk)
    return world.step(world.officer(Role.REVIEWER), case, "accept")


def returned(world: World, clerk: Account, **flags: str) -> Case:
    """A case returned with the flagged slots."""
    case = reviewing(world, clerk)
    world.judge_all(case, **flags)
    return world.step(world.officer(Role.REVIEWER), case, "return_for_correction", "请补正")


def judge(world: World, case: Case, slot: str, verdict: str, **changes: Any) -> Material:
    """A verdict on what the slot holds now, unless changed."""
    found = material(case, slot)
    values = {"words": "", "late_reason": "", "seen_rev": found.content_rev, "now": world.now, **changes}
    actor = values.pop("actor", None) or world.actor(world.officer(Role.REVIEWER))
    return service.judge(actor, case.id, found.id, verdict=verdict, **values)


def replace(world: World, clerk: Account, case: Case, slot: str) -> None:
    """Take the slot's files out and put another in."""
    actor, found = world.actor(clerk), material(case, slot)
    for file in found.current_files:
        service.remove_file(actor, file.id, world.now)
    service.add_file(actor, found.application_id, slot, world.file(), world.now)
    db.session.commit()


@pytest.mark.parametrize("verdict", ["wrong", "missing", "expired"])
def test_a_flag_needs_words(world: World, verdict: str) -> None:
    case = reviewing(world)
    for words in ("", " \u200b "):
        with pytest.raises(Invalid) as refused:
            judge(world, case, "licence", verdict, words=words)
        assert refused.value.field == "words"
    assert material(case, "licence").verdict == "pending"
    judged = judge(world, case, "licence", verdict, words="看不清")
    assert (judged.verdict, judged.verdict_words, judged.verdict_round) == (verdict, "看不清", 1)


@pytest.mark.parametrize("verdict", ["", "pending", "perfect", "OK"])
def test_only_real_verdicts_are_taken(world: World, verdict: str) -> None:
    case = reviewing(world)
    with pytest.raises(Invalid) as refused:
        judge(world, case, "licence", verdict, words="看不清")
    assert refused.value.field == "verdict"


def test_every_verdict_is_kept(world: World) -> None:
    case = reviewing(world)
    judge(world, case, "licence", "wrong", words="看不清")
    judge(world, case, "licence", "ok")
    given = [(o.verdict, o.words) for o in materials.opinions_of(applications.of_case(case.id).id)]
    assert given == [("wrong", "看不清"), ("ok", "")]
    events = [e for e in audit.of_case(case.id) if e.event == "material_judged"]
    assert [e.after["verdict"] for e in events] == ["wrong", "ok"]
    assert all("words" not in e.after for e in events)


def test_the_content_seen_must_be_the_content_judged(world: World) -> None:
    case = reviewing(world)
    with pytest.raises(Stale):
        judge(world, case, "licence", "ok", seen_rev=material(case, "licence").content_rev - 1)


def test_verdicts_are_given_by_reviewers_of_the_place_while_in_review(world: World) -> None:
    case = world.submitted()
    reviewer = world.officer(Role.REVIEWER)
    with pytest.raises(StepClosed):
        judge(world, case, "licence", "ok")
    world.step(reviewer, case, "accept")
    for role, refusal in ((Role.INSPECTOR, NotPermitted), (Role.LEADER, NotPermitted), (Role.COMMANDER, NotPermitted)):
        with pytest.raises(refusal):
            judge(world, case, "licence", "ok", actor=world.actor(world.officer(role)))
    with pytest.raises(NotFound):
        judge(world, case, "licence", "ok", actor=world.actor(world.officer(Role.REVIEWER, "330203003")))
    other = material(reviewing(world), "licence")
    with pytest.raises(NotFound):
        service.judge(
            world.actor(reviewer),
            case.id,
            other.id,
            verdict="ok",
            words="",
            late_reason="",
            seen_rev=other.content_rev,
            now=world.now,
        )


def test_a_reviewer_of_another_town_who_inspects_here_judges_nothing(world: World) -> None:
    """A right that is held elsewhere does not count here."""
    case = reviewing(world)
    mixed = world.new_officer(Role.REVIEWER, "330203003")
    appoint(world, mixed, Role.INSPECTOR)
    with pytest.raises(NotPermitted):
        judge(world, case, "licence", "ok", actor=world.actor(mixed))


def test_the_notice_names_every_flag_at_once(world: World) -> None:
    case = returned(world, world.company(), licence="照片不清", M04="缺职工食堂部分")
    notice = next(d for d in issued.of_case(case.id) if d.kind == "correction_notice")
    assert [(i["slot"], i["words"]) for i in notice.facts["items"]] == [
        ("M04", "缺职工食堂部分"),
        ("licence", "照片不清"),
    ]
    assert notice.facts["words"] == "请补正"


def test_only_what_was_flagged_can_be_changed(world: World) -> None:
    clerk = world.company()
    case = returned(world, clerk, licence="照片不清")
    actor, application_id = world.actor(clerk), applications.of_case(case.id).id
    settled = material(case, "M04").current_files[0]
    with pytest.raises(StepClosed):
        service.add_file(actor, application_id, "M04", world.file(), world.now)
    with pytest.raises(StepClosed):
        service.remove_file(actor, settled.id, world.now)
    with pytest.raises(StepClosed):
        service.add_file(actor, application_id, "other", world.file(), world.now)
    replace(world, clerk, case, "licence")


@pytest.mark.parametrize("stage", ["submitted", "reviewing", "approved"])
def test_outside_of_a_correction_nothing_changes(world: World, stage: str) -> None:
    clerk = world.company()
    make = {"submitted": world.submitted, "approved": world.approved, "reviewing": lambda c: reviewing(world, c)}
    case = make[stage](clerk)
    if stage == "reviewing":
        judge(world, case, "licence", "wrong", words="看不清")
        db.session.commit()
    actor, found = world.actor(clerk), material(case, "licence")
    with pytest.raises(StepClosed):
        service.add_file(actor, found.application_id, "licence", world.file(), world.now)
    with pytest.raises(StepClosed):
        service.remove_file(actor, found.current_files[0].id, world.now)


def test_handing_in_needs_every_flag_answered(world: World) -> None:
    clerk = world.company()
    case = returned(world, clerk, licence="照片不清", M04="缺一部分")
    replace(world, clerk, case, "licence")
    with pytest.raises(StepClosed) as refused:
        world.step(clerk, case, "resubmit")
    assert [str(r) for r in refused.value.reasons] == ["还有 1 项材料未补正"]
    db.session.rollback()
    replace(world, clerk, case, "M04")
    assert world.step(clerk, case, "resubmit").state == "reviewing"


def test_the_second_round_carries_what_was_settled_and_shows_what_changed(world: World) -> None:
    clerk = world.company()
    case = returned(world, clerk, licence="照片不清")
    replace(world, clerk, case, "licence")
    world.step(clerk, case, "resubmit")
    assert case.round == 2
    verdicts = {m.slot: m.verdict for m in materials.of_application(applications.of_case(case.id).id) if m.is_due}
    assert verdicts.pop("licence") == "pending"
    assert set(verdicts.values()) == {"ok"}
    changed = material(case, "licence")
    assert changed.changed_since_verdict
    assert [(f.added_round, f.removed_round) for f in changed.files] == [(1, 1), (1, None)]
    assert not service.is_settled(changed, case.round)
    assert service.is_settled(material(case, "M04"), case.round)
    judge(world, case, "licence", "ok")
    db.session.commit()
    assert world.step(world.officer(Role.REVIEWER), case, "pass_materials").state == "awaiting_inspection"


def test_a_late_defect_needs_a_reason_that_stays_on_record(world: World) -> None:
    clerk = world.company()
    case = returned(world, clerk, licence="照片不清")
    replace(world, clerk, case, "licence")
    world.step(clerk, case, "resubmit")
    with pytest.raises(Invalid) as refused:
        judge(world, case, "M04", "wrong", words="又发现一处")
    assert refused.value.field == "late_reason"
    judge(world, case, "licence", "wrong", words="还是不清")  # it was changed: a new look needs no reason
    judge(world, case, "M04", "wrong", words="又发现一处", late_reason="上一轮漏看")
    db.session.commit()
    late = [e for e in audit.of_case(case.id) if e.event == "late_defect"]
    assert [e.after["slot"] for e in late] == ["M04"]
    opinion = materials.opinions_of(applications.of_case(case.id).id)[-1]
    assert (opinion.late_reason, opinion.round) == ("上一轮漏看", 2)


def test_confirming_a_settled_item_first_does_not_save_the_reason(world: World) -> None:
    clerk = world.company()
    case = returned(world, clerk, licence="照片不清")
    replace(world, clerk, case, "licence")
    world.step(clerk, case, "resubmit")
    judge(world, case, "M04", "ok")
    with pytest.raises(Invalid):
        judge(world, case, "M04", "wrong", words="又发现一处")


def test_every_version_is_kept(world: World) -> None:
    clerk = world.company()
    application = world.draft(clerk)
    actor = world.actor(clerk)
    slot = next(m for m in materials.of_application(application.id) if m.slot == "licence")
    first = slot.current_files[0]
    service.remove_file(actor, first.id, world.now)
    service.remove_file(actor, first.id, world.later(hours=1))
    second = service.add_file(actor, application.id, "licence", world.file(png(77)), world.now)
    db.session.commit()
    db.session.refresh(slot)
    assert [f.id for f in slot.files] == [first.id, second.id]
    assert [f.id for f in slot.current_files] == [second.id]
    assert service.get_file(actor, first.id).file.sha256 != second.file.sha256
    assert slot.content_rev == 3


def test_a_slot_takes_so_many_files_and_no_more(world: World) -> None:
    clerk = world.company()
    application = world.draft(clerk)
    actor, most = world.actor(clerk), catalogue.material_slots()["licence"].max_files
    for _ in range(most - 1):
        service.add_file(actor, application.id, "licence", world.file(), world.now)
    with pytest.raises(Invalid) as refused:
        service.add_file(actor, application.id, "licence", world.file(), world.now)
    assert str(most) in str(refused.value)


def test_the_limit_holds_for_uploads_at_the_same_time(world: World) -> None:
    clerk = world.company()
    application = world.draft(clerk)
    most = catalogue.material_slots()["licence"].max_files
    uploads = [world.file() for _ in range(most + 1)]
    actor, application_id, now = world.actor(clerk), application.id, world.now
    acts = [lambda f=f: service.add_file(actor, application_id, "licence", f, now).id for f in uploads]
    outcomes = together(world.app, *acts)
    assert [type(e) for e in failures(outcomes)] == [Invalid, Invalid]
    slot = next(m for m in materials.of_application(application_id) if m.slot == "licence")
    assert len(slot.current_files) == most
    assert slot.content_rev == most


@pytest.mark.parametrize("slot", ["M01", "no_such_slot", ""])
def test_files_go_into_slots_for_files(world: World, slot: str) -> None:
    clerk = world.company()
    application = world.draft(clerk)
    with pytest.raises(NotFound):
        service.add_file(world.actor(clerk), application.id, slot, world.file(), world.now)


def test_a_kind_that_the_slot_does_not_take_is_refused(world: World) -> None:
    clerk = world.company()
    application = world.draft(clerk)
    received = world.file(files.word(), "方案.docx")
    with pytest.raises(WrongFileType):
        service.add_file(world.actor(clerk), application.id, "licence", received, world.now)
    query = select(func.count()).select_from(MaterialFile).where(MaterialFile.name == "方案.docx")
    assert db.session.scalar(query) == 0


def test_nobody_else_touches_a_companys_files(world: World) -> None:
    clerk, stranger = world.company(), world.company()
    application = world.draft(clerk)
    slot = next(m for m in materials.of_application(application.id) if m.slot == "licence")
    file_id = slot.current_files[0].id
    for act in (
        lambda: service.add_file(world.actor(stranger), application.id, "licence", world.file(), world.now),
        lambda: service.remove_file(world.actor(stranger), file_id, world.now),
        lambda: service.get_file(world.actor(stranger), file_id),
    ):
        with pytest.raises(DomainError) as refused:
            act()
        assert isinstance(refused.value, NotFound)
