/** pad.js: a signature on glass, drawn by finger, pen or mouse, or typed where drawing is not possible. */
import { button, h } from "./dom.js";
import { t } from "./texts.js";

const WIDTH = 600;
const HEIGHT = 240;
const LONGEST_IMAGE = 200_000;

/** The pad; `image()` is a PNG as a data URL, black on transparent, or empty. */
export class Pad {
  constructor(nameOf) {
    this.nameOf = nameOf;
    this.strokes = [];
    this.canvas = h("canvas", { class: "pad", width: WIDTH, height: HEIGHT, role: "img", "aria-label": t("padLabel") });
    this.context = this.canvas.getContext("2d");
    this.typedConsent = h("input", { type: "checkbox", onchange: () => this.draw() });
    this.canvas.addEventListener("pointerdown", (event) => this.begin(event));
    this.canvas.addEventListener("pointermove", (event) => this.move(event));
    for (const end of ["pointerup", "pointercancel"]) this.canvas.addEventListener(end, () => { this.stroke = null; });
    this.element = h("div", { class: "signing" }, this.canvas,
      h("div", { class: "signing__buttons" },
        button(t("undo"), () => { this.strokes.pop(); this.draw(); }, { symbol: "arrow-back-up" }),
        button(t("clear"), () => { this.strokes = []; this.typedConsent.checked = false; this.draw(); }, { symbol: "x" })),
      h("label", { class: "check" }, this.typedConsent, h("span", {}, t("signTyped"))));
  }

  get isEmpty() { return !this.strokes.length && !(this.typedConsent.checked && this.nameOf().trim()); }

  at(event) {
    const box = this.canvas.getBoundingClientRect();
    return [((event.clientX - box.left) / box.width) * WIDTH, ((event.clientY - box.top) / box.height) * HEIGHT];
  }

  begin(event) {
    this.canvas.setPointerCapture(event.pointerId);
    this.stroke = [this.at(event)];
    this.strokes.push(this.stroke);
    this.typedConsent.checked = false;
    this.draw();
  }

  move(event) {
    if (!this.stroke) return;
    for (const each of event.getCoalescedEvents?.() ?? [event]) this.stroke.push(this.at(each));
    this.draw();
  }

  draw() {
    const { context } = this;
    context.clearRect(0, 0, WIDTH, HEIGHT);
    if (this.typedConsent.checked) {
      context.font = "72px serif";
      context.textAlign = "center";
      context.textBaseline = "middle";
      context.fillText(this.nameOf().trim(), WIDTH / 2, HEIGHT / 2, WIDTH - 40);
      return;
    }
    context.lineWidth = 5;
    context.lineCap = context.lineJoin = "round";
    for (const [first, ...rest] of this.strokes) {
      context.beginPath();
      context.moveTo(...first);
      for (const point of rest.length ? rest : [first]) context.lineTo(...point);
      context.stroke();
    }
  }

  /** The signature as it is sent; null when it weighs more than the server takes. */
  image() {
    this.draw();
    const address = this.canvas.toDataURL("image/png");
    return address.length <= LONGEST_IMAGE * (4 / 3) ? address : null;
  }
}
