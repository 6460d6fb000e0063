/** casework.js: Ctrl+Enter sends the form of the text that is being typed; a thread counts as read once its new messages were on the screen. */

document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || event.isComposing) return;
  const form = event.target.closest("textarea")?.form;
  const button = form?.querySelector('button[type="submit"]');
  if (!button) return;
  event.preventDefault();
  button.click();
});

/** Sends the form behind the page: what it shows stays as it is, the next page knows the thread as read. */
function send(form) {
  const body = new URLSearchParams(new FormData(form));
  fetch(form.action, { method: "POST", body, redirect: "manual", keepalive: true }).then(
    () => form.remove(),
    () => undefined, // no network: the button stays
  );
}

const form = document.querySelector("form[data-read-thread]");
const last = document.querySelector(".fg-talk__new")?.closest("ol")?.lastElementChild;
if (form && last && "IntersectionObserver" in window) {
  const watch = new IntersectionObserver((entries) => {
    if (!entries.some((entry) => entry.isIntersecting)) return;
    watch.disconnect();
    send(form);
  });
  watch.observe(last);
}
