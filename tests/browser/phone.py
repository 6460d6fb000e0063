"""An inspector's phone in tests: a site that can really go away, the off-line page, and what lies in its store."""

from __future__ import annotations

import datetime as dt
import io
import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from flask import Flask
from PIL import Image
from playwright.sync_api import FilePayload, Locator, Page, Request, Route, expect
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from tests.browsing import Person
from tests.builders import PASSWORD, World, measured
from workflow.data.inspections import Inspection, InspectionItem
from workflow.extensions import db
from workflow.services import checklists
from workflow.services import inspections as inspection_service

_ROWS = """async (store) => new Promise((resolve, reject) => {
  const opening = indexedDB.open('fugong-field');
  opening.onerror = () => reject(opening.error);
  opening.onsuccess = () => {
    const asking = opening.result.transaction(store).objectStore(store).getAll();
    asking.onsuccess = () => { opening.result.close(); resolve(asking.result.map(({thumb, ...row}) => row)); };
  };
})"""


class _Quiet(WSGIRequestHandler):
    """Serves without a line of log for each request, and without a word on connections that broke."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing."""

    def log_error(self, format: str, *args: Any) -> None:
        """Say nothing."""


@dataclass
class Site:
    """The site at one address, which can be taken away and brought back."""

    app: Flask
    port: int = 0
    server: BaseWSGIServer | None = None
    thread: threading.Thread | None = None

    @property
    def address(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Serve, at the same port as before if there was one."""
        self.server = make_server("127.0.0.1", self.port, self.app, threaded=True, request_handler=_Quiet)
        self.port = self.server.server_port
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def stop(self) -> None:
        """Serve no longer: the port is closed."""
        if self.server is not None and self.thread is not None:
            self.server.shutdown()
            self.thread.join()
            self.server.server_close()
            self.server = None


def picture(seed: int, size: tuple[int, int] = (320, 240)) -> FilePayload:
    """A JPEG of noise as a camera would hand it to a file input; another one for another seed."""
    noise = random.Random(seed).randbytes(size[0] * size[1] * 3)
    buffer = io.BytesIO()
    Image.frombytes("RGB", size, noise).save(buffer, "JPEG", quality=90)
    return {"name": f"{seed}.jpg", "mimeType": "image/jpeg", "buffer": buffer.getvalue()}


def put_whole_list(visit: Inspection) -> None:
    """Put every item of the list on the sheet, also those that the town's simple check leaves out."""
    there = {item.code for item in visit.items}
    rest = [item for item in checklists.of_visit(visit).items if item.code not in there]
    for position, item in enumerate(rest, len(there)):
        visit.items.append(InspectionItem(position=position, code=item.code, is_veto=item.veto))
    db.session.commit()


def arranged(world: World) -> tuple[int, list[str], list[str]]:
    """A visit of the town's two inspectors as of now, with the whole list: its id, its items' codes, the two logins.

    It is made some hours ago: what came before a visit takes time, and nobody's appointment may begin after midnight.
    """
    world.now = dt.datetime.now(dt.UTC) - dt.timedelta(hours=6)
    case = world.scheduled()
    visit = inspection_service.planned(case)
    assert visit is not None
    put_whole_list(visit)
    found = visit.id, [item.code for item in visit.items], [account.login for account in world.inspectors()]
    db.session.remove()  # the test's own transaction must not hold the lock while the server works
    return found


@contextmanager
def seen(visit_id: int) -> Iterator[Inspection]:
    """The visit as the database has it now; afterwards nothing is held that the server may need."""
    db.session.rollback()
    yield db.session.get_one(Inspection, visit_id)
    db.session.rollback()


@dataclass
class Phone:
    """One inspector's phone with the off-line page."""

    person: Person
    visit: int
    sent: list[str] = field(default_factory=list)

    @property
    def page(self) -> Page:
        """Its screen."""
        return self.person.page

    @property
    def state(self) -> Locator:
        """The words on how much is still to be sent."""
        return self.page.locator("#state")

    def take_along(self, login: str) -> None:
        """Sign in, open the page with signal, and wait until it is kept on the phone."""
        self.person.sign_in(login, PASSWORD)
        self.page.on("request", self._note)
        self.page.goto(f"{self.person.base}/field/")
        self.page.wait_for_selector(".visit")
        self.page.evaluate("navigator.serviceWorker.ready.then(() => true)")
        self.look()

    def _note(self, request: Request) -> None:
        if request.method in ("PUT", "POST") and "/field/" in request.url:
            self.sent.append(f"{request.method} {request.url.split('/field/')[1]}")

    def look(self) -> None:
        """Look the view that is open over: axe and sideways scrolling."""
        self.person.checked.clear()
        self.person.look()

    def signal(self, there: bool) -> None:
        """Cut the phone's network, or give it back."""
        self.page.context.set_offline(not there)

    def open(self, tab: str = "") -> None:
        """Open the visit by its address, as a fresh page."""
        self.page.goto("about:blank")
        self.page.goto(f"{self.person.base}/field/#/visit/{self.visit}{tab and '/' + tab}")
        self.page.wait_for_selector("#view[data-ready=visit]")

    def close_and_open(self, tab: str) -> None:
        """Close the page for good and open the visit in a new one."""
        page = self.page.context.new_page()
        self.page.close()
        self.person.page = page
        self.open(tab)

    def tab(self, name: str) -> None:
        """Go to one of the visit's tabs."""
        self.page.locator(f"#tabs [data-tab={name}]").click()
        expect(self.page.locator(f"#tabs [data-tab={name}]")).to_have_attribute("aria-current", "page")

    def item(self, code: str) -> Locator:
        """The row of an item."""
        return self.page.locator(f"#item-{code}")

    def mark(self, code: str, result: str = "conform", note: str = "") -> None:
        """Mark an item, with a value that keeps its limit, and wait until it is on the phone's disk."""
        row = self.item(code)
        if measured(code) and result == "conform":
            row.locator("[data-part=measured]").fill(measured(code))
        row.locator(f"[data-result={result}]").click()
        expect(row.locator(f"button[data-result={result}]")).to_have_attribute("aria-pressed", "true")
        if note:
            row.locator("textarea").fill(note)
            row.locator("textarea").blur()
            expect(row.locator("[data-part=problem]")).to_be_hidden()

    def photograph(self, code: str, content: FilePayload) -> None:
        """Take a photo of an item."""
        row = self.item(code)
        if row.locator("[data-part=details]").is_hidden():
            row.locator("[data-part=more]").click()
        before = row.locator(".picture").count()
        row.locator("input[capture]").set_input_files([content])
        expect(row.locator(".picture")).to_have_count(before + 1)

    def sign(self) -> None:
        """The company signs by typing, the inspector by drawing; both are kept on the phone."""
        page = self.page
        page.fill("#company-name", "周试验")
        page.fill("#company-post", "厂长")
        page.locator(".signing .check input").first.check()
        page.get_by_role("button", name="保存签名", exact=True).click()
        expect(page.locator("main")).to_contain_text("周试验已签字")
        self.confirm()

    def confirm(self) -> None:
        """Draw one's own signature with the mouse and confirm."""
        page = self.page
        page.locator("canvas.pad").last.scroll_into_view_if_needed()
        box = page.locator("canvas.pad").last.bounding_box()
        assert box is not None
        page.mouse.move(box["x"] + 30, box["y"] + 30)
        page.mouse.down()
        page.mouse.move(box["x"] + 160, box["y"] + 80, steps=6)
        page.mouse.up()
        page.get_by_role("button", name="确认", exact=True).click()
        expect(page.get_by_role("button", name="确认", exact=True)).to_have_count(0)

    def conclude(self, label: str, words: str) -> None:
        """Prepare the conclusion, or send it at once when there is signal."""
        page = self.page
        page.get_by_role("radio", name=label, exact=True).check()
        page.fill("#conclusion-words", words)
        page.locator("#conclude .button--main").click()

    def all_sent(self, seconds: float = 60) -> None:
        """Wait until the phone says that everything is with the server."""
        expect(self.state).to_have_attribute("data-state", "sent", timeout=seconds * 1000)

    def push(self) -> None:
        """Press the button that sends now, and wait until all is there."""
        self.state.click()
        self.all_sent()

    def rows(self, store: str) -> list[dict[str, Any]]:
        """What a store of the phone holds."""
        found: list[dict[str, Any]] = self.page.evaluate(_ROWS, store)
        return found

    def content(self) -> None:
        """Nothing complained but the browser itself about requests that were cut or refused on purpose."""
        self.person.complaints = [c for c in self.person.complaints if "Failed to load resource" not in c]
        self.person.content()


class LosesReplies:
    """A network that lets the first requests of a kind through to the server and loses what it answers."""

    def __init__(self, times: int) -> None:
        self.left = times

    def __call__(self, route: Route) -> None:
        """Carry the request out; abort instead of answering, as often as was said."""
        if self.left <= 0:
            route.continue_()
            return
        self.left -= 1
        route.fetch()
        route.abort("connectionreset")


class Breaks:
    """A network that breaks the first requests of a kind before they arrive."""

    def __init__(self, times: int) -> None:
        self.left = times

    def __call__(self, route: Route) -> None:
        """Abort, as often as was said."""
        if self.left > 0:
            self.left -= 1
            route.abort("connectionaborted")
        else:
            route.continue_()
