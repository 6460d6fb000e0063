/* board.js: the board follows by itself: every minute, while it is looked at, the numbers are read anew. */
const EVERY = 60_000;

async function follow() {
  if (document.visibilityState !== 'visible') return;
  const present = document.querySelector('[data-board]');
  if (!present || present.contains(document.activeElement)) return;
  let answer;
  try {
    answer = await fetch(location.href, { headers: { Accept: 'text/html' }, redirect: 'error' });
  } catch {
    return; // without a network the numbers stay, with the time they are from
  }
  if (!answer.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), 'text/html');
  const scrolled = [...present.querySelectorAll('.fg-boardtable')].map((frame) => frame.scrollLeft);
  for (const part of ['[data-board]', '[data-board-time]']) {
    const from = fresh.querySelector(part);
    const to = document.querySelector(part);
    if (from && to) to.replaceWith(from);
  }
  document.querySelectorAll('.fg-boardtable').forEach((frame, i) => { frame.scrollLeft = scrolled[i] ?? 0; });
}

setInterval(follow, EVERY);
