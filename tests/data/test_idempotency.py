"""One key, one effect, one answer: through the pages, as a browser sends them."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from tests.builders import PASSWORD, World, mobile, uscc
from tests.conftest import sign_in
from workflow.core.actors import Role
from workflow.data import audit
from workflow.data.cases import Case
from workflow.data.enterprises import Enterprise
from workflow.data.idempotency import IdempotencyKey
from workflow.data.people import Account
from workflow.extensions import db
from workflow.services import cases as case_service

KEY = "key-of-this-form-1"


def outside(*acts: Callable[[], Any]) -> list[Any]:
    """Do all acts at once, each in a thread: away from the test's own application context and transaction."""
    db.session.rollback()
    start = threading.Barrier(len(acts))

    def run(act: Callable[[], Any]) -> Any:
        start.wait(30)
        return act()

    with ThreadPoolExecutor(len(acts)) as threads:
        return [f.result(60) for f in [threads.submit(run, act) for act in acts]]


class Browser:
    """A browser with a session; a copy of it has the same cookie, as when a reply was lost."""

    def __init__(self, world: World, account: Account | None = None) -> None:
        self.world = world
        self.client: FlaskClient = world.app.test_client()
        if account is not None:
            login = account.login
            outside(lambda: sign_in(self.client, login))

    def copy(self) -> Browser:
        """Another one with this one's present cookie."""
        other = Browser(self.world)
        for cookie in self.client._cookies.values() if self.client._cookies else ():
            other.client.set_cookie(cookie.key, cookie.value, domain=cookie.domain, path=cookie.path)
        return other

    def get(self, path: str) -> TestResponse:
        """Open a page."""
        return outside(lambda: self.client.get(path))[0]

    def post(self, path: str, key: str = KEY, **fields: Any) -> TestResponse:
        """Send a form."""
        return outside(self.sending(path, key, **fields))[0]

    def sending(self, path: str, key: str = KEY, **fields: Any) -> Callable[[], TestResponse]:
        """The act of sending a form."""
        data = {"idempotency_key": key, **fields} if key else fields
        return lambda: self.client.post(path, data=data)


@pytest.fixture(autouse=True)
def _no_csrf(world: World) -> None:
    world.app.config["WTF_CSRF_ENABLED"] = False


def replayed(response: TestResponse) -> bool:
    """Whether the answer is that of the first time."""
    return response.headers.get("Idempotency-Replayed") == "true"


def step_of(case: Case, action: str = "accept", note: str = "") -> tuple[str, dict[str, Any]]:
    """The address and the fields of a plain step."""
    return f"/cases/{case.id}/steps/{action}", {"version": case.version, "note": note}


def moves(case_id: int) -> int:
    """How often the case was moved."""
    db.session.rollback()
    return db.session.get_one(Case, case_id, populate_existing=True).moves


def registration(number: int = 90) -> dict[str, str]:
    """The fields of the registration form."""
    return {
        "uscc": uscc(number),
        "company_name": "宁波海曙双击测试有限公司",
        "contact_name": "双击",
        "mobile": mobile(number),
        "password": PASSWORD,
    }


def companies() -> int:
    """How many companies there are."""
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(Enterprise)) or 0


def test_a_form_sent_twice_has_one_effect_and_one_answer(world: World) -> None:
    case = world.submitted()
    browser = Browser(world, world.officer(Role.REVIEWER))
    path, fields = step_of(case)
    first, second = browser.post(path, **fields), browser.post(path, **fields)
    assert (first.status_code, second.status_code) == (303, 303)
    assert first.location == second.location
    assert [replayed(first), replayed(second)] == [False, True]
    assert moves(case.id) == 2
    assert [e.event for e in audit.of_case(case.id)].count("accept") == 1


def test_a_double_click_has_one_effect(world: World) -> None:
    case = world.submitted()
    browser = Browser(world, world.officer(Role.REVIEWER))
    path, fields = step_of(case)
    answers = outside(*[b.sending(path, **fields) for b in (browser, browser.copy(), browser.copy())])
    assert [a.status_code for a in answers] == [303] * 3
    assert sorted(replayed(a) for a in answers) == [False, True, True]
    assert moves(case.id) == 2


def test_the_same_key_with_another_body_is_refused(world: World) -> None:
    case, other = world.submitted(), world.submitted()
    browser = Browser(world, world.officer(Role.REVIEWER))
    path, fields = step_of(case)
    assert browser.post(path, **fields).status_code == 303
    elsewhere, fields_there = step_of(other)
    for address, body in ((path, {**fields, "note": "另一句话"}), (elsewhere, fields_there)):
        answer = browser.post(address, **body)
        assert answer.status_code == 422
        assert "已提交过另一内容" in answer.get_data(as_text=True)
    assert (moves(case.id), moves(other.id)) == (2, 1)


@pytest.mark.parametrize("key", ["", "short", "k" * 65, "spaces are wrong", "中文键中文键中文键"])
def test_a_form_without_a_good_key_is_refused(world: World, key: str) -> None:
    case = world.submitted()
    browser = Browser(world, world.officer(Role.REVIEWER))
    path, fields = step_of(case)
    assert browser.post(path, key, **fields).status_code == 422
    assert moves(case.id) == 1


