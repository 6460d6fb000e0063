/**
 * app.js: the page: which view is open, the state of the sync on screen at all times, and the start.
 *
 * What the sheet itself does not need is imported when it is wanted, so that the sheet opens at once; all of it lies in the worker's cache.
 */
import { Desk } from "./desk.js";
import { button, h, note } from "./dom.js";
import { photosTab } from "./pictures.js";
import { Sheet } from "./sheet.js";
import { changes, early, setting, unsent, visitsOf } from "./store.js";
import { momentOf, t } from "./texts.js";

const byId = (id) => document.getElementById(id);
const main = byId("view");
const title = byId("title");
const back = byId("back");
const foot = byId("foot");
const tabs = byId("tabs");
const chip = byId("state");
const alerts = byId("alerts");
const root = document.documentElement;
const read = (name, other) => localStorage.getItem(`field.${name}`) ?? other;
const placeAllowed = () => read("place", "yes") === "yes";
const options = { maxBytes: Number(document.body.dataset.maxBytes), placeAllowed };

let status = { state: "idle", syncedAt: "" }; // the real one comes with sync.js, after the view
let me = null;
let desk = null;
let view = null;
let turn = 0;

function route() {
  const [path, query = ""] = location.hash.slice(1).split("?");
  const [, name = "", id = "", tab = "sheet"] = path.split("/");
  return { name, id: Number(id), tab, item: new URLSearchParams(query).get("item") };
}

function head(words, { up = "", isVisit = false } = {}) {
  title.textContent = words;
  document.title = `${words} · ${t("product")}`;
  back.hidden = !up;
  back.href = up || "#/";
  tabs.hidden = !isVisit;
  foot.hidden = true;
}

async function open() {
  const mine = (turn += 1);
  const { name, id, tab, item } = route();
  const first = mine === 1 ? await early : null;
  me = first ? first.person : await setting("person") ?? null;
  if (!me) { head(t("title")); main.replaceChildren(h("p", { class: "quiet" }, t("firstTime"))); return; }
  if (name === "visit") await openVisit(id, tab, item, mine, first?.visitId === id ? first.found : null);
  else if (name === "settings") { desk = null; head(t("settings"), { up: "#/" }); view = null; main.replaceChildren((await import("./prefs.js")).prefsView(me)); }
  else await openDays(mine);
  if (mine === turn) { main.dataset.ready = name || "days"; performance.mark("field.ready"); }
}

async function openDays(mine) {
  const { daysView } = await import("./days.js");
  const content = await daysView(me);
  if (mine !== turn) return;
  desk = null;
  head(t("title"));
  view = { draw: () => daysView(me).then((fresh) => { if (!route().name) main.replaceChildren(fresh); }) };
  main.replaceChildren(content);
}

async function openVisit(id, tab, item, mine, read) {
  if (desk?.visitId !== id || desk.me.id !== me.id) {
    const next = new Desk(me, id, options);
    if (!(await next.load(read))) { if (mine === turn) { head(t("title"), { up: "#/" }); main.replaceChildren(note("warning", h("p", {}, t("noSuchVisit")))); } return; }
    if (mine !== turn) return;
    desk = next;
    desk.drawProgress = () => undefined;
    desk.addEventListener("loaded", () => { view?.draw(); drawBanner(); });
    desk.addEventListener("photos", (event) => view?.rows?.get(event.detail)?.draw());
  }
  head(desk.visit.enterprise, { up: "#/", isVisit: true });
  for (const link of tabs.querySelectorAll("a")) {
    link.href = link.dataset.tab === "sheet" ? `#/visit/${id}` : `#/visit/${id}/${link.dataset.tab}`;
    if (link.dataset.tab === tab) link.setAttribute("aria-current", "page"); else link.removeAttribute("aria-current");
  }
  const finish = tab === "finish" ? await import("./finish.js") : null;
  if (mine !== turn) return;
  view = finish ? new finish.Finish(desk) : tab === "photos" ? photosTab(desk) : new Sheet(desk, foot);
  foot.hidden = tab !== "sheet";
  main.replaceChildren(banner, view.element);
  drawBanner();
  if (item && view.rows) view.goTo(view.rows.get(item)); else scrollTo(0, 0);
}

const banner = h("div", { class: "stack" });
function drawBanner() {
  const rows = [];
  if (desk?.kept.gone) rows.push(note("warning", h("p", {}, t("goneKept"))));
  if (desk && desk.visit.status !== "planned") rows.push(note("info", h("p", {}, t("concluded"))));
  if (desk?.conflicts && view?.conflictButton) rows.push(note("warning", h("p", {}, t("nConflicts", { n: desk.conflicts })), view.conflictButton()));
  banner.replaceChildren(...rows);
}

async function drawState() {
  const left = me ? await unsent(me.id) : { all: 0 };
  const sending = status.state === "sending";
  const words = sending ? t("sending", { n: status.done, total: status.total })
    : left.all ? t("waiting", { n: left.all }) : status.syncedAt ? t("allSent", { at: momentOf(status.syncedAt) }) : t("notYetSynced");
  chip.dataset.state = sending ? "sending" : left.all ? "waiting" : "sent";
  const span = chip.querySelector("span");
  if (span.textContent !== words) span.textContent = words;
  drawAlerts(left);
}

function drawAlerts(left) {
  const key = `${status.state} ${status.message} ${status.clock} ${left.all > 0}`;
  if (alerts.dataset.key === key) return;
  alerts.dataset.key = key;
  const rows = [];
  if (status.state === "signedOut") rows.push(note("warning", h("p", {}, t("signedOut")), h("a", { class: "button", href: "/field/enter" }, t("signIn"))));
  if (status.state === "away") rows.push(note("info", h("p", {}, left.all ? t("awayKept") : t("away"))));
  if (status.state === "failed") rows.push(note("danger", h("p", {}, t("failed", { message: status.message }))));
  if (status.clock) rows.push(note("warning", h("p", {}, status.clock)));
  alerts.replaceChildren(...rows);
}

async function storeChanged() {
  const person = await setting("person");
  if (person?.id !== me?.id) { desk = null; await open(); }
  else if (desk) await desk.reload();
  else if (view && !route().name) view.draw();
  await drawState();
}

let drawing = 0;
changes.addEventListener("changed", () => { clearTimeout(drawing); drawing = setTimeout(storeChanged, 60); });
addEventListener("hashchange", open);
setInterval(() => { if (view && !route().name) view.draw(); }, 60_000);

root.dataset.theme = read("theme", "auto");
root.dataset.textSize = read("size", root.dataset.textSize || "normal");
await open();
const engine = await import("./sync.js");
status = engine.status;
status.syncedAt = await setting("synced_at") ?? "";
status.addEventListener("status", drawState);
changes.addEventListener("kept", (event) => { drawState(); engine.syncSoon(event.detail); });
chip.addEventListener("click", () => engine.sync({ force: true }));
await drawState();
if (!globalThis.isSecureContext || !navigator.serviceWorker) {
  alerts.before(note("danger", h("p", {}, t("notSecure")), button(t("reload"), () => location.reload())));
} else {
  navigator.serviceWorker.register("/field/sw.js", { scope: "/field/" });
  if (navigator.onLine) navigator.serviceWorker.controller?.postMessage("shell");
  navigator.storage?.persist?.();
  await engine.start();
  if (!(await visitsOf(me?.id ?? 0)).length) await open();
}
