/** other_views.js: the log of this device, its settings, and how a phone becomes a device of a gate. */
import { ask, button, h, icon, note } from "../field/dom.js";
import { device, enrolled } from "./device.js";
import { shown } from "./plates.js";
import { rows } from "./recent.js";
import { best, readPicture } from "./scanner.js";
import { dropEntry, entryCount, refusedEntries } from "./store.js";
import { language, t, timeOf } from "./texts.js";
import { todays } from "./passage.js";
import { NoAnswer, Refused, request } from "./wire.js";

const root = document.documentElement;
const read = (name, other) => localStorage.getItem(`gate.${name}`) ?? other;

function choice(name, legend, options, current, chosen) {
  const radio = ([value, words]) => h("label", { class: "option" }, h("input", { type: "radio", name, value, checked: value === current, onchange: () => chosen(value) }), h("span", {}, words));
  return h("fieldset", { class: "options card" }, h("legend", {}, legend), ...options.map(radio));
}

const keep = (name, shownAs) => (value) => {
  localStorage.setItem(`gate.${name}`, value);
  if (shownAs) root.dataset[shownAs] = value;
};

/** The settings of this phone. */
export function settingsView() {
  const yesNo = [["yes", t("on")], ["no", t("off")]];
  const { list } = device;
  return h("div", { class: "page stack" },
    h("section", { class: "card" }, h("h2", {}, device.gate?.name ?? ""), h("p", {}, [device.gate?.place, device.me?.name].filter(Boolean).join(" · ")),
      list ? h("p", { class: "quiet" }, t("listIs", { version: list.version, count: list.count, at: `${list.day} ${timeOf(list.madeAt * 1000)}`, keys: device.ring.size })) : h("p", {}, t("noList"))),
    choice("theme", t("theme"), [["auto", t("themeAuto")], ["light", t("themeLight")], ["dark", t("themeDark")]], read("theme", "auto"), keep("theme", "theme")),
    choice("size", t("textSize"), [["normal", t("sizeNormal")], ["large", t("sizeLarge")]], read("size", "normal"), keep("size", "textSize")),
    choice("language", t("language"), [["zh_Hans", "中文"], ["en", "English"]], language, (value) => { keep("language")(value); location.reload(); }),
    choice("sound", t("sound"), yesNo, read("sound", "yes"), keep("sound")),
    choice("vibration", t("vibration"), yesNo, read("vibration", "yes"), keep("vibration")),
    h("section", { class: "card" }, h("h2", {}, t("install")), h("p", {}, t("installHint"))));
}

function refusedCard(row, redraw) {
  const { body } = row;
  return h("li", { class: "card" }, h("p", {}, `${timeOf(body.at)} ${shown(body.plate)} ${t(body.direction)} ${t(body.decision)}`), h("p", { class: "wrong" }, row.message),
    button(t("dropRefused"), async () => { if (await ask(t("dropAsk"), t("dropRefused"), t("back"))) { await dropEntry(row.seq); redraw(); } }, { symbol: "trash" }));
}

/** Today's counts, what the server refused, and the last entries. */
export async function logView(redraw) {
  const counts = todays();
  const refused = await refusedEntries();
  const number = (words, n) => h("div", { class: "count" }, h("dt", {}, words), h("dd", {}, String(n)));
  const line = (row) => h("li", { class: "line" }, h("span", {}, timeOf(row.at)), h("span", {}, t(row.direction)), h("strong", {}, t(row.decision)), h("span", {}, row.end ? `…${row.end}` : "—"),
    h("span", { class: `badge badge--${row.state === "sent" ? "success" : row.state === "refused" ? "danger" : "warning"}` }, t(`state_${row.state}`)));
  return h("div", { class: "page stack" },
    h("dl", { class: "tally" }, number(t("in"), counts.in), number(t("out"), counts.out), number(t("turn_back"), counts.turn_back), number(t("hand_over"), counts.hand_over), number(t("inside"), device.gate?.inside ?? 0)),
    refused.length ? h("section", {}, h("h2", {}, t("refusedTitle")), h("ul", { class: "stack" }, ...refused.map((row) => refusedCard(row, redraw)))) : null,
    h("section", { class: "card" }, h("h2", {}, t("recentTitle")), rows.length ? h("ul", {}, ...rows.map(line)) : h("p", { class: "quiet" }, t("recentNone")), h("p", { class: "quiet" }, t("recentHint"))));
}

/** What an enrolment QR code or link holds. */
export const codeIn = (text) => /#enrol=([\w-]{16,200})$/.exec(text.trim())?.[1] ?? "";

function farewell() {
  const { farewell: gone } = device;
  if (!gone) return null;
  const words = gone.code === "revoked" ? t("revokedDevice", { gate: gone.gate }) : t("unknownDevice", { gate: gone.gate });
  return note("danger", h("p", {}, words), gone.left ? h("p", {}, t(gone.code === "revoked" ? "revokedLost" : "unknownKept", { n: gone.left })) : null);
}

/** How this phone becomes a device: by a code from the administrator's page, once. `done()` when it has. */
export function enrolView(code, done) {
  const message = h("div", { role: "status", class: "stack" });
  const name = h("input", { class: "input", id: "device-name", maxlength: "40", autocomplete: "off" });
  const yes = button(t("enrolYes"), async () => {
    yes.disabled = true;
    message.replaceChildren(h("p", {}, t("asking")));
    try {
      await enrolled(await request("", "POST", "/gate/enrol", { code, name: name.value.trim() }));
      await done();
    } catch (error) {
      const words = error instanceof NoAnswer ? t("enrolNoAnswer") : error instanceof Refused ? error.message : String(error);
      message.replaceChildren(note("danger", h("p", {}, words)));
      yes.disabled = error instanceof Refused && error.status === 404;
    }
  }, { style: "button--main button--tall", symbol: "device-mobile-check" });
  const picture = h("input", { type: "file", accept: "image/*", class: "file", onchange: async () => {
    const { codes = [] } = await readPicture(picture.files[0]);
    picture.value = "";
    const found = codeIn(best(codes)?.text ?? "");
    if (found) enrolment.replaceWith(enrolView(found, done));
    else message.replaceChildren(note("warning", h("p", {}, t("enrolNotFound"))));
  } });
  const link = h("input", { class: "input", id: "enrol-link", autocomplete: "off", placeholder: "…/gate/#enrol=…", oninput: () => { const found = codeIn(link.value); if (found) enrolment.replaceWith(enrolView(found, done)); } });
  const enrolment = h("div", { class: "page stack" }, farewell(), code
    ? h("section", { class: "card" }, h("h2", {}, t("enrolAsk")), h("p", {}, t("enrolHint")), h("label", { for: "device-name" }, t("deviceName")), name, yes)
    : h("section", { class: "card" }, h("h2", {}, t("notEnrolled")), h("p", {}, t("notEnrolledHint")), h("label", { class: "button button--main" }, icon("qrcode"), h("span", {}, t("enrolPicture")), picture),
      h("label", { for: "enrol-link" }, t("enrolLink")), link), message);
  return enrolment;
}

/** A device that is one already was given a code: it stays what it is. */
export async function alreadyView() {
  const left = await entryCount();
  return h("div", { class: "page stack" }, note("warning", h("p", {}, t("alreadyDevice", { gate: device.gate?.name ?? "" })), left ? h("p", {}, t("alreadyLeft", { n: left })) : null, h("a", { class: "button", href: "#/" }, t("back"))));
}
