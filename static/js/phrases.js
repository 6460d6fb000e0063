/** phrases.js: standard phrases go into their text by click, or by Alt+1…9 while typing it; where a result is chosen, only those that fit are offered. */

/** Puts words where the cursor is, on a line of their own when there is text before. */
function insert(area, words) {
  const start = area.selectionStart ?? area.value.length;
  const before = area.value.slice(0, start);
  const after = area.value.slice(area.selectionEnd ?? start);
  const gap = before && !before.endsWith("\n") ? "\n" : "";
  area.value = before + gap + words + after;
  const place = before.length + gap.length + words.length;
  area.focus();
  area.setSelectionRange(place, place);
  area.dispatchEvent(new Event("input", { bubbles: true }));
}

/** The phrases of a list that are on offer now. */
const offered = (list) => [...list.querySelectorAll("li:not([hidden]) button.fg-phrase")];

function number(list) {
  offered(list).forEach((button, place) => {
    const key = button.querySelector("kbd");
    key.textContent = place < 9 ? `Alt ${place + 1}` : "";
    key.hidden = place >= 9;
  });
}

for (const list of document.querySelectorAll("[data-phrases]")) {
  const area = document.getElementById(list.dataset.phrases);
  if (!area) continue;
  for (const item of list.querySelectorAll("[data-phrase]")) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "fg-phrase";
    button.append(Object.assign(document.createElement("kbd"), { className: "fg-key" }), item.textContent);
    const words = item.textContent;
    button.addEventListener("click", () => insert(area, words));
    item.replaceWith(button);
  }
  number(list);
  area.addEventListener("keydown", (event) => {
    if (!event.altKey || event.ctrlKey || event.metaKey) return;
    const place = /^Digit([1-9])$/.exec(event.code)?.[1];
    const button = place ? offered(list)[Number(place) - 1] : undefined;
    if (!button) return;
    event.preventDefault();
    button.click();
  });
  const form = area.form;
  const choose = () => {
    const chosen = form.querySelector('input[name="verdict"]:checked')?.value;
    if (!chosen || !list.querySelector("[data-for]")) return;
    for (const item of list.querySelectorAll("[data-for]")) item.hidden = !["any", chosen].includes(item.dataset.for);
    number(list);
  };
  form?.addEventListener("change", choose);
  choose();
}
