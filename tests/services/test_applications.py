"""Applications: fill once, submit once, corrections only where they were asked for, and references in order."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from sqlalchemy import func, select

from tests.builders import NOW, World
from tests.services.together import failures, together
from workflow.core.actors import Role
from workflow.core.errors import DomainError, Invalid, NotFound, Stale, StepClosed
from workflow.core.questions import QUESTIONS, ROUTING_KEYS
from workflow.core.times import SHANGHAI, shanghai_day
from workflow.data import applications, audit, issued, materials
from workflow.data.applications import Application
from workflow.data.cases import Case
from workflow.data.people import Account
from workflow.extensions import db
from workflow.services import applications as service
from workflow.services import cases as case_service
from workflow.services import materials as material_service


def submit(world: World, clerk: Account, application: Application, **changes: Any) -> Case:
    """Submit at the present revision, unless changed."""
    values = {"revision": application.revision, "committed": True, "now": world.now, **changes}
    return service.submit(world.actor(clerk), application.id, **values)


def save(world: World, clerk: Account, application: Application, **fields: str) -> Application:
    """Save answers whatever the revision is."""
    return service.save_answers(world.actor(clerk), application.id, fields, revision=None, now=world.now)


def correcting(world: World, clerk: Account, **flags: str) -> Case:
    """A case that was returned for correction of the flagged slots."""
    case = world.submitted(clerk)
    reviewer = world.officer(Role.REVIEWER)
    world.step(reviewer, case, "accept")
    world.judge_all(case, **flags)
    return world.step(reviewer, case, "return_for_correction", "请按告知补正")


def test_the_second_application_starts_from_the_first(world: World) -> None:
    clerk = world.company()
    first = world.submitted(clerk, address="灵桥路 88 号", head_count="91")
    second = service.start(world.actor(clerk), first.enterprise_id, world.later(days=1))
    before = applications.of_case(first.id)
    assert second.based_on_id == before.id
    assert second.answers["address"] == "灵桥路 88 号"
    assert "resume_on" not in second.answers, "the day has to be thought of anew"
    expected = {k: v for k, v in before.answers.items() if k != "resume_on"}
    assert second.answers == expected
    assert set(second.answers) <= set(QUESTIONS)


def test_an_open_draft_is_given_back(world: World) -> None:
    clerk = world.company()
    actor = world.actor(clerk)
    (enterprise,) = actor.enterprise_ids
    draft = service.start(actor, enterprise, world.now)
    assert service.start(actor, enterprise, world.now).id == draft.id
    service.discard(actor, draft.id, world.now)
    assert service.start(actor, enterprise, world.now).id != draft.id


def test_nobody_starts_for_another_company(world: World) -> None:
    own, other = world.company(), world.company()
    (enterprise,) = world.actor(other).enterprise_ids
    with pytest.raises(NotFound):
        service.start(world.actor(own), enterprise, world.now)


def test_submitting_twice_makes_one_case(world: World) -> None:
    clerk = world.company()
    draft = world.draft(clerk)
    case = submit(world, clerk, draft)
    db.session.commit()
    with pytest.raises(StepClosed):
        submit(world, clerk, draft)
    db.session.rollback()
    assert db.session.scalar(select(func.count()).select_from(Case)) == 1
    assert [d.kind for d in issued.of_case(case.id)] == ["receipt"]


def test_submitting_in_two_windows_at_once_makes_one_case(world: World) -> None:
    clerk = world.company()
    draft = world.draft(clerk)
    actor, revision, application_id, now = world.actor(clerk), draft.revision, draft.id, world.now

    def act() -> int:
        return service.submit(actor, application_id, revision=revision, committed=True, now=now).id

    outcomes = together(world.app, act, act, act)
    assert [type(e) for e in failures(outcomes)] == [StepClosed, StepClosed]
    assert list(db.session.scalars(select(Case.reference))) == ["复工-海曙-20200215-0001"]


def test_starting_in_two_windows_at_once_makes_one_draft(world: World) -> None:
    actor = world.actor(world.company())
    (enterprise,) = actor.enterprise_ids
    now = world.now
    outcomes = together(world.app, *[lambda: service.start(actor, enterprise, now).id] * 4)
    assert failures(outcomes) == []
    assert len(set(outcomes)) == 1


def test_of_two_windows_that_save_at_once_one_is_told(world: World) -> None:
    clerk = world.company()
    draft = world.draft(clerk)
    actor, revision, application_id, now = world.actor(clerk), draft.revision, draft.id, world.now

    def act(address: str) -> Any:
        def save_it() -> str:
            fields = {"address": address}
            saved = service.save_answers(actor, application_id, fields, revision=revision, now=now)
            return str(saved.answers["address"])

        return save_it

    outcomes = together(world.app, act("东路 1 号"), act("西路 2 号"))
    assert [type(e) for e in failures(outcomes)] == [Stale]
    db.session.refresh(draft)
    assert draft.answers["address"] in outcomes
    assert draft.revision == revision + 1


def test_a_stale_revision_saves_and_submits_nothing(world: World) -> None:
    clerk = world.company()
    draft = world.draft(clerk)
    seen = draft.revision
    save(world, clerk, draft, address="灵桥路 9 号")
    db.session.commit()
    with pytest.raises(Stale):
        service.save_answers(world.actor(clerk), draft.id, {"address": "别处"}, revision=seen, now=world.now)
    with pytest.raises(Stale):
        submit(world, clerk, draft, revision=seen)
    assert (draft.status, draft.answers["address"]) == ("draft", "灵桥路 9 号")


def test_saving_what_is_there_already_changes_no_revision(world: World) -> None:
    clerk = world.company()
    draft = world.draft(clerk)
    revision = draft.revision
    save(world, clerk, draft, **draft.answers)
    assert draft.revision == revision


@pytest.mark.parametrize("fields", [{"no_such_question": "x"}, {"address": "长" * 20_001}, {"status": "submitted"}])
def test_only_questions_are_saved(world: World, fields: dict[str, str]) -> None:
    clerk = world.company()
    draft = world.draft(clerk)
    with pytest.raises(Invalid):
        save(world, clerk, draft, **fields)


def test_the_commitment_must_be_confirmed(world: World) -> None:
    clerk = world.company()
    draft = world.draft(clerk)
    with pytest.raises(Invalid) as refused:
        submit(world, clerk, draft, committed=False)
    assert refused.value.field == "committed"


def test_a_missing_material_is_counted(world: World) -> None:
    clerk = world.company()
    draft = world.draft(clerk)
    licence = next(m for m in materials.of_application(draft.id) if m.slot == "licence")
    material_service.remove_file(world.actor(clerk), licence.current_files[0].id, world.now)
    db.session.commit()
    db.session.refresh(draft)
    with pytest.raises(StepClosed) as refused:
        submit(world, clerk, draft)
    assert [str(r) for r in refused.value.reasons] == ["还缺 1 项必交材料"]
    db.session.rollback()
    assert db.session.scalar(select(func.count()).select_from(Case)) == 0
    assert draft.status == "draft"


WRONG = [
    {"name": ""},
    {"name": "企" * 201},
    {"sector": "unheard"},
    {"industry": "00"},
    {"town": "330203999"},
    {"town": "330203"},
    {"zone": "330203003-Z1"},
    {"head_phone": "12"},
    {"contact_mobile": "0574-87654321"},
    {"resuming_count": "0"},
    {"resuming_count": "87"},
    {"resuming_count": "-1"},
    {"resuming_count": "1.5"},
    {"key_area_count": "87"},
    {"head_count": "12345678"},
    {"size": "micro"},
    {"resume_on": "2020-02-30"},
    {"resume_on": "2020-02-15"},
    {"resume_on": "2021-03-01"},
    {"has_supplies": ""},
    {"reason": "\u200b\u202e"},
]


def test_wrong_answers_are_kept_as_typed_and_not_submitted(world: World) -> None:
    """A table in one application: each wrong answer alone keeps it from being submitted."""
    clerk = world.company()
    draft = world.draft(clerk)
    good = dict(draft.answers)
    for wrong in WRONG:
        save(world, clerk, draft, **wrong)
        (key,) = wrong
        assert draft.answers[key] == wrong[key], "what was typed is not lost"
        with pytest.raises(Invalid):
            submit(world, clerk, draft)
        assert draft.status == "draft"
        states = {t.key: t.state for t in service.task_list(draft, world.now)}
        assert states["submit"] == "locked", wrong
        save(world, clerk, draft, **{k: good.get(k, "") for k in wrong})
    assert submit(world, clerk, draft).state == "submitted"


@pytest.mark.parametrize(
    ("now", "earliest"),
    [
        # notice of one day, counted in Shanghai: 15:59:59 UTC is still the same day there
        (dt.datetime(2020, 2, 15, 15, 59, 59, tzinfo=dt.UTC), "2020-02-16"),
        (dt.datetime(2020, 2, 15, 16, 0, 0, tzinfo=dt.UTC), "2020-02-17"),
        # nobody before 10 February, whenever it was filed
        (dt.datetime(2020, 2, 5, 1, 0, tzinfo=dt.UTC), "2020-02-10"),
    ],
)
def test_the_first_allowed_day_is_exact(world: World, now: dt.datetime, earliest: str) -> None:
    world.now = now
    clerk = world.company()
    draft = world.draft(clerk)
    day = dt.date.fromisoformat(earliest)
    save(world, clerk, draft, resume_on=(day - dt.timedelta(days=1)).isoformat())
    with pytest.raises(Invalid):
        submit(world, clerk, draft)
    save(world, clerk, draft, resume_on=earliest)
    assert submit(world, clerk, draft).resume_on == day


def test_the_reference_takes_shanghais_day_and_begins_anew_at_its_midnight(world: World) -> None:
    world.now = dt.datetime(2020, 2, 15, 15, 59, 59, tzinfo=dt.UTC)
    late = world.submitted()
    world.now = dt.datetime(2020, 2, 15, 16, 0, 0, tzinfo=dt.UTC)
    early = world.submitted()
    other = world.submitted(town="330212002")
    assert [c.reference for c in (late, early, other)] == [
        "复工-海曙-20200215-0001",
        "复工-海曙-20200216-0001",
        "复工-鄞州-20200216-0001",
    ]
    assert early.submitted_at.astimezone(SHANGHAI).date() == dt.date(2020, 2, 16)


def test_references_have_no_gap_and_no_double_under_eight_threads(world: World) -> None:
    ready = []
    for town in ("330203002", "330203003", "330212002", "330203002") * 2:
        clerk = world.company()
        draft = world.draft(clerk, town=town)
        ready.append((world.actor(clerk), draft.id, draft.revision))
    now = world.now

    def act(actor: Any, application_id: int, revision: int) -> Any:
        return lambda: service.submit(actor, application_id, revision=revision, committed=True, now=now).reference

    outcomes = together(world.app, *[act(*r) for r in ready])
    assert failures(outcomes) == []
    expected = [f"复工-海曙-20200215-{n:04d}" for n in range(1, 7)] + [f"复工-鄞州-20200215-{n:04d}" for n in (1, 2)]
    assert sorted(outcomes) == sorted(expected)
    assert list(audit.verify()) == []


def test_a_refused_submission_leaves_no_gap(world: World) -> None:
    clerk = world.company()
    draft = world.draft(clerk)
    form = next(m for m in materials.of_application(draft.id) if m.slot == "M04")
    form.current_files[0].removed_at = world.now
    db.session.commit()
    with pytest.raises(StepClosed):
        submit(world, clerk, draft)
    db.session.rollback()
    assert world.submitted().reference.endswith("-0001")


def test_the_form_is_open_to_correction_only_when_it_was_flagged(world: World) -> None:
    clerk = world.company()
    case = correcting(world, clerk, licence="照片不清")
    application = applications.of_case(case.id)
    with pytest.raises(StepClosed):
        save(world, clerk, application, address="别处")
    submitted = world.submitted()
    for other in (submitted, world.approved()):
        with pytest.raises(DomainError):
            save(world, clerk, applications.of_case(other.id), address="别处")


def test_a_flagged_form_is_corrected_and_the_case_follows(world: World) -> None:
    clerk = world.company()
    case = correcting(world, clerk, M01="地址和人数不对")
    application = applications.of_case(case.id)
    for key in sorted(ROUTING_KEYS):
        with pytest.raises(Invalid):
            save(world, clerk, application, **{key: "330203003" if key == "town" else "9"})
    save(world, clerk, application, address="望春路 5 号", resuming_count="41", name="宁波海曙改名机械有限公司")
    entry = audit.of_case(case.id)[-1]
    assert (entry.event, entry.after["questions"]) == ("form_corrected", ["address", "name", "resuming_count"])
    assert "望春路" not in str(entry.after)
    world.step(clerk, case, "resubmit", "已更正")
    assert (case.state, case.round) == ("reviewing", 2)
    assert case.facts["address"] == "望春路 5 号"
    assert case.facts["resuming_count"] == case.resuming_count == 41
    assert case.enterprise_name == case.enterprise.name == "宁波海曙改名机械有限公司"
    assert case.enterprise.profile["address"] == "望春路 5 号"
    form = materials.of_application(application.id)[0]
    assert (form.slot, form.verdict) == ("M01", "pending")


def test_a_wrong_correction_is_not_handed_in(world: World) -> None:
    clerk = world.company()
    case = correcting(world, clerk, M01="人数不对")
    application = applications.of_case(case.id)
    save(world, clerk, application, resuming_count="870")
    db.session.commit()
    with pytest.raises(Invalid):
        case_service.perform(world.actor(clerk), case.id, "resubmit", version=case.version, now=world.now)
    db.session.rollback()
    assert (case.state, case.round, case.resuming_count) == ("correcting", 1, 60)


def test_a_correction_may_be_handed_in_after_the_day_asked_for(world: World) -> None:
    clerk = world.company()
    case = correcting(world, clerk, M01="地址不对")
    world.now = NOW + dt.timedelta(days=20)
    assert case.resume_on < shanghai_day(world.now)
    save(world, clerk, applications.of_case(case.id), address="望春路 6 号")
    assert world.step(clerk, case, "resubmit").state == "reviewing"


def test_discarding_deletes_nothing_and_a_submitted_one_stays(world: World) -> None:
    clerk = world.company()
    draft = world.draft(clerk)
    service.discard(world.actor(clerk), draft.id, world.now)
    assert db.session.get_one(Application, draft.id).status == "discarded"
    with pytest.raises(StepClosed):
        submit(world, clerk, draft)
    case = world.submitted(world.company())
    with pytest.raises(NotFound):
        service.discard(world.actor(clerk), applications.of_case(case.id).id, world.now)


@pytest.mark.parametrize(
    ("answers", "slots"),
    [
        ({}, set()),
        ({"key_area_count": "3"}, {"isolation"}),
        ({"priority_class": "large_order"}, {"orders"}),
        ({"size": "above", "head_count": "300"}, {"safety"}),
    ],
)
def test_slots_follow_the_answers(world: World, answers: dict[str, str], slots: set[str]) -> None:
    clerk = world.company()
    draft = world.draft(clerk, **answers)
    always = {"M01", "M02", "M04", "commitment", "licence", "supplies", "other"}
    assert {m.slot for m in materials.of_application(draft.id)} == always | slots
