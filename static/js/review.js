/**
 * review.js: 1–4 choose the verdict, and where words are needed go on to them; Enter or Ctrl+Enter sends; n and p go to the next and the last
 * material; switched off with the other keys.
 */
import { onPlainKey, press } from "./typing.js";

const form = document.querySelector("form[data-review]");

function choose(index) {
  const radio = form?.querySelectorAll('input[name="verdict"]')[index];
  if (!radio) return false;
  radio.checked = true;
  radio.dispatchEvent(new Event("change", { bubbles: true }));
  const words = form.querySelector("textarea[name=words]");
  if (index > 0 && words) words.focus();
  else radio.focus();
  return true;
}

const ways = { n: () => press("[data-review-next]"), p: () => press("[data-review-prev]"), s: () => press("[data-summary]") };

onPlainKey((event) => (/^[1-4]$/.test(event.key) ? choose(Number(event.key) - 1) : (ways[event.key]?.() ?? false)));
