/** pictures.js: the strip of photos of an item or of the place: take, choose, caption, delete or take back. */
import { ask, button, h, icon } from "./dom.js";
import * as photos from "./photos.js";
import { kept } from "./store.js";
import { momentOf, t } from "./texts.js";
import { show, typed } from "./typing.js";

const urls = new Map();

function smallPicture(photo) {
  if (!photo.thumb) return h("span", { class: "picture__none" }, icon("photo"));
  if (!urls.has(photo.client_id)) urls.set(photo.client_id, URL.createObjectURL(new Blob([photo.thumb], { type: "image/jpeg" })));
  return h("img", { src: urls.get(photo.client_id), alt: photo.caption || t("photoOf", { at: momentOf(photo.taken_at) }), loading: "lazy" });
}

function stateOf(photo) {
  if (photo.remote) return t("photoSentBy", { name: photo.by ?? "" });
  if (photo.state === "refused") return photo.message || t("photoRefused");
  return photo.state === "sent" ? t("uploaded") : t("savedHere");
}

function placeOf(photo) {
  if (photo.place === "refused") return t("placeRefused");
  if (photo.place === "unavailable") return t("placeUnavailable");
  return photo.place ?? "";
}

/** The photos of one item, of the place (an empty code) or of all items (null); `desk` gives me, visit, own photos, options, and is told of every change. */
export class Pictures {
  constructor(desk, code, { captions = false } = {}) {
    this.desk = desk;
    this.code = code;
    this.captions = captions;
    this.list = h("ul", { class: captions ? "pictures pictures--wide" : "pictures" });
    this.message = h("p", { class: "wrong", role: "alert", hidden: true });
    this.element = h("div", { class: "shots" }, this.list, this.message, desk.open && code !== null ? this.inputs() : null);
    this.drawn = "";
    this.draw();
  }

  inputs() {
    const camera = h("input", { type: "file", accept: "image/*", capture: "environment", class: "file", onchange: (event) => this.take(event.target, "camera") });
    const gallery = h("input", { type: "file", accept: "image/jpeg,image/png,image/heic,image/heif", multiple: true, class: "file", onchange: (event) => this.take(event.target, "gallery") });
    return h("div", { class: "shots__buttons" },
      h("label", { class: "button" }, camera, icon("camera"), h("span", {}, t("takePhoto"))),
      h("label", { class: "button button--quiet" }, gallery, icon("photo"), h("span", {}, t("fromGallery"))));
  }

  async take(input, source) {
    const files = [...input.files];
    input.value = "";
    this.message.hidden = true;
    const { me, visit, options } = this.desk;
    for (const file of files) {
      try {
        const photo = await photos.keep(me.id, visit.id, this.code, file, { source, maxBytes: options.maxBytes });
        this.desk.photos.push(photo);
        this.draw();
        this.desk.photosChanged(this.code);
        photos.findPlace(options.placeAllowed()).then((place) => this.edit(photo, { place }));
      } catch (error) {
        this.message.textContent = error instanceof photos.TooLarge ? t("photoTooLarge", { mb: options.maxBytes >> 20 }) : t("notSavedHere");
        this.message.hidden = false;
      }
    }
    kept(photos.HOLD_MS);
  }

  async edit(photo, patch) {
    Object.assign(photo, patch);
    await photos.update(photo.client_id, patch);
    this.draw();
  }

  async remove(photo) {
    const sent = photo.remote || photo.state === "sent";
    if (!(await ask(sent ? t("takeBackAsk") : t("deletePhotoAsk"), sent ? t("takeBack") : t("deletePhoto"), t("keepPhoto")))) return;
    const { me, visit } = this.desk;
    await photos.remove(me.id, visit.id, photo);
    await this.desk.reload();
    kept();
  }

  caption(photo) {
    const fixed = photo.remote || photo.state === "sent" || !this.desk.open;
    if (fixed) return photo.caption ? h("p", {}, photo.caption) : null;
    const input = h("input", { type: "text", maxlength: "200", class: "input", "aria-label": t("caption"), placeholder: t("caption") });
    show(input, photo.caption);
    typed(input, (caption) => {
      photo.caption = caption;
      photos.update(photo.client_id, { caption, held_until: Date.now() + photos.HOLD_MS });
      kept(photos.HOLD_MS);
    });
    return input;
  }

  /** Draw the photos anew when they are others, or stand otherwise, than those drawn; not while a caption is typed. */
  draw() {
    const mine = photos.shown(this.desk.visit, this.desk.photos).filter((photo) => (this.code === null ? photo.code : photo.code === this.code));
    const drawn = JSON.stringify(mine.map((photo) => [photo.client_id, photo.state, photo.place, photo.message, this.desk.open]));
    if (drawn === this.drawn || (this.list.contains(document.activeElement) && this.drawn && document.activeElement.matches("input"))) return;
    this.drawn = drawn;
    this.list.replaceChildren(...mine.map((photo) => h("li", { class: "picture" },
      smallPicture(photo),
      h("div", { class: "picture__words" },
        this.captions ? h("p", { class: "quiet" }, [photo.code, momentOf(photo.taken_at), photo.source === "gallery" && t("gallery"), placeOf(photo)].filter(Boolean).join(" · ")) : null,
        this.captions ? this.caption(photo) : null,
        h("p", { class: photo.state === "refused" ? "wrong" : "quiet" }, stateOf(photo))),
      this.desk.open ? h("button", { type: "button", class: "iconbutton", "aria-label": t("removePhoto", { at: momentOf(photo.taken_at) }), onclick: () => this.remove(photo) }, icon("trash")) : null)));
    this.list.hidden = mine.length === 0;
  }
}

/** The tab of all photos of a visit, with captions, times and places. */
export function photosTab(desk) {
  const pictures = new Pictures(desk, null, { captions: true });
  const place = new Pictures(desk, "", { captions: true });
  return {
    element: h("div", { class: "stack" },
      h("section", { class: "card" }, h("h2", {}, t("placePhotos")), h("p", { class: "quiet" }, t("placePhotosHint")), place.element),
      h("section", { class: "card" }, h("h2", {}, t("itemPhotos")), pictures.element)),
    draw: () => { pictures.draw(); place.draw(); },
  };
}
