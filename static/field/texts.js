/** texts.js: the page's words in the reader's language, from the JSON in <template id="field-texts">, and times in Shanghai. */
const words = JSON.parse(document.getElementById("field-texts").content.textContent);

/** The text called `key` with `{name}` replaced by the values. */
export function t(key, values = {}) {
  const text = words[key];
  if (text === undefined) throw new Error(`there is no text called ${key}`);
  return text.replace(/\{(\w+)\}/g, (_whole, name) => String(values[name] ?? ""));
}

const language = document.documentElement.lang;
const shanghai = { timeZone: "Asia/Shanghai", hourCycle: "h23" };
const clock = new Intl.DateTimeFormat(language, { ...shanghai, hour: "2-digit", minute: "2-digit" });
const day = new Intl.DateTimeFormat(language, { ...shanghai, month: "numeric", day: "numeric", weekday: "short" });
const isoDay = new Intl.DateTimeFormat("sv-SE", { ...shanghai, year: "numeric", month: "2-digit", day: "2-digit" });

/** `09:31` of an ISO instant. */
export const timeOf = (at) => clock.format(new Date(at));
/** `2月15日周六` of an ISO instant. */
export const dayOf = (at) => day.format(new Date(at));
/** `2020-02-15` of an ISO instant, or of now. */
export const dateOf = (at) => isoDay.format(at ? new Date(at) : new Date());
/** `09:31` for today, with the day before it for any other day. */
export const momentOf = (at) => (dateOf(at) === dateOf() ? timeOf(at) : `${dayOf(at)} ${timeOf(at)}`);

/** How old something is, in words: `刚刚`, `5 分钟前`, `3 小时前`, or the moment. */
export function ageOf(at) {
  const minutes = Math.floor((Date.now() - new Date(at).getTime()) / 60_000);
  if (minutes < 1) return t("justNow");
  if (minutes < 60) return t("minutesAgo", { n: minutes });
  if (minutes < 24 * 60) return t("hoursAgo", { n: Math.floor(minutes / 60) });
  return momentOf(at);
}
