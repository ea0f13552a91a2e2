/** Ed25519 as this core holds it, whatever the platform does by itself. */

import assert from "node:assert/strict";
import { generateKeyPairSync, sign } from "node:crypto";
import { test } from "node:test";

import { fromHex, toHex } from "../../../../app/faces/pages/kiosk/core/hex.js";
import { ED25519, available, importKey } from "../../../../app/faces/pages/kiosk/core/keys.js";

const PRIME = 2n ** 255n - 19n;
const ORDER = 2n ** 252n + 27742317777372353535851937790883648493n;
const ORDER_8 = 0x05fc536d880238b13933c6d305acdfd5f098eff289f4c345b027b2c28f95e826n;
const SMALL = [0n, 1n, PRIME - 1n, ORDER_8, PRIME - ORDER_8, PRIME, PRIME + 1n];
const MESSAGE = new TextEncoder().encode("message");

const { privateKey, publicKey } = generateKeyPairSync("ed25519");
const x = new Uint8Array(Buffer.from(publicKey.export({ format: "jwk" }).x, "base64url"));
const signature = new Uint8Array(sign(null, MESSAGE, privateKey));

function littleEndian(number) {
  return fromHex(number.toString(16).padStart(64, "0")).reverse();
}

function numberOf(bytes) {
  return BigInt(`0x${toHex(Uint8Array.from(bytes).reverse())}`);
}

test("this platform has what is needed", async () => assert.equal(await available(), true));

test("a right signature holds, and one with any bit flipped does not", async () => {
  const key = await importKey(x);
  assert.equal(key.algorithm, ED25519);
  assert.equal(await key.verify(signature, MESSAGE), true);
  assert.equal(await key.verify(signature, MESSAGE.slice(1)), false);
  for (let bit = 0; bit < 512; bit++) {
    const flipped = Uint8Array.from(signature);
    flipped[bit >> 3] ^= 1 << (bit & 7);
    assert.equal(await key.verify(flipped, MESSAGE), false);
  }
});

test("a signature of another length does not hold", async () => {
  const key = await importKey(x);
  for (const length of [0, 32, 63, 65]) assert.equal(await key.verify(new Uint8Array(length), MESSAGE), false);
});

test("S has to be below the group order, whatever the platform says", async (t) => {
  const key = await importKey(x);
  t.mock.method(crypto.subtle, "verify", async () => true);
  const s = numberOf(signature.subarray(32));
  for (const other of [s + ORDER, s | (1n << 255n), ORDER]) {
    assert.equal(await key.verify(Uint8Array.of(...signature.subarray(0, 32), ...littleEndian(other)), MESSAGE), false);
  }
  const below = Uint8Array.of(...signature.subarray(0, 32), ...littleEndian(ORDER - 1n));
  assert.equal(await key.verify(below, MESSAGE), true);
});

test("under a public key of small order nothing holds, whichever way it is written", async () => {
  for (const y of SMALL) {
    for (const sign of [0n, 1n << 255n]) {
      const key = await importKey(littleEndian(y | sign));
      for (const r of [...SMALL.map(littleEndian), signature.subarray(0, 32)]) {
        assert.equal(await key.verify(Uint8Array.of(...r, ...new Uint8Array(32)), MESSAGE), false);
      }
    }
  }
});

test("a public key of small order is refused before the platform is asked", async (t) => {
  const key = await importKey(littleEndian(ORDER_8));
  t.mock.method(crypto.subtle, "verify", async () => true);
  assert.equal(await key.verify(signature, MESSAGE), false);
});

test("an R of small order is refused before the platform is asked", async (t) => {
  const key = await importKey(x);
  t.mock.method(crypto.subtle, "verify", async () => true);
  for (const y of SMALL) {
    for (const sign of [0n, 1n << 255n]) {
      const made = Uint8Array.of(...littleEndian(y | sign), ...signature.subarray(32));
      assert.equal(await key.verify(made, MESSAGE), false);
    }
  }
  assert.equal(await key.verify(signature, MESSAGE), true);
});

test("a public key has 32 bytes", async () => {
  for (const length of [0, 31, 33, 64]) await assert.rejects(importKey(new Uint8Array(length)), TypeError);
});

test("a platform without Ed25519, or with one that says yes to everything, is not available", async (t) => {
  const verify = t.mock.method(crypto.subtle, "verify", async () => true);
  assert.equal(await available(), false);
  verify.mock.restore();
  t.mock.method(crypto.subtle, "importKey", () => Promise.reject(new DOMException("unknown", "NotSupportedError")));
  assert.equal(await available(), false);
});
