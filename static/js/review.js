/** review.js: 1–4 choose the verdict, n and p go to the next and the last material; switched off with the other shortcuts. */

const KEY = "fg-shortcuts";
const form = document.querySelector("form[data-review]");

function isOn() {
  try {
    return localStorage.getItem(KEY) !== "off";
  } catch {
    return true;
  }
}

function isTyping(target) {
  return target.isContentEditable || target.closest("input:not([type=checkbox]):not([type=radio]), textarea, select") !== null;
}

function choose(index) {
  const radio = form?.querySelectorAll('input[type="radio"]')[index];
  if (!radio) return false;
  radio.checked = true;
  radio.focus();
  return true;
}

function follow(selector) {
  const link = document.querySelector(selector);
  link?.click();
  return Boolean(link);
}

const ways = { n: () => follow("[data-review-next]"), p: () => follow("[data-review-prev]") };

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.defaultPrevented) return;
  if (!isOn() || isTyping(event.target) || document.querySelector("dialog[open]")) return;
  const done = /^[1-4]$/.test(event.key) ? choose(Number(event.key) - 1) : ways[event.key]?.();
  if (done) event.preventDefault();
});
