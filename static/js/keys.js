/** keys.js: a case by keyboard: 1–9 go to the open steps, m to the materials, n to the next case; Ctrl+Enter sends what is typed. */
import { onPlainKey, press } from "./typing.js";

/** Opens the step with this number and puts the focus where it goes on; a step with a page of its own is opened. */
function goToStep(number) {
  const step = document.querySelector(`[data-step="${number}"]`);
  if (!step) return false;
  const fold = step.querySelector("details.fg-act");
  if (fold) fold.open = true;
  const link = step.querySelector("a.btn");
  if (link) link.click();
  const field = step.querySelector("textarea") ?? step.querySelector("button[type=submit]");
  field?.focus();
  field?.scrollIntoView({ block: "center" });
  return true;
}

function toMaterials() {
  const address = document.querySelector("[data-materials]")?.dataset.materials;
  if (address) location.assign(address);
  return Boolean(address);
}

onPlainKey((event) => {
  if (/^[1-9]$/.test(event.key)) return goToStep(event.key);
  if (event.key === "n") return press("[data-next-case]");
  return event.key === "m" && toMaterials();
});
