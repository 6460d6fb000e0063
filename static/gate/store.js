/** store.js: what the device keeps in IndexedDB: its secret, public keys, the list of dead passes, entries not sent yet, today's counts. */
import { openDB } from "../vendor/idb.js";

/** Written to the disk before it is said to be kept: the battery may die at any moment. */
const STRICT = { durability: "strict" };

function upgrade(db) {
  db.createObjectStore("settings");
  const entries = db.createObjectStore("entries", { keyPath: "seq", autoIncrement: true });
  entries.createIndex("client_id", "client_id", { unique: true });
  entries.createIndex("state", "state");
}

const database = openDB("fugong-gate", 1, { upgrade, blocking: (_old, _new, event) => event.target.close() });
const channel = new BroadcastChannel("fugong-gate");

/** Hears "changed" when another tab has changed the store. */
export const changes = new EventTarget();
channel.onmessage = () => changes.dispatchEvent(new Event("changed"));
/** Tell the other tabs. */
export const tell = () => channel.postMessage("changed");

/** One setting. */
export const setting = async (name) => (await database).get("settings", name);

/** Keep several settings at once, or none of them; a value of undefined removes one. */
export async function setSettings(values) {
  const tx = (await database).transaction("settings", "readwrite", STRICT);
  for (const [name, value] of Object.entries(values)) {
    if (value === undefined) tx.store.delete(name); else tx.store.put(value, name);
  }
  await tx.done;
}

/** All settings as an object. */
export async function settings() {
  const tx = (await database).transaction("settings");
  const [names, values] = await Promise.all([tx.store.getAllKeys(), tx.store.getAll()]);
  return Object.fromEntries(names.map((name, i) => [name, values[i]]));
}

/** Keep an entry and the day's counts with it; resolves when both are on the disk. */
export async function keepEntry(body, counts) {
  const tx = (await database).transaction(["entries", "settings"], "readwrite", STRICT);
  tx.objectStore("entries").add({ client_id: body.client_id, state: "waiting", message: "", body });
  tx.objectStore("settings").put(counts, "counts");
  await tx.done;
}

/** The next entries to send, oldest first. */
export const nextEntries = async (most) => (await database).getAllFromIndex("entries", "state", "waiting", most);
/** Entries that the server did not take. */
export const refusedEntries = async () => (await database).getAllFromIndex("entries", "state", "refused");
/** How many entries wait. */
export const waitingCount = async () => (await database).countFromIndex("entries", "state", "waiting");
/** How many entries are here, waiting or refused. */
export const entryCount = async () => (await database).count("entries");

/** After an answer: what was kept is deleted here, what was refused stays with the server's words. */
export async function takeResults(rows, results) {
  const byId = new Map(results.map((result) => [result.client_id, result]));
  const tx = (await database).transaction("entries", "readwrite", STRICT);
  for (const row of rows) {
    const result = byId.get(row.client_id);
    if (!result) continue;
    if (result.status === "refused") tx.store.put({ ...row, state: "refused", message: result.message ?? "" });
    else tx.store.delete(row.seq);
  }
  await tx.done;
  return byId;
}

/** Delete one refused entry, when the guard says so. */
export const dropEntry = async (seq) => (await database).delete("entries", seq);

/** Delete keys and list and, unless the device goes on, everything else; entries too when `all`. */
export async function wipe({ leave = {}, all = false } = {}) {
  const tx = (await database).transaction(["settings", "entries"], "readwrite", STRICT);
  tx.objectStore("settings").clear();
  for (const [name, value] of Object.entries(leave)) tx.objectStore("settings").put(value, name);
  if (all) tx.objectStore("entries").clear();
  await tx.done;
}
