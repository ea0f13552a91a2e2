/** The COSE_Sign1 (RFC 9052 section 4.2) that tokens and bundles are: what is the same of both. */

import { decode, encode } from "./cbor.js";
import { ED25519 } from "./keys.js";
import { Malformed } from "./malformed.js";

const ALG = 1;
const KID = 4;
const MAX_DEPTH = 4;

/**
 * The parts of a COSE_Sign1 without a tag, whose unprotected header is empty. Nothing of it is believed yet.
 *
 * @param {Uint8Array} bytes
 * @returns {{header: Uint8Array, payload: Uint8Array, signature: Uint8Array}}
 * @throws {Malformed}
 */
export function envelope(bytes) {
  const parts = decode(bytes, MAX_DEPTH);
  if (!Array.isArray(parts) || parts.length !== 4) throw new Malformed("not a COSE_Sign1");
  const [header, unprotected, payload, signature] = parts;
  if (![header, payload, signature].every((part) => part instanceof Uint8Array)) {
    throw new Malformed("not a COSE_Sign1");
  }
  if (!(unprotected instanceof Map) || unprotected.size > 0 || signature.length !== 64) throw new Malformed("not ours");
  return { header, payload, signature };
}

/**
 * The `kid` of a protected header that has these two labels only: no `crit`, no key, no other algorithm.
 *
 * @param {Uint8Array} header
 * @returns {Uint8Array} 4 bytes
 * @throws {Malformed}
 */
export function kidIn(header) {
  const labels = labelled(header);
  const kid = labels.get(KID);
  if (labels.size !== 2 || labels.get(ALG) !== ED25519 || !(kid instanceof Uint8Array) || kid.length !== 4) {
    throw new Malformed("unexpected header");
  }
  return kid;
}

/**
 * @param {Uint8Array} bytes
 * @returns {Map} a map; in one of JavaScript's, what merely equals an integer looks up nothing
 * @throws {Malformed}
 */
export function labelled(bytes) {
  const value = decode(bytes, MAX_DEPTH);
  if (!(value instanceof Map)) throw new Malformed("not a map");
  return value;
}

/**
 * @param {Uint8Array} header
 * @param {Uint8Array} externalAad
 * @param {Uint8Array} payload
 * @returns {Uint8Array} the Sig_structure of RFC 9052 section 4.4
 */
export function sigStructure(header, externalAad, payload) {
  return encode(["Signature1", header, externalAad, payload]);
}
