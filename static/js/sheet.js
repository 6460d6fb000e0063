/** sheet.js: the sheet counts what is marked while it is being filled in, and colours what failed. */

const form = document.querySelector("form[data-sheet]");
const box = document.querySelector("[data-sheet-progress]");

function count() {
  const items = Array.from(form.querySelectorAll("[data-item]"));
  const results = items.map((item) => item.querySelector('input[type="radio"]:checked')?.value ?? "");
  items.forEach((item, index) => item.classList.toggle("fg-item--failed", results[index] === "fail"));
  const marked = results.filter(Boolean).length;
  box.querySelector("[data-sheet-marked]").textContent = String(marked);
  box.querySelector("[data-sheet-failed]").textContent = String(results.filter((result) => result === "fail").length);
  box.querySelector("progress").value = marked;
}

if (form && box) {
  form.addEventListener("change", count);
  form.addEventListener("fg:restored", count);
  count();
}
