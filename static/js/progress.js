/** progress.js: fetches the part of a page that shows how far a job is, until it has ended; then the page comes anew. */

const box = document.querySelector("[data-progress-url]");
const EVERY = 1500;
let failures = 0;

const isGoing = () => box?.querySelector("[data-going]") !== null;

async function refresh() {
  try {
    const answer = await fetch(box.dataset.progressUrl, { headers: { "X-Requested-With": "fetch" }, redirect: "error" });
    if (!answer.ok) throw new Error(String(answer.status));
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    const part = fresh.querySelector("[data-progress-part]");
    if (part === null) throw new Error("no part");
    failures = 0;
    if (!part.hasAttribute("data-going")) {
      window.location.reload();
      return;
    }
    const focused = document.activeElement?.closest("[data-progress-part]") !== null;
    if (!focused) box.replaceChildren(document.importNode(part, true));
  } catch {
    failures += 1;
  }
  if (failures < 20) setTimeout(refresh, EVERY * Math.min(1 + failures, 10));
}

if (box !== null && isGoing()) setTimeout(refresh, EVERY);
