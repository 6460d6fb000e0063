"""Who may enter a route: every route declares it, and the application does not start when one doesn't."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from flask import Flask, current_app, flash, g, redirect, request, session, url_for
from flask_babel import gettext as _
from flask_login import UserMixin, current_user
from werkzeug.exceptions import Unauthorized
from werkzeug.wrappers import Response

from workflow.core.actors import Actor, Permission
from workflow.core.errors import NotPermitted
from workflow.core.times import shanghai_day
from workflow.data import people
from workflow.data.people import Account
from workflow.extensions import csrf, db, login_manager
from workflow.services import gates
from workflow.services.gates import AtGate
from workflow.web.clock import now

View = TypeVar("View", bound=Callable[..., Any])


LONGEST_NEXT = 1000
"""The longest address kept for after the sign-in: browsers drop a cookie beyond 4 KB, and the session with it."""


@dataclass(frozen=True, slots=True)
class Access:
    """What a route demands: nobody in particular (``public``), any sign-in, or one of ``permissions``.

    ``device``: no person at all, but the secret of an enrolled gate device in the ``Authorization`` header.
    """

    public: bool = False
    device: bool = False
    permissions: frozenset[Permission] = frozenset()

    def admits(self, actor: Actor | None) -> bool:
        """Whether ``actor`` may enter."""
        if self.public:
            return True
        if actor is None:
            return False
        return not self.permissions or bool(self.permissions & actor.permissions)


def public(view: View) -> View:
    """Declare a route that anybody may enter."""
    view.access = Access(public=True)  # type: ignore[attr-defined]
    return view


def signed_in(view: View) -> View:
    """Declare a route for everybody who is signed in."""
    view.access = Access()  # type: ignore[attr-defined]
    return view


def requires(*permissions: Permission) -> Callable[[View], View]:
    """Declare a route for those who hold at least one of ``permissions``."""

    def declare(view: View) -> View:
        view.access = Access(permissions=frozenset(permissions))  # type: ignore[attr-defined]
        return view

    return declare


def for_device(view: View) -> View:
    """Declare a route that only an enrolled gate device may enter; no cookie counts, so no form can be forged."""
    view.access = Access(device=True)  # type: ignore[attr-defined]
    csrf.exempt(view)
    return view


def device() -> AtGate:
    """The device of this request and its gate; only for routes declared by :func:`for_device`."""
    return cast("AtGate", g.device)


def answers_json(view: View) -> View:
    """Declare a view that only scripts call: its refusals are JSON whatever the request accepts."""
    view.answers_json = True  # type: ignore[attr-defined]
    return view


class UndeclaredRoute(RuntimeError):
    """A route without a declaration of who may enter."""


def access_of(app: Flask, endpoint: str) -> Access:
    """The declaration of an endpoint; :class:`UndeclaredRoute` when it has none."""
    if endpoint == "static":
        return Access(public=True)
    found = getattr(app.view_functions[endpoint], "access", None)
    if not isinstance(found, Access):
        raise UndeclaredRoute(f"the route {endpoint!r} does not declare who may enter it")
    return found


def check_declarations(app: Flask) -> None:
    """Raise :class:`UndeclaredRoute` for the first route that declares nothing; run once when the app is made."""
    for endpoint in app.view_functions:
        access_of(app, endpoint)


class SignedIn(UserMixin):
    """What Flask-Login keeps: the account and its epoch; a changed epoch ends the session."""

    def __init__(self, account: Account, actor: Actor) -> None:
        self.account_id, self.epoch, self.actor = account.id, account.epoch, actor

    def get_id(self) -> str:
        """The session's value: account id and epoch."""
        return f"{self.account_id}:{self.epoch}"


def _load(value: str) -> SignedIn | None:
    account_id, _sep, epoch = value.partition(":")
    if not account_id.isdigit():
        return None
    account = db.session.get(Account, int(account_id))
    if account is None or not account.is_active or str(account.epoch) != epoch:
        return None
    return SignedIn(account, people.actor_of(account, shanghai_day(now())))


login_manager.user_loader(_load)


def present_actor() -> Actor | None:
    """The actor of this request, or None for a stranger; read from the database once a request."""
    if "actor" not in g:
        user = current_user._get_current_object()
        g.actor = user.actor if isinstance(user, SignedIn) else None
    return cast("Actor | None", g.actor)


def actor() -> Actor:
    """The actor of this request; only for routes that demand a sign-in."""
    found = present_actor()
    if found is None:
        raise Unauthorized()
    return found


def wants_json() -> bool:
    """Whether the request comes from a script that reads JSON answers, or is for a view that gives no others."""
    return request.accept_mimetypes.best == "application/json" or answers_scripts()


def answers_scripts() -> bool:
    """Whether the view that was asked for answers scripts only (see :func:`answers_json`)."""
    return hasattr(current_app.view_functions.get(request.endpoint or ""), "answers_json")


def enter() -> Response | None:
    """Admit the request or answer it: a stranger is sent to sign in and comes back, others get 403."""
    if request.endpoint is None:
        return None
    access = access_of(current_app, request.endpoint)
    if access.device:
        scheme, _sep, secret = request.headers.get("Authorization", "").partition(" ")
        g.device = gates.by_secret(secret.strip() if scheme == "Device" else "")
        return None
    who = None if access.public else present_actor()
    if access.admits(who):
        return None
    if who is not None:
        raise NotPermitted()
    if wants_json():
        raise Unauthorized()
    if request.method == "GET":
        asked = request.full_path if request.query_string else request.path
        session["next"] = asked if len(asked) <= LONGEST_NEXT else request.path[:LONGEST_NEXT]
    flash(_("请先登录，再继续办理。"), "info")
    return redirect(url_for("accounts.login"), 303)
