"""A guard's phone in tests: a gate with its enrolment link, pictures of codes, and the page that reads them."""

from __future__ import annotations

import datetime as dt
import io
import random
from dataclasses import dataclass, field
from typing import Any

import segno
from PIL import Image
from playwright.sync_api import FilePayload, Locator, Page, expect

from tests.browsing import Person
from tests.builders import TOWN, World
from tests.services import gates_at_work
from workflow.core.actors import Role
from workflow.data import areas
from workflow.data.cases import Case
from workflow.data.passes import VehiclePass
from workflow.extensions import db
from workflow.services import gates, issuing

_ROWS = """async (store) => new Promise((resolve, reject) => {
  const opening = indexedDB.open('fugong-gate');
  opening.onerror = () => reject(opening.error);
  opening.onsuccess = () => {
    const asking = opening.result.transaction(store).objectStore(store).getAll();
    asking.onsuccess = () => { opening.result.close(); resolve(asking.result); };
  };
})"""
_PAPER, _INK = 205, 45


def photo_of(text: str, seed: int = 1, size: tuple[int, int] = (1600, 1200)) -> FilePayload:
    """A JPEG as a phone takes it of a printed code: grey, noisy, turned a little, the code a third of the picture."""
    buffer = io.BytesIO()
    segno.make(text, error="q", boost_error=False).save(buffer, kind="png", scale=10, border=4)
    code = Image.open(buffer).convert("L").point(lambda v: _PAPER if v > 128 else _INK)
    side = size[1] // 2
    code = code.resize((side, side)).rotate(random.Random(seed).uniform(-12, 12), expand=True, fillcolor=_PAPER)
    picture = Image.effect_noise((size[0] // 4, size[1] // 4), 60).point(lambda v: v * 2 // 3 + 40).resize(size)
    picture.paste(code, ((size[0] - code.width) // 2, (size[1] - code.height) // 2))
    return as_file(picture, f"{seed}.jpg")


def as_file(picture: Image.Image, name: str) -> FilePayload:
    """A picture as a file input takes it."""
    output = io.BytesIO()
    picture.save(output, "JPEG", quality=80)
    return {"name": name, "mimeType": "image/jpeg", "buffer": output.getvalue()}


@dataclass
class Shift:
    """A gate of a town with a device that is invited, and passes of an approved case."""

    world: World
    case: Case
    gate_id: int
    device_id: int
    code: str

    def granted(self, plate: str, **changes: Any) -> VehiclePass:
        """One more pass of the case."""
        return gates_at_work.granted(self.world, self.case, plate, **changes)

    def text_of(self, found: VehiclePass) -> str:
        """What its QR code holds."""
        return issuing.check_url(found.token or "")

    def done(self) -> None:
        """Hold nothing that the server may need."""
        db.session.commit()


def shift(world: World, hours_ago: float = 1) -> Shift:
    """Arrange a shift as of now: the gate was made a while ago."""
    world.now = dt.datetime.now(dt.UTC) - dt.timedelta(days=5)
    case = world.approved()
    world.now = dt.datetime.now(dt.UTC) - dt.timedelta(hours=hours_ago)
    leader = world.actor(world.officer(Role.LEADER, TOWN))
    place = areas.by_code(TOWN)
    assert place is not None
    gate = gates.add(leader, place.id, "东门卡口", "鄞奉路口", world.now)
    device, code = gates.invite(leader, gate.id, "值守手机", dt.datetime.now(dt.UTC))
    made = Shift(world, case, gate.id, device.id, code)
    made.done()
    return made


@dataclass
class Guard:
    """One guard's phone with the page."""

    person: Person
    sent: list[str] = field(default_factory=list)

    @property
    def page(self) -> Page:
        """Its screen."""
        return self.person.page

    @property
    def view(self) -> Locator:
        """What is open."""
        return self.page.locator("#view")

    @property
    def strip(self) -> Locator:
        """The line on the age of the list and on what waits."""
        return self.page.locator("#strip")

    def enrol(self, code: str) -> None:
        """Open the link of the administrator's page and become a device."""
        self.page.goto(f"{self.person.base}/gate/#enrol={code}")
        self.ready("enrol")
        self.look()
        self.press("设为卡口设备")
        self.ready("scan")
        self.page.evaluate("navigator.serviceWorker.ready.then(() => true)")
        expect(self.strip).to_have_attribute("data-tone", "fresh")

    def ready(self, view: str) -> None:
        """Wait until a view is open."""
        self.page.wait_for_selector(f"#view[data-ready={view}]")

    def open(self) -> None:
        """Open the page anew."""
        self.page.goto("about:blank")
        self.page.goto(f"{self.person.base}/gate/")
        self.page.wait_for_selector("#view[data-ready]")

    def look(self) -> None:
        """Look the view that is open over: axe and sideways scrolling."""
        self.person.checked.clear()
        self.person.look()

    def signal(self, there: bool) -> None:
        """Cut the phone's network, or give it back."""
        self.page.context.set_offline(not there)

    def press(self, words: str, *, exact: bool = True) -> None:
        """Press a button."""
        self.page.get_by_role("button", name=words, exact=exact).click()

    def show(self, picture: FilePayload) -> None:
        """Take a picture of a code and wait for the verdict."""
        self.page.locator("input[type=file]:not([capture])").first.set_input_files([picture])
        self.ready("check")

    def verdict(self, tone: str, words: str = "") -> None:
        """The verdict on the screen."""
        expect(self.page.locator(".verdict")).to_have_attribute("data-tone", tone)
        if words:
            expect(self.page.locator(".face")).to_contain_text(words)

    def keys(self, text: str) -> None:
        """Type on the big keys; what is there is wiped first."""
        sheet = self.page.locator("dialog.sheet")
        for _time in range(9):
            sheet.get_by_role("button", name="退格", exact=True).click()
        for letter in text:
            sheet.locator(".keys").get_by_role("button", name=letter, exact=True).click()
        sheet.get_by_role("button", name="完成", exact=True).click()

    def pass_through(self) -> None:
        """The short way: the plate is the same, let through."""
        self.press("车牌一致")
        self.decide("pass")

    def decide(self, decision: str) -> None:
        """Let through, turn back or hand over, and wait until it is on the disk."""
        self.page.locator(f"[data-decision={decision}]").click()
        if self.page.locator("dialog.sheet .reasons").count() == 0:
            self.ready("scan")

    def rows(self, store: str = "entries") -> list[dict[str, Any]]:
        """What a store of the phone holds."""
        found: list[dict[str, Any]] = self.page.evaluate(_ROWS, store)
        return found

    def rows_waiting(self) -> int:
        """How many entries are still to be sent."""
        found: int = self.page.evaluate("import('/static/gate/store.js').then((store) => store.waitingCount())")
        return found

    def push(self) -> None:
        """Press the strip, and wait until everything is with the server."""
        self.strip.click()
        expect(self.strip).to_have_attribute("data-state", "sent", timeout=60_000)

    def content(self) -> None:
        """Nothing complained but the browser itself about requests that were cut or refused on purpose."""
        self.person.complaints = [c for c in self.person.complaints if "Failed to load resource" not in c]
        self.person.content()
