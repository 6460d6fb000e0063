/** row.js: one item of the sheet: its three buttons, the measured value, words, date and photos, and a conflict if there is one. */
import { button, clone, h } from "./dom.js";
import { isDone, judge, valuesOf } from "./marks.js";
import { Pictures } from "./pictures.js";
import { dateOf, momentOf, t } from "./texts.js";
import { show, typed } from "./typing.js";

const LABELS = { conform: "conform", fail: "fails", na: "notApplicable" };

/** The words for what somebody marked: result, measured value and note. */
export function inWords({ result, measured, note }) {
  return [result ? t(LABELS[result]) : t("unmarked"), measured, note].filter(Boolean).join(" · ");
}

/** One row; `desk` keeps the visit and its marks and saves what is changed. */
export class Row {
  constructor(desk, item) {
    this.desk = desk;
    this.item = item;
    this.element = clone("t-item");
    const find = (name) => this.element.querySelector(`[data-part=${name}]`);
    for (const name of ["code", "words", "veto", "limit", "measure", "measured", "unit", "choices", "more", "details", "state", "problem"]) this[name] = find(name);
    this.element.id = `item-${item.code}`;
    this.element.row = this;
    this.code.textContent = item.code;
    this.words.textContent = item.text;
    this.words.id = `words-${item.code}`;
    this.veto.hidden = !item.veto;
    this.choices.setAttribute("aria-labelledby", this.words.id);
    this.more.setAttribute("aria-describedby", this.words.id);
    this.setUpLimit();
    this.draw();
  }

  setUpLimit() {
    const { item } = this;
    if (item.minimum === null && item.maximum === null) { this.limit.remove(); this.measure.remove(); return; }
    this.limit.textContent = item.limit_words;
    this.unit.textContent = item.unit;
    this.measured.setAttribute("aria-describedby", this.words.id);
    this.measured.disabled = !this.desk.open;
    typed(this.measured, (measured) => this.save({ measured }));
  }

  get mark() { return this.desk.marks.get(this.item.code); }
  get values() { return valuesOf(this.item, this.mark); }
  get done() { return isDone(this.item, this.mark); }

  /** A tap on one of the three; the same again takes it back. */
  choose(result, at) {
    const { values } = this;
    if (result === "conform" && judge(this.item, values.measured) === "outside") {
      this.blocked = true; // and the reason stays, also when the row is drawn again because something was sent
      this.say(this.problemNow());
      return;
    }
    this.save({ result: values.result === result ? "" : result }, at);
  }

  /** Show which of the three holds: only what is on the disk is shown as chosen. */
  press(result) {
    for (const each of this.choices.children) each.setAttribute("aria-pressed", String(each.dataset.result === result));
  }

  async save(patch, at) {
    this.blocked = false;
    try {
      await this.desk.change(this.item, patch);
    } catch {
      this.say(t("notSavedHere"));
      return;
    }
    if (at !== undefined) performance.measure("field.tap", { start: at, end: performance.now() });
    this.draw();
    this.desk.drawProgress();
  }

  say(words) {
    this.problem.textContent = words;
    this.problem.hidden = !words;
  }

  problemNow() {
    const { result, measured, note } = this.values;
    const standing = judge(this.item, measured);
    if (this.mark?.refused) return this.mark.refused;
    if (standing === "unreadable") return t("unreadable");
    if (standing === "outside" && result !== "fail") return t(this.blocked ? "outsideBlocked" : "outsideSuggest", { limit: this.item.limit_words });
    if (result === "fail" && !note.trim()) return t("noteNeeded");
    return "";
  }

  stateNow() {
    const { item, mark } = this;
    if (mark) return t("savedHereAt", { at: momentOf(mark.changed_at) });
    return item.result && item.marked_at ? t("markedBy", { name: item.marked_by ?? "", at: momentOf(item.marked_at) }) : "";
  }

