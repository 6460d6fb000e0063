/** typing.js: what the modules with keys share: whether keys are switched on, and whether somebody is typing. */

const KEY = "fg-shortcuts";

/** Whether single keys are on; off as in shortcuts.js, for this device. */
export function keysAreOn() {
  try {
    return localStorage.getItem(KEY) !== "off";
  } catch {
    return true;
  }
}

/** Whether a key pressed on `target` belongs to what is being typed. */
export function isTyping(target) {
  return target.isContentEditable || target.closest("input:not([type=checkbox]):not([type=radio]), textarea, select") !== null;
}

/** Calls `act(event)` for plain keys outside of texts and dialogs; what returns true is taken. */
export function onPlainKey(act) {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.defaultPrevented) return;
    if (!keysAreOn() || isTyping(event.target) || document.querySelector("dialog[open]")) return;
    if (act(event)) event.preventDefault();
  });
}

/** Presses the link or button that `selector` finds; false when there is none. */
export function press(selector) {
  const found = document.querySelector(selector);
  found?.click();
  return Boolean(found);
}
