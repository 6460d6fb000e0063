"""Dates of failed items, told the day before and the day after; the company's proof; and the sheet as paper."""

from __future__ import annotations

import datetime as dt

import pytest

from tests.builders import World
from tests.documents import files
from tests.services.visits import conclude, rectifying, report
from workflow.core.errors import Invalid, NotFound, Stale, StepClosed
from workflow.core.times import shanghai_day, shanghai_time
from workflow.data import issued
from workflow.data.inspections import Inspection
from workflow.data.outbox import OutboxItem
from workflow.extensions import db
from workflow.services import inspections as inspection_service
from workflow.services import issuing, item_deadlines, verification
from workflow.services import rectifications as service

DAY = dt.timedelta(days=1)


def _failing(world: World, **dates: dt.date | None) -> Inspection:
    """A full sheet with failed items (``-`` is ``_`` here), each with a date of its own or None."""
    case = world.scheduled()
    codes = [code.replace("_", "-") for code in dates]
    visit = world.fill_sheet(case, *codes)
    for item in visit.items:
        item.rectify_by_on = dates.get(item.code.replace("-", "_"))
    db.session.commit()
    return visit


def _messages(event: str) -> list[str]:
    rows = db.session.query(OutboxItem).filter_by(kind="message").all()
    return [r.payload["details"]["done"]["zh"] for r in rows if r.payload["event"] == event]


def test_an_item_without_a_date_has_the_visits(world: World) -> None:
    today = shanghai_day(world.now)
    visit = _failing(world, ENV_04=today + DAY, SUP_02=None)
    conclude(world, visit, "order_rectification", rectify_by_on=today + 3 * DAY)
    due = {i.code: item_deadlines.due_on(visit, i) for i in visit.items if i.result == "fail"}
    assert due == {"ENV-04": today + DAY, "SUP-02": today + 3 * DAY}
    assert {item_deadlines.due_on(visit, i) for i in visit.items if i.result != "fail"} == {None}


def test_the_visits_date_may_follow_from_its_items(world: World) -> None:
    today = shanghai_day(world.now)
    visit = _failing(world, ENV_04=today + DAY, SUP_02=today + 2 * DAY)
    conclude(world, visit, "order_rectification", rectify_by_on=None)
    assert visit.rectify_by_on == today + 2 * DAY


def test_without_any_date_nothing_is_ordered(world: World) -> None:
    visit = _failing(world, ENV_04=shanghai_day(world.now) + DAY, SUP_02=None)
    with pytest.raises(StepClosed):
        conclude(world, visit, "order_rectification", rectify_by_on=None)


@pytest.mark.parametrize("days", [-1, 4])
def test_an_items_date_is_not_past_and_not_after_the_visits(world: World, days: int) -> None:
    today = shanghai_day(world.now)
    visit = _failing(world, ENV_04=today + days * DAY)
    with pytest.raises(Invalid) as refused:
        conclude(world, visit, "order_rectification", rectify_by_on=today + 3 * DAY)
    assert refused.value.field == "ENV-04"


def test_the_company_is_told_the_day_before_and_the_day_after(world: World) -> None:
    today = shanghai_day(world.now)
    visit = _failing(world, ENV_04=today + 2 * DAY, SUP_02=None)
    conclude(world, visit, "order_rectification", rectify_by_on=today + 5 * DAY)
    db.session.commit()
    at = visit.remind_at
    assert at is not None
    assert shanghai_time(at).isoformat()[:16] == f"{today + DAY}T09:00"
    assert item_deadlines.remind_one(at - dt.timedelta(seconds=1)) is None
    assert item_deadlines.remind_one(at) == visit.id
    assert _messages("item_due_soon") == ["有 1 项整改明天到期"]
    assert item_deadlines.remind_one(at + 2 * DAY) == visit.id
    assert _messages("item_overdue") == ["有 1 项整改已过期限，请尽快报告"]
    assert item_deadlines.remind_one(at + 2 * DAY) is None
    assert item_deadlines.remind_one(at + 9 * DAY) == visit.id  # the worker was away: told once, as it is now
    assert _messages("item_overdue")[1:] == ["有 2 项整改已过期限，请尽快报告"]
    assert visit.remind_at is None


