/** shortcuts.js: j/k walk over the rows, Enter opens (the row's link has the focus), / goes to the search, ? explains; can be switched off. */

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

const actions = {
  j: () => walk(1),
  k: () => walk(-1),
  "/": () => document.querySelector("[data-shortcut-search]")?.focus(),
  "?": showHelp,
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.defaultPrevented) return;
  const action = actions[event.key];
  if (!action || !isOn() || isTyping(event.target) || document.querySelector("dialog[open]")) return;
  event.preventDefault();
  action();
});

for (const button of document.querySelectorAll("[data-shortcut-help]")) {
  button.hidden = false;
  button.addEventListener("click", showHelp);
}
dialog?.querySelector("[data-shortcut-toggle]").addEventListener("change", (event) => keep(event.target.checked));
