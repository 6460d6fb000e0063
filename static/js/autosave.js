/**
 * autosave.js: what is typed is kept, on the server while the network lasts and on this device when it does not.
 *
 * A form takes part with data-autosave-url (POST JSON {revision, fields}), data-autosave-revision (the draft's revision that the page was
 * drawn from) and data-autosave-key (names the local copy; give every person and draft one of their own). The server answers
 * 200 {revision, saved_at?} or 409 {revision, fields} when another window was first; only a field that both changed is asked about.
 */
import { readFields, same, writeFields } from "./fields.js";
import { csrfToken, newKey, text } from "./texts.js";

const WAIT_MS = 900;
const BACK_OFF_MS = [2000, 5000, 10000, 30000, 60000];

class Draft {
  constructor(form) {
    this.form = form;
    this.url = form.dataset.autosaveUrl;
    this.storageKey = `fg-draft:${form.dataset.autosaveKey || this.url}`;
    this.revision = Number(form.dataset.autosaveRevision || 0);
    this.box = form.querySelector("[data-autosave-box]");
    this.state = form.querySelector("[data-autosave-state]");
    this.saved = readFields(form);
    this.stale = "autosaveStale" in form.dataset;
    this.failures = 0;
    this.running = false;
    this.halted = false;
    form.addEventListener("input", () => this.changed());
    form.addEventListener("change", () => this.changed());
    form.addEventListener("submit", (event) => this.submitting(event));
    for (const link of document.querySelectorAll("[data-autosave-drop]")) link.addEventListener("click", () => this.giveUp());
    window.addEventListener("online", () => this.flush());
    window.addEventListener("pageshow", () => { this.leaving = false; });
    document.addEventListener("visibilitychange", () => { if (document.visibilityState === "hidden") this.flush(true); });
    this.restore();
  }

  say(words, tone = "") {
    if (this.state) {
      this.state.textContent = words;
      this.state.dataset.tone = tone;
    }
  }

  trouble(yes) {
    this.form.dataset.autosaveTrouble = yes ? "yes" : "no";
  }

  // ---- the local copy -------------------------------------------------------------------------------------------
  keepLocal(fields) {
    try {
      localStorage.setItem(this.storageKey, JSON.stringify({ revision: this.stale ? 0 : this.revision, fields, base: this.saved, at: Date.now() }));
    } catch {
      // No room or no storage: the server copy is then the only one, and trouble() keeps the reader from leaving.
    }
  }

  readLocal() {
    try {
      return JSON.parse(localStorage.getItem(this.storageKey));
    } catch {
      return null;
    }
  }

  dropLocal() {
    try {
      localStorage.removeItem(this.storageKey);
    } catch {
      // As above.
    }
  }

  /** The reader takes what is stored instead of what is typed here. */
  giveUp() {
    this.dropLocal();
    this.trouble(false);
  }

  /** The page shows what was typed and could not be stored: it waits for the reader's choice, here or on coming back. */
  standStale() {
    this.halted = true;
    this.saved = Object.fromEntries(Object.keys(this.saved).map((name) => [name, null]));
    this.keepLocal(readFields(this.form));
    this.trouble(true);
  }

  /** After a reload: take up what never reached the server; ask when the server has moved on meanwhile. */
  restore() {
    if (this.stale) {
      this.standStale();
      return;
    }
    const local = this.readLocal();
    if (!local?.fields) return;
    const mine = { ...this.saved, ...local.fields };
    if (same(mine, this.saved)) this.dropLocal();
    else if (local.revision >= this.revision) {
      writeFields(this.form, mine);
      this.say(text("restored"), "good");
      this.flush();
    } else {
      const theirs = this.saved;
      this.saved = { ...theirs, ...local.base };
      writeFields(this.form, mine);
      this.merge(this.revision, theirs);
    }
  }

