/** desk.js: one visit as it lies open: what the server told last, what the phone has marked since, and the way to change it. */
import * as marks from "./marks.js";
import { bundle, kept } from "./store.js";

/** The open visit; `options` are the page's own: the largest photo, whether its place may be noted. */
export class Desk extends EventTarget {
  constructor(me, visitId, options) {
    super();
    Object.assign(this, { me, visitId, options });
  }

  /** Read everything of the visit, unless it was `read` already; resolves to false when the phone has no such visit. */
  async load(read = null) {
    const found = read ?? await bundle(this.me.id, this.visitId);
    if (!found.kept) return false;
    Object.assign(this, found);
    this.visit = found.kept.visit;
    this.open = this.visit.status === "planned" && !this.kept.gone && this.kept.listed && this.conclusion?.state !== "sent";
    return true;
  }

  /** Read again and tell who is listening. */
  async reload() {
    if (await this.load()) this.dispatchEvent(new Event("loaded"));
  }

  get items() { return this.visit.groups.flatMap((group) => group.items); }
  get party() { return this.visit.lead.id === this.me.id ? "lead" : this.visit.second.id === this.me.id ? "second" : ""; }
  get failed() { return this.items.filter((item) => marks.valuesOf(item, this.marks.get(item.code)).result === "fail"); }
  get undone() { return this.items.filter((item) => !marks.isDone(item, this.marks.get(item.code))); }
  get conflicts() { return [...this.marks.values()].filter((mark) => mark.conflict).length; }

  get refused() { return [...this.marks.values()].filter((mark) => mark.refused).length + this.photos.filter((photo) => photo.state === "refused").length; }

  /** Change an item and remember it; resolves when it is on the disk. */
  async change(item, patch) {
    const mark = await marks.change(this.me.id, this.visit, item, patch);
    this.marks.set(item.code, mark);
    this.told();
  }

  /** Let the other inspector's values stand. */
  async takeTheirs(item) {
    await marks.takeTheirs(this.me.id, this.visitId, item.code);
    await this.reload();
    this.told();
  }

  /** How many photos of an item there are, on this phone or on the server. */
  photoCount(code) {
    const own = new Map(this.photos.map((photo) => [photo.client_id, photo]));
    const remote = this.visit.photos.filter((photo) => photo.code === code && !own.has(photo.client_id)).length;
    return remote + this.photos.filter((photo) => photo.code === code && !photo.taken_back).length;
  }

  photosChanged(code) {
    this.dispatchEvent(new CustomEvent("photos", { detail: code }));
    this.told();
  }

  told() {
    kept();
  }
}
