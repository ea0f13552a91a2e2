/**
 * Facts for a verifier without the network: made of a bundle, and of what the verifier has seen itself.
 *
 * `decide` is then asked as everywhere else. Nothing is known of zones, nor of limits by the day: these are judged by
 * the service once the verifications have been sent.
 */

import { isExitSide } from "./model.js";

/**
 * The facts of one attempt.
 *
 * @param {import("./bundle.js").Bundle} bundle
 * @param {{refused: string} | {claims: object}} presented what `recognise` gave
 * @param {object} seen
 * @param {number} seen.now
 * @param {"entry" | "exit" | null} [seen.direction] needed at a gate for both directions, unless bound to the exit side
 * @param {boolean} seen.exitBound whether this verifier is bound to the exit side
 * @param {object | null} seen.lastUse the latest use of the token that this verifier knows of
 * @param {number} seen.entriesSince how many people it has let in on the pass since the bundle was made
 * @param {number} seen.lastGood the latest time that it knows to have been
 * @param {string} seen.credential
 * @param {string} seen.verification the id that the record of this attempt will have
 * @param {number} [seen.people]
 * @returns {object}
 * @throws {TypeError} where the direction lacks
 */
export function offlineFacts(bundle, presented, seen) {
  const { manifest } = bundle;
  const exitSide = isExitSide(manifest.gate, seen.exitBound);
  const claims = presented.claims ?? null;
  const signed = claims !== null && claims.token !== null && claims.idx !== null;
  return {
    now: seen.now,
    today: 0,
    epoch: manifest.epoch,
    gate: manifest.gate,
    direction: wayOf(manifest.gate, exitSide, seen.direction),
    exit_side: exitSide,
    credential: seen.credential,
    verification: seen.verification,
    presented: claims === null ? presented : { ...claims, otherwise: null },
    token: signed ? { ...claims.token, revoked: bundle.takenBack(claims.token.id) } : null,
    pass: signed ? counted(bundle.pass(claims.idx), seen.entriesSince) : null,
    last_use: seen.lastUse,
    people: seen.people ?? 1,
    override: false,
    offline: {
      policy: manifest.offline,
      issued_at: manifest.seq,
      max_stale: manifest.max_stale,
      last_good: seen.lastGood,
    },
  };
}

function wayOf(gate, exitSide, direction) {
  if (exitSide) return "exit";
  const way = gate.direction === "both" ? direction : gate.direction;
  if (way !== "entry" && way !== "exit") throw new TypeError("at a gate for both directions, say which: entry or exit");
  return way;
}

/** A pass with the entries that the bundle does not know of, where they are counted. */
function counted(pass, entriesSince) {
  return pass === null || pass.max_entries === null ? pass : { ...pass, entries: pass.entries + entriesSince };
}
