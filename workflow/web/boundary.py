"""The request boundary: access, files, idempotency and the one commit, around every view.

An unsafe request goes through four stages: its body is read from the network; the actor is admitted in a short read
transaction; its files are received; then one write transaction holds the idempotency key, the view's work and the
commit. A GET never commits.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import Callable
from typing import Any, TypeVar

from flask import Flask, current_app, flash, g, make_response, request, session
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import IntegrityError
from werkzeug.wrappers import Response

from workflow.core.errors import N_, Invalid, NotFound, Replayed
from workflow.data import idempotency
from workflow.data.idempotency import IdempotencyKey
from workflow.extensions import db, write_intent
from workflow.web import access, intake
from workflow.web.clock import now

MAX_PLAIN_BODY = 3 * 1024 * 1024
"""The most bytes of a request that carries no files: the longest form and what surrounds it."""
View = TypeVar("View", bound=Callable[..., Any])
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_NOT_IN_DIGEST = frozenset({"csrf_token", "idempotency_key"})


class GetWrote(RuntimeError):
    """A safe request left changes in the session."""


class BoundedFlask(Flask):
    """Flask with the request boundary around dispatching."""

    def preprocess_request(self) -> ResponseReturnValue | None:
        """Bound the body before anybody reads it: only a view that takes files may be sent what files weigh."""
        if not intake.takes_files():
            request.max_content_length = MAX_PLAIN_BODY
        return super().preprocess_request()

    def dispatch_request(self) -> ResponseReturnValue:
        """Dispatch inside the boundary; errors reach the error handlers with the transaction rolled back."""
        dispatch = super().dispatch_request
        if request.endpoint is None:
            return dispatch()  # no such page or method: there is nothing to admit, receive or commit
        _refuse_unstorable()
        if request.method in SAFE:
            return _safe(dispatch)
        return _unsafe(dispatch)


def _refuse_unstorable() -> None:
    """Refuse what no database keeps and no person types: NUL characters, and halves of characters in JSON."""
    named = "".join(str(value) for value in (request.view_args or {}).values())
    if "\0" in named and not access.access_of(current_app, request.endpoint or "").public:
        raise NotFound()  # public pages look nothing up by a name as it is
    if request.method in SAFE:
        return
    if any("\0" in name or "\0" in value for name, value in request.form.items(multi=True)):
        raise Invalid(N_("内容里有无法保存的字符，请删去后再提交。"))
    try:
        json.dumps(request.get_json(silent=True) if request.is_json else "", ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise Invalid(N_("内容里有无法保存的字符，请删去后再提交。")) from error


def _safe(dispatch: Callable[[], ResponseReturnValue]) -> ResponseReturnValue:
    admitted = access.enter()
    response = admitted or dispatch()
    if db.session.new or db.session.dirty or db.session.deleted:
        db.session.rollback()
        raise GetWrote(f"{request.endpoint} changed rows in a {request.method}")
    return response


def writes_nothing(view: View) -> View:
    """Declare a view that answers a POST without changing anything, as a check of what is being typed does.

    It is guarded against forgery as any other POST, but keeps no key and takes no write lock.
    """
    view.writes_nothing = True  # type: ignore[attr-defined]
    return view


def names_itself(view: View) -> View:
    """Declare a view whose requests carry their own names (operations, photos): sent again they have no second effect.

    Such a view keeps no idempotency key; its service finds what it did before.
    """
    view.names_itself = True  # type: ignore[attr-defined]
    return view


def beforehand(prepare: Callable[..., None]) -> Callable[[View], View]:
    """Declare what a view does with its body before the write transaction begins, with the address's values."""

    def declare(view: View) -> View:
        view.beforehand = prepare  # type: ignore[attr-defined]
        return view

    return declare


def _unsafe(dispatch: Callable[[], ResponseReturnValue]) -> ResponseReturnValue:
    view: Any = current_app.view_functions.get(request.endpoint or "")
    if hasattr(view, "writes_nothing"):
        return _safe(dispatch)
    # The body has been read: a slow network must not hold a transaction open.
    admitted = access.enter()
    db.session.rollback()
    if admitted is not None:
        return admitted
    token = None
    try:
        if request.files and intake.takes_files():
            intake.take_in()
        if hasattr(view, "beforehand"):
            view.beforehand(**(request.view_args or {}))
            db.session.rollback()
        token = write_intent.set(True)
        return _work(dispatch, None) if hasattr(view, "names_itself") else _once(dispatch)
    except BaseException:
        db.session.rollback()
        raise
    finally:
        if token is not None:
            write_intent.reset(token)
        intake.sweep()