def test_what_was_reported_is_not_reminded_of(world: World) -> None:
    case = rectifying(world, "ENV-04")
    visit = inspection_service.last_concluded(case)
    assert visit is not None
    report(world, case, {"ENV-04": "已消毒"})
    db.session.commit()
    assert visit.remind_at is not None
    assert item_deadlines.remind_one(visit.remind_at) == visit.id
    assert (visit.remind_at, _messages("item_due_soon")) == (None, [])


def test_drafts_are_kept_as_typed_and_an_older_window_is_told(world: World) -> None:
    case = rectifying(world, "ENV-04", "SUP-02")
    clerk, visit = world.actor(world.clerk_of(case)), inspection_service.last_concluded(case)
    assert visit is not None
    seen = visit.revision
    service.save_draft(clerk, case.id, {"ENV-04": "正在消"}, revision=seen, now=world.now)
    assert case.state == "rectifying"
    with pytest.raises(Stale):
        service.save_draft(clerk, case.id, {"ENV-04": "x"}, revision=seen, now=world.now)
    report(world, case, {"SUP-02": "已备齐"})
    assert {i.code: i.remedy for i in visit.items if i.remedy} == {"ENV-04": "正在消", "SUP-02": "已备齐"}
    with pytest.raises(StepClosed):
        service.save_draft(clerk, case.id, {}, revision=visit.revision, now=world.now)


def test_photos_of_what_was_put_right(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "MOST_PHOTOS", 2)
    case = rectifying(world, "ENV-04")
    clerk, visit = world.actor(world.clerk_of(case)), inspection_service.last_concluded(case)
    assert visit is not None

    def add(code: str = "ENV-04", who: object = clerk, received: object = None) -> int:
        file = received or world.file()
        return service.add_photo(who, case.id, code, file, caption="", now=world.now).id  # type: ignore[arg-type]

    photo = add()
    for code, who in (("SUP-02", clerk), ("ENV-04", world.actor(world.inspectors()[0]))):
        with pytest.raises(NotFound):
            add(code, who)
    with pytest.raises(Invalid):
        add(received=world.file(files.pdf(), "照片.pdf"))
    add()
    with pytest.raises(Invalid):
        add()
    service.take_photo_back(clerk, photo, world.now)
    db.session.flush()
    db.session.expire(visit, ["photos"])
    assert len(service.photos_of(visit, "ENV-04")) == 1
    with pytest.raises(NotFound):
        service.take_photo_back(world.actor(world.company()), photo, world.now)
    report(world, case, {"ENV-04": "已消毒"})
    with pytest.raises(StepClosed):
        add()


def test_the_sheet_says_items_dates_photos_and_the_head_and_its_check_says_the_result(world: World) -> None:
    today = shanghai_day(world.now)
    visit = _failing(world, ENV_04=today + DAY)
    inspector = world.actor(world.inspectors()[0])
    inspection_service.add_photo(inspector, visit.id, world.file(), code="ENV-04", caption="车间", now=world.now)
    conclude(world, visit, "order_rectification", rectify_by_on=today + 3 * DAY)
    db.session.commit()
    (document,) = [d for d in issued.of_case(visit.case_id) if d.kind == "inspection_sheet"]
    facts = document.facts
    assert {i["code"]: i["rectify_by_on"] for i in facts["items"] if i["failed"]} == {
        "ENV-04": (today + DAY).isoformat()
    }
    (photo,) = facts["photos"]
    assert (photo["code"], photo["by"], photo["place"]) == ("ENV-04", inspector.name, "未提供位置")
    assert [s["status"] for s in facts["signatures"]] == ["", "", ""]
    assert issuing.render_pdf(document) == issuing.render_pdf(document)
    check = verification.check_token(document.token, world.now)
    assert (check.outcome, check.head) == ("限期整改后复查", facts["head"][1])
