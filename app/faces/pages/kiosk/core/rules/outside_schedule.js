/** `outside_schedule`: the pass has a schedule, and it is not open now. It comes here as intervals in UTC. */

export const code = "outside_schedule";

/** Refuses an entry while the schedule is closed. Nobody is kept inside by the clock. */
export function refuses({ pass, direction, now }) {
  if (pass === null || pass.hours === null || direction === "exit") return false;
  const next = pass.hours.find(([, end]) => now < end);
  return next === undefined || now < next[0];
}

/** When the schedule opens next; null where it does not within the days that are known. */
export function notBefore({ pass, now }) {
  const next = pass?.hours?.find(([start]) => start > now);
  return next === undefined ? null : next[0];
}