def _owner() -> str:
    """Whose keys: the account's, or this browser session's before signing in.

    A stranger's session is known by its CSRF secret, which it has since the form was shown: so a double click finds
    its first half. Only the secret's digest is kept.
    """
    who = access.present_actor()
    if who is not None:
        return f"account:{who.account_id}"
    if "csrf_token" in session:
        return f"browser:{hashlib.sha256(session['csrf_token'].encode()).hexdigest()[:40]}"
    if "browser" not in session:
        session["browser"] = secrets.token_urlsafe(18)
    return f"browser:{session['browser']}"


def _key() -> str:
    key = request.headers.get("Idempotency-Key") or request.form.get("idempotency_key", "")
    if not 8 <= len(key) <= 64 or not key.replace("-", "").replace("_", "").isalnum() or not key.isascii():
        raise Invalid(N_("这份表单已失效，请刷新页面后再提交；您填的内容请先复制保存。"))
    return key


def _digest() -> str:
    """A digest of what is asked for: method, path, fields, content of files, JSON body.

    It is keyed with the application's secret: a password is among the fields, and the digest is stored.
    """
    parts = [request.method, request.path]
    parts += sorted(f"{k}={v}" for k, v in request.form.items(multi=True) if k not in _NOT_IN_DIGEST)
    for field, outcomes in sorted(g.get("received", {}).items()):
        parts += [f"{field}:{getattr(o, 'sha256', type(o).__name__)}" for o in outcomes]
    body = request.get_data(cache=True) if request.is_json else b""
    content = json.dumps(parts, ensure_ascii=False).encode() + b"\0" + body
    return hmac.new(str(current_app.secret_key).encode(), content, hashlib.sha256).hexdigest()


def _once(dispatch: Callable[[], ResponseReturnValue]) -> ResponseReturnValue:
    owner, key, digest = _owner(), _key(), _digest()
    kept = idempotency.find(owner, key)
    if kept is None:
        row = IdempotencyKey(owner=owner, key=key, digest=digest, created_at=now())
        try:
            db.session.add(row)
            db.session.flush()  # a second request with this key waits here until the first has ended
        except IntegrityError:
            db.session.rollback()
            kept = idempotency.find(owner, key)
            if kept is None:
                raise
        else:
            return _work(dispatch, row)
    return _replay(kept, digest)


def _work(dispatch: Callable[[], ResponseReturnValue], row: IdempotencyKey | None) -> Response:
    response = make_response(dispatch())
    if response.status_code < 400 or g.get("commit_refusal"):
        if row is None:
            pass
        elif response.status_code < 400:
            _keep(row, response)
        else:
            db.session.expunge(row) if row in db.session.new else db.session.delete(row)
        db.session.commit()
        for call in g.pop("after_commit", []):
            call()
    else:
        db.session.rollback()
    return response


def _keep(row: IdempotencyKey, response: Response) -> None:
    row.status, row.location = response.status_code, response.headers.get("Location", "")
    if response.is_json:
        row.body = response.get_data(as_text=True)
    row.flashes = [list(f) for f in session.get("_flashes", [])]


def _replay(kept: IdempotencyKey, digest: str) -> Response:
    """The answer of the first time: the effect is there already, only the reply was lost or asked for twice."""
    if kept.digest != digest:
        raise Replayed()
    # A stranger's session is left alone: its cookie could take the place of the one that the first answer brought.
    for category, message in kept.flashes if access.present_actor() else []:
        if [category, message] not in [list(f) for f in session.get("_flashes", [])]:
            flash(message, category)
    response: Response = current_app.response_class(kept.body, kept.status)
    if kept.location:
        response.headers["Location"] = kept.location
    if kept.body:
        response.headers["Content-Type"] = "application/json"
    response.headers["Idempotency-Replayed"] = "true"
    db.session.rollback()
    return response


def after_commit(call: Callable[[], Any]) -> None:
    """Run ``call`` once this request's transaction is committed (to wake the worker, say)."""
    g.setdefault("after_commit", []).append(call)
