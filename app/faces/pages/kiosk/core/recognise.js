/**
 * Opens a text with the one format whose it is.
 *
 * Only a signed token can be opened without the network. Of the others it is told what they are, and a broken one from
 * a whole one; they have no token in their claims. A card that somebody carries has no look of its own: it is
 * unrecognised.
 */

import * as code from "./tokens/code.js";
import * as short from "./tokens/short.js";
import * as signed from "./tokens/signed.js";

const FORMATS = [signed, short, code];
const ECI_MARK = /^\\[0-9]{6}/;
const SENT_BY_SCANNERS = "\r\n\t ";

/**
 * `text` without what scanners add at its edges: an ECI mark before it, Enter, Tab and spaces around it.
 *
 * @param {string} text
 * @returns {string}
 */
export function bare(text) {
  const rest = text.replace(ECI_MARK, "");
  let [start, end] = [0, rest.length];
  while (start < end && SENT_BY_SCANNERS.includes(rest[start])) start++;
  while (end > start && SENT_BY_SCANNERS.includes(rest[end - 1])) end--;
  return rest.slice(start, end);
}

/**
 * @param {string} text as it was read
 * @param {string} tenant whose gate it is
 * @param {Map<string, import("./keys.js").Key>} keys those that are pinned, by `kid` in hexadecimal
 * @returns {Promise<{refused: string} | {claims: {kind: string, token: object | null, idx: number | null,
 *   number: number | null}}>} the reason code, or what it says: `number` is the holder's that a code names
 */
export async function recognise(text, tenant, keys) {
  const stripped = bare(text);
  for (const format of FORMATS) {
    const presented = await format.open(stripped, tenant, keys);
    if (presented !== null) return presented;
  }
  return { refused: "unrecognised" };
}