  // ---- saving ---------------------------------------------------------------------------------------------------
  changed() {
    this.keepLocal(readFields(this.form));
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.flush(), WAIT_MS);
  }

  /** Send what is not saved yet; one request at a time, and the same key for the same body. */
  async flush(leaving = false) {
    clearTimeout(this.timer);
    const fields = readFields(this.form);
    if (this.halted || this.leaving || this.running || same(fields, this.saved)) return;
    const body = JSON.stringify({ revision: this.revision, fields });
    if (this.body !== body) [this.body, this.key] = [body, newKey()];
    this.running = true;
    if (!leaving) this.say(text("saving"));
    let answer = null;
    try {
      answer = await fetch(this.url, {
        method: "POST",
        credentials: "same-origin",
        redirect: "manual",
        keepalive: leaving,
        headers: { "Content-Type": "application/json", Accept: "application/json", "X-CSRFToken": csrfToken(), "Idempotency-Key": this.key },
        body,
      });
    } catch {
      answer = null;
    }
    this.running = false;
    await this.settle(answer, fields);
    if (this.pending) this.submitAgain();
  }

  /** The form itself is being sent: wait for the save on its way, so that the form carries the newest revision, and start no other. */
  submitting(event) {
    if (navigator.onLine === false) {
      event.preventDefault();
      this.keepLocal(readFields(this.form));
      this.say(text("noNetwork"), "bad");
      return;
    }
    if (!this.running) {
      clearTimeout(this.timer);
      this.leaving = true;
      return;
    }
    event.preventDefault();
    this.pending = { submitter: event.submitter };
  }

  submitAgain() {
    const { submitter } = this.pending;
    this.pending = null;
    if (submitter?.dataset.confirm || this.form.dataset.confirm) this.form.dataset.confirmed = "yes";
    this.form.requestSubmit(submitter ?? undefined);
  }

  async settle(answer, fields) {
    if (answer === null || answer.status >= 500 || answer.status === 429 || answer.status === 408) return this.later(fields);
    if (answer.ok) {
      const data = await answer.json().catch(() => ({}));
      return this.done(data, fields);
    }
    if (answer.status === 409) {
      const data = await answer.json().catch(() => ({}));
      if (data.fields) return this.merge(Number(data.revision), { ...this.saved, ...data.fields });
    }
    const signedOut = answer.type === "opaqueredirect" || answer.status === 401 || answer.status === 403;
    this.keepLocal(fields);
    this.trouble(true);
    return this.say(text(signedOut ? "signedOut" : "failed"), "bad");
  }

  done(data, fields) {
    this.setRevision(Number(data.revision ?? this.revision));
    this.saved = fields;
    this.failures = 0;
    this.trouble(false);
    const now = new Date().toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit", timeZone: "Asia/Shanghai" });
    this.say(text("saved", { time: data.saved_at ?? now }), "good");
    if (same(readFields(this.form), fields)) this.dropLocal();
    else this.changed();
  }

  later(fields) {
    this.keepLocal(fields);
    this.trouble(true);
    this.say(text("offline"), "bad");
    const wait = BACK_OFF_MS[Math.min(this.failures, BACK_OFF_MS.length - 1)];
    this.failures += 1;
    this.timer = setTimeout(() => this.flush(), wait);
  }

  setRevision(revision) {
    this.revision = revision;
    this.form.dataset.autosaveRevision = String(revision);
    for (const input of this.form.querySelectorAll('input[name="revision"]')) input.value = String(revision);
  }

  // ---- two windows ----------------------------------------------------------------------------------------------
  /** Somebody saved `theirs` as `revision`: each field's newer value wins, and the reader is asked only where both changed one field. */
  merge(revision, theirs) {
    const [base, mine] = [this.saved, readFields(this.form)];
    const clashes = Object.keys(mine).some((name) => ![base[name], theirs[name]].some((one) => same(one, mine[name])) && !same(base[name], theirs[name]));
    if (clashes) return this.choose(revision, theirs);
    const merged = Object.fromEntries(Object.keys(mine).map((name) => [name, same(mine[name], base[name]) ? theirs[name] : mine[name]]));
    this.setRevision(revision);
    this.saved = theirs;
    if (!same(merged, mine)) writeFields(this.form, merged);
    if (!same(merged, theirs)) return this.flush();
    this.dropLocal();
    this.trouble(false);
    return this.say(text("saved", { time: "" }).trim(), "good");
  }

  /** Another window saved `theirs` as `revision`: nothing is sent until the reader has chosen. */
  choose(revision, theirs) {
    this.halted = true;
    this.keepLocal(readFields(this.form));
    this.trouble(true);
    this.say(text("conflict"), "bad");
    const panel = document.createElement("div");
    panel.className = "fg-autosave__choice";
    panel.setAttribute("role", "alert");
    const words = document.createElement("p");
    words.textContent = text("conflictWords");
    const buttons = document.createElement("div");
    buttons.className = "fg-buttons";
    const settle = (mine) => {
      panel.remove();
      this.halted = false;
      this.setRevision(revision);
      this.saved = theirs;
      if (mine) return this.flush();
      writeFields(this.form, theirs);
      this.dropLocal();
      this.trouble(false);
      return this.say(text("saved", { time: "" }).trim(), "good");
    };
    for (const [name, mine] of [["useMine", true], ["useTheirs", false]]) {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "btn fg-btn";
      button.dataset.autosaveChoice = mine ? "mine" : "theirs";
      button.textContent = text(name);
      button.addEventListener("click", () => settle(mine));
      buttons.append(button);
    }
    panel.append(words, buttons);
    this.box?.querySelector(".fg-autosave__choice")?.remove();
    (this.box ?? this.form).append(panel);
  }
}

for (const form of document.querySelectorAll("form[data-autosave-url]")) new Draft(form);
