/** areas.js: the zones and buildings offered follow the town that was chosen; without JavaScript saving the page does it. */

const form = document.querySelector("form[data-areas-url]");
const town = form?.querySelector('[data-options="town"]');
let asked = 0;

function fill(select, places) {
  const kept = select.value;
  const blank = new Option(places.length === 0 ? form.dataset.none : form.dataset.choose, "");
  select.replaceChildren(blank, ...places.map(([code, name]) => new Option(name, code)));
  select.value = places.some(([code]) => code === kept) ? kept : "";
}

async function follow() {
  asked += 1;
  const mine = asked;
  let below = { zone: [], building: [] };
  if (town.value) {
    try {
      const answer = await fetch(form.dataset.areasUrl.replace("CODE", encodeURIComponent(town.value)), { headers: { Accept: "application/json" } });
      if (!answer.ok) return;
      below = await answer.json();
    } catch {
      return; // off line: the options stay as they are, the server sorts it out on saving
    }
  }
  if (mine !== asked) return;
  for (const [kind, places] of Object.entries(below)) {
    const select = form.querySelector(`[data-options="${kind}"]`);
    if (select) fill(select, places);
  }
}

if (town) {
  town.addEventListener("change", follow);
  form.addEventListener("fg:restored", follow);
}
