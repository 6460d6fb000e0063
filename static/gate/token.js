/** token.js: what a scanned text is, and what a genuine pass token says (workflow/documents/tokens.py is the other side). */
import { NotSigned, open } from "./signed.js";

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const LONGEST = 600;
const [SUB, EXP, NBF, CTI, AREA, KIND] = [2, 4, 5, 7, "a", "k"];
const KINDS = 32; // the kind and 32 times the schedule are signed as one number
const PRINTABLE = /^(?: |[^\p{C}\p{Z}]){1,64}$/u;
const DIGITS = /^[1-9][0-9]{0,17}$/;
const PASS_NUMBER = /^[1-9][0-9]{11}$/;
const AREA_CODE = /^[1-9][0-9]{1,11}$/;
const OURS = /^(?:https?:\/\/[^/?#\s]+\/C\/)?([A-Z2-7]+)$/i;
const SHORTEST = 100; // a signature alone takes 103 characters

/** Bytes of base32 without padding; throws for any spelling but the one. */
export function fromBase32(text) {
  const bytes = new Uint8Array(Math.floor((text.length * 5) / 8));
  let [at, held, bits] = [0, 0, 0];
  for (const letter of text) {
    const value = ALPHABET.indexOf(letter);
    if (value < 0) throw new NotSigned("form");
    held = ((held << 5) | value) & 0xfff;
    bits += 5;
    if (bits >= 8) { bits -= 8; bytes[at++] = (held >> bits) & 0xff; }
  }
  // Left-over bits must be zero, and no more of them than the last byte needed.
  if (bits >= 5 || held & ((1 << bits) - 1)) throw new NotSigned("truncated");
  return bytes;
}

/** What another system's code is: health, jwt, url, barcode or text; such a text is not kept, it may speak of people. */
function foreign(text, format) {
  if (/^(HC|LT|NZCP)\d?:/i.test(text)) return "health";
  if (/^eyJ[\w-]+\.[\w-]*\.[\w-]*$/.test(text)) return "jwt";
  if (format && !/QR/i.test(format)) return "barcode";
  if (/^[a-z][a-z0-9+.-]*:/i.test(text)) return "url";
  return "text";
}

/** Look at a scanned text: `{ token }` when it has the form of ours, else `{ reason }`. */
export function sort(scanned, format = "") {
  const text = scanned.trim();
  if (text.length > 8 * LONGEST) return { reason: "huge" };
  if ((text.match(/\/C\//gi) ?? []).length > 1) return { reason: "doubled", ours: true };
  const match = OURS.exec(text);
  if (!match || (match[1].length < SHORTEST && match[1] === text)) return { reason: /\/C\/[^/]*$/i.test(text) ? "form" : foreign(text, format), ours: /\/C\/[^/]*$/i.test(text) };
  const token = match[1] === text ? text : match[1].toUpperCase(); // an address may have been made lower case on its way
  const half = token.length / 2;
  if (token.length > LONGEST) return { reason: "huge", ours: true };
  if (token.length % 2 === 0 && token.slice(0, half) === token.slice(half)) return { reason: "doubled", token, ours: true };
  if (token.length < SHORTEST) return { reason: "truncated", token, ours: true };
  return { token, ours: true };
}

function number(packed) {
  if (!(packed instanceof Uint8Array) || !packed.length) throw new NotSigned("form");
  if (packed[0] !== 0) {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(packed);
    if (DIGITS.test(text) || !PRINTABLE.test(text)) throw new NotSigned("form");
    return text;
  }
  const text = String(packed.subarray(1).reduce((sum, byte) => sum * 256n + BigInt(byte), 0n));
  if (packed[1] === 0 || !DIGITS.test(text)) throw new NotSigned("form");
  return text;
}

const COUNT = (value) => Number.isSafeInteger(value) && value >= 0;

function claimsOf(said) {
  const apart = said instanceof Map && said.has(AREA);
  if (!(said instanceof Map) || said.size !== (apart ? 6 : 5)) throw new NotSigned("form");
  const [subject, expires, notBefore, kind] = [SUB, EXP, NBF, KIND].map((label) => said.get(label));
  if (typeof subject !== "string" || !PRINTABLE.test(subject) || ![expires, notBefore, kind].every(COUNT) || notBefore >= expires) throw new NotSigned("form");
  const name = number(said.get(CTI));
  const area = apart ? said.get(AREA) : PASS_NUMBER.test(name) ? Number(name.slice(0, 6)) : 0;
  if (!COUNT(area) || !AREA_CODE.test(String(area))) throw new NotSigned("form");
  return { number: name, subject, notBefore, expires, kind: kind % KINDS, schedule: Math.floor(kind / KINDS), area: String(area) };
}

/** The claims of a genuine token, times in seconds; throws NotSigned for anything else. */
export async function verify(token, ring) {
  if (token.length > LONGEST) throw new NotSigned("form");
  try {
    return claimsOf(await open(fromBase32(token), ring));
  } catch (error) {
    throw error instanceof NotSigned ? error : new NotSigned("form");
  }
}
