/**
 * What a bundle is cut into, besides status lists: blocks of passes, and the tokens that were taken back.
 *
 * Passes have no name in it but their place in the status list.
 */

import { decode } from "./cbor.js";
import { toHex } from "./hex.js";
import { inflate } from "./inflate.js";
import { Malformed } from "./malformed.js";
import { SECOND } from "./model.js";
import { isUint } from "./numbers.js";

/** The places of the status list in a block of passes. */
export const BLOCK = 1024;

export const HASH_BYTES = 16;
const ID_BYTES = 16;
const DEFAULTS = [null, null, null, 1, null, 0]; // of what stands behind the place of a pass
const MOST_PASSES = 64 * BLOCK; // a pass has 59 bytes at most
const MOST_REFUSED = 2 ** 26;
const LAST_SECOND = Math.floor(Number.MAX_SAFE_INTEGER / SECOND);

/**
 * @param {Uint8Array} chunk
 * @returns {Promise<string>} what a manifest names it by, in hexadecimal: the first 16 bytes of its SHA-256
 */
export async function chunkHash(chunk) {
  return toHex(new Uint8Array(await crypto.subtle.digest("SHA-256", chunk), 0, HASH_BYTES));
}

/**
 * What a bundle says of a pass. Times are microseconds UTC, `schedule` is a place among the manifest's.
 *
 * @typedef {{valid_from: number | null, valid_until: number | null, schedule: number | null, party_size: number,
 *   max_entries: number | null, entries: number}} BundlePass
 */

/** What a bundle says of a pass that it names without more. */
export const PLAIN = passOf(DEFAULTS);

/**
 * The passes of a block, by their place within it.
 *
 * @param {Uint8Array} chunk
 * @returns {Promise<Map<number, BundlePass>>}
 * @throws {Malformed}
 */
export async function unpackPasses(chunk) {
  const packed = decode(await inflate(chunk, MOST_PASSES));
  if (!Array.isArray(packed)) throw new Malformed("This is no block of passes.");
  const passes = new Map();
  let before = -1;
  for (const each of packed) {
    const [place, ...values] = whole(each);
    if (place <= before) throw new Malformed("The passes of a block are not in order.");
    before = place;
    passes.set(place, passOf(values));
  }
  return passes;
}

/**
 * @param {Uint8Array} chunk
 * @returns {Promise<Set<string>>} the ids of the tokens that were taken back, in hexadecimal
 * @throws {Malformed}
 */
export async function unpackRefused(chunk) {
  const ids = decode(await inflate(chunk, MOST_REFUSED));
  if (!Array.isArray(ids) || !ids.every((id) => id instanceof Uint8Array && id.length === ID_BYTES)) {
    throw new Malformed("This is no list of token ids.");
  }
  const shown = ids.map(toHex);
  if (shown.some((id, at) => at > 0 && shown[at - 1] >= id)) throw new Malformed("The token ids are not in order.");
  return new Set(shown);
}

/** The numbers of a pass with those that were left off. */
function whole(packed) {
  if (!Array.isArray(packed) || packed.length < 1 || packed.length > 1 + DEFAULTS.length) {
    throw new Malformed("This is no pass.");
  }
  if (packed.length > 1 && packed.at(-1) === DEFAULTS[packed.length - 2]) {
    throw new Malformed("A pass ends in what is to be left off.");
  }
  const values = [...packed, ...DEFAULTS.slice(packed.length - 1)];
  const right = values.every((value, at) => isUint(value) || (value === null && at > 0 && DEFAULTS[at - 1] === null));
  if (!right) throw new Malformed("A pass has something else than a number in range.");
  const [place, from, until, , party] = values;
  if (place >= BLOCK || party < 1 || Math.max(from ?? 0, until ?? 0) > LAST_SECOND) {
    throw new Malformed("A pass has a number out of range.");
  }
  return values;
}

function passOf([from, until, schedule, party_size, max_entries, entries]) {
  const at = (seconds) => (seconds === null ? null : seconds * SECOND);
  return { valid_from: at(from), valid_until: at(until), schedule, party_size, max_entries, entries };
}
