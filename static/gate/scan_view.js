/** scan_view.js: what a guard sees between two vehicles: the camera, a picture, typing by hand, no pass at all. */
import { button, h, icon, note } from "../field/dom.js";
import { device } from "./device.js";
import { askCode, askPlate } from "./pads.js";
import { byHand, scanned, todays, without } from "./passage.js";
import { best, Camera, readPicture } from "./scanner.js";
import { shown } from "./plates.js";
import { t, timeOf } from "./texts.js";

const GONE_MS = 2500; // a code that was not seen for so long has left
const cameraOn = () => localStorage.getItem("gate.camera") === "yes";

/** The view; `found(passage)` when there is something to decide. It lives as long as the page, so that the camera goes on. */
export class ScanView {
  constructor(found) {
    this.found = found;
    this.video = h("video", { class: "view__video", playsinline: true, muted: true, hidden: true, "aria-label": t("cameraPicture") });
    this.video.muted = true;
    this.camera = new Camera(this.video, (code) => this.code(code, "camera"));
    this.words = h("div", { class: "view__words", role: "status" });
    this.torch = button(t("torch"), () => this.light(), { symbol: "bulb", style: "view__torch", hidden: true, "aria-pressed": "false" });
    this.start = button(t("startCamera"), () => this.startCamera(), { style: "button--main button--tall", symbol: "qrcode" });
    this.counts = h("p", { class: "counts" });
    this.element = h("div", { class: "scan" },
      h("div", { class: "view" }, this.video, h("div", { class: "view__frame", "aria-hidden": "true" }), this.words, this.torch),
      h("div", { class: "scan__act" }, this.counts, this.direction = h("div", { class: "pair", role: "group", "aria-label": t("direction") }), this.start,
        h("div", { class: "grid" }, this.file("camera", t("takePicture"), true), this.file("photo", t("choosePicture"), false),
          button(t("typeCode"), () => this.typed("code"), { symbol: "keyboard" }), button(t("typePlate"), () => this.typed("plate"), { symbol: "car" }),
          button(t("noPass"), () => this.noPass(), { symbol: "id-off", style: "grid__wide" }))));
    this.draw();
    if (cameraOn()) this.startCamera();
    else this.say(t("scanHint"));
  }

  file(symbol, words, capture) {
    const input = h("input", { type: "file", accept: "image/*", class: "file", capture: capture ? "environment" : null, onchange: () => { const [picture] = input.files; if (picture) this.picture(picture); input.value = ""; } });
    return h("label", { class: "button" }, icon(symbol), h("span", {}, words), input);
  }

  draw() {
    const counts = todays();
    this.counts.textContent = t("todayCounts", { in: counts.in, out: counts.out, back: counts.turn_back, over: counts.hand_over, inside: device.gate?.inside ?? 0 });
    const now = localStorage.getItem("gate.direction") ?? "in";
    const way = (direction, symbol) => button(t(direction), () => { localStorage.setItem("gate.direction", direction); this.draw(); }, { style: "button--choice", symbol, "aria-pressed": String(now === direction) });
    this.direction.replaceChildren(way("in", "door-enter"), way("out", "door-exit"));
  }

  /** Say something over the camera's picture. */
  say(...parts) { this.words.replaceChildren(...parts); }

  /** Come back from a passage: kept, or left. */
  back(passage) {
    Object.assign(this, { busy: false, lastSeen: Date.now() });
    this.camera.paused = false;
    this.draw();
    if (passage) this.say(note("success", h("p", {}, t("kept", { at: timeOf(Date.now()), plate: shown(passage.plate) || t("noPlate"), direction: t(passage.direction), decision: t(passage.lastDecision) }))));
    else this.say(t("scanHint"));
  }

  async startCamera() {
    try {
      await this.camera.start();
      localStorage.setItem("gate.camera", "yes");
      this.video.hidden = false;
      this.start.hidden = true;
      this.torch.hidden = !this.camera.hasTorch;
      this.say(t("scanHint"));
    } catch {
      localStorage.setItem("gate.camera", "no");
      this.say(note("warning", h("p", {}, t("cameraRefused"))));
    }
  }

  async light() {
    const on = this.torch.getAttribute("aria-pressed") !== "true";
    await this.camera.torch(on).catch(() => undefined);
    this.torch.setAttribute("aria-pressed", String(on));
  }

  /** The code of the vehicle before, which is still in front of the camera, is no new vehicle. */
  stillThere(text) {
    const still = text === this.lastText && Date.now() - this.lastSeen < GONE_MS;
    if (still) this.lastSeen = Date.now();
    return still;
  }

  async code(code, way) {
    if (this.busy || (way === "camera" && this.stillThere(code.text))) return;
    this.busy = true;
    this.camera.paused = true;
    Object.assign(this, { lastText: code.text, lastSeen: Date.now() });
    this.found(await scanned(code, way));
  }

  async picture(file) {
    performance.mark("gate.picture");
    this.say(t("reading"));
    const { codes = [], error } = await readPicture(file);
    if (!codes.length) { this.say(note("warning", h("p", {}, t(error ? "noPicture" : "noCode")))); return; }
    await this.code(best(codes), "picture");
  }

  async typed(way) {
    const text = way === "code" ? await askCode() : await askPlate(t("plateTitle"));
    if (!text || this.busy) return;
    this.busy = true;
    this.camera.paused = true;
    this.say(t("asking"));
    this.found(await byHand(way, text));
  }

  async noPass() {
    const plate = await askPlate(t("plateSeen"));
    if (!plate || this.busy) return;
    this.busy = true;
    this.camera.paused = true;
    this.found(without(plate));
  }
}
