/** finish.js: the end of a visit: what is left, the company's signature, the inspectors' confirmation, and the conclusion. */
import { button, h, note } from "./dom.js";
import { Pad } from "./pad.js";
import { dropConclusion, dropSignature, keepConclusion, keepSignature } from "./papers.js";
import { sync } from "./sync.js";
import { dateOf, momentOf, t } from "./texts.js";

const field = (label, input) => h("div", { class: "field" }, h("label", { for: input.id }, label), input);
const text = (id, value = "", more = {}) => { const input = h("input", { type: "text", class: "input", id, maxlength: "80", ...more }); input.value = value; return input; };

/** The tab; drawn anew after each sync unless somebody is just filling it in. */
export class Finish {
  constructor(desk) {
    this.desk = desk;
    this.element = h("div", { class: "stack" });
    this.touched = false;
    this.element.addEventListener("input", () => { this.touched = true; });
    this.element.addEventListener("pointerdown", (event) => { if (event.target.matches("canvas")) this.touched = true; });
    this.drawn = "";
    this.draw();
  }

  draw() {
    const { desk } = this;
    const drawn = JSON.stringify([desk.conclusion, [...desk.signatures.values()], desk.visit, desk.undone.length, desk.failed.length, desk.conflicts, desk.refused, desk.open]);
    if (drawn === this.drawn) return;
    const kept = this.typed();
    this.drawn = drawn;
    if (this.touched) { this.summary.replaceWith(this.summary = this.summaryCard()); return; }
    this.summary = this.summaryCard();
    this.element.replaceChildren(this.summary, this.companyCard(), this.ownCard(), this.otherCard(), this.conclusionCard(kept));
  }

  /** Draw everything anew after something was kept. */
  async again() {
    this.touched = false;
    this.drawn = "";
    await this.desk.reload();
    this.draw();
    sync({ hurry: true });
  }

  typed() { return { words: this.words?.value ?? "", date: this.date?.value ?? "", action: this.element.querySelector("[name=action]:checked")?.value ?? "" }; }

  summaryCard() {
    const { desk } = this;
    const base = `#/visit/${desk.visitId}`;
    const link = (item) => h("li", {}, h("a", { href: `${base}?item=${item.code}` }, `${item.code} ${item.text}`));
    const part = (items, words) => items.length ? h("details", {}, h("summary", {}, words), h("ul", {}, ...items.map(link))) : null;
    const { undone, failed } = desk;
    return h("section", { class: "card" }, h("h2", {}, t("summary")),
      h("p", {}, t("summaryWords", { total: desk.items.length, failed: failed.length, photos: desk.visit.photos.length + desk.photos.filter((p) => p.state !== "sent" && !p.taken_back).length })),
      desk.refused ? note("warning", h("p", {}, t("refusedFirst", { n: desk.refused }))) : null,
      desk.conflicts ? note("warning", h("p", {}, t("conflictsFirst", { n: desk.conflicts }))) : null,
      part(undone, t("nUndone", { n: undone.length })), part(failed, t("nFailed", { n: failed.length })));
  }

  /** A signature as it stands: kept here, refused by the server, or what the server holds. */
  standing(party) {
    const local = this.desk.signatures.get(party);
    const remote = this.desk.visit.signatures?.[party];
    if (local && local.state !== "sent") return { ...local, at: local.device_at, here: true };
    if (remote) return { ...remote, here: false };
    return local ? { ...local, at: local.device_at, here: false } : null;
  }

  signed(party, found) {
    const refused = found.status === "refused";
    const words = refused ? t("refusedBy", { name: found.name, at: momentOf(found.at) }) : t("signedBy", { name: found.name, at: momentOf(found.at) });
    const state = found.state === "refused" ? note("danger", h("p", {}, found.message)) : h("p", { class: "quiet" }, found.here ? t("savedHere") : t("uploaded"));
    const again = async () => { await dropSignature(this.desk.me.id, this.desk.visitId, party); this.renew = { ...this.renew, [party]: true }; await this.again(); };
    return h("div", {}, h("p", {}, words), refused && found.reason ? h("p", {}, found.reason) : null, found.image ? h("img", { class: "signature", src: found.image, alt: t("signature") }) : null,
      state, found.stale ? note("warning", h("p", {}, t("stale"))) : null,
      this.desk.open ? button(t("signAgain"), again, { style: "button--quiet" }) : null);
  }

