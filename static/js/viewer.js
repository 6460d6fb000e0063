/**
 * viewer.js: pictures and pages beside the verdict: fit to the width or as they are, larger and smaller (+ - 0), turned (r); how a file is turned is
 * kept on this device. Two versions side by side scroll together.
 */
import { onPlainKey } from "./typing.js";

const STORE = "fg-turned";
const MOST_KEPT = 200;
const A4 = 297 / 210;
const STEPS = [25, 33, 50, 67, 80, 100, 125, 150, 200, 300];

function turns() {
  try {
    return JSON.parse(localStorage.getItem(STORE)) ?? {};
  } catch {
    return {};
  }
}

function keepTurn(file, degrees) {
  const kept = turns();
  delete kept[file];
  if (degrees) kept[file] = degrees;
  try {
    localStorage.setItem(STORE, JSON.stringify(Object.fromEntries(Object.entries(kept).slice(-MOST_KEPT))));
  } catch {
    // Storage closed by the browser: the turn lasts for this page only.
  }
}

/** One file on the page: its own turn, and a zoom that all panes share. */
class Pane {
  constructor(element) {
    this.element = element;
    this.file = element.dataset.viewer;
    this.degrees = turns()[this.file] ?? 0;
    this.images = [...element.querySelectorAll("img")];
    for (const image of this.images) {
      const leaf = document.createElement("div");
      leaf.className = "fg-leaf";
      image.replaceWith(leaf);
      leaf.append(image);
      image.addEventListener("load", () => this.draw());
    }
  }

  turn() {
    this.degrees = (this.degrees + 90) % 360;
    keepTurn(this.file, this.degrees);
    this.draw();
  }

  /** `zoom` is in percent of the fitting width; `natural` shows one pixel of the picture on one of the screen. */
  draw(zoom = this.zoom ?? 100, natural = this.natural ?? false) {
    Object.assign(this, { zoom, natural });
    const room = this.element.clientWidth - 26;
    for (const image of this.images) {
      const ratio = image.naturalWidth ? image.naturalHeight / image.naturalWidth : A4;
      const sideways = this.degrees % 180 !== 0;
      const fitting = sideways ? room / ratio : room;
      const width = natural && image.naturalWidth ? image.naturalWidth : (fitting * zoom) / 100;
      const height = width * ratio;
      const leaf = image.parentElement.style;
      leaf.width = `${sideways ? height : width}px`;
      leaf.height = `${sideways ? width : height}px`;
      image.style.width = `${width}px`;
      image.style.transform = `translate(-50%, -50%) rotate(${this.degrees}deg)`;
      if (zoom > 130 && image.dataset.large && image.src !== image.dataset.large) image.src = image.dataset.large;
    }
  }
}

const panes = [...document.querySelectorAll("[data-viewer]")].map((element) => new Pane(element)).filter((pane) => pane.images.length > 0);
const tools = document.querySelector("[data-viewer-tools]");
let zoom = 100;
let natural = false;

function draw() {
  for (const pane of panes) pane.draw(zoom, natural);
  const shown = tools?.querySelector("[data-viewer-zoom]");
  if (shown) shown.textContent = natural ? "1:1" : `${zoom}%`;
}

function larger(direction) {
  const place = STEPS.findIndex((step) => step >= zoom);
  zoom = STEPS[Math.min(Math.max(place + direction, 0), STEPS.length - 1)];
  natural = false;
  draw();
}

function fit() {
  zoom = 100;
  natural = false;
  draw();
}

const acts = {
  larger: () => larger(1),
  smaller: () => larger(-1),
  fit,
  natural: () => { natural = true; draw(); },
  turn: () => panes.forEach((pane) => pane.turn()),
};
const keys = { "+": "larger", "=": "larger", "-": "smaller", 0: "fit", r: "turn" };

if (panes.length > 0) {
  document.documentElement.classList.add("has-viewer");
  if (tools) tools.hidden = false;
  tools?.addEventListener("click", (event) => acts[event.target.closest("[data-viewer-act]")?.dataset.viewerAct]?.());
  onPlainKey((event) => {
    const act = acts[keys[event.key]];
    act?.();
    return Boolean(act);
  });
  window.addEventListener("resize", draw);
  draw();
}

/** Panes scroll together, each by its own length; the pane that follows does not lead. */
let led = 0;
if (panes.length === 2) {
  panes.forEach((pane, number) => {
    const other = panes[1 - number].element;
    pane.element.addEventListener("scroll", () => {
      if (led > 0) {
        led -= 1;
        return;
      }
      const { scrollTop, scrollHeight, clientHeight, scrollLeft } = pane.element;
      const place = scrollHeight > clientHeight ? scrollTop / (scrollHeight - clientHeight) : 0;
      const goal = Math.round(place * (other.scrollHeight - other.clientHeight));
      if (Math.abs(other.scrollTop - goal) > 1) {
        led += 1;
        other.scrollTop = goal;
      }
      other.scrollLeft = scrollLeft;
    }, { passive: true });
  });
}
