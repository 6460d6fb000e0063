"""The public check of a pass or paper: by the code typed or the token scanned, without login or personal data."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, make_response, render_template, request
from werkzeug.wrappers import Response

from workflow.core.errors import N_
from workflow.extensions import limiter
from workflow.services import verification
from workflow.services.verification import Check, Status
from workflow.web.access import public
from workflow.web.clock import now

bp = Blueprint("checks", __name__)
LONGEST_CODE = 40


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a status is shown: a big word, a tone and an icon, and what to do; texts are source texts."""

    word: str
    tone: str
    icon: str
    todo: str


VERDICTS = {
    Status.VALID: Verdict(N_("有效"), "success", "circle-check", N_("请核对车牌与车辆一致，并查看有效期。")),
    Status.NOT_YET: Verdict(N_("未到生效日期"), "warning", "clock", N_("今天还不能使用，请按生效日期再来。")),
    Status.HOURS: Verdict(N_("不在通行时段"), "warning", "clock", N_("这个时间不能放行，请看下面的通行时段。")),
    Status.EXPIRED: Verdict(N_("已过期"), "danger", "hourglass", N_("不能放行。请驾驶员联系所在企业重新申请。")),
    Status.REVOKED: Verdict(N_("已撤销"), "danger", "ban", N_("不能放行。请收回纸质证件，并告知发证镇街。")),
    Status.FORGED: Verdict(N_("伪造或损坏"), "danger", "circle-x", N_("不能放行。签名不符，请告知属地专班。")),
    Status.UNKNOWN: Verdict(N_("查无此证"), "danger", "help", N_("不能放行。请核对编码；仍查不到请告知属地专班。")),
}

SUSPENDED = Verdict(N_("已暂停"), "danger", "ban", N_("不能放行。恢复之前不得使用，请驾驶员联系所在企业。"))
"""A pass that is refused now and may be good again; the status is that of revoked ones."""

STOPPED = Verdict(N_("已暂停"), "danger", "ban", N_("企业已被责令停工，恢复之前此通知书不能作为凭证。"))
"""A notice whose enterprise was told to stop work and may resume."""

PAPER_TODO = N_("请核对纸质文书上的企业名称和编号与此处一致。")
"""What to do with a genuine paper that is no pass."""


def _verdict(check: Check) -> Verdict:
    if check.is_suspended:
        return SUSPENDED if check.is_pass else STOPPED
    return VERDICTS[check.status]


def _answer(name: str, check: Check | None, code: str = "") -> Response:
    verdict = _verdict(check) if check else None
    paper = check is not None and check.status is Status.VALID and not check.is_pass
    todo = PAPER_TODO if paper else verdict.todo if verdict else ""
    at = now()
    response = make_response(render_template(name, check=check, verdict=verdict, todo=todo, code=code, at=at))
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    return response


@bp.get("/check")
@public
@limiter.limit("60/minute")
def check() -> Response:
    """Type the short code that is printed below the QR code."""
    code = request.args.get("code", "").strip()[:LONGEST_CODE]
    found = verification.check_code(code, now()) if code else None
    return _answer("checks/check.html", found, code)


@bp.get("/c/<token>")
@bp.get("/C/<token>")
@public
@limiter.limit("60/minute")
def token(token: str) -> Response:
    """Where the QR code leads: one answer, readable at arm's length."""
    return _answer("checks/token.html", verification.check_token(token, now()))
