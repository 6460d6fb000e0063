/** wire.js: talking to the server: one request, its token and key, and what became of it. */
const JSON_TIMEOUT_MS = 30_000;
const FILE_TIMEOUT_MS = 180_000;

/** There was no answer: no signal, the server away, or the connection broken. What was sent may have arrived. */
export class NoAnswer extends Error {}

/** The sign-in has expired, or the token with it. */
export class SignedOut extends Error {}

/** The server answered with a refusal: `status`, and `body` with its words. */
export class Refused extends Error {
  constructor(status, body) {
    super(body.message ?? body.error ?? String(status));
    this.status = status;
    this.reasons = body.reasons ?? [];
  }

  /** Whether asking again later may help. */
  get passes() { return this.status === 429 || this.status >= 500; }
}

let token = "";
/** Use this CSRF token from now on. */
export function setToken(csrf) { token = csrf; }

/** One request; resolves to the JSON answer. Bodies are JSON unless they are bytes. */
export async function request(method, address, body, headers = {}) {
  const isBytes = body instanceof ArrayBuffer;
  const all = { Accept: "application/json", ...headers };
  if (method !== "GET") Object.assign(all, { "X-CSRFToken": token, "Idempotency-Key": crypto.randomUUID() });
  if (body !== undefined && !isBytes) all["Content-Type"] = "application/json";
  let answer;
  let json;
  try {
    answer = await fetch(address, {
      method, headers: all, body: body === undefined || isBytes ? body : JSON.stringify(body), credentials: "same-origin", cache: "no-store", redirect: "manual",
      signal: AbortSignal.timeout(isBytes ? FILE_TIMEOUT_MS : JSON_TIMEOUT_MS),
    });
    json = await answer.json().catch((error) => { if (answer.ok) throw error; return {}; });
  } catch (error) {
    throw new NoAnswer(String(error));
  }
  if (answer.type === "opaqueredirect" || answer.status === 401) throw new SignedOut();
  if (!answer.ok) throw new Refused(answer.status, json);
  return json;
}

/** Post a form of the site's own pages, which answer with a redirect. */
export async function sendForm(address, fields) {
  const headers = { "X-CSRFToken": token, "Idempotency-Key": crypto.randomUUID() };
  const answer = await fetch(address, { method: "POST", headers, body: new URLSearchParams(fields), credentials: "same-origin", redirect: "manual" });
  if (answer.type !== "opaqueredirect") throw new NoAnswer(String(answer.status));
}
