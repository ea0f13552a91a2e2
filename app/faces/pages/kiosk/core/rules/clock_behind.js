/** `clock_behind`: without the network, the verifier's clock shows a time that is known to be over. */

import { LEEWAY } from "../model.js";

export const code = "clock_behind";
export const endsRepeat = true;
export const overridable = false;

/** Refuses while the clock is behind the latest time that is known to have been, by more than the leeway. */
export function refuses({ offline, now }) {
  return offline !== null && now < Math.max(offline.last_good, offline.issued_at) - LEEWAY;
}
