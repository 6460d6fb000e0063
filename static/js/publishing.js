/** publishing.js: line numbers beside the text, a check while it is typed, jumps from a problem to its line, the file field only when wanted. */

const PAUSE = 700;
const form = document.querySelector("form[data-check-url]");
const area = form?.querySelector("[data-text]");
const numbers = form?.querySelector("[data-lines]");

function number() {
  const count = area.value.split("\n").length;
  if (numbers.dataset.count === String(count)) return;
  numbers.dataset.count = String(count);
  numbers.textContent = Array.from({ length: count }, (_, n) => n + 1).join("\n");
  numbers.scrollTop = area.scrollTop;
}

function jump(line) {
  const lines = area.value.split("\n");
  const start = lines.slice(0, line - 1).reduce((sum, text) => sum + text.length + 1, 0);
  area.focus();
  area.setSelectionRange(start, start + (lines[line - 1] ?? "").length);
  const height = parseFloat(getComputedStyle(area).lineHeight);
  area.scrollTop = Math.max(0, (line - 4) * height);
  area.scrollLeft = 0;
  area.scrollIntoView({ block: "nearest" });
}

let asked = 0;

async function check() {
  const mine = ++asked;
  const body = new FormData();
  body.set("csrf_token", form.elements.csrf_token.value);
  body.set("text", area.value);
  try {
    const answer = await fetch(form.dataset.checkUrl, { method: "POST", body, credentials: "same-origin" });
    if (!answer.ok || mine !== asked) return;
    const page = await answer.text();
    if (mine !== asked) return;
    const parts = new DOMParser().parseFromString(page, "text/html").querySelectorAll("[data-part]");
    for (const part of parts) document.getElementById(part.dataset.part)?.replaceChildren(...part.childNodes);
  } catch {
    // No network: the check that came with the page stays; saving checks again.
  }
}

if (form && area && numbers) {
  let timer = 0;
  const unsaved = form.querySelector("[data-unsaved]");
  number();
  area.addEventListener("scroll", () => {
    numbers.scrollTop = area.scrollTop;
  });
  area.addEventListener("input", () => {
    number();
    clearTimeout(timer);
    timer = setTimeout(check, PAUSE);
  });
  form.addEventListener("input", () => {
    unsaved?.removeAttribute("hidden");
  });
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-line]");
    if (button) jump(Number(button.dataset.line));
  });
  const refused = document.querySelector("[data-error-summary]");
  if (refused) unsaved?.removeAttribute("hidden");
}

const source = document.querySelector("#start-source");
const file = document.querySelector("[data-source-file]");
if (source && file) {
  const show = () => {
    file.hidden = source.value !== "file";
  };
  source.addEventListener("change", show);
  show();
}
