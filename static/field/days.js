/** days.js: the first view: my visits by day, as fresh as they are, and what else lies on this phone. */
import { ask, button, h, icon, note } from "./dom.js";
import { isDone } from "./marks.js";
import { exported } from "./papers.js";
import { bundle, changed, clearVisit, leftByOthers, unsent, visitsOf } from "./store.js";
import { ageOf, dateOf, dayOf, t, timeOf } from "./texts.js";

const ROOM_BYTES = 50 * 1024 * 1024;

async function roomNote() {
  const { quota = Number.POSITIVE_INFINITY, usage = 0 } = (await navigator.storage?.estimate?.()) ?? {};
  return quota - usage < ROOM_BYTES ? note("warning", h("p", {}, t("littleRoom", { mb: Math.max(0, Math.round((quota - usage) / 1048576)) }))) : null;
}

/** Hand everything that is kept of a visit to the person as a file. */
export async function download(me, kept) {
  const content = JSON.stringify(await exported(me.id, kept.id, kept), null, 1);
  const address = URL.createObjectURL(new Blob([content], { type: "application/json" }));
  h("a", { href: address, download: `${kept.visit.reference}-${kept.visit.number}.json` }).click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}

async function drop(me, kept) {
  if (!(await ask(t("forgetAsk"), t("forget"), t("keepPhoto")))) return;
  await clearVisit(me.id, kept.id);
  changed();
}

function place(visit) {
  const words = [visit.zone, visit.building, visit.address].filter(Boolean).join(" · ");
  return h("p", { class: "visit__line" }, icon("map-pin"), h("span", {}, words || visit.town));
}

async function visitCard(me, kept) {
  const { visit } = kept;
  const { marks } = await bundle(me.id, kept.id);
  const left = await unsent(me.id, kept.id);
  const items = visit.groups.flatMap((group) => group.items);
  const done = items.filter((item) => isDone(item, marks.get(item.code))).length;
  const badge = (tone, words) => h("span", { class: `badge badge--${tone}` }, words);
  return h("li", { class: "card visit" },
    h("h3", {}, h("a", { href: `#/visit/${visit.id}` }, h("span", { class: "visit__time" }, timeOf(visit.visit_at)), " ", visit.enterprise)),
    place(visit),
    h("p", { class: "quiet" }, [visit.lead.name, visit.second.name].join(t("comma")), visit.meeting_point ? ` · ${t("meeting", { place: visit.meeting_point })}` : ""),
    visit.contact?.phone ? h("p", {}, `${visit.contact.name} `, h("a", { class: "phone", href: `tel:${visit.contact.phone}` }, visit.contact.phone)) : null,
    h("p", { class: "badges" },
      visit.status === "planned" ? badge(done === items.length ? "success" : "info", t("progress", { n: done, total: items.length })) : badge("success", t("concludedShort")),
      visit.is_recheck ? badge("warning", t("recheck")) : null,
      visit.status === "planned" && dateOf(visit.visit_at) < dateOf() ? badge("danger", t("overdue")) : null,
      left.all ? badge("warning", t("nWaiting", { n: left.all })) : null),
    kept.gone || (!kept.listed && visit.status === "planned") ? h("div", {}, note("warning", h("p", {}, t("goneKept"))), h("p", { class: "badges" }, button(t("export"), () => download(me, kept), { symbol: "download" }), button(t("forget"), () => drop(me, kept), { style: "button--quiet" }))) : null);
}

/** Make the view for a person. */
export async function daysView(me) {
  const visits = await visitsOf(me.id);
  const listed = visits.filter((kept) => kept.listed || kept.gone || kept.concluded_at);
  const orphans = visits.filter((kept) => !listed.includes(kept));
  const days = Map.groupBy ? Map.groupBy(listed, (kept) => dateOf(kept.visit.visit_at)) : grouped(listed);
  const fetched = visits.map((kept) => kept.fetched_at).sort().at(-1);
  const others = await leftByOthers(me.id);
  const section = async (title, some) => h("section", {}, h("h2", {}, title), h("ul", { class: "visits" }, ...(await Promise.all(some.map((kept) => visitCard(me, kept))))));
  const titled = ([day, some]) => section(day === dateOf() ? `${t("today")} · ${dayOf(some[0].visit.visit_at)}` : dayOf(some[0].visit.visit_at), some);
  return h("div", { class: "stack" },
    await roomNote(),
    ...others.map(({ name, n }) => note("warning", h("p", {}, t("leftByOther", { name, n })))),
    fetched ? h("p", { class: "quiet" }, t("listAge", { age: ageOf(fetched) })) : null,
    ...(await Promise.all([...days].map(titled))),
    orphans.length ? await section(t("gone"), orphans) : null,
    visits.length ? null : h("section", { class: "card" }, h("p", {}, t("noVisits")), h("p", { class: "quiet" }, t("noVisitsHint"))));
}

function grouped(list) {
  const groups = new Map();
  for (const kept of list) {
    const day = dateOf(kept.visit.visit_at);
    groups.set(day, [...(groups.get(day) ?? []), kept]);
  }
  return groups;
}
