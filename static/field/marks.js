/** marks.js: marking items: each tap goes into the store with the operation that tells the server of it, in one transaction. */
import { database, STRICT } from "./store.js";

const FIELDS = ["result", "measured", "note", "rectify_by_on"];

/** The number in what was typed as measured; NaN when there is none. Units and blanks around it are left out. */
export function numberIn(text) {
  const digits = text.replace(/[^\d.\-]/g, "");
  return digits === "" ? Number.NaN : Number(digits);
}

/** How a measured text stands to an item's limit: "", "within", "outside" or "unreadable". */
export function judge(item, measured) {
  const limited = item.minimum !== null || item.maximum !== null;
  if (!limited || !measured.trim()) return "";
  const value = numberIn(measured);
  if (Number.isNaN(value)) return "unreadable";
  const low = item.minimum ?? Number.NEGATIVE_INFINITY;
  const high = item.maximum ?? Number.POSITIVE_INFINITY;
  return low <= value && value <= high ? "within" : "outside";
}

/** The four values of an item as they stand on this phone. */
export function valuesOf(item, mark) {
  const from = mark ?? item;
  return Object.fromEntries(FIELDS.map((field) => [field, from[field] ?? ""]));
}

/** Whether an item is done: marked, its failure explained, its measured value readable, and no conflict open. */
export function isDone(item, mark) {
  const { result, measured, note } = valuesOf(item, mark);
  return Boolean(result) && !(result === "fail" && !note.trim()) && judge(item, measured) !== "unreadable" && !mark?.conflict;
}

const sameValues = (a, b) => FIELDS.every((field) => (a[field] ?? "") === (b[field] ?? ""));

async function queue(tx, mark) {
  const store = tx.objectStore("ops");
  const rows = await store.index("item").getAll([mark.person_id, mark.visit_id, mark.code]);
  for (const row of rows) {
    if (row.state !== "waiting") await store.delete(row.seq); // answered by this newer one
  }
  const values = Object.fromEntries(FIELDS.map((field) => [field, mark[field]]));
  const body = { kind: "mark", inspection_id: mark.visit_id, code: mark.code, base_revision: mark.base_revision, ...values, digest: mark.digest, device_at: mark.changed_at };
  const unsent = rows.find((row) => row.state === "waiting" && !row.tried);
  if (unsent) await store.put({ ...unsent, body: { ...unsent.body, ...body } });
  else {
    const { person_id, visit_id, code } = mark;
    await store.add({ person_id, visit_id, code, state: "waiting", tried: false, body: { op_id: crypto.randomUUID(), ...body } });
  }
}

/**
 * Change an item: `patch` holds some of result, measured, note, rectify_by_on. Resolves to the mark when it is on the disk.
 * A measured value that can't be read, or doesn't allow the result, is kept but not sent until it is put right.
 */
export async function change(personId, visit, item, patch) {
  const tx = (await database).transaction(["marks", "ops"], "readwrite", STRICT);
  const marks = tx.objectStore("marks");
  const key = [personId, visit.id, item.code];
  const before = await marks.get(key);
  const base = before?.conflict?.revision ?? before?.base_revision ?? item.revision;
  const mark = {
    person_id: personId, visit_id: visit.id, code: item.code, digest: visit.checklist.digest ?? "", ...valuesOf(item, before), ...patch,
    base_revision: base, changed_at: new Date().toISOString(), conflict: null, refused: "",
  };
  const standing = judge(item, mark.measured);
  if (mark.result === "conform" && standing === "outside") mark.result = "";
  await marks.put(mark);
  if (standing !== "unreadable") await queue(tx, mark);
  await tx.done;
  return mark;
}

/** Give way in a conflict: what the other inspector marked stands; the item's own waiting operations are let go. */
export async function takeTheirs(personId, visitId, code) {
  const tx = (await database).transaction(["visits", "marks", "ops"], "readwrite", STRICT);
  const key = [personId, visitId, code];
  const mark = await tx.objectStore("marks").get(key);
  for (const at of await tx.objectStore("ops").index("item").getAllKeys(key)) await tx.objectStore("ops").delete(at);
  await tx.objectStore("marks").delete(key);
  if (mark?.conflict) await settle(tx, personId, visitId, code, { ...mark.conflict.current, revision: mark.conflict.revision });
  await tx.done;
}

/** Write what the server holds of an item into the visit as it is kept. */
async function settle(tx, personId, visitId, code, values) {
  const visits = tx.objectStore("visits");
  const kept = await visits.get([personId, visitId]);
  const item = kept?.visit.groups.flatMap((group) => group.items).find((each) => each.code === code);
  if (!item) return;
  Object.assign(item, values);
  await visits.put(kept);
}

/** The next operations to send, oldest first; they are marked as tried, so that a later tap makes one of its own. */
export async function nextOps(personId, most) {
  const tx = (await database).transaction("ops", "readwrite", STRICT);
  const rows = (await tx.store.index("person").getAll(personId)).filter((row) => row.state === "waiting").slice(0, most);
  for (const row of rows) {
    if (!row.tried) await tx.store.put({ ...row, tried: true });
  }
  await tx.done;
  return rows;
}

async function confirm(tx, me, op, result) {
  const key = [op.person_id, op.visit_id, op.code];
  const ops = tx.objectStore("ops");
  await ops.delete(op.seq);
  const own = Object.fromEntries(FIELDS.map((field) => [field, op.body[field]]));
  const seen = result.current ?? { ...own, marked_by: me.name, marked_at: op.body.device_at };
  await settle(tx, op.person_id, op.visit_id, op.code, { ...seen, revision: result.revision });
  const later = await ops.index("item").getAll(key);
  const mark = await tx.objectStore("marks").get(key);
  for (const row of later) await ops.put({ ...row, body: { ...row.body, base_revision: result.revision } });
  if (!mark) return;
  if (later.length || !sameValues(mark, own)) await tx.objectStore("marks").put({ ...mark, base_revision: result.revision });
  else await tx.objectStore("marks").delete(key);
}

async function hold(tx, op, state, more) {
  await tx.objectStore("ops").put({ ...op, tried: true, state, message: more.refused ?? "" });
  const store = tx.objectStore("marks");
  const mark = await store.get([op.person_id, op.visit_id, op.code]);
  if (mark) await store.put({ ...mark, ...more });
}

/** Take in the server's answers to `ops`; what is neither applied nor a duplicate stays on the phone. Resolves to its words on what was applied. */
export async function takeResults(me, ops, results) {
  const tx = (await database).transaction(["visits", "marks", "ops"], "readwrite", STRICT);
  for (const result of results) {
    const op = ops.find((row) => row.body.op_id === result.op_id);
    if (!op) continue;
    if (result.status === "applied" || result.status === "duplicate") await confirm(tx, me, op, result);
    else if (result.status === "conflict") await hold(tx, op, "conflict", { conflict: { revision: result.revision, current: result.current } });
    else await hold(tx, op, "refused", { refused: result.message });
  }
  await tx.done;
  return results.find((result) => result.status === "applied" && result.message)?.message ?? "";
}
