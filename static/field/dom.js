/** dom.js: making and finding elements in few words; texts are always set as texts, never as HTML. */

/** A new element: attributes by name (`class`, `onclick` and other listeners, booleans), then children. */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** One icon of the page's own sprite. */
export function icon(name) {
  const namespace = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(namespace, "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(namespace, "use");
  use.setAttribute("href", `#i-${name}`);
  svg.append(use);
  return svg;
}

/** A button with an icon (may be empty) and words. */
export function button(words, onclick, { style = "", symbol = "", ...more } = {}) {
  return h("button", { type: "button", class: `button ${style}`.trim(), onclick, ...more }, symbol && icon(symbol), h("span", {}, words));
}

/** A copy of the element in the template `id`. */
export function clone(id) {
  return document.getElementById(id).content.firstElementChild.cloneNode(true);
}

const SIGNS = { info: "info-circle", success: "check", warning: "alert-triangle", danger: "alert-triangle" };

/** A box that says something: tone is info, success, warning or danger. */
export function note(tone, ...children) {
  return h("div", { class: `note note--${tone}`, role: tone === "danger" ? "alert" : null }, icon(SIGNS[tone]), h("div", {}, ...children));
}

/** Ask before something is thrown away; resolves to true when the person agrees. */
export function ask(words, yes, no) {
  return new Promise((resolve) => {
    const done = (answer) => { dialog.close(); dialog.remove(); resolve(answer); };
    const dialog = h("dialog", { class: "dialog", "aria-label": words, oncancel: () => done(false) },
      h("p", {}, words),
      h("div", { class: "dialog__buttons" }, button(no, () => done(false)), button(yes, () => done(true), { style: "button--danger" })));
    document.body.append(dialog);
    dialog.showModal();
  });
}
