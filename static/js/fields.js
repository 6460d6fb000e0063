/** fields.js: the values that somebody typed into a form, read as a plain object and written back. */

const NOT_TYPED = new Set(["csrf_token", "idempotency_key", "version", "revision", "seen"]);
const NO_VALUE = ["file", "submit", "button", "password"];

/** The named controls of a form that hold what was typed or chosen, grouped by name; never files or passwords. */
function controls(form) {
  const groups = new Map();
  for (const control of form.elements) {
    if (!control.name || NOT_TYPED.has(control.name) || NO_VALUE.includes(control.type)) continue;
    groups.set(control.name, [...(groups.get(control.name) ?? []), control]);
  }
  return groups;
}

function isTick(control) {
  return control.type === "checkbox" || control.type === "radio";
}

/** One field's value: text; for several check boxes, or a multiple select, a list. */
function valueOf(group) {
  const [first] = group;
  if (first.type === "radio") return group.find((radio) => radio.checked)?.value ?? "";
  if (first.type === "checkbox" && group.length === 1) return first.checked ? first.value : "";
  if (first.type === "checkbox") return group.filter((box) => box.checked).map((box) => box.value);
  if (first.type === "select-multiple") return Array.from(first.selectedOptions, (option) => option.value);
  return group.length === 1 ? first.value : group.map((control) => control.value);
}

/** What the form holds now, by name. */
export function readFields(form) {
  return Object.fromEntries(Array.from(controls(form), ([name, group]) => [name, valueOf(group)]));
}

/** Put values back; names that are missing in `fields` stay as they are. */
export function writeFields(form, fields) {
  for (const [name, group] of controls(form)) {
    if (!(name in fields)) continue;
    const values = [fields[name] ?? ""].flat().map(String);
    group.forEach((control, index) => {
      if (isTick(control)) control.checked = control.value !== "" && values.includes(control.value);
      else if (control.type === "select-multiple") for (const option of control.options) option.selected = values.includes(option.value);
      else control.value = values[index] ?? "";
    });
  }
  form.dispatchEvent(new Event("fg:restored", { bubbles: true }));
}

/** Whether two values or sets of values are equal. */
export const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);
