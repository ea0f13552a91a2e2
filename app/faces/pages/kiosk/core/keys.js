/**
 * Ed25519 keys, checked with WebCrypto.
 *
 * What RFC 8032 leaves open is the same here as in `app/core/keys.py`, whatever the browser does by itself: S must be
 * below the group order, and a public key or an R of small order is refused.
 */

import { fromHex, toHex } from "./hex.js";

/** The COSE algorithm number of Ed25519 (RFC 9864 section 2.2). */
export const ED25519 = -19;

/** The group order L, as S is written: the least significant byte first. */
const ORDER = "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010";

/**
 * The y coordinates of the eight points of order 1, 2, 4 and 8, and the longer spellings of 0 and 1, as points are
 * written (RFC 8032 section 5.1.2) without the sign of x: the least significant byte first.
 */
const SMALL_ORDER = new Set([
  "0000000000000000000000000000000000000000000000000000000000000000",
  "0100000000000000000000000000000000000000000000000000000000000000",
  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
  "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
  "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
]);

/**
 * A public key that checks signatures.
 *
 * @typedef {object} Key
 * @property {number} algorithm the key's own, never the token's choice
 * @property {(signature: Uint8Array, message: Uint8Array) => Promise<boolean>} verify whether `signature` is this key's
 *   over `message`
 */

/**
 * @param {Uint8Array} x the 32 bytes of the public key
 * @returns {Promise<Key>} one that verifies nothing where `x` is a point of small order
 * @throws {TypeError} where it has not 32 bytes
 * @throws {DOMException} where this browser has no Ed25519
 */
export async function importKey(x) {
  if (x.length !== 32) throw new TypeError("a public key has 32 bytes");
  const weak = isOfSmallOrder(x);
  const key = await crypto.subtle.importKey("raw", x, { name: "Ed25519" }, false, ["verify"]);
  return Object.freeze({
    algorithm: ED25519,
    async verify(signature, message) {
      if (weak || signature.length !== 64) return false;
      if (isOfSmallOrder(signature.subarray(0, 32)) || !isBelowOrder(signature.subarray(32))) return false;
      return crypto.subtle.verify({ name: "Ed25519" }, key, signature, message);
    },
  });
}

/**
 * Whether this browser checks Ed25519 signatures: it has to say yes to a right one and no to a wrong one.
 *
 * @returns {Promise<boolean>}
 */
export async function available() {
  try {
    const key = await importKey(fromHex(TEST_1.public));
    const signature = fromHex(TEST_1.signature);
    return (await key.verify(signature, new Uint8Array(0))) && !(await key.verify(signature, Uint8Array.of(0)));
  } catch {
    return false;
  }
}

/** RFC 8032 section 7.1, TEST 1: a signature over nothing. */
const TEST_1 = {
  public: "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
  signature:
    "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555" +
    "fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
};

function isOfSmallOrder(point) {
  const y = Uint8Array.from(point);
  y[31] &= 0x7f;
  return SMALL_ORDER.has(toHex(y));
}

function isBelowOrder(s) {
  return mostSignificantFirst(toHex(s)) < mostSignificantFirst(ORDER);
}

function mostSignificantFirst(hex) {
  return hex.match(/../g).reverse().join("");
}
