"""Signing in and out, and registering a company."""

from __future__ import annotations

from flask import Blueprint, flash, g, redirect, render_template, request, session, url_for
from flask_babel import gettext as _
from flask_login import login_user, logout_user
from werkzeug.wrappers import Response

from workflow.core.errors import DomainError, NotFound
from workflow.core.times import shanghai_day
from workflow.data import people
from workflow.data.people import Account
from workflow.extensions import db, limiter, settings
from workflow.services import accounts, directory
from workflow.web.access import SignedIn, public
from workflow.web.clock import now
from workflow.web.forms.accounts import RegisterForm, SignInForm
from workflow.web.public import safe_next

bp = Blueprint("accounts", __name__)

_KEPT = ("locale", "text_size")


def _enter(account: Account) -> Response:
    """Start a fresh session for ``account`` and lead on to where the reader wanted to go."""
    target = session.get("next")
    kept = {k: session[k] for k in _KEPT if k in session}
    session.clear()
    session.update(kept)
    login_user(SignedIn(account, people.actor_of(account, shanghai_day(now()))))
    return redirect(safe_next(target), 303)


@bp.get("/login")
@public
def login() -> str:
    """The sign-in page; in demo mode with one login per role."""
    demo = directory.demo_logins() if settings().demo_mode else []
    return render_template("accounts/login.html", form=SignInForm(), demo=demo)


@bp.post("/login")
@public
@limiter.limit("20/minute")
def sign_in() -> Response | tuple[str, int]:
    """Sign in; every kind of failure gets the same words."""
    form = SignInForm()
    account = accounts.sign_in(form.login.data or "", form.password.data or "", now()) if form.validate() else None
    if account is not None:
        return _enter(account)
    g.commit_refusal = True  # the failure counts towards the lock
    if not form.errors:
        form.form_errors.append(_("登录名或密码不对；多次输错后账号会暂时锁定。"))
    demo = directory.demo_logins() if settings().demo_mode else []
    return render_template("accounts/login.html", form=form, demo=demo), 422


@bp.post("/login/demo")
@public
def sign_in_demo() -> Response:
    """Sign in as one of the demo people with one click; does not exist outside of demo mode."""
    login_name = request.form.get("login", "")
    account = people.account_by_login(login_name) if settings().demo_mode else None
    if account is None or not account.is_demo or not account.is_active:
        raise NotFound()
    return _enter(account)


@bp.post("/logout")
@public
def logout() -> Response:
    """End this session."""
    logout_user()
    kept = {k: session[k] for k in _KEPT if k in session}
    session.clear()
    session.update(kept)
    flash(_("您已退出登录。"), "info")
    return redirect(url_for("public.home"), 303)


@bp.get("/register")
@public
def register() -> str:
    """The registration form."""
    return render_template("accounts/register.html", form=RegisterForm())


@bp.post("/register")
@public
@limiter.limit("10/minute")
def sign_up() -> Response | tuple[str, int]:
    """Register a company and sign its clerk in."""
    form = RegisterForm()
    if form.validate():
        try:
            values = {f.name: f.data or "" for f in form}
            account = accounts.register_company(accounts.Registration(**values), now())
        except DomainError as error:
            db.session.rollback()
            form.refuse(error)
        else:
            flash(_("注册成功，可以开始填报复工申请了。"), "success")
            session["next"] = url_for("applications.home")
            return _enter(account)
    return render_template("accounts/register.html", form=form), 422
