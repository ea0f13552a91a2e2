/** `too_many_people`: more people than the token lets in. The answer says how many may go in. */

export const code = "too_many_people";

/** How many of the party the token still lets in. */
export function room({ token, pass, last_use: use }) {
  if (token === null || pass === null) return null;
  return pass.limits.party_size - (use === null || token.reusable ? 0 : use.let_in);
}

/**
 * Refuses more people than are left of the party. Where nobody is left the token is used up: another rule says that.
 */
export function refuses(facts) {
  const left = room(facts);
  return left !== null && facts.direction !== "exit" && 0 < left && left < facts.people;
}
