/** device.js: the device as it stands: who it is, what it knows, how old that is; loaded once, changed by the sync. */
import { clock, heard, now, setClock, ticked } from "./clock.js";
import { ListRefused, taken } from "./dead.js";
import { keyring } from "./signed.js";
import * as store from "./store.js";

const RULES = { fever: 37.3, amber_hours: 4, red_hours: 24, wipe_hours: 72 };
const HOUR = 3_600_000;

/** What the page reads; `list` and `ring` are empty when nothing can be checked. */
export const device = Object.assign(new EventTarget(), { secret: "", me: null, gate: null, ring: new Map(), jwks: null, keysDigest: "", kinds: [], schedules: [], rules: RULES, list: null, refusal: "", farewell: null, counts: null });

const told = () => device.dispatchEvent(new Event("changed"));

/** Read everything from the store. */
export async function load() {
  const kept = await store.settings();
  setClock(kept.clock);
  Object.assign(device, {
    secret: kept.secret ?? "", me: kept.me ?? null, gate: kept.gate ?? null, jwks: kept.jwks ?? null, keysDigest: kept.keys_digest ?? "", kinds: kept.kinds ?? [],
    schedules: kept.schedules ?? [], rules: { ...RULES, ...kept.rules }, list: kept.list ?? null, farewell: kept.farewell ?? null, counts: kept.counts ?? null, contactAt: kept.contact_at ?? 0,
  });
  device.ring = await keyring(device.jwks);
  told();
}

/** Become the device that the server has enrolled. */
export async function enrolled(answer) {
  const at = heard(answer.now);
  await store.setSettings({ secret: answer.secret, me: answer.device, gate: answer.gate, clock: at, contact_at: clock.server, farewell: undefined });
  await load();
}

/** The seconds since the list was made, or null when there is none. */
export const listAge = () => (device.list ? Math.max(0, Math.floor(now() / 1000) - device.list.madeAt) : null);

/** none, fresh, amber or red. */
export function listTone() {
  const age = listAge();
  if (age === null) return "none";
  const hours = age / 3600;
  return hours >= device.rules.red_hours ? "red" : hours >= device.rules.amber_hours ? "amber" : "fresh";
}

const sentAddress = ({ list, keysDigest }, whole) => `/gate/bundle?version=${whole || !list ? 0 : list.version}&day=${whole || !list ? "" : list.day}&keys=${encodeURIComponent(keysDigest)}`;
/** Where to ask for what is new since the last time; `whole` for the whole list. */
export const bundleAddress = (whole) => sentAddress(device, whole);

/** Take in a bundle; returns whether the whole list must be asked for, since what came does not fit what is here. */
export async function takeBundle(bundle) {
  const jwks = bundle.keys?.keys ? bundle.keys : device.jwks;
  const ring = bundle.keys?.keys ? await keyring(jwks) : device.ring;
  const values = {
    me: bundle.device ?? device.me, gate: bundle.gate, jwks, keys_digest: bundle.keys_digest ?? "", kinds: bundle.kinds ?? device.kinds,
    schedules: bundle.schedules ?? device.schedules, rules: bundle.rules ?? device.rules, clock: heard(bundle.now), contact_at: clock.server,
  };
  let refused = "";
  try {
    values.list = await taken(device.list, bundle.list, ring);
  } catch (error) {
    if (!(error instanceof ListRefused)) throw error;
    refused = error.reason;
  }
  await store.setSettings(values);
  const { list = device.list, keys_digest: keysDigest, clock: _clock, contact_at: contactAt, ...rest } = values;
  Object.assign(device, rest, { list, keysDigest, contactAt, ring, refusal: refused });
  told();
  return refused === "digest" && !bundle.list.full;
}

/** After too long without the server: no more checking; keys and list go. Returns whether that has happened. */
export async function aged() {
  if (!device.secret || !device.contactAt || now() - device.contactAt < device.rules.wipe_hours * HOUR) return false;
  if (device.list || device.ring.size) {
    await store.setSettings({ list: undefined, jwks: undefined, keys_digest: undefined });
    Object.assign(device, { list: null, jwks: null, keysDigest: "", ring: new Map() });
    told();
  }
  return true;
}

/** The server has dismissed the device: everything goes; entries only when it was revoked. */
export async function dismissed(code) {
  const left = await store.entryCount();
  const all = code === "revoked";
  const farewell = { code, left, gate: device.gate?.name ?? "", at: new Date().toISOString() };
  await store.wipe({ leave: { farewell, clock: { ...clock } }, all });
  await load();
}

/** Keep what the phone's clock shows now and then. */
export async function noteClock() {
  await store.setSettings({ clock: ticked() });
}
