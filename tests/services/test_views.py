"""Saved views: names, sharing, stale windows, and conditions that no longer hold."""

from __future__ import annotations

import pytest

from tests.builders import World
from workflow.core.actors import Actor, Role
from workflow.core.errors import Invalid, NotFound, Stale
from workflow.data import views as data
from workflow.data.filters import Tab
from workflow.data.views import SavedView
from workflow.extensions import db
from workflow.services import filters as asking
from workflow.services import views
from workflow.services.views import Sharing

ASKED = {"tab": "open", "group": "review", "q": "机械", "cols": "who,num", "after": "5-5"}


def _actor(world: World, area: str = "330203002", role: Role = Role.REVIEWER) -> Actor:
    return world.actor(world.new_officer(role, area))


def _save(world: World, actor: Actor, name: str = "要看的", sharing: Sharing | None = None, **more: bool) -> SavedView:
    made = views.save(actor, name, ASKED, sharing or Sharing(), is_default=more.get("is_default", False), now=world.now)
    db.session.commit()
    return made


def test_a_view_keeps_what_was_asked_and_nothing_else(world: World) -> None:
    view = _save(world, _actor(world))
    assert view.asked == {"tab": "open", "group": "review", "q": "机械", "cols": "who,num"}
    assert view.shared == ""


def test_names_are_an_owners_own(world: World) -> None:
    one, two = _actor(world), _actor(world)
    _save(world, one)
    _save(world, two)
    for name in ("要看的", " 要看的 ", "", "长" * 41):
        with pytest.raises(Invalid):
            _save(world, one, name)
        db.session.rollback()


def test_who_sees_a_shared_view(world: World) -> None:
    owner, near, wide, far = (_actor(world, a) for a in ("330203002", "330203002", "330203", "330203003"))
    town = owner.appointments[0].area_id
    view = _save(world, owner, sharing=Sharing("area", town))

    def seen(actor: Actor, *mates: int) -> list[int]:
        return [v.id for v in data.visible_to(actor, frozenset(mates))]

    assert seen(near) == [view.id]
    assert seen(wide) == seen(far) == []
    views.change(owner, view.id, view.version, name="改名", sharing=Sharing("team"), is_default=False, now=world.now)
    assert seen(near) == []
    assert seen(far, owner.person_id) == [view.id]
    with pytest.raises(Invalid):
        views.save(far, "别处", ASKED, Sharing("area", town), is_default=False, now=world.now)
    with pytest.raises(NotFound):
        views.delete(near, view.id, view.version)


def test_two_windows(world: World) -> None:
    owner = _actor(world)
    view = _save(world, owner)
    drawn = view.version
    views.change(owner, view.id, drawn, name="新名", sharing=Sharing(), is_default=False, now=world.now)
    db.session.commit()
    with pytest.raises(Stale):
        views.change(owner, view.id, drawn, name="旧窗口", sharing=Sharing(), is_default=False, now=world.now)
    with pytest.raises(Stale):
        views.delete(owner, view.id, drawn)
    views.delete(owner, view.id, view.version)
    assert data.visible_to(owner, frozenset()) == []


def test_one_default(world: World) -> None:
    owner = _actor(world)
    first = _save(world, owner, "一", is_default=True)
    second = _save(world, owner, "二", is_default=True)
    db.session.refresh(first)
    assert (first.is_default, second.is_default) == (False, True)
    views.change(owner, first.id, first.version, name="一", sharing=Sharing(), is_default=True, now=world.now)
    db.session.commit()
    db.session.refresh(second)
    assert (first.is_default, second.is_default) == (True, False)


def test_what_no_longer_holds_is_named_and_left_out(world: World) -> None:
    actor = _actor(world)
    given = {
        "tab": "open", "flow": "gone", "area": "330205001", "assignee": "999999", "due": "never",
        "filed_from": "2020-13-01",
        "heads_to": "-5", "sector": "magic", "bureau": "none", "group": "approved", "again": "1",
        "filed_to": "1800-01-01",
    }  # fmt: skip
    reading = asking.read(given, actor, asking.offer(actor, world.now))
    assert reading.filters.tab is Tab.OPEN
    assert reading.asked == {"tab": "open", "again": "1"}
    assert set(reading.dropped) == set(given) - {"tab", "again"}
    assert asking.filters_of({"tab": "no-such"}, actor, world.now).tab is Tab.MINE
