/** check_view.js: the verdict in full colour and, in the lower half, what the guard does: compare, count, measure, decide. */
import { button, h, icon } from "../field/dom.js";
import { device } from "./device.js";
import { askPlate, askReason, askTemperatures } from "./pads.js";
import { shown } from "./plates.js";
import { signal } from "./signals.js";
import { dateOf, said, t, timeOf } from "./texts.js";

const SIGNS = { green: "circle-check", amber: "alert-triangle", red: "ban" };
const DAY = 86_400_000;

function facts(passage) {
  const { claims, schedule, kind } = passage.verdict;
  const { online } = passage;
  const from = claims ? dateOf(claims.notBefore * 1000) : online?.valid_from_on;
  const until = claims ? dateOf(claims.expires * 1000 - DAY / 2) : online?.valid_until_on;
  const hours = said(schedule?.label ?? online?.schedule?.label);
  return [
    kind ? h("p", { class: "kind", style: `--kind: ${kind.colour}` }, said(kind.word)) : null,
    from && until ? h("p", { class: "face__fact" }, icon("calendar"), h("span", {}, t("validFromUntil", { from, until }))) : null,
    hours ? h("p", { class: "face__fact" }, icon("clock"), h("span", {}, hours)) : null,
    online?.enterprise ? h("p", { class: "face__fact" }, icon("building"), h("span", {}, [online.enterprise, online.area].filter(Boolean).join(" · "))) : null,
  ];
}

function others(passage) {
  const passes = passage.online?.passes ?? [];
  if (passes.length < 2) return null;
  return h("ul", { class: "face__passes" }, ...passes.map((each) => h("li", {}, [each.number, each.valid_from_on && `${each.valid_from_on} – ${each.valid_until_on}`, t(`status_${each.status}`)].filter(Boolean).join(" · "))));
}

/** The view of one passage; `done(passage | null)` when it is decided or left. */
export class CheckView {
  constructor(passage, done) {
    Object.assign(this, { passage, done, sounded: "" });
    this.step = passage.tone === "green" || passage.unsure ? "compare" : "decide";
    this.face = h("div", { class: "face" });
    this.act = h("div", { class: "act", tabindex: "-1" });
    this.element = h("section", { class: "verdict" }, this.face, this.act);
    this.draw();
    passage.addEventListener("changed", () => this.heard());
    if (!passage.asked) passage.confirm();
  }

  /** The server has spoken: the keys stay under the finger unless the verdict is another one. */
  heard() {
    if (this.passage.tone === this.element.dataset.tone) { this.drawFace(); return; }
    this.step = this.passage.tone === "green" && this.passage.matched === null ? "compare" : "decide";
    this.draw();
  }

  draw() {
    this.drawFace();
    this.drawAct();
  }

  drawFace() {
    const { passage } = this;
    const { tone } = passage;
    this.element.dataset.tone = tone;
    const reason = passage.mismatch ? "mismatch" : passage.fever ? "fever" : passage.matched && passage.verdict.reason === "valid" ? "matched" : passage.unsure ? "unsure" : passage.verdict.reason;
    const who = passage.isVehicle || !["valid", "matched", "mismatch"].includes(reason) ? "" : "Person";
    const subject = passage.subject || (passage.way === "code" ? passage.code : passage.plate);
    this.face.replaceChildren(
      h("p", { class: "face__word", role: "alert" }, icon(SIGNS[tone]), h("span", {}, t(`word_${tone}`))),
      subject ? h("h2", { class: "plate", "data-length": String(shown(subject).length) }, shown(subject)) : h("h2", { class: "unseen" }, t(`word_${tone}`)),
      h("div", { class: "face__facts" }, ...facts(passage).filter(Boolean)),
      h("p", { class: "face__why" }, t(`why_${reason}${who}`, { seen: shown(passage.plate), limit: device.rules.fever })),
      reason === "mismatch" && passage.nearlySame ? h("p", { class: "face__why" }, t("lookAlike")) : "",
      passage.online?.message ? h("p", {}, passage.online.message) : "",
      others(passage) ?? "",
      h("p", { class: "face__online" }, icon(passage.online ? "cloud-check" : "cloud-off"), h("span", {}, passage.online ? t("confirmed", { at: timeOf(passage.online.now) }) : t("notConfirmed"))));
    if (this.sounded !== tone) { this.sounded = tone; signal(tone); }
  }