  companyCard() {
    const found = this.renew?.company ? null : this.standing("company");
    const card = h("section", { class: "card" }, h("h2", {}, t("companySignature")));
    if (found) card.append(this.signed("company", found));
    else if (this.desk.open) card.append(this.companyForm());
    else card.append(h("p", { class: "quiet" }, t("notSigned")));
    return card;
  }

  companyForm() {
    const name = text("company-name", "", { autocomplete: "off" });
    const post = text("company-post", "", { autocomplete: "off" });
    const pad = new Pad(() => name.value);
    const reason = text("company-reason", "", { maxlength: "200" });
    const wrong = h("p", { class: "wrong", role: "alert", hidden: true });
    name.addEventListener("input", () => pad.draw());
    const say = (words) => { wrong.textContent = words; wrong.hidden = false; };
    const sign = () => {
      if (!name.value.trim()) { say(t("nameNeeded")); name.focus(); } else if (pad.isEmpty) say(t("signatureNeeded"));
      else this.keep("company", { status: "signed", name: name.value.trim(), post: post.value.trim(), image: pad.image() }, say);
    };
    const refuse = () => {
      if (!reason.value.trim()) { say(t("reasonNeeded")); reason.focus(); } else this.keep("company", { status: "refused", name: name.value.trim(), post: post.value.trim(), reason: reason.value.trim() }, say);
    };
    return h("div", {}, h("p", { class: "quiet" }, t("companySignatureHint")), field(t("signerName"), name), field(t("signerPost"), post), pad.element, wrong,
      button(t("keepSignature"), sign, { style: "button--main", symbol: "check" }),
      h("details", { class: "refusal" }, h("summary", {}, t("companyRefuses")), field(t("refusalReason"), reason), button(t("keepRefusal"), refuse)));
  }

  async keep(party, values, say) {
    if (values.image === null) { say(t("signatureTooLarge")); return; }
    await keepSignature(this.desk.me.id, this.desk.visitId, party, values);
    this.renew = { ...this.renew, [party]: false };
    await this.again();
  }

  ownCard() {
    const { desk } = this;
    if (!desk.party) return h("div", { hidden: true });
    const found = this.renew?.[desk.party] ? null : this.standing(desk.party);
    const card = h("section", { class: "card" }, h("h2", {}, t("ownConfirmation", { name: desk.me.name })));
    if (found) card.append(this.signed(desk.party, found));
    else if (desk.open) card.append(this.ownForm());
    else card.append(h("p", { class: "quiet" }, t("notSigned")));
    return card;
  }

  ownForm() {
    const { me, party } = this.desk;
    const pad = new Pad(() => me.name);
    const wrong = h("p", { class: "wrong", role: "alert", hidden: true });
    const say = (words) => { wrong.textContent = words; wrong.hidden = false; };
    const confirm = () => { if (pad.isEmpty) say(t("signatureNeeded")); else this.keep(party, { status: "signed", name: me.name, image: pad.image() }, say); };
    return h("div", {}, h("p", { class: "quiet" }, t("ownConfirmationHint")), pad.element, wrong, button(t("confirmOwn"), confirm, { style: "button--main", symbol: "check" }));
  }

  otherCard() {
    const { visit, party } = this.desk;
    const others = ["lead", "second"].filter((each) => each !== party);
    return h("section", { class: "card" }, h("h2", {}, t("otherConfirmation")), ...others.map((each) => {
      const found = visit.signatures?.[each];
      return h("p", {}, found ? t("signedBy", { name: visit[each].name, at: momentOf(found.at) }) : t("otherNotYet", { name: visit[each].name }), found?.stale ? ` ${t("stale")}` : "");
    }));
  }

