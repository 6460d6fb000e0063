/** choices.js: a box above a long select that narrows it down to the options holding what is typed. */

const LONG = 30;

function narrow(select, typed) {
  const wanted = typed.trim().toLowerCase();
  let only = null;
  let count = 0;
  for (const option of select.options) {
    const hit = wanted === "" || option.value === "" || option.text.toLowerCase().includes(wanted) || (option.parentElement.label ?? "").toLowerCase().includes(wanted);
    option.hidden = !hit && !option.selected;
    option.disabled = option.hidden;
    if (hit && option.value !== "") [only, count] = [option, count + 1];
  }
  for (const group of select.querySelectorAll("optgroup")) group.hidden = [...group.children].every((option) => option.hidden);
  return count === 1 ? only : null;
}

function help(select) {
  const box = document.createElement("input");
  box.type = "search";
  box.className = "form-control fg-filter";
  box.autocomplete = "off";
  box.placeholder = select.dataset.filter ?? "";
  box.setAttribute("aria-label", box.placeholder);
  box.setAttribute("aria-controls", select.id);
  const changed = () => select.dispatchEvent(new Event("change", { bubbles: true }));
  box.addEventListener("input", (event) => {
    event.stopPropagation(); // what is typed here is no answer
    const only = narrow(select, box.value);
    if (only && box.value.trim() && !only.selected) {
      only.selected = true;
      changed();
    }
  });
  box.addEventListener("change", (event) => event.stopPropagation());
  box.addEventListener("keydown", (event) => {
    if (event.key === "Enter") event.preventDefault();
  });
  select.before(box);
}

for (const select of document.querySelectorAll("select[data-options]")) if (select.options.length > LONG) help(select);
