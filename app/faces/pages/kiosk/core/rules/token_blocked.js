/** `token_blocked`: the token is on the deny list, lost for example. A block is lifted, not overridden. */

export const code = "token_blocked";
export const endsRepeat = true;
export const overridable = false;

/** Refuses a blocked token. */
export function refuses({ token }) {
  return token !== null && token.blocked;
}
