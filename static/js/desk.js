/** desk.js: the conveniences of the queue and of the pass desk: fold the conditions on a phone, tick a whole page, and word of what changed meanwhile. */

const EVERY = 30_000;

const fold = document.querySelector("[data-fold]");
if (fold && window.matchMedia("(max-width: 47.99em)").matches) fold.open = false;

const form = document.querySelector("form[data-many]");
const boxes = () => Array.from(form?.querySelectorAll('input[name="case"], input[name="pass"]') ?? []);
const whole = form?.querySelector("[data-tick-all] input");
const words = form?.querySelector("[data-ticked]");

function tell() {
  const ticked = boxes().filter((box) => box.checked).length;
  if (words) words.textContent = ticked ? words.dataset.words.replace("{n}", ticked) : "";
  if (whole) {
    whole.checked = ticked > 0 && ticked === boxes().length;
    whole.indeterminate = ticked > 0 && ticked < boxes().length;
  }
  form?.querySelector("[data-bulk]")?.classList.toggle("is-ticked", ticked > 0);
}

whole?.addEventListener("change", () => {
  for (const box of boxes()) box.checked = whole.checked;
  tell();
});
form?.addEventListener("change", tell);
if (form) tell();

/* ---- what changed meanwhile: rows stay where they are, only their words change; the reader reloads when it suits ---- */

const table = document.querySelector("table[data-poll]");
const news = document.querySelector("[data-news]");
const changed = new Set();
let tag = table?.dataset.tag;

/** Take over a row's changing cells; the cells with the tick and the link are left alone, so that focus and ticks stay. */
function refresh(row, fresh) {
  for (const kind of ["status", "who", "due"]) {
    const cell = row.querySelector(`.fg-cell-${kind}`);
    const other = fresh.querySelector(`.fg-cell-${kind}`);
    if (!cell || !other) continue;
    cell.className = other.className;
    cell.replaceChildren(...other.childNodes);
  }
  row.dataset.version = fresh.dataset.version;
}

function leave(row) {
  if (row.classList.contains("is-gone")) return;
  row.classList.add("is-gone");
  const note = document.createElement("span");
  note.className = "fg-mark";
  note.textContent = news.dataset.gone;
  row.querySelector(".fg-cell-name").append(" ", note);
}

function compare(body) {
  const fresh = new Map(Array.from(body.querySelectorAll("tr[data-id]"), (row) => [row.dataset.id, row]));
  for (const row of table.querySelectorAll("tr[data-id]")) {
    const now = fresh.get(row.dataset.id);
    fresh.delete(row.dataset.id);
    if (!now) {
      leave(row);
      changed.add(row.dataset.id);
    } else if (now.dataset.version !== row.dataset.version) {
      refresh(row, now);
      changed.add(row.dataset.id);
    }
  }
  for (const id of fresh.keys()) changed.add(id);
}

function announce() {
  const text = news.dataset.words.replace("{n}", changed.size);
  const link = news.querySelector("a") ?? document.createElement("a");
  if (link.textContent === text) return;
  link.href = window.location.href;
  link.textContent = text;
  link.addEventListener("click", (event) => {
    event.preventDefault();
    window.location.reload();
  }, { once: true });
  news.replaceChildren(link);
}

async function ask() {
  // Asked as a script: a sign-in that ended is then answered 401, and this address isn't kept as where to return to.
  const headers = { "If-None-Match": `"${tag}"`, Accept: "application/json" };
  const answer = await fetch(table.dataset.poll, { headers, cache: "no-store", redirect: "error" });
  if (answer.status === 304) return true;
  if (!answer.ok) return answer.status >= 500;
  tag = answer.headers.get("ETag")?.replace(/^W\/|"/g, "") ?? tag;
  compare(new DOMParser().parseFromString(await answer.text(), "text/html"));
  if (changed.size > 0) announce();
  return true;
}

let asking = false;
let goesOn = Boolean(table && news);
let last = Date.now();

async function look() {
  if (!goesOn || asking || document.hidden || Date.now() - last < EVERY) return;
  asking = true;
  last = Date.now();
  try {
    goesOn = await ask();
  } catch {
    // No network, or a sign-in that ended: the page stays as it is, and the next time may go better.
  } finally {
    asking = false;
  }
}

if (goesOn) {
  window.setInterval(look, EVERY / 6);
  document.addEventListener("visibilitychange", look);
}
