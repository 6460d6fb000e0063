/** recent.js: the last entries of this device, in memory only: when, what was decided, the end of the plate; and what became of them. */
const MOST = 20;

/** Newest first; listeners of the sync redraw them. */
export const rows = [];

/** Remember an entry that was just kept. */
export function kept({ client_id, at, decision, direction, plate }) {
  rows.unshift({ client_id, at, decision, direction, end: plate.slice(-3), state: "waiting" });
  rows.length = Math.min(rows.length, MOST);
}

/** Note what the server said of them. */
export function sent(results) {
  for (const row of rows) {
    const result = results.get(row.client_id);
    if (result) row.state = result.status === "refused" ? "refused" : "sent";
  }
}
