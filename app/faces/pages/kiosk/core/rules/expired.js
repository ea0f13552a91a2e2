/** `expired`: the token's time is over. */

import { LEEWAY } from "../model.js";

export const code = "expired";

/** Refuses a token from its expiry and the leeway on. */
export function refuses({ token, now }) {
  return token !== null && now >= token.expires_at + LEEWAY;
}
