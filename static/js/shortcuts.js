/** shortcuts.js: j/k walk over the rows, Enter opens, x ticks, c claims, / searches, g and a letter go elsewhere, ? explains; can be switched off. */

const KEY = "fg-shortcuts";
const dialog = document.getElementById("fg-shortcuts");

function isOn() {
  try {
    return localStorage.getItem(KEY) !== "off";
  } catch {
    return true;
  }
}

function keep(on) {
  try {
    localStorage.setItem(KEY, on ? "on" : "off");
  } catch {
    // Storage closed by the browser: the switch then lasts for this page only.
  }
}

function isTyping(target) {
  return target.isContentEditable || target.closest("input:not([type=checkbox]):not([type=radio]), textarea, select") !== null;
}

/** The link that stands for each row, in the order of the page. */
function rowLinks() {
  const rows = document.querySelectorAll("[data-shortcut-rows] [data-row]");
  return Array.from(rows, (row) => row.querySelector("[data-row-link], a[href]")).filter(Boolean);
}

function walk(step) {
  const links = rowLinks();
  const row = document.activeElement?.closest("[data-row]");
  const here = links.findIndex((link) => row?.contains(link));
  const next = here < 0 ? (step > 0 ? 0 : links.length - 1) : Math.min(Math.max(here + step, 0), links.length - 1);
  links[next]?.focus();
  links[next]?.scrollIntoView({ block: "nearest" });
}

function showHelp() {
  if (!dialog?.showModal || dialog.open) return;
  dialog.querySelector("[data-shortcut-toggle]").checked = isOn();
  dialog.showModal();
}

/** Tick or untick the row that has the focus. */
function tick() {
  document.activeElement?.closest("[data-row]")?.querySelector('input[type="checkbox"]')?.click();
}

/** Press what the page offers for a key: a button or link with data-shortcut="c". */
function press(key) {
  const found = document.querySelector(`[data-shortcut="${key}"]`);
  found?.click();
  return Boolean(found);
}

/** After g, the next letter goes to a part of the queue; from other pages through the link to the queue. */
const PLACES = { m: "mine", t: "team", a: "open", o: "overdue", r: "returned", d: "done" };
const SOON = 1500;
let began = 0;

function go(key) {
  began = 0;
  const link = document.querySelector(`[data-tab="${PLACES[key]}"]`) ?? document.querySelector('.fg-nav a[href$="/desk"]');
  if (!link) return;
  const address = new URL(link.href, window.location.href);
  if (!link.dataset.tab) address.search = new URLSearchParams({ tab: PLACES[key] });
  window.location.assign(address);
}

const actions = {
  j: () => walk(1),
  k: () => walk(-1),
  x: tick,
  c: () => press("c"),
  g: () => (began = Date.now()),
  "/": () => document.querySelector("[data-shortcut-search]")?.focus(),
  "?": showHelp,
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.defaultPrevented) return;
  const leads = Date.now() - began < SOON && event.key in PLACES;
  const action = leads ? () => go(event.key) : actions[event.key];
  if (!action || !isOn() || isTyping(event.target) || document.querySelector("dialog[open]")) return;
  if (event.key !== "g") began = 0;
  event.preventDefault();
  action();
});

for (const button of document.querySelectorAll("[data-shortcut-help]")) {
  button.hidden = false;
  button.addEventListener("click", showHelp);
}
dialog?.querySelector("[data-shortcut-toggle]").addEventListener("change", (event) => keep(event.target.checked));
