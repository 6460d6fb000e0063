"""Error pages: what happened, what was kept and what to do, in the reader's language; JSON for scripts."""

from __future__ import annotations

import errno
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

import structlog
from flask import Flask, current_app, g, jsonify, make_response, render_template, request, session, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_limiter.errors import RateLimitExceeded
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm.exc import StaleDataError
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from workflow.core.errors import DomainError, Stale, StepClosed
from workflow.core.questions import QUESTIONS, QuestionKind
from workflow.extensions import db
from workflow.i18n import mark, say
from workflow.web.access import LONGEST_NEXT, access_of, answers_scripts, present_actor, wants_json

log = structlog.get_logger()
MOST_FRAMES, MOST_TEXTS = 80, 100


@dataclass(frozen=True, slots=True)
class Page:
    """The words of an error page; ``what`` is used when the error brings no words of its own."""

    title: object
    what: object
    kept: object
    todo: object


_NOTHING_LOST = _l("您之前保存的内容都在，本次操作没有改动任何数据。")
PAGES: Mapping[int, Page] = {
    400: Page(
        _l("请求有误"),
        _l("这份表单已失效或不完整。"),
        _NOTHING_LOST,
        _l("请返回上一页，刷新后重新提交。"),
    ),
    401: Page(
        _l("请先登录"),
        _l("您还没有登录，或登录已过期。"),
        _NOTHING_LOST,
        _l("请登录后继续。"),
    ),
    403: Page(
        _l("没有权限"),
        _l("您没有办理此事项的权限。"),
        _NOTHING_LOST,
        _l("如果您认为应当有权限，请联系系统管理员。"),
    ),
    404: Page(
        _l("没有找到"),
        _l("没有找到您要的内容。"),
        "",
        _l("可能链接不完整，或内容不属于您的辖区。请从首页重新进入。"),
    ),
    405: Page(
        _l("操作不支持"),
        _l("这个地址不支持此操作。"),
        _NOTHING_LOST,
        _l("请从首页重新进入。"),
    ),
    409: Page(
        _l("内容已有变化"),
        _l("此案件已被他人更新。"),
        _NOTHING_LOST,
        _l("请返回查看最新内容，再决定是否办理。"),
    ),
    413: Page(
        _l("文件太大"),
        _l("上传的内容超过了大小限制。"),
        _NOTHING_LOST,
        _l("请压缩或分开上传，每个文件不超过页面所示的限制。"),
    ),
    422: Page(
        _l("提交的内容有问题"),
        _l("提交的内容有问题。"),
        _NOTHING_LOST,
        _l("请返回上一页更正后重新提交。"),
    ),
    429: Page(
        _l("操作太频繁"),
        _l("短时间内操作次数太多。"),
        _NOTHING_LOST,
        _l("请稍等一分钟再试。"),
    ),
    500: Page(
        _l("系统出错"),
        _l("系统出了意外的问题，我们已记录。"),
        _NOTHING_LOST,
        _l("请稍后再试；仍不行时，请把请求编号告诉管理员。"),
    ),
    503: Page(
        _l("系统繁忙"),
        _l("系统暂时繁忙，没能完成这次操作。"),
        _NOTHING_LOST,
        _l("请过几秒再试，重复提交不会重复办理。"),
    ),
}


_TYPED: Mapping[str, object] = {
    "note": _l("意见"),
    "words": _l("意见"),
    "late_reason": _l("为何现在才提出"),
    "meeting_point": _l("集合地点"),
    "caption": _l("说明"),
    "route": _l("行驶路线"),
    "drivers": _l("驾驶员"),
    **{q.key: _l(q.label) for q in QUESTIONS.values() if q.kind is not QuestionKind.LOOKUP and not q.options},
}
"""The fields whose texts an error page gives back; never a password."""


def typed_texts() -> list[tuple[object, str]]:
    """What was typed into the form that was refused, by label, so that no words are lost with the page."""
    try:
        form = request.form
    except HTTPException:  # the body was too large to be read
        return []
    parts = {"note_": _l("情况说明"), "remedy_": _l("整改说明")}
    found: list[tuple[object, str]] = []
    for name, text in form.items():
        label = _TYPED.get(name) or next((v for k, v in parts.items() if name.startswith(k)), None)
        if label is not None and text.strip() and len(found) < MOST_TEXTS:
            found.append((label, text))
    return found


def _for_script(what: str, field: str | None, reasons: list[str]) -> Response:
    """A refusal as JSON; ``message`` and ``reasons`` are what the phone page shows, ``error`` what the others do."""
    answer = jsonify(error=what, message=what, field=field, reasons=reasons)
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _answer(
    code: int, what: str = "", todo: str = "", field: str | None = None, reasons: list[str] | None = None
) -> tuple[str | Response, int]:
    page = PAGES.get(code, PAGES[500])
    if wants_json():
        return _for_script(what or str(page.what), field, reasons or []), code
    back = request.referrer if request.method != "GET" else None
    own = back is not None and back.startswith(request.host_url)
    actions = [(_("返回上一页"), back)] if own else []
    if code == 401:
        actions = [(_("登录"), url_for("accounts.login"))]
    actions.append((_("回到首页"), url_for("public.home")))
    words = {"what": what or page.what, "kept": page.kept, "todo": todo or page.todo, "typed": typed_texts()}
    return render_template("errors/error.html", code=code, title=page.title, actions=actions, **words), code


