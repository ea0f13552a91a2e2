/** `unknown`: well-formed, but not issued here; without the network: the bundle does not hold its pass. */

export const code = "unknown";
export const endsRepeat = true;
export const overridable = false;

/** Refuses a token that is not held, or is held for another pass than the one that was signed. */
export function refuses({ token, pass, presented }) {
  if (token === null || pass === null) return true;
  return presented.idx !== null && presented.idx !== pass.idx;
}