  conclusionCard(kept) {
    const { desk } = this;
    const card = h("section", { class: "card", id: "conclude" }, h("h2", {}, t("conclusion")));
    const { conclusion } = desk;
    const label = (action) => desk.visit.conclusions.find((each) => each.action === action)?.label ?? action;
    if (desk.visit.status !== "planned" || conclusion?.state === "sent") card.append(note("success", h("p", {}, t("concluded"))), h("a", { class: "button", href: `/inspections/${desk.visitId}` }, t("openOnline")));
    else if (conclusion?.state === "waiting") {
      const withdraw = async () => { await dropConclusion(desk.me.id, desk.visitId); await this.again(); };
      card.append(h("p", {}, h("b", {}, label(conclusion.action))), conclusion.words ? h("p", {}, conclusion.words) : "", note("info", h("p", {}, t("conclusionWaits"))), desk.open ? button(t("changeConclusion"), withdraw) : "");
    } else if (!desk.open) card.append(h("p", { class: "quiet" }, t("gone")));
    else card.append(this.conclusionForm(conclusion ? { words: conclusion.words, date: conclusion.rectify_by_on, action: conclusion.action } : kept, conclusion));
    return card;
  }

  conclusionForm(start, refused) {
    const { visit } = this.desk;
    this.words = h("textarea", { class: "input", id: "conclusion-words", rows: "3", maxlength: "2000" });
    this.words.value = start.words;
    this.date = h("input", { type: "date", class: "input input--date", id: "conclusion-date", min: dateOf() });
    this.date.value = start.date || this.latestDate();
    const dateField = field(t("rectifyAllBy"), this.date);
    const chosen = () => visit.conclusions.find((each) => each.action === list.querySelector(":checked")?.value);
    const show = () => { dateField.hidden = !chosen()?.needs_date; };
    const option = (each) => h("label", { class: `option option--${each.tone}` },
      h("input", { type: "radio", name: "action", value: each.action, checked: each.action === start.action, onchange: show }), h("span", {}, each.label));
    const list = h("fieldset", { class: "options" }, h("legend", {}, t("chooseConclusion")), ...visit.conclusions.map(option));
    const wrong = h("p", { class: "wrong", role: "alert", hidden: true });
    const say = (words) => { wrong.textContent = words; wrong.hidden = false; };
    show();
    return h("div", {}, refused ? note("danger", h("p", {}, refused.message), refused.reasons.length ? h("ul", {}, ...refused.reasons.map((each) => h("li", {}, each))) : "") : null,
      list, field(t("conclusionWords"), this.words), dateField, wrong,
      button(navigator.onLine ? t("concludeNow") : t("concludeLater"), () => this.conclude(chosen(), say), { style: "button--main", symbol: "check" }),
      h("p", { class: "quiet" }, t("concludeHint")));
  }

  latestDate() {
    const dates = this.desk.failed.map((item) => this.desk.marks.get(item.code)?.rectify_by_on ?? item.rectify_by_on).filter(Boolean);
    return dates.sort().at(-1) ?? "";
  }

  async conclude(chosen, say) {
    const { desk } = this;
    const { undone } = desk;
    if (undone.length) say(t("undoneFirst", { n: undone.length }));
    else if (!chosen) say(t("chooseFirst"));
    else if (chosen.needs_words && !this.words.value.trim()) { say(t("wordsNeeded")); this.words.focus(); }
    else if (chosen.needs_date && !this.date.value) { say(t("dateNeeded")); this.date.focus(); }
    else {
      await keepConclusion(desk.me.id, desk.visit, { action: chosen.action, words: this.words.value.trim(), rectify_by_on: chosen.needs_date ? this.date.value : "" });
      await this.again();
    }
  }
}
