/** clock.js: what time it is, as far as can be known: the phone's clock, set right by the server, never going back. */
const SLACK = 60_000;
const OFF = 120_000;

/** `server`: the latest server time seen; `offset`: server minus phone, at the last contact; `top`: the latest phone time seen since. In ms. */
export const clock = { server: 0, offset: 0, top: 0 };

/** Take over what was kept. */
export function setClock(kept) { Object.assign(clock, kept ?? {}); }

/** The server has said what time it is; returns what is to be kept. */
export function heard(iso, phone = Date.now()) {
  const server = Date.parse(iso);
  if (Number.isFinite(server)) Object.assign(clock, { server: Math.max(clock.server, server), offset: server - phone, top: phone });
  return { ...clock };
}

/** Note the phone's clock; returns what is to be kept. */
export function ticked(phone = Date.now()) {
  clock.top = Math.max(clock.top, phone);
  return { ...clock };
}

/** Whether the phone's clock stands before a time that it, or the server, has shown already. */
export const turnedBack = (phone = Date.now()) => phone < clock.top - SLACK;

/** How many minutes the phone's clock is off, 0 when that is little. */
export const minutesOff = () => (Math.abs(clock.offset) > OFF ? Math.round(Math.abs(clock.offset) / 60_000) : 0);

/** Now, in ms: the phone's clock corrected, at least as late as anything seen. */
export const now = (phone = Date.now()) => Math.max(phone + clock.offset, clock.top + clock.offset, clock.server);
