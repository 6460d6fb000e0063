/**
 * kept.js: what was typed into a company's form outlives a refusal that shows another page (an expired form or sign-in, a busy server), a
 * network that is gone, and a switch of the language; a draft's local copy goes once the server has taken the form.
 *
 * Pages that refuse carry data-refused. The copy is in this tab's session storage and leaves with it.
 */
import { readFields, same, writeFields } from "./fields.js";
import { text } from "./texts.js";

const STORE = "fg-kept";
const ours = !document.body.classList.contains("fg-body--staff");

function recall() {
  try {
    return JSON.parse(sessionStorage.getItem(STORE));
  } catch {
    return null;
  }
}

function keep(record) {
  try {
    if (record) sessionStorage.setItem(STORE, JSON.stringify(record));
    else sessionStorage.removeItem(STORE);
  } catch {
    // No storage: the browser's own back button is what is left.
  }
}

function dropDraft(key) {
  try {
    if (key) localStorage.removeItem(`fg-draft:${key}`);
  } catch {
    // As above.
  }
}

const pathOf = (form) => new URL(form.action, location.href).pathname;

function remember(form, refused) {
  if (form.querySelector('[autocomplete="current-password"]')) return;
  const fields = readFields(form);
  if (Object.keys(fields).length > 0) keep({ path: pathOf(form), fields, refused, draft: form.dataset.autosaveKey ?? "", key: form.elements.idempotency_key?.value });
}

function say(form, words, tone) {
  form.querySelector("[data-kept-note]")?.remove();
  const note = document.createElement("div");
  note.className = `fg-note fg-note--${tone}`;
  note.dataset.keptNote = "";
  note.setAttribute("role", tone === "danger" ? "alert" : "status");
  const line = document.createElement("p");
  line.textContent = words;
  note.append(line);
  const buttons = form.querySelector(".fg-buttons");
  if (tone === "danger" && buttons) buttons.before(note);
  else form.prepend(note);
}

/** On arrival: forget what was taken, put back what was refused. */
function settle() {
  const record = recall();
  if (!record) return;
  const refusing = document.querySelector("[data-refused]");
  if (refusing) return keep({ ...record, refused: true });
  const form = [...document.querySelectorAll("main form[method=post]")].find((one) => pathOf(one) === record.path);
  // Back without an answer: the form may have arrived or not, so it keeps its key and a second send makes no second effect.
  const unanswered = !record.refused && (record.unanswered || performance.getEntriesByType("navigation")[0]?.type === "back_forward");
  if (!record.refused && !unanswered) {
    if (!form?.dataset.autosaveKey) dropDraft(record.draft);
    return keep(null);
  }
  if (!form) return keep({ ...record, unanswered });
  keep(null);
  if (form.dataset.autosaveUrl || same({ ...readFields(form), ...record.fields }, readFields(form))) return undefined;
  writeFields(form, record.fields);
  if (unanswered && record.key) form.elements.idempotency_key.value = record.key;
  return say(form, text("restored"), "info");
}

if (ours) {
  settle();
  // Before forms.js counts the form as sent: without a network the browser would leave for a page of its own.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (event.defaultPrevented || form.method !== "post") return;
    if (navigator.onLine === false) {
      event.preventDefault();
      say(form, text("noNetwork"), "danger");
      return;
    }
    form.querySelector("[data-kept-note]")?.remove();
    if (!form.closest(".fg-menu")) remember(form, false);
    else for (const typed of document.querySelectorAll("main form.fg-form[method=post]")) if (typed.dataset.typed === "yes") remember(typed, true);
  });
  document.addEventListener("input", (event) => { if (event.target.form) event.target.form.dataset.typed = "yes"; });
}
