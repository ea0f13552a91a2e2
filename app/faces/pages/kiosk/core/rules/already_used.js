/** `already_used`: the token was good once, and has been used, as far as this verifier knows. */

export const code = "already_used";

/**
 * Refuses a token whose party is in, unless it is reusable.
 *
 * A first proof that waits for the second is used as long as it waits: the second cannot be shown without the network.
 */
export function refuses({ token, pass, last_use: use, now }) {
  if (token === null || token.reusable || use === null) return false;
  if (use.reserved_until !== null && !use.voided && now < use.reserved_until) return true;
  return use.let_in >= (pass === null ? 1 : pass.limits.party_size);
}
