"""The off-line inspection sheet in real Chromium: opening it, saving a tap, and photos over connections that break.

Opening is timed from the service worker to the sheet drawn, against a static page with the same content and style sheet
from the same server; both without the network in between, so the floor is the browser's own work.
Measured in November 2026 on 2 cores that were busy with other work (load 8 to 13): the sheet with 74 items 113 ms, 1.29
times the static page (with 24 items 1.25 to 1.5 times in three runs); a tap 13 to 15 ms; 14 PUTs for 12 photos.
"""

from __future__ import annotations

import atexit
import contextlib
import datetime as dt
import io
import random
import statistics
import tempfile
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from flask import Flask, Response
from PIL import Image
from playwright.sync_api import Page, Route, sync_playwright

from bench import scene
from bench.harness import Measurement, Skipped, bench
from tests import browsing
from tests.browser.phone import put_whole_list
from tests.builders import PASSWORD, World
from workflow.extensions import db, write_intent
from workflow.services import inspections as inspection_service
from workflow.web.access import public

ROUNDS, TAPS, PHOTOS, PHOTO_BYTES = 15, 40, 12, 4_000_000
_PUT = """async (row) => {
  const db = await new Promise((resolve) => {
    const opening = indexedDB.open("bench", 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore("rows", {keyPath: "code"});
    opening.onsuccess = () => resolve(opening.result);
  });
  const taken = [];
  for (let n = 0; n < 40; n += 1) {
    const started = performance.now();
    await new Promise((resolve) => {
      const tx = db.transaction("rows", "readwrite", {durability: "strict"});
      tx.objectStore("rows").put({...row, code: String(n)});
      tx.oncomplete = resolve;
    });
    taken.push(performance.now() - started);
  }
  return taken;
}"""
_STATIC = """() => {
  const copy = document.documentElement.cloneNode(true);
  copy.querySelectorAll("script, template, link:not([rel=stylesheet])").forEach((each) => each.remove());
  return "<!doctype html>" + copy.outerHTML;
}"""


class _Scene:
    """One installation with a visit, and one browser for all rows; the first row pays for it."""

    def __init__(self, stack: contextlib.ExitStack) -> None:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="fugong-bench-field-"))
        self.app = scene.make_app(Path(folder))
        self.app.config["WTF_CSRF_ENABLED"] = True
        self.static = ""
        self.app.add_url_rule("/bench-static", view_func=public(lambda: self._static()))
        self.visit, self.login = _visit(self.app)
        self.base = stack.enter_context(browsing.serving(self.app))
        self.chromium = stack.enter_context(sync_playwright()).chromium
        self.folders = stack

    def _static(self) -> Response:
        return Response(self.static, mimetype="text/html")

    def phone(self) -> Page:
        """A phone with the page installed and the visit open; it keeps its store on the disk, as a phone does."""
        page = self.chromium.launch_persistent_context(
            self.folders.enter_context(tempfile.TemporaryDirectory(prefix="fugong-bench-phone-")),
            executable_path=str(browsing.CHROMIUM),
            args=browsing.ARGUMENTS,
            viewport=browsing.PHONE,  # type: ignore[arg-type]
            locale="zh-CN",
            timezone_id="Asia/Shanghai",
            has_touch=True,
        ).new_page()
        page.goto(f"{self.base}/login")
        page.get_by_label("登录名").fill(self.login)
        page.get_by_label("密码", exact=False).first.fill(PASSWORD)
        page.locator("form[action='/login'] button[type=submit]").click()
        page.goto(f"{self.base}/field/")
        page.wait_for_selector(".visit")
        page.evaluate("navigator.serviceWorker.ready.then(() => true)")
        self.open(page)
        return page

    def open(self, page: Page) -> float:
        """Open the sheet as a fresh page; gives the milliseconds from the navigation to the sheet drawn."""
        page.goto("about:blank")
        page.goto(f"{self.base}/field/#/visit/{self.visit}")
        page.wait_for_selector("#view[data-ready=visit]")
        taken = float(page.evaluate("performance.getEntriesByName('field.ready')[0].startTime"))
        page.wait_for_load_state("networkidle")  # what follows must not pay for this page's sync
        return taken

    def open_static(self, page: Page) -> float:
        """Open the same content as a static page; gives the milliseconds from the navigation to its being loaded."""
        page.goto("about:blank")
        page.goto(f"{self.base}/bench-static")
        return float(page.evaluate("performance.getEntriesByType('navigation')[0].loadEventEnd"))


