/** bulk.js: the preview of bulk work: tick all, and say how many cases are ticked. */

const form = document.querySelector("form[data-bulk]");
const boxes = () => Array.from(form?.querySelectorAll('input[type="checkbox"][name="row"]') ?? []);
const whole = form?.querySelector("[data-tick-all] input");
const words = form?.querySelector("[data-ticked]");

function tell() {
  const ticked = boxes().filter((box) => box.checked).length;
  if (words) words.textContent = `${ticked} / ${boxes().length}`;
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
if (boxes().length > 0) tell();
