/** photos.js: photos from the camera or the gallery: made small, hashed over the very bytes that are sent, and kept until the server has them. */
import { database, STRICT } from "./store.js";

const LONG_SIDE = 2000;
const THUMB_SIDE = 240;
const QUALITY = 0.8;
const PLACE_TIMEOUT_MS = 8000;
/** A photo waits this long before it is sent, so that its caption and place can go with it. */
export const HOLD_MS = 10_000;

async function jpeg(picture, longSide) {
  const scale = Math.min(1, longSide / Math.max(picture.width, picture.height));
  const width = Math.max(1, Math.round(picture.width * scale));
  const height = Math.max(1, Math.round(picture.height * scale));
  const canvas = globalThis.OffscreenCanvas ? new OffscreenCanvas(width, height) : Object.assign(document.createElement("canvas"), { width, height });
  canvas.getContext("2d").drawImage(picture, 0, 0, width, height);
  const options = { type: "image/jpeg", quality: QUALITY };
  return canvas.convertToBlob ? canvas.convertToBlob(options) : new Promise((resolve) => canvas.toBlob(resolve, options.type, options.quality));
}

/** The blob to send and a small one to show; a picture that this browser can't read (HEIC on many) goes as it is, without a small one. */
async function prepare(file) {
  let picture;
  try {
    picture = await createImageBitmap(file, { imageOrientation: "from-image" });
  } catch {
    return { blob: file, thumb: null };
  }
  const blob = await jpeg(picture, LONG_SIDE);
  const thumb = await jpeg(picture, THUMB_SIDE);
  picture.close();
  return { blob, thumb: await thumb.arrayBuffer() };
}

/** SHA-256 of bytes, in hexadecimal. */
export async function sha256(bytes) {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

const rounded = (degrees) => (Math.round(degrees * 1000) / 1000).toFixed(3);

/** Where the phone is, to about 100 m: `lat,lon`, or `refused`, or `unavailable`. */
export function findPlace(allowed) {
  if (!allowed) return Promise.resolve("refused");
  if (!navigator.geolocation) return Promise.resolve("unavailable");
  return new Promise((resolve) => {
    navigator.geolocation.getCurrentPosition(
      ({ coords }) => resolve(`${rounded(coords.latitude)},${rounded(coords.longitude)}`),
      (error) => resolve(error.code === error.PERMISSION_DENIED ? "refused" : "unavailable"),
      { timeout: PLACE_TIMEOUT_MS, maximumAge: 60_000 },
    );
  });
}

/** A photo that weighs more than the server takes. */
export class TooLarge extends Error {}

/** Keep one picture of an item (or of the place, with an empty code); resolves when it is on the disk. */
export async function keep(personId, visitId, code, file, { source, maxBytes }) {
  const takenAt = new Date().toISOString();
  const { blob, thumb } = await prepare(file);
  if (blob.size > maxBytes) throw new TooLarge();
  const bytes = await blob.arrayBuffer();
  const photo = {
    client_id: crypto.randomUUID(), person_id: personId, visit_id: visitId, code, caption: "", type: blob.type || "application/octet-stream",
    size: bytes.byteLength, sha256: await sha256(bytes), taken_at: takenAt, held_until: Date.now() + HOLD_MS, source, place: "unavailable", thumb, state: "waiting", tries: 0, taken_back: false, message: "",
  };
  const tx = (await database).transaction(["photos", "bytes"], "readwrite", STRICT);
  tx.objectStore("photos").put(photo);
  tx.objectStore("bytes").put(bytes, photo.client_id);
  await tx.done;
  return photo;
}

/** Change a photo's own words or state, as long as it is still kept. */
export async function update(clientId, patch) {
  const tx = (await database).transaction("photos", "readwrite", STRICT);
  const photo = await tx.store.get(clientId);
  if (photo) await tx.store.put({ ...photo, ...patch });
  await tx.done;
}

async function drop(clientId) {
  const tx = (await database).transaction(["photos", "bytes"], "readwrite", STRICT);
  tx.objectStore("photos").delete(clientId);
  tx.objectStore("bytes").delete(clientId);
  await tx.done;
}

/** Delete a photo that was never sent, or ask the server to take it back. `remote` is one that only the server has. */
export async function remove(personId, visitId, photo) {
  const kept = await (await database).get("photos", photo.client_id);
  if (kept && kept.state !== "sent" && kept.tries === 0) await drop(photo.client_id);
  else if (kept) await update(photo.client_id, { state: "waiting", taken_back: true });
  else {
    const row = { ...photo, person_id: personId, visit_id: visitId, thumb: null, state: "waiting", tries: 1, taken_back: true, message: "" };
    await (await database).put("photos", row);
  }
}

/** The server has a photo: its bytes may leave the phone, the small picture stays. */
export async function finished(clientId) {
  const tx = (await database).transaction(["photos", "bytes"], "readwrite", STRICT);
  const photo = await tx.objectStore("photos").get(clientId);
  if (photo && !photo.taken_back) tx.objectStore("photos").put({ ...photo, state: "sent", message: "" });
  tx.objectStore("bytes").delete(clientId);
  await tx.done;
}

/** A photo was taken back: nothing of it stays on the phone. */
export const takenBack = drop;

/** The photos that have something to be sent of by now, oldest first; `hurried` ones too that are still held back. */
export async function waiting(personId, hurried) {
  const photos = await (await database).getAllFromIndex("photos", "person", personId);
  const due = (photo) => hurried || photo.taken_back || photo.held_until <= Date.now();
  return photos.filter((photo) => photo.state === "waiting" && due(photo)).sort((a, b) => a.taken_at.localeCompare(b.taken_at));
}

/** The bytes of a photo. */
export const bytesOf = async (clientId) => (await database).get("bytes", clientId);

/** What is shown of a visit: photos of this phone and those that only the server has, without the ones taken back. */
export function shown(visit, own) {
  const here = new Map(own.map((photo) => [photo.client_id, photo]));
  const remote = visit.photos.filter((photo) => !here.has(photo.client_id)).map((photo) => ({ ...photo, remote: true }));
  return [...own, ...remote].filter((photo) => !photo.taken_back);
}
