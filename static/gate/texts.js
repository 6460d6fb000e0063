/** texts.js: the page's words, both languages at hand without signal, from <template id="texts-…">; and times in Shanghai. */
const stored = localStorage.getItem("gate.language") ?? "zh_Hans";

/** The language in use: zh_Hans or en. */
export const language = document.getElementById(`texts-${stored}`) ? stored : "zh_Hans";
const words = JSON.parse(document.getElementById(`texts-${language}`).content.textContent);
document.documentElement.lang = language === "en" ? "en" : "zh-Hans";

/** The text called `key` with `{name}` replaced by the values. */
export function t(key, values = {}) {
  const text = words[key];
  if (text === undefined) throw new Error(`there is no text called ${key}`);
  return text.replace(/\{(\w+)\}/g, (_whole, name) => String(values[name] ?? ""));
}

/** A word that the server sends: one text, or one for each language. */
export const said = (label) => (typeof label === "object" && label ? label[language === "en" ? "en" : "zh"] ?? label.zh ?? "" : label ?? "");

const shanghai = { timeZone: "Asia/Shanghai", hourCycle: "h23" };
const clock = new Intl.DateTimeFormat("zh-CN", { ...shanghai, hour: "2-digit", minute: "2-digit" });
const isoDay = new Intl.DateTimeFormat("sv-SE", { ...shanghai, year: "numeric", month: "2-digit", day: "2-digit" });

/** `09:31` in Shanghai. */
export const timeOf = (at) => clock.format(new Date(at));
/** `2020-02-15` in Shanghai. */
export const dateOf = (at) => isoDay.format(new Date(at));

/** An age in words: 刚刚, 5 分钟, 3 小时, 2 天. */
export function ageWords(seconds) {
  if (seconds < 60) return t("justNow");
  if (seconds < 3600) return t("minutesAgo", { n: Math.floor(seconds / 60) });
  if (seconds < 48 * 3600) return t("hoursAgo", { n: Math.floor(seconds / 3600) });
  return t("daysAgo", { n: Math.floor(seconds / 86_400) });
}