def _visit(app: Flask) -> tuple[int, str]:
    with app.app_context():
        token = write_intent.set(True)
        world = World(app, now=dt.datetime.now(dt.UTC))
        visit = inspection_service.planned(world.scheduled())
        if visit is None:
            raise RuntimeError("no visit was arranged")
        put_whole_list(visit)
        found = visit.id, world.inspectors()[0].login
        db.session.remove()
        write_intent.reset(token)
    return found


@lru_cache(maxsize=1)
def _scene() -> _Scene:
    if not browsing.CHROMIUM.exists():
        raise Skipped("Chromium isn't here; install it with: apt-get install chromium")
    stack = contextlib.ExitStack()
    atexit.register(stack.close)
    return _Scene(stack)


@bench("inspection.sheet", "ms", "static page with the same content and style sheet")
def sheet() -> Measurement:
    """The sheet from the service worker and IndexedDB, drawn, against the same as a page, in turn."""
    here = _scene()
    page = here.phone()
    here.static = page.evaluate(_STATIC)
    ours: list[float] = []
    base: list[float] = []
    for number in range(ROUNDS + 2):
        mine, plain = here.open(page), here.open_static(page)
        if number >= 2:
            ours.append(mine)
            base.append(plain)
    page.context.close()
    return Measurement(statistics.median(ours), statistics.median(base))


@bench("inspection.tap", "ms", "one bare IndexedDB put, strict durability")
def tap() -> Measurement:
    """From the finger to the mark and its operation being on the disk; the goal is 50 ms."""
    page = _scene().phone()
    buttons = page.locator("button[data-result=na]").all()
    for number in range(TAPS):
        buttons[number % len(buttons)].click()
    page.wait_for_timeout(300)
    taken: list[float] = page.evaluate("performance.getEntriesByName('field.tap').map((each) => each.duration)")
    bare: list[float] = page.evaluate(_PUT, {"result": "na", "measured": "", "note": "", "rectify_by_on": ""})
    page.context.close()
    if len(taken) != TAPS:
        raise RuntimeError(f"{len(taken)} of {TAPS} taps were kept")
    return Measurement(statistics.median(taken), statistics.median(bare))


def _large_photos(folder: Path) -> Iterator[Path]:
    """Photos of about 4 MB, as a phone's camera makes them."""
    for number in range(PHOTOS):
        path = folder / f"{number}.jpg"
        noise = Image.frombytes("RGB", (1000, 750), random.Random(number).randbytes(1000 * 750 * 3))
        buffer = io.BytesIO()
        noise.resize((4000, 3000), Image.Resampling.BICUBIC).save(buffer, "JPEG", quality=88)
        path.write_bytes(buffer.getvalue())
        if len(buffer.getvalue()) < PHOTO_BYTES:
            raise RuntimeError("the photo weighs too little")
        yield path


class _Line:
    """A connection that breaks twice on the way there and once on the way back; it notes what went through it."""

    def __init__(self) -> None:
        self.left = ["there", "back", "there"]
        self.sent: Counter[str] = Counter()
        self.arrived: set[str] = set()
        self.again: list[str] = []

    def __call__(self, route: Route) -> None:
        """Carry a photo, or break."""
        if route.request.method != "PUT":
            route.continue_()
            return
        name = route.request.url.rsplit("/", 1)[-1]
        self.again += [name] if name in self.arrived else []
        self.sent[name] += 1
        kind = self.left.pop(0) if self.left else ""
        if kind == "there":
            route.abort("connectionaborted")
            return
        answer = route.fetch()
        self.arrived.add(name)
        if kind == "back":
            route.abort("connectionreset")
        else:
            route.fulfill(response=answer)


@bench("inspection.photos", "PUTs", "one for each of 12 photos and one for each of 2 that broke on the way there")
def photos() -> Measurement:
    """12 photos of 4 MB over a line that breaks three times; one that has arrived is never sent again."""
    page, line = _scene().phone(), _Line()
    page.context.set_offline(True)
    page.locator("#tabs [data-tab=photos]").click()
    with tempfile.TemporaryDirectory() as folder:
        for number, path in enumerate(_large_photos(Path(folder)), 1):
            page.locator("input[capture]").set_input_files(path)
            page.locator(".picture").nth(number - 1).wait_for(timeout=30_000)
    page.context.route("**/photos/*", line)
    page.context.set_offline(False)
    for _time in range(6):
        page.locator("#state").click()
        with contextlib.suppress(Exception):
            page.wait_for_selector("#state[data-state=sent]", timeout=30_000)
            break
    page.context.close()
    if line.again or len(line.arrived) != PHOTOS:
        raise RuntimeError(f"{len(line.arrived)} photos arrived, {len(line.again)} were sent again")
    return Measurement(sum(line.sent.values()), PHOTOS + 2)
