/** dead.js: the list of dead passes: five bytes a pass, sorted, looked up by halves; changed only by what the server signed. */
import { NotSigned, fromBase64, open, same, sha256 } from "./signed.js";

const WIDTH = 5;
const AAD = "fugong-pass-list-1";
const DAY = /^\d{4}-\d{2}-\d{2}$/;

/** A list that was refused. `reason`: form, signature, older (than the one that is here), digest (what came is not what was signed). */
export class ListRefused extends Error {
  constructor(reason) {
    super(reason);
    this.reason = reason;
  }
}

const compare = (a, i, b, j) => {
  for (let k = 0; k < WIDTH; k += 1) if (a[i + k] !== b[j + k]) return a[i + k] - b[j + k];
  return 0;
};

/** What a list holds of a pass number. */
export const fingerprint = async (number) => (await sha256(new TextEncoder().encode(number))).subarray(0, WIDTH);

/** Whether a sorted list holds a fingerprint. */
export function holds(list, mark) {
  let [low, high] = [0, list.length / WIDTH];
  while (low < high) {
    const middle = (low + high) >> 1;
    const side = compare(list, middle * WIDTH, mark, 0);
    if (side === 0) return true;
    if (side < 0) low = middle + 1; else high = middle;
  }
  return false;
}

function checked(bytes) {
  if (bytes.length % WIDTH) throw new ListRefused("digest");
  for (let i = WIDTH; i < bytes.length; i += WIDTH) if (compare(bytes, i - WIDTH, bytes, i) >= 0) throw new ListRefused("digest");
  return bytes;
}

/** (old ∪ add) \ drop, all sorted, in one pass. */
export function merged(old, add, drop) {
  const out = new Uint8Array(old.length + add.length);
  let [i, j, k, n] = [0, 0, 0, 0];
  while (i < old.length || j < add.length) {
    const side = i >= old.length ? 1 : j >= add.length ? -1 : compare(old, i, add, j);
    const [from, at] = side <= 0 ? [old, i] : [add, j];
    if (side <= 0) i += WIDTH;
    if (side >= 0) j += WIDTH;
    while (k < drop.length && compare(drop, k, from, at) < 0) k += WIDTH;
    if (k < drop.length && compare(drop, k, from, at) === 0) continue;
    out.set(from.subarray(at, at + WIDTH), n);
    n += WIDTH;
  }
  return out.slice(0, n);
}

async function signedHead(token, ring) {
  let said;
  try {
    said = await open(fromBase64(token), ring, AAD);
  } catch (error) {
    throw new ListRefused(error instanceof NotSigned && error.reason === "key" ? "key" : "signature");
  }
  const [version, day, madeAt, expiresAt, count, digest] = [1, 2, 3, 4, 5, 6].map((label) => said.get(label));
  const fine = [version, madeAt, expiresAt, count].every(Number.isSafeInteger) && DAY.test(day) && digest?.length === 32 && said.size === 6;
  if (!fine) throw new ListRefused("form");
  return { version, day, madeAt, expiresAt, count, digest };
}

const older = (next, kept) => next.madeAt < kept.madeAt || next.version < kept.version || next.day < kept.day;

/**
 * The list after `sent` (the bundle's `list`) has come in: `{ bytes, version, day, madeAt, expiresAt, count }`; throws ListRefused and changes nothing.
 * `kept` is the list that is here, or null.
 */
export async function taken(kept, sent, ring) {
  const head = await signedHead(sent.token, ring);
  if (kept && older(head, kept)) throw new ListRefused("older");
  const [add, drop] = [sent.add, sent.drop].map((text) => checked(fromBase64(text ?? "")));
  const bytes = sent.full ? add : merged(kept?.bytes ?? new Uint8Array(0), add, drop);
  if (bytes.length !== head.count * WIDTH || !same(await sha256(bytes), head.digest)) throw new ListRefused("digest");
  const { digest, ...meta } = head;
  return { bytes, ...meta };
}
