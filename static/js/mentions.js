/** mentions.js: typing @ in a note opens the list of colleagues who can see the case; choosing one settles who is meant. */

const longest = 12;
let known;

async function load(address) {
  known ??= fetch(address, { headers: { Accept: "application/json" } }).then((answer) => (answer.ok ? answer.json() : { people: [] }));
  try {
    return (await known).people;
  } catch {
    known = undefined;
    return [];
  }
}

/** What stands between the last @ and the cursor; undefined when no name is being typed. */
function typed(area) {
  const before = area.value.slice(0, area.selectionStart);
  const at = Math.max(before.lastIndexOf("@"), before.lastIndexOf("＠"));
  if (at < 0 || before.length - at - 1 > longest) return undefined;
  const word = before.slice(at + 1);
  return /\s/.test(word) ? undefined : { at, word };
}

function attach(area) {
  const list = document.createElement("ul");
  list.className = "fg-mentions";
  list.id = `${area.id}-people`;
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", area.labels[0]?.textContent ?? "");
  list.hidden = true;
  area.after(list);
  area.setAttribute("aria-autocomplete", "list");
  area.setAttribute("aria-controls", list.id);
  let here = 0;

  const options = () => [...list.children];
  const close = () => {
    list.hidden = true;
    area.removeAttribute("aria-activedescendant");
  };
  const show = (place) => {
    here = (place + options().length) % options().length;
    options().forEach((option, number) => option.setAttribute("aria-selected", String(number === here)));
    area.setAttribute("aria-activedescendant", options()[here].id);
    options()[here].scrollIntoView({ block: "nearest" });
  };
  const choose = (person) => {
    const word = typed(area);
    if (!word) return close();
    const after = area.value.slice(area.selectionStart);
    area.value = `${area.value.slice(0, word.at)}@${person.name} ${after}`;
    const place = word.at + person.name.length + 2;
    area.setSelectionRange(place, place);
    area.form.append(Object.assign(document.createElement("input"), { type: "hidden", name: "mention", value: person.id }));
    area.focus();
    return close();
  };
  const offer = async () => {
    const word = typed(area);
    if (!word) return close();
    const people = (await load(area.dataset.mentions)).filter((person) => person.name.includes(word.word)).slice(0, 30);
    if (people.length === 0 || people.some((person) => person.name === word.word && people.length === 1)) return close();
    list.replaceChildren(
      ...people.map((person, number) => {
        const option = Object.assign(document.createElement("li"), { id: `${list.id}-${number}` });
        option.setAttribute("role", "option");
        const role = Object.assign(document.createElement("span"), { className: "fg-muted", textContent: person.role });
        option.append(Object.assign(document.createElement("strong"), { textContent: person.name }), role);
        option.addEventListener("mousedown", (event) => { event.preventDefault(); choose(person); });
        return option;
      }),
    );
    list.hidden = false;
    list.people = people;
    return show(0);
  };

  area.addEventListener("input", offer);
  area.addEventListener("blur", close);
  area.addEventListener("keydown", (event) => {
    if (list.hidden || event.isComposing) return;
    const acts = {
      ArrowDown: () => show(here + 1),
      ArrowUp: () => show(here - 1),
      Enter: () => choose(list.people[here]),
      Tab: () => choose(list.people[here]),
      Escape: close,
    };
    const act = event.ctrlKey ? undefined : acts[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  });
}

for (const area of document.querySelectorAll("textarea[data-mentions]")) attach(area);
