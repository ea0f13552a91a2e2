/** Base45 as RFC 9285 has it. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { decode, encode } from "../../../../app/faces/pages/kiosk/core/base45.js";
import { Malformed } from "../../../../app/faces/pages/kiosk/core/malformed.js";

const ascii = (text) => new TextEncoder().encode(text);

test("the examples of RFC 9285 section 4.3 and 4.4", () => {
  const examples = { "AB": "BB8", "Hello!!": "%69 VD92EX0", "base-45": "UJCLQE7W581", "ietf!": "QED8WEX0" };
  for (const [bytes, text] of Object.entries(examples)) {
    assert.equal(encode(ascii(bytes)), text);
    assert.deepEqual(decode(text), ascii(bytes));
  }
});

test("every one and every two bytes have their text, and no other text is read", () => {
  const texts = new Set();
  for (let value = 0; value < 65536; value++) {
    const bytes = Uint8Array.of(value >> 8, value & 255);
    assert.deepEqual(decode(encode(bytes)), bytes);
    texts.add(encode(bytes));
  }
  assert.equal(texts.size, 65536);
  for (let byte = 0; byte < 256; byte++) assert.deepEqual(decode(encode(Uint8Array.of(byte))), Uint8Array.of(byte));
});

test("refused: groups too large, lengths of 3n + 1, and other characters", () => {
  assert.deepEqual(decode("FGW"), Uint8Array.of(255, 255));
  assert.deepEqual(decode("U5"), Uint8Array.of(255));
  const others = ["bb8", "BB\u00e9", "BB\ud83d", "BB,", "BB8\0A", "BB\uff18"];
  for (const text of ["GGW", ":::", "V5", "::", "A", "BB8B", ...others]) {
    assert.throws(() => decode(text), Malformed);
  }
});
