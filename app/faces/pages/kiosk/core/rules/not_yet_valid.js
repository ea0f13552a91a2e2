/** `not_yet_valid`: the token was issued in the future, as this clock sees it. */

import { LEEWAY } from "../model.js";

export const code = "not_yet_valid";

/** Refuses a token whose issue time lies ahead by more than the leeway. */
export function refuses({ token, now }) {
  return token !== null && token.issued_at > now + LEEWAY;
}
