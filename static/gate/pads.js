/** pads.js: big keys for gloves: a plate, a printed code, temperatures; each in a sheet that comes up from below. */
import { button, h, icon } from "../field/dom.js";
import { CODE_KEYS, CODE_LENGTH, isCode, isPlate, PLATE_KEYS, PLATE_LENGTH, PROVINCES, shown } from "./plates.js";
import { t } from "./texts.js";

const QUICK = [36.2, 36.4, 36.5, 36.6, 36.8, 37.0];
const COLDEST = 32; // as core/gate_rules.py: others are slips of the finger
const HOTTEST = 43;

function sheet(title, ...parts) {
  const dialog = h("dialog", { class: "sheet", "aria-label": title }, h("div", { class: "sheet__head" }, h("h2", {}, title),
    h("button", { type: "button", class: "iconbutton", "aria-label": t("close"), onclick: () => dialog.close() }, icon("x"))), ...parts);
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

const key = (words, press, more = {}) => h("button", { type: "button", class: "key", onclick: press, ...more }, words);

/** Ask for text by keys; resolves to it, or to null when the sheet was closed. */
function typed({ title, value, keysFor, most, show, ready, hint }) {
  return new Promise((resolve) => {
    let [text, answer] = [value, null];
    const screen = h("output", { class: "sheet__value" });
    const keys = h("div", { class: "keys" });
    const note = h("p", { class: "quiet sheet__hint", role: "status" });
    const done = button(t("done"), () => { answer = text; dialog.close(); }, { style: "button--main", symbol: "check" });
    const physical = (event) => {
      const letter = event.key.toUpperCase();
      if (event.key === "Backspace") set(text.slice(0, -1));
      else if (event.key === "Enter" && !done.disabled && event.target === dialog) done.click();
      else if (keysFor(text).includes(letter) && letter.length === 1) set(text + letter);
    };
    let drawnFor = null;
    const set = (next) => { text = next.slice(0, most); draw(); };
    const draw = () => {
      screen.textContent = text ? show(text) : "—";
      note.textContent = hint(text);
      done.disabled = !ready(text);
      const wanted = keysFor(text);
      if (wanted === drawnFor) return;
      drawnFor = wanted;
      keys.replaceChildren(...Array.from(wanted, (letter) => key(letter, () => set(text + letter))));
    };
    const dialog = sheet(title, screen, note, keys, h("div", { class: "sheet__foot" }, button(t("erase"), () => set(text.slice(0, -1)), { symbol: "backspace" }), done));
    dialog.addEventListener("keydown", physical);
    dialog.addEventListener("close", () => resolve(answer));
    draw();
  });
}

/** Ask for the plate at the vehicle. An unusual one (temporary, consular) is taken as it is typed. */
export const askPlate = (title, value = "浙B") => typed({
  title, value, most: PLATE_LENGTH, show: shown, keysFor: (text) => (text ? PLATE_KEYS : PROVINCES), ready: (text) => text.length >= 4,
  hint: (text) => (!text ? t("chooseProvince") : text.length >= 7 && !isPlate(text) ? t("unusualPlate") : ""),
});

/** Ask for the nine characters printed below the QR code; wrong ones are said at once. */
export const askCode = () => typed({
  title: t("codeTitle"), value: "", most: CODE_LENGTH, keysFor: () => CODE_KEYS, show: (text) => text.replace(/(.{3})(?=.)/g, "$1 "), ready: isCode,
  hint: (text) => (text.length < CODE_LENGTH ? t("codeLeft", { n: CODE_LENGTH - text.length }) : isCode(text) ? t("codeFits") : t("codeWrong")),
});

/** Measure one person after the other; `add(degrees)` keeps each. */
export function askTemperatures(fever, list, add) {
  return new Promise((resolve) => {
    let digits = "";
    const screen = h("output", { class: "sheet__value" });
    const said = h("p", { class: "sheet__hint", role: "status" });
    const value = () => Number(digits) / 10;
    const keep = (degrees) => { add(degrees); digits = ""; draw(degrees); };
    const press = (digit) => { digits = (digits + digit).slice(0, 3); draw(); };
    const plus = button(t("addTemperature"), () => keep(value()), { style: "button--main", symbol: "plus" });
    const draw = (last = null) => {
      const hot = digits.length === 3 && value() >= fever;
      const odd = digits.length === 3 && (value() < COLDEST || value() > HOTTEST);
      screen.textContent = digits ? `${digits.slice(0, 2)}${digits.length > 2 ? `.${digits[2]}` : ""} ℃` : "— ℃";
      dialog.dataset.hot = hot || list().some((each) => each >= fever);
      said.textContent = odd ? t("measureAgain") : last !== null && last >= fever ? t("feverFound", { degrees: last.toFixed(1) }) : t("measured", { n: list().length });
      plus.disabled = digits.length < 3 || odd;
    };
    const dialog = sheet(t("temperatureTitle"), screen, said,
      h("div", { class: "keys keys--quick" }, ...QUICK.map((degrees) => key(degrees.toFixed(1), () => keep(degrees)))),
      h("div", { class: "keys keys--digits" }, ..."1234567890".split("").map((digit) => key(digit, () => press(digit))), key(icon("backspace"), () => { digits = digits.slice(0, -1); draw(); }, { "aria-label": t("erase") })),
      h("div", { class: "sheet__foot" }, plus, button(t("done"), () => dialog.close())));
    dialog.addEventListener("keydown", (event) => { if (/^\d$/.test(event.key)) press(event.key); });
    dialog.addEventListener("close", resolve);
    draw();
  });
}

/** Ask why, before something is done against the verdict: one of the usual reasons, or words; resolves to "" when closed. */
export function askReason(title, reasons, warning) {
  return new Promise((resolve) => {
    let answer = "";
    const input = h("input", { class: "input", maxlength: "100", id: "reason", autocomplete: "off" });
    const give = (words) => { answer = words.trim(); if (answer) dialog.close(); };
    const dialog = sheet(title, h("p", { class: "sheet__warning" }, warning), h("div", { class: "reasons" }, ...reasons.map((words) => button(words, () => give(words)))),
      h("label", { for: "reason" }, t("otherReason")), input, h("div", { class: "sheet__foot" }, button(t("back"), () => dialog.close()), button(t("confirmPass"), () => give(input.value), { style: "button--danger" })));
    dialog.addEventListener("close", () => resolve(answer));
  });
}
