/** `no_entries_left`: the pass has been used as often as it may be. */

export const code = "no_entries_left";

/** How many people may still enter on the pass; null where it has no limit. */
export function room({ pass }) {
  return pass === null || pass.max_entries === null ? null : pass.max_entries - pass.entries;
}

/** Refuses an entry of more people than the pass's `max_entries` leaves. Going out is no entry. */
export function refuses(facts) {
  const left = room(facts);
  return left !== null && facts.direction !== "exit" && facts.people > left;
}
