/**
 * The bundle: all that a verifier needs to decide without the network, for one gate.
 *
 * A manifest, signed by the service, names chunks by their hashes. What is fetched again is only what changed.
 */

import { BLOCK, PLAIN, chunkHash, unpackPasses, unpackRefused } from "./chunks.js";
import { Malformed } from "./malformed.js";
import { APPLICATION_SPECIFIC, INVALID, SEGMENT, SUSPENDED, VALID, statusOf, unpackStatuses } from "./status_list.js";

export { chunkHash } from "./chunks.js";
export { UnknownKey, openManifest } from "./manifest.js";
export { Malformed };

const PASS_STATUS = { [INVALID]: "revoked", [SUSPENDED]: "suspended" };

/**
 * The hashes of the chunks that are still to be fetched, each once.
 *
 * @param {import("./manifest.js").Manifest} manifest
 * @param {(hash: string) => boolean} has
 * @returns {string[]}
 */
export function missing(manifest, has) {
  const refused = manifest.refused === null ? [] : [manifest.refused];
  const named = new Set([...manifest.passes.values(), ...manifest.statuses.values(), ...refused]);
  return [...named].filter((hash) => !has(hash));
}

/** A manifest with all its chunks. Made with `Bundle.make`. */
export class Bundle {
  #passes;
  #statuses;
  #refused;

  /**
   * @param {import("./manifest.js").Manifest} manifest
   * @param {(hash: string) => Uint8Array | undefined} chunkOf
   * @param {Bundle | null} [before] the one that this comes after: what is the same in both is not unpacked again
   * @returns {Promise<Bundle>}
   * @throws {Malformed} where a chunk is missing or damaged
   */
  static async make(manifest, chunkOf, before = null) {
    const bundle = new Bundle();
    bundle.manifest = manifest;
    bundle.#passes = await unpacked(manifest.passes.values(), chunkOf, unpackPasses, before?.#passes);
    bundle.#statuses = await unpacked(manifest.statuses.values(), chunkOf, unpackStatuses, before?.#statuses);
    const refused = manifest.refused === null ? [] : [manifest.refused];
    bundle.#refused = await unpacked(refused, chunkOf, unpackRefused, before?.#refused);
    bundle.#checkSchedules(before);
    return bundle;
  }

  /**
   * The pass at that place, which may enter at the gate; a revoked one with its status alone; null for others.
   *
   * Its id and its holder's are its place: there is nothing else that names it.
   *
   * @param {number} idx
   * @returns {object | null} a pass as in facts
   */
  pass(idx) {
    const status = this.#status(idx);
    const block = this.#passes.get(this.manifest.passes.get(Math.floor(idx / BLOCK)));
    const found = block?.get(idx % BLOCK) ?? (status === INVALID ? PLAIN : null);
    if (found === null) return null;
    const { valid_from, valid_until, schedule, party_size, max_entries, entries } = found;
    const id = idx.toString(16).padStart(32, "0");
    return {
      id,
      idx,
      holder: { id, ref: "", number: 0, name: null, blocked: status === APPLICATION_SPECIFIC },
      scope: { every_gate: true, gates: [], zones: [] },
      valid_from,
      valid_until,
      max_entries,
      entries,
      status: PASS_STATUS[status] ?? "active",
      hours: schedule === null ? null : this.manifest.schedules[schedule],
      limits: { party_size, per_day: null, min_interval: 0, zones: [] },
    };
  }

  /**
   * @param {string} id of a token, in hexadecimal
   * @returns {boolean} whether this one token was revoked or blocked
   */
  takenBack(id) {
    return this.#refused.get(this.manifest.refused)?.has(id) ?? false;
  }

  #status(idx) {
    const array = this.#statuses.get(this.manifest.statuses.get(Math.floor(idx / SEGMENT)));
    return array === undefined ? VALID : statusOf(array, idx % SEGMENT);
  }

  #checkSchedules(before) {
    const there = this.manifest.schedules.length;
    for (const [hash, block] of this.#passes) {
      if (before?.#passes.has(hash) && before.manifest.schedules.length <= there) continue;
      for (const { schedule } of block.values()) {
        if (schedule !== null && schedule >= there) {
          throw new Malformed("A pass names a schedule that the manifest has not.");
        }
      }
    }
  }
}

/** What the chunks come to, by hash. */
async function unpacked(hashes, chunkOf, unpack, before = new Map()) {
  const found = new Map();
  for (const hash of hashes) found.set(hash, before.get(hash) ?? (await unpack(await taken(hash, chunkOf))));
  return found;
}

async function taken(hash, chunkOf) {
  const chunk = chunkOf(hash);
  if (chunk === undefined || chunk === null) throw new Malformed("A chunk of the bundle is missing.");
  if ((await chunkHash(chunk)) !== hash) throw new Malformed("A chunk of the bundle is damaged.");
  return chunk;
}
