/** passage.js: one vehicle at the gate: what was found out about it, and the entry that is kept of it. */
import { now, turnedBack } from "./clock.js";
import { device, dismissed, listTone } from "./device.js";
import { lookAlike, squeezed } from "./plates.js";
import * as recent from "./recent.js";
import { keepEntry, setSettings } from "./store.js";
import { dateOf, t } from "./texts.js";
import { isPaper, judge } from "./verdict.js";
import { Dismissed, request } from "./wire.js";

const PATIENCE_MS = 1500;
const TONES = {
  valid: "green", key: "amber", kind: "amber", locked: "amber", paper: "amber", offlineCode: "amber", offlinePlate: "amber", several: "amber", none: "amber",
};
const BY_STATUS = { valid: "valid", not_yet: "notYet", expired: "expired", hours: "hours", revoked: "revoked", forged: "signature", unknown: "notFound" };
const MOST_HEADS = 99;

/** A vehicle: events "changed" when the server has spoken. `way`: camera, picture, code, plate or none. */
export class Passage extends EventTarget {
  constructor(way, verdict, { code = "", plate = "" } = {}) {
    super();
    Object.assign(this, { way, verdict, code, online: null, matched: null, decided: false, words: "", temperatures: [], heads: 1 });
    this.plate = plate || (this.isVehicle ? squeezed(this.subject) : "");
    this.direction = localStorage.getItem("gate.direction") ?? "in";
  }

  /** What stands in the pass: a plate, or a masked name. */
  get subject() { return this.verdict.claims?.subject ?? this.verdict.subject ?? ""; }
  get isVehicle() { return (this.verdict.kind?.subject ?? "plate") === "plate"; }
  /** Nothing but the server can make sure when the list is too old or the clock was turned back. */
  get unsure() { return this.verdict.status === "valid" && this.online?.status !== "valid" && (listTone() === "red" || turnedBack()); }
  get mismatch() { return this.matched === false; }
  get nearlySame() { return this.mismatch && lookAlike(this.plate, this.subject); }
  get fever() { return this.temperatures.some((degrees) => degrees >= device.rules.fever); }
  get tone() { return this.mismatch || this.fever ? "red" : this.unsure ? "amber" : TONES[this.verdict.reason] ?? "red"; }
  get isClear() { return this.tone === "green"; }

  setDirection(direction) {
    this.direction = direction;
    localStorage.setItem("gate.direction", direction);
  }

  measure(degrees) {
    this.temperatures.push(degrees);
    this.heads = Math.max(this.heads, this.temperatures.length);
  }

  count(more) { this.heads = Math.min(MOST_HEADS, Math.max(this.temperatures.length, this.heads + more)); }

  /** Ask the server in the background; its word is newer than the list and stands. */
  async confirm() {
    const asked = this.verdict.token ? { token: this.verdict.token } : this.code ? { code: this.code } : this.way === "plate" ? { plate: this.plate } : null;
    this.asked = true;
    if (!asked || !navigator.onLine) return false;
    try {
      const answer = await request(device.secret, "POST", "/gate/check", asked, { timeout: PATIENCE_MS });
      if (!this.decided) this.take(answer);
      return true;
    } catch (error) {
      if (error instanceof Dismissed) await dismissed(error.code);
      return false;
    }
  }

  /** Take over what the server says: its word is newer than the list. Why a text is no token of ours stays as the device found it. */
  take(answer) {
    this.online = answer;
    const { verdict } = this;
    const kind = verdict.kind ?? device.kinds.find((each) => each.word === answer.kind) ?? null;
    if (!verdict.claims || answer.status !== verdict.status) {
      const several = (answer.passes?.length ?? 0) > 1 && answer.status !== "valid";
      const ownReason = verdict.status === "forged" && answer.status === "forged";
      this.verdict = { ...verdict, status: answer.status, reason: ownReason ? verdict.reason : several ? "several" : BY_STATUS[answer.status] ?? "notFound", kind, subject: answer.plate ?? "" };
      if (isPaper(kind)) Object.assign(this.verdict, { status: "unknown", reason: "paper" });
    }
    if (!this.plate && this.isVehicle && answer.plate) this.plate = squeezed(answer.plate);
    this.dispatchEvent(new Event("changed"));
  }

  /** The entry as the server wants it. */
  entry(decision, words) {
    const said = [words, turnedBack() ? t("clockBackNote") : ""].filter(Boolean).join(t("semicolon"));
    return {
      client_id: crypto.randomUUID(), at: new Date().toISOString(), direction: this.direction, decision, way: this.way, token: this.verdict.token ?? "", code: this.code,
      plate: this.plate, verdict: this.verdict.status, heads: this.heads, temperatures: [...this.temperatures], words: said.slice(0, 200), offline: !this.online,
      list_version: device.list?.version ?? 0, list_made_at: device.list ? new Date(device.list.madeAt * 1000).toISOString() : "",
    };
  }

  /** Keep the entry; resolves when it is on the disk. */
  async decide(decision, words = "") {
    if (this.decided) return;
    [this.decided, this.lastDecision] = [true, decision];
    const entry = this.entry(decision, words);
    try {
      const counts = counted(entry);
      await keepEntry(entry, counts);
      device.counts = counts;
    } catch (error) {
      this.decided = false;
      throw error;
    }
    if (decision === "pass") {
      device.gate = { ...device.gate, inside: Math.max(0, (device.gate?.inside ?? 0) + (entry.direction === "in" ? entry.heads : -entry.heads)) };
      await setSettings({ gate: device.gate });
    }
    recent.kept(entry);
  }
}

const FRESH = { in: 0, out: 0, turn_back: 0, hand_over: 0 };
/** Today's counts of this device. */
export const todays = () => (device.counts?.day === dateOf(now()) ? device.counts : { day: dateOf(now()), ...FRESH });

function counted({ decision, direction }) {
  const counts = todays();
  const name = decision === "pass" ? direction : decision;
  return { ...counts, [name]: counts[name] + 1 };
}

/** A passage for a scanned code; the verdict is there when it resolves. */
export async function scanned({ text, format }, way) {
  return new Passage(way, await judge(text, format, device, now()));
}

/** A passage for a typed code or plate: only the server can say more. */
export async function byHand(way, text) {
  const verdict = { status: "unknown", reason: way === "code" ? "offlineCode" : "offlinePlate", token: "" };
  const passage = new Passage(way, verdict, way === "code" ? { code: text } : { plate: text });
  await passage.confirm();
  return passage;
}

/** A passage without any pass. */
export const without = (plate) => new Passage("none", { status: "none", reason: "none", token: "" }, { plate });
