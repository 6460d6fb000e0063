/** verdict.js: what the device says of a scanned text, off-line: forged, signed by a key that is not here, dead, not in its days or hours, valid. */
import { fingerprint, holds } from "./dead.js";
import { NotSigned } from "./signed.js";
import { sort, verify } from "./token.js";

const DAY_MINUTES = 24 * 60;
const SHANGHAI = 8 * 3_600_000; // no summer time since 1991
const minutes = (text) => Number(text.slice(0, 2)) * 60 + Number(text.slice(3, 5));

/** Whether `at` (ms) lies in the weekly hours; those over midnight belong to the day on which they begin. */
export function admits(schedule, at) {
  const local = new Date(at + SHANGHAI);
  const day = local.getUTCDay() || 7;
  const minute = local.getUTCHours() * 60 + local.getUTCMinutes();
  const [opens, closes] = [minutes(schedule.from), minutes(schedule.until)];
  if (opens < closes) return schedule.days.includes(day) && minute >= opens && minute < Math.min(closes, DAY_MINUTES);
  return (schedule.days.includes(day) && minute >= opens) || (schedule.days.includes(day - 1 || 7) && minute < closes);
}

/** Whether a kind is a notice or sheet, which only carries a token of the same make. */
export const isPaper = (kind) => kind?.subject === "paper";

const SIGNED_WRONG = { key: ["unknown", "key"], alg: ["forged", "alg"], truncated: ["forged", "truncated"], form: ["forged", "form"], signature: ["forged", "signature"] };

async function read(token, ring) {
  try {
    return { claims: await verify(token, ring) };
  } catch (error) {
    if (!(error instanceof NotSigned)) throw error;
    const [status, reason] = SIGNED_WRONG[error.reason] ?? ["forged", "form"];
    return { status, reason };
  }
}

function inTime(claims, schedule, at) {
  if (at < claims.notBefore * 1000) return { status: "not_yet", reason: "notYet" };
  if (at >= claims.expires * 1000) return { status: "expired", reason: "expired" };
  return admits(schedule, at) ? { status: "valid", reason: "valid" } : { status: "hours", reason: "hours" };
}

/**
 * The verdict on a scanned text: `{ status, reason, token, claims, kind, schedule }`; `status` is one of the server's VERDICTS.
 * `known` is what the device holds: `ring`, `list`, `kinds`, `schedules`; `at` the time in ms.
 */
export async function judge(scanned, format, known, at) {
  const { token = "", reason: odd, ours } = sort(scanned, format);
  if (odd) return { status: ours ? "forged" : "unknown", reason: odd, token: ours ? token : "" };
  if (!known.ring.size || !known.list) return { status: "unknown", reason: "locked", token };
  const { claims, ...wrong } = await read(token, known.ring);
  if (!claims) return { ...wrong, token };
  const kind = known.kinds.find((each) => each.number === claims.kind);
  const schedule = known.schedules.find((each) => each.number === claims.schedule);
  const found = { token, claims, kind, schedule };
  if (holds(known.list.bytes, await fingerprint(claims.number))) return { ...found, status: "revoked", reason: "revoked" };
  if (!kind || !schedule) return { ...found, status: "unknown", reason: "kind" };
  if (isPaper(kind)) return { ...found, status: "unknown", reason: "paper" };
  return { ...found, ...inTime(claims, schedule, at) };
}
