/** prefs.js: the reader's own settings on this phone: light or dark, text size, language, whether photos note their place. */
import { h } from "./dom.js";
import { t } from "./texts.js";
import { sendForm } from "./wire.js";

const read = (name, other) => localStorage.getItem(`field.${name}`) ?? other;
const root = document.documentElement;

function choice(name, legend, options, current, chosen) {
  const radio = ([value, words]) => h("label", { class: "option" }, h("input", { type: "radio", name, value, checked: value === current, onchange: () => chosen(value) }), h("span", {}, words));
  return h("fieldset", { class: "options card" }, h("legend", {}, legend), ...options.map(radio));
}

const keep = (name, shown) => (value) => {
  localStorage.setItem(`field.${name}`, value);
  if (shown) root.dataset[shown] = value;
};

async function speak(locale, message) {
  try {
    await sendForm("/settings/language", { locale, next: "/field/" });
    navigator.serviceWorker.addEventListener("message", () => location.reload(), { once: true });
    navigator.serviceWorker.controller.postMessage("shell");
  } catch {
    message.hidden = false;
  }
}

/** The view of the settings. */
export function prefsView(me) {
  const message = h("p", { class: "wrong", role: "alert", hidden: true }, t("languageNeedsSignal"));
  return h("div", { class: "stack" },
    h("p", { class: "quiet" }, t("signedInAs", { name: me.name })),
    choice("theme", t("theme"), [["auto", t("themeAuto")], ["light", t("themeLight")], ["dark", t("themeDark")]], read("theme", "auto"), keep("theme", "theme")),
    choice("size", t("textSize"), [["normal", t("sizeNormal")], ["large", t("sizeLarge")]], root.dataset.textSize, keep("size", "textSize")),
    choice("language", t("language"), [["zh_Hans", "中文"], ["en", "English"]], root.lang === "en" ? "en" : "zh_Hans", (locale) => speak(locale, message)),
    message,
    choice("place", t("placeChoice"), [["yes", t("placeYes")], ["no", t("placeNo")]], read("place", "yes"), keep("place")),
    h("section", { class: "card" }, h("h2", {}, t("install")), h("p", {}, t("installHint"))));
}
