/** store.js: what the phone keeps in IndexedDB, by person: visits, marks, operations, photos, signatures, conclusions. */
import { openDB } from "../vendor/idb.js";

/** Written to the disk before it is said to be saved: the battery may die at any moment. */
export const STRICT = { durability: "strict" };
const KEPT_DAYS = 7;
const UNSENT_STORES = ["ops", "photos", "signatures", "conclusions"];

function upgrade(db) {
  db.createObjectStore("settings");
  db.createObjectStore("visits", { keyPath: ["person_id", "id"] }).createIndex("person", "person_id");
  db.createObjectStore("marks", { keyPath: ["person_id", "visit_id", "code"] }).createIndex("visit", ["person_id", "visit_id"]);
  const ops = db.createObjectStore("ops", { keyPath: "seq", autoIncrement: true });
  ops.createIndex("person", "person_id");
  ops.createIndex("visit", ["person_id", "visit_id"]);
  ops.createIndex("item", ["person_id", "visit_id", "code"]);
  for (const [name, keyPath] of [["photos", "client_id"], ["signatures", ["person_id", "visit_id", "party"]], ["conclusions", ["person_id", "visit_id"]]]) {
    const store = db.createObjectStore(name, { keyPath });
    store.createIndex("person", "person_id");
    store.createIndex("visit", ["person_id", "visit_id"]);
  }
  db.createObjectStore("bytes");
}

/** The database; opening begins with the page. */
export const database = openDB("fugong-field", 1, { upgrade, blocking: (_old, _new, event) => event.target.close() });

const channel = new BroadcastChannel("fugong-field");
/** Tells the page's parts, in every tab, that something in the store has changed. */
export const changes = new EventTarget();
channel.onmessage = () => changes.dispatchEvent(new Event("changed"));

/** Say that the store has changed otherwise than by what this tab's own view did. */
export function changed() {
  changes.dispatchEvent(new Event("changed"));
  channel.postMessage("changed");
}

/** Say that this tab's own view has kept something, which it shows already; it is to be sent soon, or after a while (in ms). */
export function kept(after = 0) {
  changes.dispatchEvent(new CustomEvent("kept", { detail: after }));
  channel.postMessage("changed");
}

/** One setting. */
export const setting = async (name) => (await database).get("settings", name);
/** Keep one setting. */
export const setSetting = async (name, value) => (await database).put("settings", value, name);

/** This phone's id, made once. */
export async function deviceId() {
  const db = await database;
  const tx = db.transaction("settings", "readwrite");
  const id = (await tx.store.get("device_id")) ?? crypto.randomUUID();
  await tx.store.put(id, "device_id");
  await tx.done;
  return id;
}

/** Remember who is signed in; names are kept so that another one's unsent work can be spoken of. */
export async function setPerson(person) {
  const db = await database;
  const tx = db.transaction("settings", "readwrite");
  const people = (await tx.store.get("people")) ?? {};
  await tx.store.put({ ...people, [person.id]: person.name }, "people");
  await tx.store.put(person, "person");
  await tx.done;
}

/** All visits that the phone keeps for a person, soonest first. */
export async function visitsOf(personId) {
  const visits = await (await database).getAllFromIndex("visits", "person", personId);
  return visits.sort((a, b) => a.visit.visit_at.localeCompare(b.visit.visit_at));
}

const BUNDLE_STORES = ["visits", "marks", "ops", "photos", "signatures", "conclusions"];

async function readBundle(tx, key) {
  const of = (name) => tx.objectStore(name).index("visit").getAll(key);
  const [kept, marks, ops, photos, signatures, conclusion] = await Promise.all([
    tx.objectStore("visits").get(key), of("marks"), of("ops"), of("photos"), of("signatures"), tx.objectStore("conclusions").get(key),
  ]);
  photos.sort((a, b) => a.taken_at.localeCompare(b.taken_at));
  return { kept, marks: new Map(marks.map((m) => [m.code, m])), ops, photos, signatures: new Map(signatures.map((s) => [s.party, s])), conclusion };
}

/** Everything that is kept of one visit. */
export const bundle = async (personId, visitId) => readBundle((await database).transaction(BUNDLE_STORES), [personId, visitId]);

