/**
 * signed.js: verifies what the server signed: COSE_Sign1 (RFC 9052) with Ed25519, over canonical CBOR and nothing else.
 *
 * The same strictness as workflow/documents/tokens.py: one spelling only. The browser's own Ed25519 where there is one, else the vendored library's.
 */
import { decode, encode, rfc8949EncodeOptions } from "../vendor/cborg.js";

const TAG = 0xd2; // CBOR tag 18: COSE_Sign1
const [ALG, KID, EDDSA] = [1, 4, -8];
const KID_BYTES = 4;
const SIGNATURE_BYTES = 64;
const NOTHING = new Uint8Array(0);
const STRICT = { useMaps: true, strict: true, rejectDuplicateMapKeys: true, allowIndefinite: false, allowUndefined: false };

/** Not something that one of the keys signed. `reason`: form, truncated, alg, key (signed with a key that is not here), signature. */
export class NotSigned extends Error {
  constructor(reason) {
    super(reason);
    this.reason = reason;
  }
}

export const same = (a, b) => a.length === b.length && a.every((byte, i) => byte === b[i]);
export const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
export const fromBase64 = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
export const sha256 = async (bytes) => new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));

/** One canonical CBOR item that fills `bytes` exactly. */
export function canonical(bytes) {
  let item;
  let again;
  try {
    item = decode(bytes, STRICT);
    again = encode(item, rfc8949EncodeOptions);
  } catch (error) {
    throw new NotSigned(/not enough|too few|unexpected end/i.test(error.message) ? "truncated" : "form");
  }
  if (!same(again, bytes)) throw new NotSigned("form");
  return item;
}

function parts(bytes) {
  if (bytes[0] !== TAG) throw new NotSigned("form");
  const message = canonical(bytes.subarray(1));
  if (!Array.isArray(message) || message.length !== 4) throw new NotSigned("form");
  const [header, unprotected, payload, signature] = message;
  if (!(unprotected instanceof Map) || unprotected.size) throw new NotSigned("form");
  if (![header, payload, signature].every((part) => part instanceof Uint8Array) || signature.length !== SIGNATURE_BYTES) throw new NotSigned("form");
  return { header, payload, signature };
}

function kidIn(header) {
  const said = canonical(header);
  if (!(said instanceof Map) || said.size !== 2 || !said.has(ALG) || !(said.get(KID) instanceof Uint8Array)) throw new NotSigned("form");
  if (said.get(ALG) !== EDDSA) throw new NotSigned("alg");
  if (said.get(KID).length !== KID_BYTES) throw new NotSigned("form");
  return hex(said.get(KID));
}

let own; // whether the browser can do Ed25519, found out once
const ownEd25519 = () => (own ??= crypto.subtle.generateKey("Ed25519", false, ["sign", "verify"]).then(() => true, () => false));

/** Say no to the browser's own Ed25519, or find out again (for tests). */
export function useOwn(whether) { own = whether === undefined ? undefined : Promise.resolve(whether); }

/** The keys of a JWK set, ready to verify, by `kid`; what is no Ed25519 key is left out. */
export async function keyring(jwks) {
  const ring = new Map();
  const native = await ownEd25519();
  for (const { kid, kty, crv, x } of jwks?.keys ?? []) {
    if (kty !== "OKP" || crv !== "Ed25519" || typeof x !== "string") continue;
    const raw = fromBase64(x);
    ring.set(kid, native ? await crypto.subtle.importKey("raw", raw, "Ed25519", false, ["verify"]) : raw);
  }
  return ring;
}

async function verifies(key, signature, message) {
  if (!(key instanceof Uint8Array)) return crypto.subtle.verify("Ed25519", key, signature, message);
  const library = await import("../vendor/ed25519.js");
  return library.verifyAsync(signature, message, key, { zip215: false }).catch(() => false);
}

/** The payload of a genuine message, decoded; throws NotSigned otherwise. `aad` is the text that is signed beside it. */
export async function open(bytes, ring, aad = "") {
  const { header, payload, signature } = parts(bytes);
  const key = ring.get(kidIn(header));
  if (!key) throw new NotSigned("key");
  const beside = aad ? new TextEncoder().encode(aad) : NOTHING;
  const message = encode(["Signature1", header, beside, payload], rfc8949EncodeOptions);
  if (!(await verifies(key, signature, message))) throw new NotSigned("signature");
  return canonical(payload);
}