def _domain(error: DomainError) -> tuple[str | Response, int]:
    db.session.rollback()
    what = say(error)
    reasons = [say(r) for r in error.reasons] if isinstance(error, StepClosed) else []
    if reasons and not answers_scripts():
        what += " " + _("原因") + mark("：") + mark("；").join(reasons)
    return _answer(error.status, what, field=getattr(error, "field", None), reasons=reasons)


def _http(error: HTTPException) -> Response | tuple[str | Response, int]:
    if error.code is None or error.code < 400:
        return error.get_response()
    db.session.rollback()
    return _answer(error.code if error.code in PAGES else 500 if error.code >= 500 else 400)


def _stale(error: StaleDataError) -> tuple[str | Response, int]:
    return _domain(Stale())


_PASSING_SQLITE = frozenset({"BUSY", "LOCKED", "FULL", "IOERR", "CANTOPEN", "READONLY", "INTERRUPT", "NOMEM"})
_PASSING_SQLSTATES = ("08", "40", "53", "55", "57", "58")
"""Classes of connection, serialisation, resources, locks, operators and the system; other failures are our mistakes."""


def _is_passing(error: OperationalError) -> bool:
    """Whether the database is only busy, full or away, so that the same request may succeed later."""
    name = getattr(error.orig, "sqlite_errorname", None)
    if name is not None:
        return str(name).split("_")[1] in _PASSING_SQLITE
    state = getattr(error.orig, "sqlstate", None)
    return state is None or str(state).startswith(_PASSING_SQLSTATES)


def _busy(error: OperationalError) -> Response | tuple[str | Response, int]:
    """A locked database or a full disk: nothing was written, try again soon; a wrong statement is no such thing."""
    if not _is_passing(error):
        return _unexpected(error)
    db.session.rollback()
    log.warning("database_busy", error=type(error.orig).__name__)
    body, code = _answer(503)
    response = make_response(body, code)
    response.headers["Retry-After"] = "5"
    return response


def _no_room(error: OSError) -> Response | tuple[str | Response, int]:
    """A full disk is said as such; any other failure of a file is unexpected."""
    if error.errno not in (errno.ENOSPC, errno.EDQUOT):
        return _unexpected(error)
    db.session.rollback()
    log.error("disk_full")
    response = make_response(*_answer(503))
    response.headers["Retry-After"] = "60"
    return response


def _no_token(error: CSRFError) -> tuple[str | Response, int]:
    """An expired form; of somebody whose sign-in has expired too, the way back to the page they were on."""
    endpoint = request.endpoint
    if endpoint is None or access_of(current_app, endpoint).public or present_actor() is not None:
        return _answer(400)
    back = urlsplit(request.referrer or "")
    if back.netloc == request.host and len(back.path) <= LONGEST_NEXT:
        session["next"] = back.path
    return _answer(401)


def _limited(error: RateLimitExceeded) -> tuple[str | Response, int]:
    return _answer(429)


def trace(error: BaseException) -> list[str]:
    """Where ``error`` and its causes were raised, without their messages: these quote what people typed."""
    lines: list[str] = []
    cause: BaseException | None = error
    while cause is not None and len(lines) < MOST_FRAMES:
        frames = traceback.extract_tb(cause.__traceback__)
        lines += [type(cause).__name__, *(f"{f.filename}:{f.lineno} {f.name}" for f in reversed(frames))]
        cause = cause.__cause__ or cause.__context__
    return lines[:MOST_FRAMES]


def _unexpected(error: Exception) -> tuple[str | Response, int]:
    db.session.rollback()
    original = getattr(error, "original_exception", None) or error
    log.error("unexpected_error", error=type(original).__name__, trace=trace(original))
    return _answer(500)


def register(app: Flask) -> None:
    """Attach the handlers to the application."""
    app.register_error_handler(DomainError, _domain)
    app.register_error_handler(StaleDataError, _stale)
    app.register_error_handler(OperationalError, _busy)
    app.register_error_handler(OSError, _no_room)
    app.register_error_handler(RateLimitExceeded, _limited)
    app.register_error_handler(CSRFError, _no_token)
    app.register_error_handler(HTTPException, _http)
    if not app.config["TESTING"]:
        app.register_error_handler(Exception, _unexpected)


def request_id() -> str:
    """This request's id, shown on error pages and in logs."""
    return str(g.get("request_id", ""))
