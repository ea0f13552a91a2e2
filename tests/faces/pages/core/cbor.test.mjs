/** CBOR in its one spelling: what is written is what is read, and nothing else is. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { Malformed, decode, encode } from "../../../../app/faces/pages/kiosk/core/cbor.js";
import { fromHex, toHex } from "../../../../app/faces/pages/kiosk/core/hex.js";

/** From RFC 8949, appendix A, as far as they are in this subset; and the edges of what a Number holds. */
const SPELLINGS = [
  ["00", 0],
  ["17", 23],
  ["1818", 24],
  ["18ff", 255],
  ["190100", 256],
  ["1903e8", 1000],
  ["19ffff", 65535],
  ["1a00010000", 65536],
  ["1a000f4240", 1000000],
  ["1affffffff", 4294967295],
  ["1b0000000100000000", 4294967296],
  ["1b000000e8d4a51000", 1000000000000],
  ["1b001fffffffffffff", Number.MAX_SAFE_INTEGER],
  ["20", -1],
  ["29", -10],
  ["3863", -100],
  ["3903e7", -1000],
  ["3b001ffffffffffffe", Number.MIN_SAFE_INTEGER],
  ["f4", false],
  ["f5", true],
  ["f6", null],
  ["40", new Uint8Array(0)],
  ["4401020304", Uint8Array.of(1, 2, 3, 4)],
  ["60", ""],
  ["6449455446", "IETF"],
  ["62225c", '"\\'],
  ["62c3bc", "\u00fc"],
  ["64f0908591", "\u{10151}"],
  ["63efbbbf", "\ufeff"],
  ["80", []],
  ["8301820203820405", [1, [2, 3], [4, 5]]],
  [`9819${"0102030405060708090a0b0c0d0e0f101112131415161718181819"}`, Array.from({ length: 25 }, (_, n) => n + 1)],
  ["a0", new Map()],
  ["a201020304", new Map([[1, 2], [3, 4]])],
  ["a26161016162820203", new Map([["a", 1], ["b", [2, 3]]])],
  ["a3190100012000182002", new Map([[256, 1], [-1, 0], [32, 2]]), "a3200018200219010001"],
];

for (const [hex, value, sorted] of SPELLINGS) {
  test(`${sorted ?? hex} is written of what it is read as`, () => {
    assert.equal(toHex(encode(value)), sorted ?? hex);
    assert.deepEqual(decode(fromHex(sorted ?? hex)), value);
    if (sorted !== undefined) assert.throws(() => decode(fromHex(hex)), Malformed);
  });
}

const REFUSED = {
  "nothing": "",
  "a byte behind the item": "0000",
  "a head cut short": "18",
  "a head of eight bytes cut short": "1b00000001000000",
  "a byte string cut short": "4301ff",
  "an array cut short": "8201",
  "a map cut short": "a201",
  "an array of 2^53 - 1 items": "9b001fffffffffffff00",
  "an array of 2^64 - 1 items": "9bffffffffffffffff00",
  "a byte string of 2^53 - 1 bytes": "5b001fffffffffffff00",
  "23 in two bytes": "1817",
  "255 in three bytes": "1900ff",
  "65535 in five bytes": "1a0000ffff",
  "2^32 - 1 in nine bytes": "1b00000000ffffffff",
  "-1 in two bytes": "3800",
  "a length in a longer spelling": "580100",
  "2^53": "1b0020000000000000",
  "-2^53": "3b001fffffffffffff",
  "2^64 - 1": "1bffffffffffffffff",
  "additional information 28": "1c",
  "an indefinite byte string": "5f4101ff",
  "an indefinite text": "7f6161ff",
  "an indefinite array": "9f01ff",
  "an indefinite map": "bf0102ff",
  "a break alone": "ff",
  "undefined": "f7",
  "simple value 0": "e0",
  "simple value 32": "f820",
  "false in two bytes": "f814",
  "a float of two bytes": "f93c00",
  "a float of four bytes": "fa47c35000",
  "a float of eight bytes": "fb3ff199999999999a",
  "a NaN": "f97e00",
  "a tag": "c074323031332d30332d32315432303a30343a30305a",
  "a bignum": "c249010000000000000000",
  "tag 55799": "d9d9f700",
  "a shared value": "d81c00",
  "text that is not UTF-8": "61ff",
  "text in more bytes than it needs": "62c080",
  "text with a surrogate": "63eda080",
  "a key twice": "a201020103",
  "keys in another order": "a203040102",
  "keys bytewise and not length-first": "a2182000200190",
  "a text key before a shorter integer": "a26161010102",
};

for (const [what, hex] of Object.entries(REFUSED)) {
  test(`refused: ${what}`, () => assert.throws(() => decode(fromHex(hex)), Malformed));
}

test("arrays and maps lie in one another as deep as is said, and no deeper", () => {
  assert.deepEqual(decode(fromHex("818181818100"), 5), [[[[[0]]]]]);
  assert.throws(() => decode(fromHex("818181818100"), 4), Malformed);
  assert.throws(() => decode(fromHex("a100a100a100a10000"), 3), Malformed);
  assert.throws(() => decode(new Uint8Array(1_000_000).fill(0x81)), Malformed);
});

test("what is read does not change with the bytes that it was read of", () => {
  const bytes = fromHex("4101");
  const value = decode(bytes);
  bytes.fill(0);
  assert.deepEqual(value, Uint8Array.of(1));
});

test("nothing is written that would not be read again", () => {
  const others = [undefined, {}, 1n, Symbol(), "\ud800", new Map([[1, undefined]]), [0.1]];
  for (const value of [1.5, NaN, Infinity, 2 ** 53, ...others]) {
    assert.throws(() => encode(value), TypeError);
  }
});