  draw() {
    const { values, item, mark } = this;
    const conflict = Boolean(mark?.conflict);
    this.element.dataset.result = values.result;
    this.element.classList.toggle("item--done", this.done);
    this.element.classList.toggle("item--outside", judge(item, values.measured) === "outside");
    this.press(values.result);
    for (const each of this.choices.children) each.disabled = !this.desk.open;
    this.choices.hidden = conflict;
    if (this.measure.isConnected || this.measure.parentNode) show(this.measured, values.measured);
    this.drawConflict(conflict);
    this.say(conflict ? "" : this.problemNow());
    this.state.textContent = this.stateNow();
    this.drawMore(values);
  }

  drawMore(values) {
    const photoCount = this.desk.photoCount(this.item.code);
    const has = [values.note && t("hasNote"), photoCount && t("nPhotos", { n: photoCount })].filter(Boolean).join(" · ");
    this.more.querySelector("span").textContent = has || t("noteAndPhotos");
    this.more.classList.toggle("item__more--has", Boolean(has));
    const wanted = this.opened ?? values.result === "fail";
    this.more.setAttribute("aria-expanded", String(wanted));
    this.details.hidden = !wanted;
    if (wanted) this.drawDetails(values);
  }

  drawDetails(values) {
    if (!this.note) this.fillDetails();
    show(this.note, values.note);
    show(this.date, values.rectify_by_on);
    this.dateField.hidden = values.result !== "fail";
    this.pictures.draw();
  }

  fillDetails() {
    const { item, desk } = this;
    const closed = !desk.open;
    this.note = h("textarea", { class: "input", rows: "2", maxlength: "2000", disabled: closed, id: `note-${item.code}` });
    this.date = h("input", { class: "input input--date", type: "date", min: dateOf(), disabled: closed, id: `date-${item.code}` });
    this.dateField = h("div", { class: "field" }, h("label", { for: this.date.id }, t("rectifyBy")), this.date);
    this.pictures = new Pictures(desk, item.code);
    typed(this.note, (note) => this.save({ note }));
    this.date.addEventListener("change", () => this.save({ rectify_by_on: this.date.value }));
    const remedy = item.remedy ? h("p", { class: "remedy" }, h("b", {}, t("companySays")), item.remedy, item.remedy_photos ? ` (${t("nPhotos", { n: item.remedy_photos })})` : "") : null;
    this.details.append(...[remedy, h("div", { class: "field" }, h("label", { for: this.note.id }, t("note")), this.note), this.dateField, this.pictures.element].filter(Boolean));
  }

  toggle() {
    this.opened = this.details.hidden;
    this.drawMore(this.values);
  }

  drawConflict(conflict) {
    const key = conflict ? JSON.stringify(this.mark) : "";
    if (key === this.conflictDrawn) return;
    this.conflictDrawn = key;
    this.card?.remove();
    this.card = conflict ? this.conflictCard(this.mark.conflict.current) : null;
    if (this.card) this.choices.before(this.card);
  }

  conflictCard(theirs) {
    const mine = this.values;
    const line = (who, at, values) => h("li", {}, h("b", {}, `${who} ${at ? momentOf(at) : ""}`), h("span", {}, inWords(values)));
    return h("div", { class: "conflict", role: "group", "aria-label": t("conflict") },
      h("p", { class: "conflict__title" }, t("conflict")),
      h("ul", {}, line(t("mine"), this.mark.changed_at, mine), line(theirs.marked_by ?? "", theirs.marked_at, theirs)),
      h("div", { class: "conflict__buttons" },
        button(t("keepMine"), () => this.save({ ...mine })),
        button(t("takeTheirs"), () => this.desk.takeTheirs(this.item)),
        button(t("writeAnew"), () => this.writeAnew(mine, theirs), { style: "button--quiet" })));
  }

  /** Begin again from both: mine stands, the other's words come along, and the note is opened to be put right. */
  async writeAnew(mine, theirs) {
    const note = [mine.note, theirs.note].filter((words, at, all) => words && all.indexOf(words) === at).join(t("semicolon"));
    this.opened = true;
    await this.save({ ...mine, note });
    this.note.focus();
  }
}
