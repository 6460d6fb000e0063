/** papers.js: signatures and the prepared conclusion, kept until the server has confirmed them. */
import { database, STRICT } from "./store.js";

async function put(store, row) {
  const tx = (await database).transaction(store, "readwrite", STRICT);
  await tx.store.put(row);
  await tx.done;
}

/** Keep a signature or a refusal of one party: company, lead or second. */
export function keepSignature(personId, visitId, party, { status, name, post = "", image = "", reason = "" }) {
  const at = new Date().toISOString();
  const row = { person_id: personId, visit_id: visitId, party, op_id: crypto.randomUUID(), status, name, post, image, reason, device_at: at, state: "waiting", message: "" };
  return put("signatures", row);
}

/** Keep the conclusion; it is sent when everything else of the visit is there. */
export function keepConclusion(personId, visit, { action, words, rectify_by_on }) {
  const at = new Date().toISOString();
  const row = { person_id: personId, visit_id: visit.id, op_id: crypto.randomUUID(), action, words, rectify_by_on, case_version: visit.case_version, device_at: at, state: "waiting", message: "", reasons: [] };
  return put("conclusions", row);
}

/** Change the state of a signature or conclusion, if it is still the one with this op_id. */
export async function updatePaper(store, row, patch) {
  const tx = (await database).transaction(store, "readwrite", STRICT);
  const key = store === "signatures" ? [row.person_id, row.visit_id, row.party] : [row.person_id, row.visit_id];
  const kept = await tx.store.get(key);
  if (kept?.op_id === row.op_id) await tx.store.put({ ...kept, ...patch });
  await tx.done;
}

/** Withdraw a conclusion that was not sent. */
export async function dropConclusion(personId, visitId) {
  await (await database).delete("conclusions", [personId, visitId]);
}

/** Withdraw a signature that was not sent. */
export async function dropSignature(personId, visitId, party) {
  await (await database).delete("signatures", [personId, visitId, party]);
}

/** Signatures and conclusions that wait to be sent. */
export async function waitingPapers(store, personId) {
  const rows = await (await database).getAllFromIndex(store, "person", personId);
  return rows.filter((row) => row.state === "waiting");
}

/** Everything that is kept of a visit as one JSON file, photos as base64: the way out when the server no longer takes it. */
export async function exported(personId, visitId, kept) {
  const db = await database;
  const key = [personId, visitId];
  const of = (name) => db.getAllFromIndex(name, "visit", key);
  const photos = await Promise.all((await of("photos")).map(async ({ thumb, ...photo }) => {
    const bytes = await db.get("bytes", photo.client_id);
    return { ...photo, base64: bytes ? base64(bytes) : "" };
  }));
  const [marks, ops, signatures] = await Promise.all([of("marks"), of("ops"), of("signatures")]);
  const conclusion = (await db.get("conclusions", key)) ?? null;
  return { exported_at: new Date().toISOString(), visit: kept.visit, marks, ops, photos, signatures, conclusion };
}

function base64(buffer) {
  const bytes = new Uint8Array(buffer);
  let text = "";
  for (let start = 0; start < bytes.length; start += 0x8000) text += String.fromCharCode(...bytes.subarray(start, start + 0x8000));
  return btoa(text);
}
