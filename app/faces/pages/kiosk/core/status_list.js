/**
 * Status lists (Token Status List, draft-ietf-oauth-status-list-20): two bits for each place, in segments.
 *
 * A segment is a StatusList of its own (section 4.3 of the draft), `{"bits": 2, "lst": bytes}`. `lst` is compressed
 * with zlib; within a byte the place with the lowest number has the least significant bits.
 */

import { decode } from "./cbor.js";
import { inflate } from "./inflate.js";
import { Malformed } from "./malformed.js";

export const DRAFT = "draft-ietf-oauth-status-list-20";

/** The places in a segment. */
export const SEGMENT = 65_536;

export const VALID = 0;
export const INVALID = 1;
export const SUSPENDED = 2;

/** Here: that the holder is blocked. */
export const APPLICATION_SPECIFIC = 3;

const BITS = 2;
const PER_BYTE = 8 / BITS;
const BYTES = SEGMENT / PER_BYTE;

/**
 * The array of a segment, uncompressed, for `statusOf`.
 *
 * @param {Uint8Array} segment
 * @returns {Promise<Uint8Array>}
 * @throws {Malformed}
 */
export async function unpackStatuses(segment) {
  const list = decode(segment);
  const lst = list instanceof Map && list.size === 2 && list.get("bits") === BITS ? list.get("lst") : null;
  if (!(lst instanceof Uint8Array)) throw new Malformed("This is no status list of two bits for each place.");
  const array = await inflate(lst, BYTES);
  if (array.length !== BYTES) throw new Malformed(`The status list has not ${SEGMENT} places.`);
  return array;
}

/**
 * @param {Uint8Array} array of a segment
 * @param {number} place counted within the segment
 * @returns {number} its status
 */
export function statusOf(array, place) {
  return (array[Math.floor(place / PER_BYTE)] >> ((place % PER_BYTE) * BITS)) & 3;
}
