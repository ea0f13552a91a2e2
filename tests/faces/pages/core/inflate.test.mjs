/** Undoing zlib, as the service undoes it too. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { deflateSync } from "node:zlib";

import { inflate } from "../../../../app/faces/pages/kiosk/core/inflate.js";
import { Malformed } from "../../../../app/faces/pages/kiosk/core/malformed.js";

const DATA = Uint8Array.from({ length: 100_000 }, (_, n) => (n * n) & 255);
const ZIPPED = new Uint8Array(deflateSync(DATA));

test("what was compressed comes out, and no byte more than is allowed", async () => {
  assert.deepEqual(await inflate(ZIPPED, DATA.length), DATA);
  await assert.rejects(inflate(ZIPPED, DATA.length - 1), Malformed);
  await assert.rejects(inflate(new Uint8Array(deflateSync(new Uint8Array(1 << 24))), 1 << 16), Malformed);
});

test("nothing compressed is nothing", async () => {
  assert.deepEqual(await inflate(new Uint8Array(deflateSync(new Uint8Array(0))), 0), new Uint8Array(0));
});

test("a part of a larger array is read as it stands in it", async () => {
  const larger = Uint8Array.of(1, 2, 3, ...ZIPPED, 4, 5);
  assert.deepEqual(await inflate(larger.subarray(3, 3 + ZIPPED.length), DATA.length), DATA);
});

test("refused: cut off anywhere, or with something behind it", async () => {
  const small = new Uint8Array(deflateSync(Uint8Array.of(1, 2, 3)));
  for (let size = 0; size < small.length; size++) {
    await assert.rejects(inflate(small.subarray(0, size), 100), Malformed);
  }
  for (const behind of [[0], [0, 0, 0, 0], [255]]) {
    await assert.rejects(inflate(Uint8Array.of(...small, ...behind), 100), Malformed);
  }
});
