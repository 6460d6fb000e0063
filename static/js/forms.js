/** forms.js: a form is sent once, the error summary is heard first, and nobody leaves a page whose autosave is failing by mistake. */

document.documentElement.classList.add("has-js");

// A page that is still here after this long got no answer (or a download): the key in the form makes a second send harmless.
const PATIENCE_MS = 10000;
const sent = new Set();

function release(form) {
  delete form.dataset.sent;
  for (const button of form.querySelectorAll('[type="submit"]')) button.removeAttribute("aria-disabled");
  sent.delete(form);
}

// Buttons are marked, not disabled: a disabled button's own name and value would not be sent.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented) return;
  if (form.dataset.sent === "yes") {
    event.preventDefault();
    return;
  }
  if (form.method !== "post" || form.target === "_blank" || "many" in form.dataset) return;
  form.dataset.sent = "yes";
  sent.add(form);
  for (const button of form.querySelectorAll('[type="submit"]')) button.setAttribute("aria-disabled", "true");
  setTimeout(() => release(form), PATIENCE_MS);
});

// Back from the next page, or out of the back/forward cache: the form may be sent again.
window.addEventListener("pageshow", () => { for (const form of [...sent]) release(form); });

// A link of the summary leads to the field itself, not only near it.
document.addEventListener("click", (event) => {
  const link = event.target.closest?.("[data-error-summary] a[href^='#']");
  const field = link && document.getElementById(decodeURIComponent(link.hash.slice(1)));
  if (!field) return;
  event.preventDefault();
  (field.closest(".fg-field") ?? field).scrollIntoView({ block: "start" });
  field.focus({ preventScroll: true });
});

document.querySelector("[data-error-summary]")?.focus();

window.addEventListener("beforeunload", (event) => {
  const failing = document.querySelector('form[data-autosave-trouble="yes"]:not([data-sent="yes"])');
  if (failing) event.preventDefault();
});
