/** `pass_not_yet_valid`: the pass begins later. */

export const code = "pass_not_yet_valid";

/** Refuses before the pass's `valid_from`, without leeway: these are the operator's words. */
export function refuses({ pass, now }) {
  return pass !== null && pass.valid_from !== null && now < pass.valid_from;
}

/** When the pass begins. */
export function notBefore({ pass }) {
  return pass === null ? null : pass.valid_from;
}
