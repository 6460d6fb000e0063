/** wire.js: talking to the server as a device: its secret in a header, no cookies, and what became of a request. */
const TIMEOUT_MS = 30_000;

/** There was no answer: no signal, the server away, or the connection broken. What was sent may have arrived. */
export class NoAnswer extends Error {}

/** The server no longer knows this device, or no longer lets it in; `code` is "revoked" or "unknown". */
export class Dismissed extends Error {
  constructor(code) {
    super(code);
    this.code = code;
  }
}

/** The server answered with a refusal: `status` and its words. */
export class Refused extends Error {
  constructor(status, body) {
    super(body.message ?? String(status));
    this.status = status;
  }
}

/** One request; resolves to the JSON answer. */
export async function request(secret, method, address, body, { timeout = TIMEOUT_MS } = {}) {
  const headers = { Accept: "application/json", "Accept-Language": document.documentElement.lang === "en" ? "en" : "zh-CN" };
  if (secret) headers.Authorization = `Device ${secret}`;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  let answer;
  let json;
  try {
    answer = await fetch(address, {
      method, headers, body: body === undefined ? undefined : JSON.stringify(body), credentials: "omit", cache: "no-store", redirect: "error", signal: AbortSignal.timeout(timeout),
    });
    json = await answer.json().catch((error) => { if (answer.ok) throw error; return {}; });
  } catch (error) {
    throw new NoAnswer(String(error));
  }
  if (answer.status === 401 && ["revoked", "unknown"].includes(json.code)) throw new Dismissed(json.code);
  if (!answer.ok) throw new Refused(answer.status, json);
  return json;
}
