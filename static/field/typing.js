/** typing.js: keeps what is typed: shortly after the last key, at once when the field or the page is left. */
const PAUSE_MS = 250;
const open = new Set();

addEventListener("pagehide", () => open.forEach((flush) => flush()));
document.addEventListener("visibilitychange", () => { if (document.visibilityState === "hidden") open.forEach((flush) => flush()); });

/** Call `save(value)` as `input` is typed in. */
export function typed(input, save) {
  let timer = 0;
  let last = input.value;
  const flush = () => {
    clearTimeout(timer);
    open.delete(flush);
    if (input.value !== last) { last = input.value; save(input.value); }
  };
  input.addEventListener("input", () => { open.add(flush); clearTimeout(timer); timer = setTimeout(flush, PAUSE_MS); });
  input.addEventListener("change", flush);
}

/** Show a value in a field, unless the person is just typing there. */
export function show(input, value) {
  if (document.activeElement !== input && input.value !== value) input.value = value;
}
