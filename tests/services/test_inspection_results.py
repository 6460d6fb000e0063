"""Results of on-site checks: veto items, words for what fails, rechecks of what failed, photos by the two."""

from __future__ import annotations

import datetime as dt

import pytest

from tests.builders import World, measured
from tests.documents import files
from tests.services.together import failures, together
from tests.services.visits import conclude, planned, rectifying, report, save
from workflow.core.actors import Role
from workflow.core.errors import Invalid, NotFound, NotPermitted, StepClosed
from workflow.core.times import shanghai_day
from workflow.data import audit, inspections, issued
from workflow.extensions import db
from workflow.services import inspections as service
from workflow.services.inspections import ItemEntry


def test_a_failed_veto_item_can_not_pass(world: World) -> None:
    case = world.scheduled()
    visit = world.fill_sheet(case)
    veto = next(i.code for i in visit.items if i.is_veto)
    world.fill_sheet(case, veto)
    with pytest.raises(StepClosed) as refused:
        conclude(world, visit, "pass_inspection")
    assert "1 项不符合" in str(refused.value.reasons[0])
    db.session.rollback()
    assert (case.state, visit.status, visit.outcome) == ("inspecting", "planned", None)


def test_any_failed_item_can_not_pass(world: World) -> None:
    case = world.scheduled()
    visit = planned(case)
    world.fill_sheet(case, next(i.code for i in visit.items if not i.is_veto))
    with pytest.raises(StepClosed):
        conclude(world, visit, "pass_inspection")


@pytest.mark.parametrize("action", ["pass_inspection", "order_rectification", "fail_inspection"])
def test_an_incomplete_sheet_concludes_nothing(world: World, action: str) -> None:
    case = world.scheduled()
    visit = planned(case)
    world.fill_sheet(case, visit.items[0].code)
    save(world, visit, **{visit.items[1].code.replace("-", "_"): ItemEntry("")})
    db.session.commit()
    with pytest.raises(StepClosed) as refused:
        conclude(world, visit, action)
    assert "核查清单还有 1 项未填" in [str(r) for r in refused.value.reasons]


@pytest.mark.parametrize("action", ["order_rectification", "fail_inspection"])
def test_nothing_failed_is_nothing_to_rectify(world: World, action: str) -> None:
    visit = world.fill_sheet(world.scheduled())
    with pytest.raises(StepClosed) as refused:
        conclude(world, visit, action)
    assert "没有不符合项" in [str(r) for r in refused.value.reasons]


@pytest.mark.parametrize("action", ["order_rectification", "fail_inspection"])
def test_failing_needs_words_for_the_item_and_for_the_result(world: World, action: str) -> None:
    case = world.scheduled()
    visit = world.fill_sheet(case)
    code = visit.items[0].code
    save(world, visit, **{code.replace("-", "_"): ItemEntry("fail")})
    db.session.commit()
    with pytest.raises(Invalid) as refused:
        conclude(world, visit, action)
    assert refused.value.field == code
    world.fill_sheet(case, code)
    with pytest.raises(Invalid) as refused:
        conclude(world, visit, action, words=" ")
    assert refused.value.field == "note"
    db.session.rollback()
    assert conclude(world, visit, action).state in ("rectifying", "awaiting_decision")


def test_the_day_to_rectify_by_is_given_and_not_past(world: World) -> None:
    case = world.scheduled()
    visit = planned(case)
    world.fill_sheet(case, visit.items[0].code)
    today = shanghai_day(world.now)
    for day in (None, today - dt.timedelta(days=1)):
        with pytest.raises(StepClosed):
            conclude(world, visit, "order_rectification", rectify_by_on=day)
        db.session.rollback()
    conclude(world, visit, "order_rectification", rectify_by_on=today)
    assert (case.state, visit.rectify_by_on) == ("rectifying", today)


def test_only_the_two_appointed_conclude(world: World) -> None:
    case = world.scheduled()
    visit = world.fill_sheet(case)
    values = {"version": case.version, "words": "", "rectify_by_on": None, "now": world.now}
    with pytest.raises(StepClosed):
        service.conclude(world.actor(world.new_officer(Role.INSPECTOR)), visit.id, "pass_inspection", **values)
    db.session.rollback()
    with pytest.raises(NotPermitted):
        service.conclude(world.actor(world.officer(Role.LEADER)), visit.id, "pass_inspection", **values)
    db.session.rollback()
    with pytest.raises(NotFound):
        service.conclude(world.actor(world.company()), visit.id, "pass_inspection", **values)
    for action in ("approve", "withdraw", "change_appointment"):
        with pytest.raises(StepClosed):
            conclude(world, visit, action)


def test_a_concluded_sheet_is_closed(world: World) -> None:
    case = world.conclude(world.scheduled())
    (visit,) = inspections.of_case(case.id)
    with pytest.raises(StepClosed):
        save(world, visit, SUP_01=ItemEntry("fail", "", "后来改的"))
    with pytest.raises(StepClosed):
        conclude(world, visit, "pass_inspection")
    with pytest.raises(StepClosed):
        service.add_photo(
            world.actor(world.inspectors()[0]), visit.id, world.file(), code="", caption="", now=world.now
        )
    assert visit.outcome == "pass"


