/** The vectors of the token formats, and whatever else a scanner or a stranger may send. */

import assert from "node:assert/strict";
import { test } from "node:test";

import * as base45 from "../../../../app/faces/pages/kiosk/core/base45.js";
import { encode } from "../../../../app/faces/pages/kiosk/core/cbor.js";
import { fromHex } from "../../../../app/faces/pages/kiosk/core/hex.js";
import { ED25519, importKey } from "../../../../app/faces/pages/kiosk/core/keys.js";
import { bare, recognise } from "../../../../app/faces/pages/kiosk/core/recognise.js";
import { read } from "./vectors.mjs";

const SIGNED = read("signed.json");
const KEYS = new Map([[SIGNED.keys.kid, await importKey(fromHex(SIGNED.keys.public))]]);
const UNRECOGNISED = { refused: "unrecognised" };
const GOOD = SIGNED.good[0].text;

function open(text, tenant = SIGNED.tenant, keys = KEYS) {
  return recognise(text, tenant, keys);
}

function claimed({ cti, iat, exp, gate, class: kind, idx, epoch }) {
  const token = {
    id: cti,
    kind: "signed",
    issued_at: iat * 1_000_000,
    expires_at: exp * 1_000_000,
    gate,
    reusable: kind === 1,
    epoch,
    revoked: false,
    blocked: false,
  };
  return { claims: { kind: "signed", token, idx, number: null } };
}

for (const name of ["signed", "short", "code"]) {
  const { good, bad, tenant } = read(`${name}.json`);
  for (const { text, reason, wrong } of bad) {
    test(`${name}, refused: ${wrong}`, async () => assert.deepEqual(await open(text, tenant), { refused: reason }));
  }
  for (const { name: what, text, claims, number = null } of good) {
    const opaque = { claims: { kind: name, token: null, idx: null, number } };
    const expected = claims === undefined ? opaque : claimed(claims);
    test(`${name}, opened: ${what}`, async () => assert.deepEqual(await open(text, tenant), expected));
  }
}

test("there are at least 250 vectors of the token formats", () => {
  const all = ["signed", "short", "code"].flatMap((name) => Object.values(read(`${name}.json`)).filter(Array.isArray));
  assert.ok(all.reduce((sum, some) => sum + some.length, 0) >= 250);
});

test("every signed token of one tenant is nothing to another", async () => {
  for (const { text } of SIGNED.good) assert.deepEqual(await open(text, "other"), { refused: "bad_signature" });
});

test("a token is unknown where no key is pinned", async () => {
  assert.deepEqual(await open(GOOD, "default", new Map()), { refused: "unknown" });
});

test("a key of another algorithm under the same kid opens nothing, whatever it would say", async () => {
  const other = { algorithm: ED25519 + 1, verify: async () => true };
  assert.deepEqual(await open(GOOD, "default", new Map([[SIGNED.keys.kid, other]])), { refused: "bad_signature" });
});

test("the claims are not looked at before the signature holds", async () => {
  const never = { algorithm: ED25519, verify: async () => false };
  const { text } = SIGNED.bad.find(({ wrong }) => wrong === "payload: empty");
  assert.deepEqual(await open(text, "default", new Map([[SIGNED.keys.kid, never]])), { refused: "bad_signature" });
});

test("a text of 600 characters is looked at, and one of 601 is not", async () => {
  const header = encode(new Map([[1, ED25519], [4, fromHex(SIGNED.keys.kid)]]));
  const text = (size) => `GP1:${base45.encode(encode([header, new Map(), new Uint8Array(size), new Uint8Array(64)]))}`;
  assert.equal(text(316).length, 600);
  assert.deepEqual(await open(text(316)), { refused: "bad_signature" });
  assert.equal(text(317).length, 601);
  assert.deepEqual(await open(text(317)), { refused: "malformed" });
});

test("what a key throws is not taken for a malformed token", async () => {
  const broken = { algorithm: ED25519, verify: () => Promise.reject(new TypeError("broken")) };
  await assert.rejects(open(GOOD, "default", new Map([[SIGNED.keys.kid, broken]])), /broken/);
});

test("one ECI mark, and CR, LF, Tab and space at the edges are taken off, and nothing else", () => {
  assert.equal(bare("\\000026 \t\r\nGP0 A\r\n"), "GP0 A");
  assert.equal(bare("\\000026\\000026GP0"), "\\000026GP0");
  assert.equal(bare(" \\000026GP0"), "\\000026GP0");
  assert.equal(bare("\\00002GP0"), "\\00002GP0");
  assert.equal(bare("\\000026"), "");
  for (const kept of ["\u00a0", "\u2003", "\ufeff", "\u000b", "\0", "\x1e"]) {
    assert.equal(bare(`${kept}A${kept}`), `${kept}A${kept}`);
  }
});

const STRANGE = {
  "a lone high surrogate": "\ud800",
  "a lone low surrogate among digits": "1042 8392 01\udc0070",
  "NUL": "\0",
  "7,000 spaces": " ".repeat(7000),
  "7,000 digits": "7".repeat(7000),
  "7,000 other characters": "\u{1f511}".repeat(3500),
  "full-width digits": "\uff11\uff10\uff14\uff12\uff18\uff13\uff19\uff12\uff10\uff11\uff17\uff10",
  "Arabic digits": "\u0661\u0660\u0664\u0662\u0668\u0663\u0669\u0662\u0660\u0661\u0667\u0660",
  "the mark of a byte order before a token": `\ufeff${GOOD}`,
  "the name of what every object has": "__proto__",
};

for (const [what, text] of Object.entries(STRANGE)) {
  test(`unrecognised: ${what}`, async () => assert.deepEqual(await open(text), UNRECOGNISED));
  for (const prefix of ["GP1:", "GP0"]) {
    const malformed = { refused: "malformed" };
    test(`malformed: ${prefix} and ${what}`, async () => assert.deepEqual(await open(prefix + text), malformed));
  }
}