def test_keys_belong_to_their_owner(world: World) -> None:
    case, other = world.submitted(), world.submitted()
    mine, theirs = Browser(world, world.officer(Role.REVIEWER)), Browser(world, world.new_officer(Role.REVIEWER))
    path, fields = step_of(case)
    elsewhere, fields_there = step_of(other)
    assert mine.post(path, **fields).status_code == 303
    answer = theirs.post(elsewhere, **fields_there)
    assert (answer.status_code, replayed(answer)) == (303, False)
    assert (moves(case.id), moves(other.id)) == (2, 2)


def test_a_crash_after_the_commit_is_answered_by_the_next_try(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The process dies after the commit, before the reply: the browser sends the form again."""
    case = world.submitted()
    browser = Browser(world, world.officer(Role.REVIEWER))
    path, fields = step_of(case)

    def dies() -> None:
        raise RuntimeError("the power is gone")

    with monkeypatch.context() as patch:
        patch.setitem(world.app.extensions, "wake_worker", dies)
        with pytest.raises(RuntimeError):
            browser.post(path, **fields)
    assert moves(case.id) == 2, "it was committed"
    answer = browser.post(path, **fields)
    assert (answer.status_code, replayed(answer)) == (303, True)
    assert answer.location == f"/cases/{case.id}"
    assert moves(case.id) == 2


def test_a_crash_before_the_commit_leaves_the_key_free(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    case = world.submitted()
    browser = Browser(world, world.officer(Role.REVIEWER))
    path, fields = step_of(case)
    genuine = case_service.perform

    def dies(*args: Any, **values: Any) -> Case:
        genuine(*args, **values)
        raise RuntimeError("the power is gone")

    with monkeypatch.context() as patch:
        patch.setattr(case_service, "perform", dies)
        with pytest.raises(RuntimeError):
            browser.post(path, **fields)
    assert moves(case.id) == 1
    answer = browser.post(path, **fields)
    assert (answer.status_code, replayed(answer)) == (303, False)
    assert moves(case.id) == 2


@pytest.mark.parametrize(("spoil", "status"), [({"version": ""}, 422), ({"version": "999"}, 409)])
def test_a_refusal_does_not_use_the_key_up(world: World, spoil: dict[str, str], status: int) -> None:
    case = world.submitted()
    browser = Browser(world, world.officer(Role.REVIEWER))
    path, fields = step_of(case)
    assert browser.post(path, **{**fields, **spoil}).status_code == status
    answer = browser.post(path, **fields)
    assert (answer.status_code, replayed(answer)) == (303, False)
    assert moves(case.id) == 2


def test_a_registration_sent_twice_makes_one_company(world: World) -> None:
    browser = Browser(world)
    assert browser.get("/register").status_code == 200
    before = browser.copy()
    first, again = browser.post("/register", **registration()), before.post("/register", **registration())
    assert (first.status_code, again.status_code) == (303, 303)
    assert replayed(again), "the reply was lost, the old cookie is still there"
    assert first.location == again.location
    assert companies() == 1


def test_a_registration_clicked_twice_at_once_makes_one_company(world: World) -> None:
    browser = Browser(world)
    browser.get("/register")
    answers = outside(*[b.sending("/register", **registration()) for b in (browser, browser.copy())])
    assert [a.status_code for a in answers] == [303, 303]
    assert companies() == 1


def test_two_strangers_who_register_the_same_company_at_once_get_one_and_a_refusal(world: World) -> None:
    browsers = [Browser(world), Browser(world)]
    for browser in browsers:
        browser.get("/register")
    answers = outside(*[b.sending("/register", f"key-number-{n}", **registration()) for n, b in enumerate(browsers)])
    assert sorted(a.status_code for a in answers) == [303, 422]
    assert companies() == 1


def test_a_refused_registration_may_be_corrected_under_the_same_key(world: World) -> None:
    browser = Browser(world)
    browser.get("/register")
    wrong = registration() | {"uscc": uscc(90)[:-1] + "*"}
    assert browser.post("/register", **wrong).status_code == 422
    assert browser.post("/register", **registration()).status_code == 303
    assert companies() == 1


def test_nothing_kept_lets_a_password_be_tried_out(world: World) -> None:
    """The digest of a form with a password is keyed: without the application's secret it says nothing."""
    browser = Browser(world)
    browser.get("/register")
    browser.post("/register", **registration())
    db.session.rollback()
    (row,) = db.session.scalars(select(IdempotencyKey)).all()
    fields = sorted(f"{k}={v}" for k, v in registration().items())
    plain = hashlib.sha256("\n".join(["POST", "/register", *fields]).encode() + b"\0").hexdigest()
    assert len(row.digest) == 64
    assert row.digest != plain
    kept = " ".join([row.owner, row.location, row.body, str(row.flashes)])
    for personal in (PASSWORD, mobile(90), "双击", uscc(90)):
        assert personal not in kept
