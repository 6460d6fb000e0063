/**
 * upload.js: files go up one after another with progress, cancel and retries, then the slot is drawn anew.
 *
 * A file input takes part with data-upload-url inside a [data-upload-slot]; data-upload-max is the limit in bytes; data-upload-drop marks
 * where files may be dropped. Each file is one multipart POST (field "file"), retried with the SAME Idempotency-Key, so a lost reply makes
 * no second version. The answer is JSON {html}, the new slot; a refusal is JSON {error} with a 4xx status.
 */
import { csrfToken, newKey, text } from "./texts.js";

const RETRIES = 3;
const BACK_OFF_MS = [1000, 3000, 8000];
const queues = new Map();

const slotOf = (key) => document.querySelector(`[data-upload-slot="${CSS.escape(key)}"]`);

function megabytes(bytes) {
  return `${Math.round((bytes / 1048576) * 10) / 10} MB`;
}

/** The row that shows one file on its way. */
class Row {
  constructor(item) {
    this.item = item;
    this.element = document.createElement("li");
    this.element.className = "fg-upload-row";
    const words = document.createElement("div");
    words.className = "fg-upload-row__words";
    const name = document.createElement("span");
    name.className = "fg-upload-row__name";
    name.textContent = item.file.name;
    this.bar = document.createElement("progress");
    this.bar.max = 100;
    this.bar.value = 0;
    this.bar.setAttribute("aria-label", item.file.name);
    this.state = document.createElement("span");
    this.state.className = "fg-upload-row__state";
    this.state.setAttribute("role", "status");
    this.button = document.createElement("button");
    this.button.type = "button";
    this.button.className = "btn fg-btn";
    words.append(name, this.bar, this.state);
    this.element.append(words, this.button);
    this.wait();
  }

  act(label, action) {
    this.button.textContent = label;
    this.button.onclick = action;
  }

  wait() {
    this.say(text("uploadWaiting"));
    this.bar.hidden = false;
    this.bar.value = 0;
    this.act(text("uploadCancel"), () => this.item.cancel());
  }

  say(words, tone = "") {
    this.state.textContent = words;
    this.element.dataset.tone = tone;
  }

  progress(percent) {
    this.bar.value = percent;
    this.say(percent >= 100 ? text("uploadChecking") : text("uploadSending", { percent: `${percent}%` }));
  }

  /** Not sent; `again` is what the button then does (none: it puts the row away). */
  fail(words, again) {
    this.say(words, "bad");
    this.bar.hidden = true;
    if (again) this.act(text("uploadAgain"), again);
    else this.act(text("uploadDismiss"), () => this.item.forget());
  }
}

/** One file, its key and its tries. */
class Item {
  constructor(queue, file, input) {
    this.queue = queue;
    this.file = file;
    this.url = input.dataset.uploadUrl;
    this.limit = Number(input.dataset.uploadMax || 0);
    this.key = newKey();
    this.row = new Row(this);
    this.cancelled = false;
  }

  /** Words against this file that need no server, or "". */
  objection() {
    if (this.file.size === 0) return text("uploadEmpty");
    if (this.limit && this.file.size > this.limit) return text("uploadTooBig", { limit: megabytes(this.limit) });
    return "";
  }

  cancel() {
    this.cancelled = true;
    this.request?.abort();
    this.row.fail(text("uploadCancelled"), () => this.again());
  }

  again() {
    this.cancelled = false;
    this.row.wait();
    this.queue.add(this);
  }

  forget() {
    this.row.element.remove();
    this.queue.show();
  }

  /** One try; resolves to {status, data}, with status 0 when the network failed or the reader cancelled. */
  send() {
    return new Promise((resolve) => {
      const request = new XMLHttpRequest();
      this.request = request;
      const body = new FormData();
      body.append("file", this.file, this.file.name);
      request.open("POST", this.url);
      request.responseType = "json";
      request.setRequestHeader("Accept", "application/json");
      request.setRequestHeader("X-CSRFToken", csrfToken());
      request.setRequestHeader("Idempotency-Key", this.key);
      request.upload.onprogress = (event) => {
        if (event.lengthComputable && !this.cancelled) this.row.progress(Math.floor((event.loaded / event.total) * 100));
      };
      request.onloadend = () => resolve({ status: request.status, data: request.response ?? {} });
      request.send(body);
    });
  }