def test_nothing_is_marked_behind_a_conclusion_of_the_same_moment(world: World) -> None:
    """Saving and concluding at once: what the sheet says is what was concluded."""
    visit = world.fill_sheet(world.scheduled())
    first, second = (world.actor(i) for i in world.inspectors())
    visit_id, version, now = visit.id, visit.case.version, world.now
    code = visit.items[0].code

    def pass_it() -> str:
        return service.conclude(
            first, visit_id, "pass_inspection", version=version, words="", rectify_by_on=None, now=now
        ).state

    def fail_it() -> int:
        entries = {code: ItemEntry("fail", "", "不符合")}
        return service.save_sheet(second, visit_id, entries, revision=None, now=now).revision

    outcomes = together(world.app, pass_it, fail_it)
    (refused,) = failures(outcomes)
    assert isinstance(refused, StepClosed)
    db.session.refresh(visit)
    results = {i.result for i in visit.items}
    assert (visit.outcome, results) in [("pass", {"conform"}), (None, {"conform", "fail"})]


def test_the_recheck_lists_only_what_failed(world: World) -> None:
    case = world.scheduled()
    codes = sorted(i.code for i in planned(case).items)[:2]
    world.conclude(case, "order_rectification", *codes, words="请整改")
    report(world, case, dict.fromkeys(codes, "已整改"))
    assert case.state == "awaiting_recheck"
    world.schedule(case)
    again = planned(case)
    assert (again.number, again.is_recheck) == (2, True)
    assert sorted(i.code for i in again.items) == codes
    assert all(i.result is None for i in again.items)
    world.conclude(case, "order_rectification", codes[0], words="还差一项")
    report(world, case, {codes[0]: "已整改"})
    world.schedule(case)
    assert [i.code for i in planned(case).items] == [codes[0]]
    world.conclude(case)
    assert case.state == "awaiting_decision"
    assert [d.kind for d in issued.of_case(case.id)].count("inspection_sheet") == 3


def test_the_company_answers_each_failed_item(world: World) -> None:
    codes = ["ENV-04", "SUP-02"]
    case = rectifying(world, *codes)
    for remedies, field in (({}, "remedy_ENV-04"), ({"ENV-04": "已消毒", "SUP-02": "  "}, "remedy_SUP-02")):
        with pytest.raises(Invalid) as refused:
            report(world, case, remedies)
        assert refused.value.field == field
        db.session.rollback()
        assert case.state == "rectifying"
    report(world, case, {"ENV-04": "已消毒", "SUP-02": "已备齐", "ISO-01": "没有问过"})
    visit = service.last_concluded(case)
    assert visit is not None
    assert {i.code: i.remedy for i in visit.items if i.remedy} == {"ENV-04": "已消毒", "SUP-02": "已备齐"}


def test_photos_are_added_by_the_two_and_are_pictures(world: World) -> None:
    case = world.scheduled()
    visit = planned(case)
    inspector = world.actor(world.inspectors()[1])
    photo = service.add_photo(inspector, visit.id, world.file(), code="ISO-01", caption="隔离室\u202e", now=world.now)
    assert (photo.caption, photo.code) == ("隔离室", "ISO-01")
    assert service.get_photo(inspector, photo.id).file.media_type == "image/png"
    for stranger in (world.new_officer(Role.INSPECTOR), world.officer(Role.REVIEWER), world.officer(Role.LEADER)):
        with pytest.raises(NotPermitted):
            service.add_photo(world.actor(stranger), visit.id, world.file(), code="", caption="", now=world.now)
    with pytest.raises(NotFound):
        service.add_photo(world.actor(world.company()), visit.id, world.file(), code="", caption="", now=world.now)
    with pytest.raises(Invalid):
        service.add_photo(inspector, visit.id, world.file(), code="NO-99", caption="", now=world.now)
    received = world.file(files.pdf(), "照片.pdf")
    with pytest.raises(Invalid):
        service.add_photo(inspector, visit.id, received, code="", caption="", now=world.now)
    events = [e.after for e in audit.of_case(case.id) if e.event == "photo_added"]
    assert [e["photo"] for e in events] == [photo.id]


def test_so_many_photos_and_no_more(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "MAX_PHOTOS", 2)
    visit = planned(world.scheduled())
    inspector = world.actor(world.inspectors()[0])
    for _ in range(2):
        service.add_photo(inspector, visit.id, world.file(), code="", caption="", now=world.now)
        db.session.refresh(visit)
    with pytest.raises(Invalid):
        service.add_photo(inspector, visit.id, world.file(), code="", caption="", now=world.now)


def test_hazardous_firms_have_items_of_their_own(world: World) -> None:
    plain = {i.code for i in planned(world.scheduled(size="above")).items}
    hazardous = {i.code for i in planned(world.scheduled(hazardous="yes")).items}
    assert {c for c in hazardous - plain if not c.startswith("HAZ-")} == {"SAFE-02", "SAFE-03", "SAFE-04", "SAFE-05"}
    assert sum(c.startswith("HAZ-") for c in hazardous) == 16


def test_an_item_with_a_limit_does_not_conform_without_a_value(world: World) -> None:
    case = world.scheduled()
    visit = world.fill_sheet(case)
    limited = next(i for i in visit.items if measured(i.code))
    limited.measured = ""
    db.session.commit()
    first, _second = world.inspectors()
    with pytest.raises(Invalid) as refused:
        service.conclude(
            world.actor(first),
            visit.id,
            "pass_inspection",
            version=case.version,
            words="",
            rectify_by_on=None,
            now=world.now,
        )
    assert refused.value.field == limited.code
