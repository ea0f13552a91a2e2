/** `short` (GP0): `GP0` and 26 characters of base32. It says nothing; only the store knows it, by a keyed hash. */

/** The 26 characters hold 130 bits: the last two are 0, so a token has one spelling only. */
const SHAPE = /^GP0[A-Z2-7]{25}[AEIMQUY4]$/;

/**
 * @param {string} text
 * @returns {null | {refused: string} | {claims: object}} null where it is not of this format
 */
export function open(text) {
  if (!text.startsWith("GP0")) return null;
  if (!SHAPE.test(text)) return { refused: "malformed" };
  return { claims: { kind: "short", token: null, idx: null, number: null } };
}
