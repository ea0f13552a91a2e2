/** `needs_network`: a token of a kind that only the service can verify: what proves it is not in its text. */

export const code = "needs_network";
export const overridable = false;

/** Refuses short tokens and typed codes without the network, where only what is signed makes a token. */
export function refuses({ offline, token }) {
  return offline !== null && token === null;
}
