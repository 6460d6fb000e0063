/** sync.js: brings the phone's work to the server, one tab at a time: marks, photos, signatures, and the conclusion last. */
import * as marks from "./marks.js";
import * as papers from "./papers.js";
import * as photos from "./photos.js";
import * as store from "./store.js";
import { NoAnswer, Refused, request, setToken, SignedOut } from "./wire.js";

const BATCH = 100;
const PARALLEL = 2;
const SPOILT_TRIES = 2;
const EVERY_MS = 30_000;
const SOON_MS = 1200;
const LONGEST_WAIT_MS = 120_000;

/** What the page says about the sync; listeners hear "status". `state`: idle, sending, away, signedOut, failed; `clock`: words on a wrong clock. */
export const status = Object.assign(new EventTarget(), { state: "idle", done: 0, total: 0, message: "", clock: "", syncedAt: "" });

let failures = 0;
let notBefore = 0;
let soon = 0;
let running = false;
let again = false;
let me = null;

function say(patch) {
  Object.assign(status, patch);
  status.dispatchEvent(new Event("status"));
}

function step() { say({ done: Math.min(status.total, status.done + 1) }); }

/** Sync shortly, after something was kept; changes in quick succession make one sync. Held photos want another one `after` ms. */
export function syncSoon(after = 0) {
  soon ||= setTimeout(() => { soon = 0; sync(); }, SOON_MS);
  if (after) setTimeout(() => sync(), after + SOON_MS);
}

/**
 * Sync now, unless another tab does. `hurry` (the signal is back, something was finished) skips the pause after failures and sends held photos
 * too; `force` (the button) tries even when the browser says that there is no signal.
 */
export async function sync({ force = false, hurry = force } = {}) {
  if (running) { again = true; return; }
  if (!hurry && Date.now() < notBefore) return;
  if (!force && !navigator.onLine) { say({ state: "away" }); return; }
  await navigator.locks.request("fugong-field-sync", { ifAvailable: true }, async (lock) => {
    if (!lock) return;
    running = true;
    await attempt(hurry).finally(() => { running = false; });
  });
  if (again) { again = false; syncSoon(); }
}

async function attempt(hurried) {
  try {
    await round(hurried);
    failures = 0;
    notBefore = 0;
    const at = new Date().toISOString();
    await store.setSetting("synced_at", at);
    say({ state: "idle", message: "", syncedAt: at });
  } catch (error) {
    failures += 1;
    notBefore = Date.now() + Math.min(LONGEST_WAIT_MS, 2000 * 2 ** (failures - 1));
    if (error instanceof SignedOut) say({ state: "signedOut" });
    else if (error instanceof NoAnswer) say({ state: "away" });
    else if (error instanceof Refused) say({ state: "failed", message: error.message });
    else { say({ state: "failed", message: String(error) }); throw error; }
  } finally {
    store.changed();
  }
}

async function fetchDay() {
  const day = await request("GET", "/field/day.json");
  setToken(day.csrf);
  me = day.person;
  await store.takeDay(day);
}

async function round(hurried) {
  await fetchDay();
  await store.clearOld(me.id);
  store.changed();
  const { all } = await store.unsent(me.id);
  if (!all) return;
  say({ state: "sending", done: 0, total: all });
  await sendMarks();
  await sendPhotos(hurried);
  await sendSignatures();
  const concluded = await sendConclusions();
  if (concluded || (await store.unsent(me.id)).all === 0) await fetchDay();
}

async function sendMarks() {
  const device = await store.deviceId();
  for (let ops = await marks.nextOps(me.id, BATCH); ops.length; ops = await marks.nextOps(me.id, BATCH)) {
    const answer = await request("POST", "/field/sync", { device_id: device, ops: ops.map((op) => op.body) });
    if (!answer.results.some((result) => ops.some((op) => op.body.op_id === result.op_id))) throw new NoAnswer("no result");
    const words = await marks.takeResults(me, ops, answer.results);
    if (words) say({ clock: words });
    ops.forEach(step);
    store.changed();
  }
}

async function knownPhotos(visitId) {
  const { photos: known } = await request("GET", `/field/${visitId}/photos`);
  return new Map(known.map((photo) => [photo.client_id, photo.sha256]));
}

