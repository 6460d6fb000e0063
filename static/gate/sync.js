/** sync.js: fetches the list and the keys, sends what was kept, one tab at a time; nothing is lost or doubled when replies are. */
import { aged, bundleAddress, device, dismissed, takeBundle } from "./device.js";
import { sent } from "./recent.js";
import * as store from "./store.js";
import { Dismissed, NoAnswer, Refused, request } from "./wire.js";

const BATCH = 100;
const EVERY_MS = 30_000;
const SOON_MS = 400;
const LONGEST_WAIT_MS = 60_000;

/** What the page says about the sync; listeners hear "status". `state`: idle, sending, away, failed. */
export const status = Object.assign(new EventTarget(), { state: "idle", waiting: 0, refused: 0, message: "" });

const STILL_HERE_MS = 10 * 60_000;

let failures = 0;
let spokeAt = 0;
let notBefore = 0;
let running = null;
let again = false;

async function say(patch = {}) {
  const [waiting, all] = [await store.waitingCount(), await store.entryCount()];
  Object.assign(status, { waiting, refused: all - waiting }, patch);
  status.dispatchEvent(new Event("status"));
}

async function fetchBundle() {
  const more = await takeBundle(await request(device.secret, "GET", bundleAddress(false)));
  if (more) await takeBundle(await request(device.secret, "GET", bundleAddress(true)));
}

async function post(entries) {
  const answer = await request(device.secret, "POST", "/gate/sync", { entries, list_version: device.list?.version ?? 0, sent_at: new Date().toISOString() });
  spokeAt = Date.now();
  return answer;
}

async function sendEntries() {
  for (let rows = await store.nextEntries(BATCH); rows.length; rows = await store.nextEntries(BATCH)) {
    await say({ state: "sending" });
    const answer = await post(rows.map((row) => row.body));
    const results = await store.takeResults(rows, answer.results);
    if (!rows.some((row) => results.has(row.client_id))) throw new NoAnswer("no result");
    if (answer.gate) device.gate = { ...device.gate, ...answer.gate };
    sent(results);
  }
}

async function attempt() {
  try {
    // What was kept first: it is what nobody else has. A failure of one must not keep the other back.
    let failed = null;
    await sendEntries().catch((error) => { if (error instanceof Dismissed) throw error; failed = error; });
    await fetchBundle();
    // A quiet gate says now and then that its device is there and which list it holds: the town sees who has fallen silent.
    if (Date.now() - spokeAt > STILL_HERE_MS) await post([]);
    if (failed) throw failed;
    [failures, notBefore] = [0, 0];
    await say({ state: "idle", message: "" });
  } catch (error) {
    failures += 1;
    notBefore = Date.now() + Math.min(LONGEST_WAIT_MS, 1000 * 2 ** (failures - 1));
    if (error instanceof Dismissed) { await dismissed(error.code); await say({ state: "idle", message: "" }); }
    else if (error instanceof NoAnswer) await say({ state: "away", message: "" });
    else if (error instanceof Refused) await say({ state: "failed", message: error.message });
    else { await say({ state: "failed", message: String(error) }); throw error; }
  } finally {
    await aged();
    store.tell();
  }
}

/** Sync now, unless another tab does. `hurry` skips the pause after failures; `force` (the button) tries even when the browser says that there is no signal. */
export async function sync({ force = false, hurry = force } = {}) {
  if (!device.secret) return;
  if (running) { again = true; await running; return; }
  if (!hurry && Date.now() < notBefore) return;
  if (!force && !navigator.onLine) { await aged(); await say({ state: "away" }); return; }
  running = navigator.locks.request("fugong-gate-sync", { ifAvailable: true }, async (lock) => { if (lock) await attempt(); });
  await running.finally(() => { running = null; });
  if (again) { again = false; syncSoon(); }
}

let soon = 0;
/** Sync shortly, after something was kept. */
export function syncSoon() {
  say();
  soon ||= setTimeout(() => { soon = 0; sync(); }, SOON_MS);
}

/** Sync by itself: when the signal is back, when the page is looked at again, and every half minute. */
export async function start() {
  addEventListener("online", () => sync({ hurry: true }));
  document.addEventListener("visibilitychange", () => { if (document.visibilityState === "visible") sync(); });
  setInterval(() => sync(), EVERY_MS);
  store.changes.addEventListener("changed", () => say());
  await sync({ hurry: true });
}