  drawAct() {
    const at = [...this.act.querySelectorAll("button")].indexOf(document.activeElement);
    const goesOn = this.drawn === this.step;
    this.drawn = this.step;
    this.act.replaceChildren(...(this.step === "compare" ? this.compare() : this.entry()));
    // The keyboard stays where it was; on other keys it begins before the first, so that nothing is pressed by mistake.
    if (at >= 0) (goesOn ? this.act.querySelectorAll("button")[at] ?? this.act : this.act).focus({ preventScroll: true });
  }

  compare() {
    const { passage } = this;
    const word = passage.isVehicle ? "plate" : "person";
    return [
      h("p", { class: "act__ask" }, t(`${word}Ask`)),
      h("div", { class: "pair" }, button(t(`${word}Differs`), () => this.differs(), { style: "button--danger button--tall", symbol: "x" }),
        button(t(`${word}Same`), () => { passage.matched = true; this.step = "decide"; this.draw(); }, { style: "button--go button--tall", symbol: "check" })),
      button(t("leave"), () => this.done(null), { style: "button--quiet", symbol: "arrow-left" }),
    ];
  }

  async differs() {
    const { passage } = this;
    if (passage.isVehicle) {
      const plate = await askPlate(t("plateSeen"), "浙B");
      if (!plate) return;
      passage.plate = plate;
      passage.matched = plate === passage.subject;
    } else passage.matched = false;
    this.step = "decide";
    this.draw();
  }

  async changePlate() {
    const { passage } = this;
    const plate = await askPlate(t("plateSeen"), passage.plate || "浙B");
    if (!plate) return;
    passage.plate = plate;
    if (passage.isVehicle && passage.subject && passage.verdict.claims) passage.matched = plate === passage.subject;
    this.draw();
  }

  entry() {
    const { passage } = this;
    const way = (direction, symbol) => button(t(direction), () => { passage.setDirection(direction); this.drawAct(); }, { style: "button--choice", symbol, "aria-pressed": String(passage.direction === direction) });
    const stepper = h("div", { class: "stepper", role: "group", "aria-label": t("heads") },
      h("button", { type: "button", class: "key", "aria-label": t("headsLess"), onclick: () => { passage.count(-1); this.drawAct(); } }, "−"),
      h("output", {}, t("nHeads", { n: passage.heads })),
      h("button", { type: "button", class: "key", "aria-label": t("headsMore"), onclick: () => { passage.count(1); this.drawAct(); } }, "+"));
    return [
      h("div", { class: "act__row" }, h("div", { class: "pair", role: "group", "aria-label": t("direction") }, way("in", "door-enter"), way("out", "door-exit")), stepper),
      h("div", { class: "act__row" }, button(passage.plate ? t("plateIs", { plate: shown(passage.plate) }) : t("plateAdd"), () => this.changePlate(), { symbol: "car" }),
        button(passage.temperatures.length ? t("temperaturesAre", { list: passage.temperatures.map((d) => d.toFixed(1)).join(" ") }) : t("temperatureAdd"), () => this.measure(), { symbol: "temperature", style: passage.fever ? "button--danger" : "" })),
      h("div", { class: "decisions", "data-clear": String(passage.isClear) }, ...this.decisions()),
      button(t("leave"), () => this.done(null), { style: "button--quiet", symbol: "arrow-left" }),
    ];
  }

  decisions() {
    const { passage } = this;
    const main = passage.isClear ? "pass" : passage.fever ? "hand_over" : "turn_back";
    const one = (decision, style, symbol) => button(t(decision), () => this.decide(decision), { style: `${decision === main ? style : "button--plain"} button--tall`, symbol, "data-decision": decision });
    return [one("hand_over", "button--amber", "first-aid-kit"), one("turn_back", "button--danger", "arrow-back-up"), one("pass", "button--go", "check")];
  }

  async measure() {
    await askTemperatures(device.rules.fever, () => this.passage.temperatures, (degrees) => this.passage.measure(degrees));
    this.draw();
  }

  async decide(decision) {
    const { passage } = this;
    let words = "";
    if (decision === "pass" && !passage.isClear) {
      words = await askReason(t("whyPass"), [t("reasonCalled"), t("reasonEmergency"), t("reasonOrder")], t("againstVerdict"));
      if (!words) return;
    }
    try {
      await passage.decide(decision, words);
      this.done(passage);
    } catch {
      this.act.prepend(h("p", { class: "wrong", role: "alert" }, t("notKept")));
    }
  }
}