  /** All tries; resolves to the new slot's HTML, or null when the file did not arrive. */
  async run() {
    for (let attempt = 0; attempt <= RETRIES && !this.cancelled; attempt += 1) {
      const { status, data } = await this.send();
      if (this.cancelled) return null;
      if (status >= 200 && status < 300 && data.html) return data.html;
      const passing = status === 0 || status >= 500 || status === 408 || status === 429;
      if (!passing) return this.refused(status, data);
      if (attempt === RETRIES) break;
      this.row.say(text("uploadRetrying", { attempt: attempt + 1 }));
      await new Promise((resolve) => { setTimeout(resolve, BACK_OFF_MS[attempt]); });
    }
    if (!this.cancelled) this.row.fail(text("uploadFailed"), () => this.again());
    return null;
  }

  refused(status, data) {
    if (status === 413) this.row.fail(data.error || text("uploadTooBig", { limit: megabytes(this.limit || this.file.size) }));
    else if (status < 400 || status === 401 || status === 403) this.row.fail(data.error || text("uploadSignedOut"), () => this.again());
    else this.row.fail(data.error || text("uploadFailed"));
    return null;
  }
}

/** The files of one slot. It outlives the slot's element, which every answer replaces. */
class Queue {
  constructor(key) {
    this.key = key;
    this.waiting = [];
    this.running = false;
  }

  add(item) {
    if (!item.row.element.isConnected) this.list()?.append(item.row.element);
    this.show();
    const objection = item.objection();
    if (objection) {
      item.row.fail(objection);
      return;
    }
    this.waiting.push(item);
    if (!this.running) this.run();
  }

  async run() {
    this.running = true;
    while (this.waiting.length > 0) {
      const item = this.waiting.shift();
      if (item.cancelled) continue;
      const html = await item.run();
      if (html !== null) this.replace(html, item);
    }
    this.running = false;
  }

  list() {
    return slotOf(this.key)?.querySelector("[data-upload-list]");
  }

  show() {
    const list = this.list();
    if (list) list.hidden = list.childElementCount === 0;
  }

  /** Draw the slot from the answer; the rows still on their way move over to it. */
  replace(html, item) {
    const old = slotOf(this.key);
    const had = old.contains(document.activeElement);
    const rows = [...(this.list()?.children ?? [])].filter((row) => row !== item.row.element);
    const template = document.createElement("template");
    template.innerHTML = html;
    const fresh = template.content.querySelector("[data-upload-slot]");
    old.replaceWith(fresh);
    this.list()?.append(...rows);
    this.show();
    if (had) fresh.querySelector("[data-upload-url]")?.focus();
    fresh.dispatchEvent(new CustomEvent("fg:uploaded", { bubbles: true, detail: { slot: this.key } }));
  }
}

function enqueue(input, files) {
  const key = input.closest("[data-upload-slot]").dataset.uploadSlot;
  if (!queues.has(key)) queues.set(key, new Queue(key));
  const chosen = input.multiple ? [...files] : [...files].slice(0, 1);
  for (const file of chosen) queues.get(key).add(new Item(queues.get(key), file, input));
}

document.addEventListener("change", (event) => {
  const input = event.target;
  if (!input.matches?.("input[type=file][data-upload-url]") || input.files.length === 0) return;
  enqueue(input, input.files);
  input.value = "";
});

for (const name of ["dragenter", "dragover", "dragleave", "drop"]) {
  document.addEventListener(name, (event) => {
    const zone = event.target.closest?.("[data-upload-drop]");
    if (!zone || !event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    zone.classList.toggle("fg-upload--over", name === "dragenter" || name === "dragover");
    if (name === "drop") enqueue(zone.querySelector("[data-upload-url]"), event.dataTransfer.files);
  });
}
