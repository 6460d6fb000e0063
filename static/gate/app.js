/** app.js: the page: which view is open, how old the list is on screen at all times, and the start. */
import { button, h, note } from "../field/dom.js";
import { clock, minutesOff, turnedBack } from "./clock.js";
import { aged, device, listAge, listTone, load, noteClock } from "./device.js";
import { stayAwake, unlock } from "./signals.js";
import { warm } from "./scanner.js";
import { changes } from "./store.js";
import { ageWords, t } from "./texts.js";

const byId = (id) => document.getElementById(id);
const [main, title, back, strip, alerts] = ["view", "title", "back", "strip", "alerts"].map(byId);
const root = document.documentElement;
const TICK_MS = 15_000;

let engine = null; // sync.js, after the view
let scan = null;
let passage = null;
let turn = 0;
let enrolCode = "";

function head(words, up) {
  title.textContent = words;
  document.title = `${words} · ${t("product")}`;
  back.hidden = !up;
  for (const link of document.querySelectorAll("[data-device]")) link.hidden = up || !device.secret;
}

async function show(passing) {
  const { CheckView } = await import("./check_view.js");
  passage = passing;
  const leave = (kept) => {
    if (passage !== passing) return;
    passage = null;
    if (location.hash === "#/check") history.back(); else open();
    scan?.back(kept);
    if (kept) engine?.syncSoon();
  };
  const view = new CheckView(passing, leave);
  passing.close = leave;
  if (location.hash !== "#/check") location.hash = "#/check";
  head(device.gate?.name ?? t("product"), false);
  main.replaceChildren(view.element);
  main.dataset.ready = "check";
  drawStrip();
  performance.mark("gate.verdict");
  scrollTo(0, 0);
}

async function viewOf(name) {
  const others = await import("./other_views.js");
  if (!device.secret) { head(t("enrolTitle"), false); return others.enrolView(enrolCode, async () => { enrolCode = ""; history.replaceState(null, "", "#/"); await open(); await engine?.sync({ hurry: true }); }); }
  if (enrolCode) { enrolCode = ""; head(t("enrolTitle"), true); return others.alreadyView(); }
  if (name === "settings") { head(t("settings"), true); return others.settingsView(); }
  head(t("log"), true);
  return others.logView(open);
}

async function scanView() {
  if (scan) return scan.element;
  const { ScanView } = await import("./scan_view.js");
  scan = new ScanView(show);
  return scan.element;
}

async function open() {
  const mine = (turn += 1);
  const fragment = /^#enrol=([\w-]+)$/.exec(location.hash);
  if (fragment) { enrolCode = fragment[1]; history.replaceState(null, "", "#/"); } // the code stays in no address
  const name = location.hash.split("/")[1] ?? "";
  if (name === "check" && passage) return;
  if (name === "check") history.replaceState(null, "", "#/");
  else if (passage) passage.close(null);
  const plain = device.secret && !enrolCode && !["settings", "log"].includes(name);
  if (scan) scan.camera.paused = !plain;
  const content = plain ? await scanView() : await viewOf(name);
  if (mine !== turn) return;
  if (plain) { head(device.gate?.name ?? t("product"), false); scan.draw(); }
  if (main.firstElementChild !== content || main.childElementCount !== 1) main.replaceChildren(content);
  main.dataset.ready = plain ? "scan" : device.secret ? name || "enrol" : "enrol";
  main.classList.toggle("main--full", Boolean(plain));
  drawStrip();
}

function stripWords() {
  const age = listAge();
  if (age === null) return t("listNone");
  const tone = listTone();
  return t(tone === "red" ? "listRed" : tone === "amber" ? "listAmber" : "listFresh", { age: ageWords(age), n: device.list.count });
}

function drawStrip() {
  strip.hidden = !device.secret;
  if (!device.secret) { drawAlerts(); return; }
  strip.dataset.tone = listTone();
  const { state, waiting } = engine?.status ?? { state: "idle", waiting: 0 };
  const words = [stripWords(), waiting ? t("waiting", { n: waiting }) : state === "away" ? t("away") : ""];
  strip.querySelectorAll("span").forEach((span, i) => { if (span.textContent !== words[i]) span.textContent = words[i]; });
  strip.dataset.state = state === "sending" ? "sending" : waiting ? "waiting" : "sent";
  drawAlerts();
}

function alertRows() {
  const { message = "", refused = 0 } = engine?.status ?? {};
  const rows = [];
  if (turnedBack()) rows.push(["warning", t("clockBack")]);
  else if (minutesOff()) rows.push(["warning", t("clockOff", { n: minutesOff() })]);
  if (device.secret && clock.server && !device.list) rows.push(["danger", t("locked", { hours: device.rules.wipe_hours })]);
  if (device.refusal) rows.push(["danger", t(device.refusal === "older" ? "listOlder" : "listWrong")]);
  if (message) rows.push(["danger", t("failed", { message })]);
  if (refused) rows.push(["warning", t("someRefused", { n: refused })]);
  return rows;
}

function drawAlerts() {
  const rows = alertRows();
  const key = JSON.stringify(rows);
  if (alerts.dataset.key === key) return;
  alerts.dataset.key = key;
  alerts.replaceChildren(...rows.map(([tone, words]) => note(tone, h("p", {}, words))));
}

async function tick() {
  await aged();
  if (device.secret) await noteClock();
  drawStrip();
  stayAwake();
}

async function reloadChanged() {
  await load();
  if (!passage) await open();
}

function environment() {
  const inside = /MicroMessenger|DingTalk|AlipayClient/i.test(navigator.userAgent);
  if (globalThis.isSecureContext && navigator.serviceWorker) return true;
  alerts.before(h("section", { class: "alerts", "aria-label": t("notSecureTitle") }, note("danger", h("p", {}, t(inside ? "otherBrowser" : "notSecure")), button(t("reload"), () => location.reload()))));
  return Boolean(globalThis.crypto?.subtle && navigator.locks);
}

root.dataset.theme = localStorage.getItem("gate.theme") ?? "auto";
root.dataset.textSize = localStorage.getItem("gate.size") ?? "normal";
for (const each of document.querySelectorAll("[data-t]")) each.textContent = t(each.dataset.t);
alerts.setAttribute("aria-label", t("alerts"));
addEventListener("pointerdown", unlock);
addEventListener("hashchange", open);
device.addEventListener("changed", drawStrip);
let reloading = 0;
changes.addEventListener("changed", () => { clearTimeout(reloading); reloading = setTimeout(reloadChanged, 80); });

if (environment()) {
  await load();
  await tick();
  await open();
  warm();
  engine = await import("./sync.js");
  engine.status.addEventListener("status", () => { drawStrip(); if (main.dataset.ready === "log") open(); else scan?.draw(); });
  let was = device.secret;
  device.addEventListener("changed", () => { if (was !== device.secret) { was = device.secret; if (!passage || !was) { passage = null; open(); } } });
  strip.addEventListener("click", () => engine.sync({ force: true }));
  if (navigator.serviceWorker) {
    navigator.serviceWorker.register("/gate/sw.js", { scope: "/gate/" });
    if (navigator.onLine) navigator.serviceWorker.controller?.postMessage("shell");
    navigator.storage?.persist?.();
  }
  setInterval(tick, TICK_MS);
  document.addEventListener("visibilitychange", tick);
  await engine.start();
}
