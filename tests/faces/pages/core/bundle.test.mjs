/** The vectors of bundles, and what a page asks of one beside them. */

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  Bundle,
  Malformed,
  UnknownKey,
  chunkHash,
  missing,
  openManifest,
} from "../../../../app/faces/pages/kiosk/core/bundle.js";
import { fromHex, toHex } from "../../../../app/faces/pages/kiosk/core/hex.js";
import { importKey } from "../../../../app/faces/pages/kiosk/core/keys.js";
import { read } from "./vectors.mjs";

const { keys: pinned, good, bad } = read("bundle.json");
const KEYS = new Map([[pinned.kid, await importKey(fromHex(pinned.public))]]);
const SECOND = 1_000_000;

function opened({ manifest }) {
  return openManifest(fromHex(manifest), KEYS);
}

function made(manifest, { chunks }, before) {
  return Bundle.make(manifest, (hash) => (hash in chunks ? fromHex(chunks[hash]) : undefined), before);
}

/** What a manifest of that content is: times in microseconds, lists of pairs as maps. */
function manifestOf({ gate, ...content }) {
  const { offline, repeat_window, second_proof, ...named } = gate;
  const times = { repeat_window: repeat_window * SECOND, second_proof: second_proof * SECOND };
  const { v, status_list, ...manifest } = content;
  return {
    ...manifest,
    max_stale: content.max_stale * SECOND,
    keys: new Map(content.keys.map(([kid, x]) => [kid, fromHex(x)])),
    gate: { ...named, from_zones: [], into_zones: [], ...times },
    offline,
    schedules: content.schedules.map((each) => each.map((interval) => interval.map((at) => at * SECOND))),
    passes: new Map(content.passes),
    statuses: new Map(content.statuses),
  };
}

/** A pass as the vectors say it. */
function said(pass) {
  if (pass === null) return null;
  const { id, idx, holder, scope, limits, ...others } = pass;
  assert.equal(id, idx.toString(16).padStart(32, "0"));
  assert.deepEqual(scope, { every_gate: true, gates: [], zones: [] });
  assert.deepEqual(limits, { party_size: limits.party_size, per_day: null, min_interval: 0, zones: [] });
  return { ...others, blocked: holder.blocked, party_size: limits.party_size };
}

function says(bundle, { passes, taken_back }) {
  for (const [idx, pass] of Object.entries(passes)) assert.deepEqual(said(bundle.pass(Number(idx))), pass, idx);
  for (const [id, taken] of Object.entries(taken_back)) assert.equal(bundle.takenBack(id), taken, id);
}

for (const vector of good) {
  test(`opened: ${vector.name}`, async () => {
    const manifest = await opened(vector);
    assert.deepEqual(manifest, manifestOf(vector.content));
    assert.deepEqual(missing(manifest, () => false).sort(), Object.keys(vector.chunks).sort());
    assert.deepEqual(missing(manifest, (hash) => hash in vector.chunks), []);
    const bundle = await made(manifest, vector);
    says(bundle, vector);
  });

  test(`made once more of what the one before has: ${vector.name}`, async () => {
    const manifest = await opened(vector);
    const again = await made(manifest, { chunks: {} }, await made(manifest, vector));
    says(again, vector);
  });

  test(`every chunk has its hash: ${vector.name}`, async () => {
    for (const [hash, chunk] of Object.entries(vector.chunks)) assert.equal(await chunkHash(fromHex(chunk)), hash);
  });
}

for (const vector of bad) {
  test(`refused, ${vector.at}: ${vector.wrong}`, async () => {
    if (vector.at === "key") await assert.rejects(opened(vector), UnknownKey);
    else if (vector.at === "manifest") {
      await assert.rejects(opened(vector), (error) => error instanceof Malformed && !(error instanceof UnknownKey));
    } else await assert.rejects(made(await opened(vector), vector), Malformed);
  });
}

test("there are at least 5 good bundles and 100 bad ones", () => {
  assert.ok(good.length >= 5 && bad.length >= 100);
});

test("a manifest under which the schedules became fewer is not made of the passes of the one before", async () => {
  const vector = good.find(({ passes }) => Object.values(passes).some((pass) => pass?.hours?.length > 0));
  const manifest = await opened(vector);
  const before = await made(manifest, vector);
  await assert.rejects(made({ ...manifest, schedules: manifest.schedules.slice(0, 1) }, vector, before), Malformed);
});

test("what a key throws is not taken for a manifest that is wrong", async () => {
  const broken = { algorithm: -19, verify: () => Promise.reject(new TypeError("broken")) };
  await assert.rejects(openManifest(fromHex(good[0].manifest), new Map([[pinned.kid, broken]])), /broken/);
});

test("a key of another algorithm under the same kid opens nothing, whatever it would say", async () => {
  const other = { algorithm: -8, verify: async () => true };
  await assert.rejects(openManifest(fromHex(good[0].manifest), new Map([[pinned.kid, other]])), Malformed);
});

test("hashes and ids are written in lowercase", () => assert.equal(toHex(Uint8Array.of(0xab, 0x0c)), "ab0c"));
