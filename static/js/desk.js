/** desk.js: the queue's conveniences: fold the filters on a phone, tick a whole page, say how many are ticked. */

const fold = document.querySelector("[data-fold]");
if (fold && window.matchMedia("(max-width: 47.99em)").matches) fold.open = false;

const form = document.querySelector("form[data-many]");
const boxes = () => Array.from(form?.querySelectorAll('input[name="case"]') ?? []);
const whole = form?.querySelector("[data-tick-all] input");
const words = form?.querySelector("[data-ticked]");

function tell() {
  const ticked = boxes().filter((box) => box.checked).length;
  if (words) words.textContent = ticked ? `${ticked} / ${boxes().length}` : "";
  if (whole) {
    whole.checked = ticked > 0 && ticked === boxes().length;
    whole.indeterminate = ticked > 0 && ticked < boxes().length;
  }
}

whole?.addEventListener("change", () => {
  for (const box of boxes()) box.checked = whole.checked;
  tell();
});
form?.addEventListener("change", tell);
if (form) {
  if (boxes().length === 0) form.querySelector(".fg-bulk")?.setAttribute("hidden", "");
  tell();
}