async function sendPhotos(hurried) {
  const waiting = await photos.waiting(me.id, hurried);
  // After an aborted upload the server may have the photo all the same: ask before anything is sent again.
  for (const visitId of new Set(waiting.filter((p) => p.tries > 0 && !p.taken_back).map((p) => p.visit_id))) {
    await ofVisit(visitId, async () => {
      const known = await knownPhotos(visitId);
      for (const photo of waiting.filter((p) => p.visit_id === visitId && !p.taken_back && known.get(p.client_id) === p.sha256)) {
        photo.state = "sent";
        await photos.finished(photo.client_id);
        step();
      }
    });
  }
  const line = waiting.filter((photo) => photo.state === "waiting");
  const work = async () => { for (let photo = line.shift(); photo; photo = line.shift()) await sendPhoto(photo); };
  const ends = await Promise.allSettled(Array.from({ length: PARALLEL }, work));
  const failed = ends.find((end) => end.status === "rejected");
  if (failed) throw failed.reason;
}

async function sendPhoto(photo) {
  const address = `/field/${photo.visit_id}/photos/${photo.client_id}`;
  await ofVisit(photo.visit_id, async () => {
    if (photo.taken_back) {
      await request("DELETE", address).catch(allow(404, 410));
      await photos.takenBack(photo.client_id);
      return;
    }
    await photos.update(photo.client_id, { tries: photo.tries + 1 });
    await request("PUT", address, await photos.bytesOf(photo.client_id), {
      "Content-Type": photo.type, "X-Sha256": photo.sha256, "X-Code": photo.code, "X-Caption": encodeURIComponent(photo.caption),
      "X-Taken-At": photo.taken_at, "X-Source": photo.source, "X-Place": photo.place,
    });
    await photos.finished(photo.client_id);
  }, (error) => {
    // Bytes that were spoilt on the way are refused too: they get another try or two.
    const spoilt = error.status === 422 && photo.tries < SPOILT_TRIES;
    return photos.update(photo.client_id, { state: spoilt ? "waiting" : "refused", message: error.message });
  });
  step();
  store.changed();
}

const allow = (...codes) => (error) => {
  if (!(error instanceof Refused) || !codes.includes(error.status)) throw error;
};

/** Do something for one visit: a refusal that will not pass is the visit's own matter, and the others go on. */
async function ofVisit(visitId, call, refused = async () => undefined) {
  try {
    await call();
  } catch (error) {
    if (!(error instanceof Refused) || error.passes || error.status === 400) throw error;
    if (error.status === 403 || error.status === 404) await store.setGone(me.id, visitId);
    await refused(error);
  }
}

async function sendSignatures() {
  for (const row of await papers.waitingPapers("signatures", me.id)) {
    const left = await store.unsent(me.id, row.visit_id);
    if (left.ops || left.photos) continue; // a signature covers them: they come first
    const { op_id, status: how, name, post, image, reason, device_at } = row;
    const body = { op_id, status: how, name, post, image, reason, device_at, device_id: await store.deviceId() };
    await ofVisit(row.visit_id, async () => {
      await request("PUT", `/field/${row.visit_id}/signatures/${row.party}`, body);
      await papers.updatePaper("signatures", row, { state: "sent", message: "" });
    }, (error) => papers.updatePaper("signatures", row, { state: "refused", message: error.message }));
    step();
  }
}

async function sendConclusions() {
  let concluded = false;
  for (const row of await papers.waitingPapers("conclusions", me.id)) {
    const left = await store.unsent(me.id, row.visit_id);
    const { ops, photos: taken } = await store.bundle(me.id, row.visit_id);
    // This one is counted too; conflicts and refusals are for the person to settle first.
    if (left.all > 1 || ops.length || taken.some((photo) => photo.state === "refused")) continue;
    const { op_id, action, words, rectify_by_on, case_version, device_at } = row;
    await ofVisit(row.visit_id, async () => {
      const body = { op_id, action, words, rectify_by_on, case_version, device_at, device_id: await store.deviceId() };
      await request("POST", `/field/${row.visit_id}/conclude`, body);
      await papers.updatePaper("conclusions", row, { state: "sent", message: "", reasons: [] });
      concluded = true;
    }, async (error) => {
      await papers.updatePaper("conclusions", row, { state: "refused", message: error.message, reasons: error.reasons });
      concluded = true; // the visit may stand otherwise than the phone thinks: look again
    });
    step();
  }
  return concluded;
}

/** Sync by itself: when the signal is back, when the page is looked at again, and every half minute. */
export async function start() {
  addEventListener("online", () => sync({ hurry: true }));
  document.addEventListener("visibilitychange", () => { if (document.visibilityState === "visible") sync(); });
  setInterval(() => sync(), EVERY_MS);
  await sync({ hurry: true });
}
