"""The guard's page in real Chromium without signal: from a picture to the verdict, a look-up, a long queue synced.

A picture is a 12-megapixel JPEG as phones take them, chosen in the page; the time runs until the verdict stands in the
document. Beside it the reader alone, given the same picture. The queue is 10,000 entries kept without signal and sent
to the real server over HTTP, with a tenth of the requests cut off or their replies lost.
Measured in November 2026 on 2 cores that were busy with other work (load 12): a picture of 12 megapixels and 2.2 MB to
the verdict 173 ms; a look-up in 100,000 0.44 microseconds, in 1,000 0.11; 10,000 entries 13.1 s.
"""

from __future__ import annotations

import atexit
import base64
import contextlib
import statistics
import tempfile
import time
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from playwright.sync_api import FilePayload, Page, Route, expect, sync_playwright
from sqlalchemy import func, select

from bench import scene
from bench.harness import Measurement, Skipped, bench
from tests import browsing
from tests.browser.gate import Guard, photo_of, shift
from tests.browser.phone import Site
from tests.builders import World
from workflow.data.gates import GateEntry
from workflow.extensions import db, write_intent

PICTURES, QUEUED, LONG, SHORT = 12, 10_000, 100_000, 1_000
LIMIT_MS, LIMIT_SECONDS = 300.0, 30.0
_SPAN = """() => {
  const last = (name) => performance.getEntriesByName(name).at(-1).startTime;
  return last("gate.verdict") - last("gate.picture");
}"""
_READER = """async (data) => {
  const { readPicture } = await import("/static/gate/scanner.js");
  const bytes = Uint8Array.from(atob(data), (c) => c.charCodeAt(0));
  const started = performance.now();
  const { codes } = await readPicture(new Blob([bytes], { type: "image/jpeg" }));
  if (codes.length !== 1) throw new Error("the picture was not read");
  return performance.now() - started;
}"""
_QUEUE = """async (n) => {
  const store = await import("/static/gate/store.js");
  const { without } = await import("/static/gate/passage.js");
  for (let i = 0; i < n; i += 1) await store.keepEntry(without(`浙B${10000 + i}`).entry("turn_back", ""), null);
}"""
_LOOKUP = """async ([long, short]) => {
  const { holds } = await import("/static/gate/dead.js");
  const { sha256 } = await import("/static/gate/signed.js");
  const made = (n) => {
    const list = new Uint8Array(n * 5);
    for (let i = 0; i < n; i += 1) new DataView(list.buffer).setUint32(i * 5, Math.floor((i / n) * 0xffffffff));
    return list;
  };
  const marks = [];
  for (let i = 0; i < 500; i += 1) marks.push((await sha256(new TextEncoder().encode(String(i)))).slice(0, 5));
  const timed = (list) => {
    let found = 0;
    const started = performance.now();
    for (let round = 0; round < 400; round += 1) for (const mark of marks) found += holds(list, mark);
    return ((performance.now() - started) * 1000) / (400 * marks.length);
  };
  const [many, few] = [made(long), made(short)];
  timed(few); timed(many);
  return [timed(many), timed(few)];
}"""


class _Gate:
    """One installation with a gate, and a guard's phone that is one of its devices; the first row pays for it."""

    def __init__(self, stack: contextlib.ExitStack) -> None:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="fugong-bench-gate-"))
        self.app = scene.make_app(Path(folder))
        self.site = Site(self.app)
        self.site.start()
        stack.callback(self.site.stop)
        with self.app.app_context():
            token = write_intent.set(True)
            at = shift(World(self.app))
            self.text, code = at.text_of(at.granted("浙B12345")), at.code
            at.done()
            write_intent.reset(token)
        chromium = stack.enter_context(sync_playwright()).chromium
        browser = chromium.launch(executable_path=str(browsing.CHROMIUM), args=browsing.ARGUMENTS)
        self.guard = Guard(browsing.Person.arrive(browser, self.site.address, browsing.PHONE))
        self.guard.enrol(code)

    @property
    def page(self) -> Page:
        """The phone's screen."""
        return self.guard.page

    def entries(self) -> int:
        """How many entries the server has."""
        with self.app.app_context():
            return db.session.scalar(select(func.count()).select_from(GateEntry)) or 0


@lru_cache(maxsize=1)
def _gate() -> _Gate:
    if not browsing.CHROMIUM.exists():
        raise Skipped("Chromium is not installed")
    stack = contextlib.ExitStack()
    atexit.register(stack.close)
    return _Gate(stack)


@contextlib.contextmanager
def _offline(guard: Guard) -> Iterator[None]:
    guard.signal(False)
    try:
        yield
    finally:
        guard.signal(True)


def _pictures(text: str) -> list[FilePayload]:
    return [photo_of(text, seed, (4000, 3000)) for seed in range(PICTURES)]


@lru_cache(maxsize=1)
def _verdicts() -> list[float]:
    gate, taken = _gate(), []
    with _offline(gate.guard):
        for picture in _pictures(gate.text):
            gate.guard.show(picture)
            gate.guard.verdict("green", "未联网核对")
            taken.append(float(gate.page.evaluate(_SPAN)))
            gate.guard.press("不登记，返回")
            gate.guard.ready("scan")
    return taken


@bench("gate.page.verdict", "ms", "the limit of 300 ms")
def verdict() -> Measurement:
    """From the picture to the verdict, off-line; the median."""
    return Measurement(statistics.median(_verdicts()), LIMIT_MS)


@bench("gate.page.verdict.vs_reader", "ms", "the reader alone, given the same pictures")
def beside_the_reader() -> Measurement:
    """What the page adds to finding the code: the token's check, the list, the screen."""
    gate = _gate()
    alone = [gate.page.evaluate(_READER, base64.b64encode(p["buffer"]).decode()) for p in _pictures(gate.text)]
    return Measurement(statistics.median(_verdicts()), statistics.median(alone))


@bench("gate.page.lookup", "us", "the same in a list of 1,000")
def lookup() -> Measurement:
    """Looking a pass up among 100,000 dead ones."""
    long, short = _gate().page.evaluate(_LOOKUP, [LONG, SHORT])
    return Measurement(long, short)


@bench("gate.page.sync10k", "s", "the limit of 30 s")
def sync_of_a_long_queue() -> Measurement:
    """10,000 entries queued off-line, sent while every tenth request breaks or loses its reply; none lost or twice."""
    gate = _gate()
    before, seen = gate.entries(), 0

    def shaky(route: Route) -> None:
        nonlocal seen
        seen += 1
        if seen % 20 == 10:
            route.abort("connectionreset")
        elif seen % 20 == 0:
            route.fetch()
            route.abort("connectionreset")
        else:
            route.continue_()

    with _offline(gate.guard):
        gate.page.evaluate(_QUEUE, QUEUED)
    gate.page.context.route("**/gate/sync", shaky)
    started = time.perf_counter()
    while gate.guard.rows_waiting():
        gate.guard.strip.click()
        expect(gate.guard.strip).not_to_have_attribute("data-state", "sending", timeout=60_000)
    taken = time.perf_counter() - started
    gate.page.context.unroute("**/gate/sync")
    assert gate.entries() - before == QUEUED, "entries were lost or doubled"
    return Measurement(taken, LIMIT_SECONDS)
