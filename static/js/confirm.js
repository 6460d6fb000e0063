/** confirm.js: asks in a dialog before a button or form with data-confirm="words" is sent; without JavaScript it is sent at once. */

const dialog = document.getElementById("fg-confirm");
let waiting = null;

/** The element that carries the question: the button that was pressed, or its form. */
function asker(form, submitter) {
  if (submitter?.dataset.confirm) return submitter;
  return form.dataset.confirm ? form : null;
}

function ask(form, submitter, source) {
  const ok = dialog.querySelector("[data-confirm-ok]");
  const danger = source.dataset.confirmTone === "danger";
  dialog.querySelector(".fg-dialog__words").textContent = source.dataset.confirm;
  ok.textContent = source.dataset.confirmLabel || ok.dataset.default;
  ok.classList.toggle("btn-danger", danger);
  ok.classList.toggle("btn-primary", !danger);
  waiting = { form, submitter };
  dialog.showModal();
  dialog.querySelector(danger ? "[data-confirm-cancel]" : "[data-confirm-ok]").focus();
}

// Capture phase: the question comes before forms.js counts the form as sent.
document.addEventListener("submit", (event) => {
  const source = asker(event.target, event.submitter);
  if (!source || !dialog?.showModal) return;
  if (event.target.dataset.confirmed === "yes") {
    delete event.target.dataset.confirmed;
    return;
  }
  event.preventDefault();
  event.stopImmediatePropagation();
  ask(event.target, event.submitter, source);
}, true);

dialog?.querySelector("[data-confirm-ok]").addEventListener("click", () => {
  const { form, submitter } = waiting ?? {};
  dialog.close();
  if (!form?.isConnected) return;
  form.dataset.confirmed = "yes";
  form.requestSubmit(submitter?.isConnected ? submitter : undefined);
});
dialog?.querySelector("[data-confirm-cancel]").addEventListener("click", () => dialog.close());
dialog?.addEventListener("close", () => { waiting = null; });
