"""Saved views of the queue: saving under a name, renaming, sharing, deleting; by the owner only."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from workflow.core.actors import Actor
from workflow.core.errors import N_, Invalid, NotFound, Stale
from workflow.core.texts import required_line
from workflow.data import filters, views
from workflow.data.views import AREA, LONGEST_NAME, MOST_VIEWS, PRIVATE, TEAM, SavedView
from workflow.extensions import db
from workflow.services.filters import PARAMETERS, filters_of

__all__ = ["COLUMNS", "Sharing", "change", "delete", "filters_of", "kept", "save"]

COLUMNS = ("zone", "flow", "num", "who", "filed", "sector", "round")
"""The columns that a reader may choose, in their order; name, reference, state and limit are always there."""
_LONGEST_VALUE = filters.LONGEST_SEARCH + 1


@dataclass(frozen=True, slots=True)
class Sharing:
    """With whom a view is shared; ``area_id`` when it is shared in an area."""

    kind: str = PRIVATE
    area_id: int | None = None


def kept(asked: Mapping[str, str]) -> dict[str, str]:
    """What of an address is kept in a view: its conditions, order and columns."""
    names = (*PARAMETERS, "cols")
    return {n: asked[n][:_LONGEST_VALUE] for n in names if asked.get(n)}


def _name(actor: Actor, text: str, view_id: int | None) -> str:
    name = required_line(text, "name", LONGEST_NAME)
    names = views.names_of(actor.person_id)
    if names.get(name, view_id) != view_id:
        raise Invalid(N_("您已有一个叫“%(name)s”的视图，请换一个名称。"), field="name", name=name)
    if view_id is None and len(names) >= MOST_VIEWS:
        raise Invalid(N_("最多保存 %(n)s 个视图，请先删除不用的。"), field="name", n=MOST_VIEWS)
    return name


def _shared(actor: Actor, sharing: Sharing) -> Sharing:
    """``sharing`` as far as the actor may: an area is one in which the actor holds a post."""
    if sharing.kind == AREA and sharing.area_id in {a.area_id for a in actor.appointments}:
        return sharing
    if sharing.kind in (PRIVATE, TEAM):
        return Sharing(sharing.kind)
    raise Invalid(N_("只能共享给您任职的区域或您所在的小组。"), field="shared")


def save(
    actor: Actor, name: str, asked: Mapping[str, str], sharing: Sharing, *, is_default: bool, now: dt.datetime
) -> SavedView:
    """Save what is asked for as a new view; refuses a name that the actor has given already."""
    title, shared = _name(actor, name, None), _shared(actor, sharing)
    if is_default:
        views.no_default(actor.person_id)
    view = SavedView(
        owner_id=actor.person_id,
        name=title,
        asked=kept(asked),
        shared=shared.kind,
        area_id=shared.area_id,
        is_default=is_default,
        changed_at=now,
    )
    db.session.add(view)
    db.session.flush()
    return view


def _own(actor: Actor, view_id: int, version: int) -> SavedView:
    view = views.lock_own(actor, view_id)
    if view is None:
        raise NotFound()
    if view.version != version:
        raise Stale()
    return view


def change(
    actor: Actor,
    view_id: int,
    version: int,
    *,
    name: str,
    sharing: Sharing,
    is_default: bool,
    now: dt.datetime,
    asked: Mapping[str, str] | None = None,
) -> SavedView:
    """Rename, share, make it the default or (with ``asked``) keep other conditions; a stale one is refused."""
    view = _own(actor, view_id, version)
    title, shared = _name(actor, name, view_id), _shared(actor, sharing)
    if is_default and not view.is_default:
        views.no_default(actor.person_id)
    view.name, view.shared, view.area_id, view.is_default = title, shared.kind, shared.area_id, is_default
    view.changed_at = now
    if asked is not None:
        view.asked = kept(asked)
    db.session.flush()
    return view


def delete(actor: Actor, view_id: int, version: int) -> None:
    """Delete an own view; a stale one is refused."""
    db.session.delete(_own(actor, view_id, version))
    db.session.flush()
