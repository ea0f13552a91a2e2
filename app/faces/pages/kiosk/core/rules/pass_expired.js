/** `pass_expired`: the pass is over. */

export const code = "pass_expired";

/** Refuses from the pass's `valid_until` on. */
export function refuses({ pass, now }) {
  return pass !== null && pass.valid_until !== null && now >= pass.valid_until;
}