/** What the page asks first, read while its other scripts are still on their way: who uses the phone, and the visit that the address names. */
export const early = database.then(async (db) => {
  const tx = db.transaction(["settings", ...BUNDLE_STORES]);
  const person = (await tx.objectStore("settings").get("person")) ?? null;
  const visitId = Number(/^#\/visit\/(\d+)/.exec(location.hash)?.[1] ?? 0);
  return { person, visitId, found: person && visitId ? await readBundle(tx, [person.id, visitId]) : null };
});

const isUnsent = (row) => row.state === "waiting";

/** How much of a person's (or of one visit's) work the server has not confirmed yet, by store. */
export async function unsent(personId, visitId) {
  const tx = (await database).transaction(UNSENT_STORES);
  const counts = {};
  for (const name of UNSENT_STORES) {
    const index = visitId === undefined ? tx.objectStore(name).index("person") : tx.objectStore(name).index("visit");
    const rows = await index.getAll(visitId === undefined ? personId : [personId, visitId]);
    counts[name] = rows.filter(isUnsent).length;
  }
  counts.all = UNSENT_STORES.reduce((sum, name) => sum + counts[name], 0);
  return counts;
}

/** What other people left on this phone without its being sent: `[{name, n}]`, never what it is. */
export async function leftByOthers(personId) {
  const db = await database;
  const people = (await db.get("settings", "people")) ?? {};
  const found = new Map();
  for (const name of UNSENT_STORES) {
    for (const row of await db.getAll(name)) {
      if (row.person_id !== personId && row.state !== "sent") found.set(row.person_id, (found.get(row.person_id) ?? 0) + 1);
    }
  }
  return [...found].map(([id, n]) => ({ name: people[id] ?? "", n }));
}

/** Take in a `day.json`: its visits replace what is kept, and what it no longer lists is marked so. */
export async function takeDay(day) {
  await setPerson(day.person);
  const tx = (await database).transaction("visits", "readwrite");
  const listed = new Set(day.visits.map((visit) => visit.id));
  for (const kept of await tx.store.index("person").getAll(day.person.id)) {
    if (!listed.has(kept.id)) await tx.store.put({ ...kept, listed: false });
  }
  for (const visit of day.visits) {
    const before = await tx.store.get([day.person.id, visit.id]);
    const concludedAt = visit.status === "planned" ? "" : before?.concluded_at || day.now;
    await tx.store.put({ person_id: day.person.id, id: visit.id, visit, fetched_at: new Date().toISOString(), listed: true, gone: false, concluded_at: concludedAt });
  }
  await tx.done;
}

/** Note that the server no longer lets this person work on a visit; what was marked stays on the phone. */
export async function setGone(personId, visitId) {
  const tx = (await database).transaction("visits", "readwrite");
  const kept = await tx.store.get([personId, visitId]);
  if (kept) await tx.store.put({ ...kept, gone: true });
  await tx.done;
}

async function holdsWork(tx, key) {
  for (const name of UNSENT_STORES) {
    const rows = await tx.objectStore(name).index("visit").getAll(key);
    if (rows.some((row) => row.state !== "sent")) return true;
  }
  return false;
}

async function forget(tx, key) {
  for (const photo of await tx.objectStore("photos").index("visit").getAll(key)) await tx.objectStore("bytes").delete(photo.client_id);
  for (const name of ["marks", ...UNSENT_STORES]) {
    for (const at of await tx.objectStore(name).index("visit").getAllKeys(key)) await tx.objectStore(name).delete(at);
  }
  await tx.objectStore("visits").delete(key);
}

/** Clear one visit with all that is kept of it, when its person says so. */
export async function clearVisit(personId, visitId) {
  const tx = (await database).transaction(["visits", "marks", "bytes", ...UNSENT_STORES], "readwrite");
  await forget(tx, [personId, visitId]);
  await tx.done;
}

/** Clear visits that are over: concluded more than a week ago, or given to somebody else, and nothing of them unsent. */
export async function clearOld(personId, now = Date.now()) {
  const tx = (await database).transaction(["visits", "marks", "bytes", ...UNSENT_STORES], "readwrite");
  for (const kept of await tx.objectStore("visits").index("person").getAll(personId)) {
    const old = kept.concluded_at && now - Date.parse(kept.concluded_at) > KEPT_DAYS * 86_400_000;
    const over = old || (!kept.listed && !kept.concluded_at);
    const key = [personId, kept.id];
    if (over && !(await holdsWork(tx, key))) await forget(tx, key);
  }
  await tx.done;
}
