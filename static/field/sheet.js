/** sheet.js: the list of a visit's items by group, with a search, a filter, and the way to the next unmarked one. */
import { button, h, icon } from "./dom.js";
import { Row } from "./row.js";
import { t } from "./texts.js";

const FILTERS = { all: () => true, undone: (row) => !row.done, fail: (row) => row.values.result === "fail", conflict: (row) => Boolean(row.mark?.conflict) };

/** The tab of the items; `foot` is the page's sticky foot. */
export class Sheet {
  constructor(desk, foot) {
    this.desk = desk;
    this.rows = new Map();
    this.filter = "all";
    this.groups = desk.visit.groups.map((group) => this.group(group));
    this.list = h("div", { class: "groups" }, ...this.groups.map((group) => group.element));
    this.nothing = h("p", { class: "quiet", hidden: true }, t("nothingFound"));
    this.element = h("div", { class: "stack" }, this.focus(), this.tools(), this.nothing, this.list);
    this.list.addEventListener("click", (event) => this.click(event));
    this.progress = foot.querySelector("[data-part=progress]");
    this.next = foot.querySelector("[data-part=next]");
    this.next.onclick = () => this.goNext();
    desk.drawProgress = () => this.drawProgress();
    this.drawProgress();
  }

  group(group) {
    const count = h("span", { class: "quiet" });
    const items = group.items.map((item) => {
      const row = new Row(this.desk, item);
      this.rows.set(item.code, row);
      return row;
    });
    const element = h("section", { class: "group" }, h("h2", {}, group.title, " ", count), h("ol", { class: "items" }, ...items.map((row) => row.element)));
    return { element, count, items };
  }

  /** What often failed at such enterprises, to be looked at first. */
  focus() {
    const items = this.desk.items.filter((item) => this.desk.visit.focus?.includes(item.code));
    if (!items.length) return null;
    const link = (item) => h("li", {}, h("a", { href: `#item-${item.code}`, onclick: (event) => { event.preventDefault(); this.goTo(this.rows.get(item.code)); } }, `${item.code} ${item.text}`));
    return h("details", { class: "card focus" }, h("summary", {}, t("focus", { n: items.length })), h("ul", {}, ...items.map(link)));
  }

  tools() {
    this.search = h("input", { type: "search", class: "input", "aria-label": t("search"), placeholder: t("search"), oninput: () => this.sift() });
    const words = { all: t("filterAll"), undone: t("filterUndone"), fail: t("filterFail"), conflict: t("filterConflict") };
    const choose = (name) => () => { this.filter = name; this.sift(); };
    this.filters = h("div", { class: "filters", role: "group", "aria-label": t("filter") },
      ...Object.entries(words).map(([name, label]) => h("button", { type: "button", class: "pill", "data-filter": name, "aria-pressed": String(name === "all"), onclick: choose(name) }, label)));
    return h("div", { class: "tools" }, h("div", { class: "tools__search" }, icon("search"), this.search), this.filters);
  }

  sift() {
    const wanted = this.search.value.trim().toLowerCase();
    const holds = FILTERS[this.filter];
    let shown = 0;
    for (const each of this.filters.children) each.setAttribute("aria-pressed", String(each.dataset.filter === this.filter));
    for (const group of this.groups) {
      let here = 0;
      for (const row of group.items) {
        const keep = holds(row) && (!wanted || `${row.item.code} ${row.item.text}`.toLowerCase().includes(wanted));
        row.element.hidden = !keep;
        here += keep;
      }
      group.element.hidden = here === 0;
      shown += here;
    }
    this.nothing.hidden = shown > 0;
  }

  click(event) {
    const row = event.target.closest(".item")?.row;
    const choice = event.target.closest("[data-result]");
    if (!row) return;
    if (choice?.matches("button")) row.choose(choice.dataset.result, event.timeStamp);
    else if (event.target.closest("[data-part=more]")) row.toggle();
  }

  drawProgress() {
    const undone = this.desk.undone.length;
    const total = this.rows.size;
    const failed = this.desk.failed.length;
    this.progress.replaceChildren(h("progress", { max: total, value: total - undone, "aria-label": t("progress", { n: total - undone, total }) }),
      h("span", {}, t("progress", { n: total - undone, total }), failed ? h("b", { class: "wrong" }, ` ${t("nFailed", { n: failed })}`) : ""));
    this.next.querySelector("span").textContent = undone ? t("nextUndone") : t("toFinish");
    for (const group of this.groups) {
      const done = group.items.filter((row) => row.done).length;
      group.count.textContent = `${done}/${group.items.length}`;
    }
  }

  /** The next item below what was looked at last that is not done; the first one otherwise. */
  goNext() {
    const rows = [...this.rows.values()];
    const undone = rows.filter((row) => !row.done);
    if (!undone.length) { location.hash = `#/visit/${this.desk.visitId}/finish`; return; }
    const from = rows.indexOf(this.last);
    this.goTo(undone.find((row) => rows.indexOf(row) > from) ?? undone[0]);
  }

  goTo(row) {
    if (!row) return;
    if (row.element.hidden || row.element.closest("[hidden]")) { this.filter = "all"; this.search.value = ""; this.sift(); }
    this.last = row;
    row.element.scrollIntoView({ block: "center" });
    const target = row.mark?.conflict ? row.card.querySelector("button") : row.choices.querySelector("button");
    target.focus({ preventScroll: true });
  }

  /** Draw every row as it stands now: after a sync. */
  draw() {
    const fresh = new Map(this.desk.items.map((item) => [item.code, item]));
    for (const [code, row] of this.rows) {
      row.item = fresh.get(code) ?? row.item;
      row.draw();
    }
    this.drawProgress();
  }

  /** A button that shows the conflicts only. */
  conflictButton() {
    return button(t("showConflicts", { n: this.desk.conflicts }), () => { this.filter = "conflict"; this.sift(); }, { symbol: "alert-triangle" });
  }
}
