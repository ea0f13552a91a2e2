/**
 * The manifest of a bundle: what is signed of it, as docs/offline.md has it byte for byte.
 *
 * It says for which gate, as of when and for how long; which keys sign; and names the chunks by their hashes.
 */

import { decode, encode } from "./cbor.js";
import { HASH_BYTES } from "./chunks.js";
import { envelope, kidIn, sigStructure } from "./cose.js";
import { toHex } from "./hex.js";
import { ED25519 } from "./keys.js";
import { Malformed } from "./malformed.js";
import { SECOND } from "./model.js";
import { isUint } from "./numbers.js";
import { DRAFT } from "./status_list.js";

const VERSION = 1;
const MAX_MANIFEST = 2 ** 24;
const MAX_DEPTH = 6;
const FIELDS =
  "v tenant seq max_stale epoch keys gate schedules status_list passes statuses refused".split(" ");
const GATE_FIELDS = ["id", "direction", "repeat_window", "second_proof", "offline"];
const GATE_ID = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/;
const DIRECTIONS = ["entry", "exit", "both"];
const POLICIES = ["refuse", "bound_tokens", "admit_and_reconcile"];
const KID_BYTES = 4;
const KEY_BYTES = 32;

/** The manifest is signed by a key that is not pinned. */
export class UnknownKey extends Malformed {
  name = "UnknownKey";
}

/**
 * Times and lengths of time are microseconds, hashes and `kid`s hexadecimal.
 *
 * @typedef {object} Manifest
 * @property {string} tenant
 * @property {number} seq the time as of which the database was read
 * @property {number} max_stale
 * @property {number} epoch
 * @property {Map<string, Uint8Array>} keys all published signing keys by `kid`, oldest first
 * @property {object} gate as in facts, without its zones: where a pass may be used was settled before
 * @property {"refuse" | "bound_tokens" | "admit_and_reconcile"} offline
 * @property {[number, number][][]} schedules
 * @property {Map<number, string>} passes the hash of each chunk by its block
 * @property {Map<number, string>} statuses the hash of each chunk by its segment
 * @property {string | null} refused the hash of the tokens that were taken back
 */

/**
 * The manifest, once the signature of one of the pinned keys holds.
 *
 * Whether it is for the verifier's own tenant and gate, and no older than the one it has, is for the caller to see.
 *
 * @param {Uint8Array} bytes
 * @param {Map<string, import("./keys.js").Key>} keys by `kid` in hexadecimal
 * @returns {Promise<Manifest>}
 * @throws {UnknownKey | Malformed}
 */
export async function openManifest(bytes, keys) {
  if (bytes.length > MAX_MANIFEST) throw new Malformed("The manifest is too large.");
  const { header, payload, signature } = envelope(bytes);
  const key = keys.get(toHex(kidIn(header)));
  if (key === undefined) throw new UnknownKey("The manifest is signed by a key that is not pinned.");
  const content = decode(payload, MAX_DEPTH);
  if (!(content instanceof Map) || typeof content.get("tenant") !== "string") {
    throw new Malformed("The manifest names no tenant.");
  }
  const signed = sigStructure(header, encode(["GPB1", content.get("tenant")]), payload);
  if (key.algorithm !== ED25519 || !(await key.verify(signature, signed))) {
    throw new Malformed("The signature of the manifest does not hold.");
  }
  return manifestOf(content);
}

function manifestOf(content) {
  if (!hasJust(content, FIELDS) || content.get("v") !== VERSION) {
    throw new Malformed("The manifest is of another version.");
  }
  if (content.get("status_list") !== DRAFT) throw new Malformed("The manifest names another draft of the status list.");
  if (!["seq", "max_stale", "epoch"].every((name) => isUint(content.get(name)))) {
    throw new Malformed("The manifest has something else than a number in range.");
  }
  const refused = content.get("refused");
  return {
    tenant: content.get("tenant"),
    seq: content.get("seq"),
    max_stale: content.get("max_stale") * SECOND,
    epoch: content.get("epoch"),
    keys: keysOf(content.get("keys")),
    ...gateOf(content.get("gate")),
    schedules: schedulesOf(content.get("schedules")),
    passes: hashesOf(content.get("passes")),
    statuses: hashesOf(content.get("statuses")),
    refused: refused === null ? null : hashOf(refused),
  };
}

function hasJust(map, names) {
  return map.size === names.length && names.every((name) => map.has(name));
}

function gateOf(map) {
  if (!(map instanceof Map) || !hasJust(map, GATE_FIELDS)) throw new Malformed("The manifest describes no gate.");
  const [id, direction, repeatWindow, secondProof, offline] = GATE_FIELDS.map((name) => map.get(name));
  if (typeof id !== "string" || !GATE_ID.test(id)) {
    throw new Malformed("The manifest is for something else than a gate.");
  }
  if (!DIRECTIONS.includes(direction) || !POLICIES.includes(offline)) {
    throw new Malformed("The gate has a direction or a policy that there is not.");
  }
  if (!isUint(repeatWindow) || !isUint(secondProof)) {
    throw new Malformed("The gate has something else than a number in range.");
  }
  const times = { repeat_window: repeatWindow * SECOND, second_proof: secondProof * SECOND };
  return { gate: { id, direction, from_zones: [], into_zones: [], ...times }, offline };
}

function keysOf(pairs) {
  const keys = new Map();
  for (const [kid, x] of pairsOf(pairs)) {
    if (!isBytes(kid, KID_BYTES) || !isBytes(x, KEY_BYTES)) {
      throw new Malformed("The manifest has something else than public keys.");
    }
    if (keys.has(toHex(kid))) throw new Malformed("The manifest has two keys of one name.");
    keys.set(toHex(kid), x);
  }
  if (keys.size === 0) throw new Malformed("The manifest has no keys.");
  return keys;
}

function schedulesOf(schedules) {
  if (!Array.isArray(schedules)) throw new Malformed("The manifest has no list of schedules.");
  return schedules.map(intervalsOf);
}

function intervalsOf(pairs) {
  let before = -1;
  return pairsOf(pairs).map(([start, end]) => {
    if (!isUint(start) || !isUint(end) || start <= before || end <= start) {
      throw new Malformed("The times of a schedule are not in order.");
    }
    before = end;
    return [start * SECOND, end * SECOND];
  });
}

function hashesOf(pairs) {
  const hashes = new Map();
  let before = -1;
  for (const [place, hash] of pairsOf(pairs)) {
    if (!isUint(place)) throw new Malformed("The manifest names a chunk by something else than a hash.");
    if (place <= before) throw new Malformed("The chunks of the manifest are not in order.");
    hashes.set(place, hashOf(hash));
    before = place;
  }
  return hashes;
}

function hashOf(hash) {
  if (!isBytes(hash, HASH_BYTES)) throw new Malformed("The manifest names a chunk by something else than a hash.");
  return toHex(hash);
}

function pairsOf(pairs) {
  if (!Array.isArray(pairs) || !pairs.every((pair) => Array.isArray(pair) && pair.length === 2)) {
    throw new Malformed("The manifest has something else than a list of pairs.");
  }
  return pairs;
}

function isBytes(value, length) {
  return value instanceof Uint8Array && value.length === length;
}
