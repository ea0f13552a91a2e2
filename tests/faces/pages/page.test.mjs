/** Parts of the page that need no browser. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { Clock } from "../../../app/faces/pages/kiosk/clock.js";
import { Device } from "../../../app/faces/pages/kiosk/device.js";
import { InView } from "../../../app/faces/pages/kiosk/in_view.js";
import { grouped } from "../../../app/faces/pages/kiosk/keypad.js";
import { newRequestId } from "../../../app/faces/pages/kiosk/request_id.js";
import { calls } from "../../../app/faces/pages/kiosk/sync.js";

const nowhere = { write: async () => {} };

test("a code that stays in view is asked once", () => {
  const view = new InView();
  assert.ok(view.isFresh("a", 0));
  view.shown("a", true, 50);
  for (let now = 100; now < 20_000; now += 100) assert.ok(!view.isFresh("a", now));
});

test("a code that was out of view for a second is asked again, and another one at once", () => {
  const view = new InView();
  assert.ok(view.isFresh("a", 0));
  assert.ok(view.isFresh("a", 1_000));
  assert.ok(view.isFresh("b", 1_010));
  assert.ok(!view.isFresh("b", 1_500));
});

test("a code that was refused and stays in view is asked again after three seconds", () => {
  const view = new InView();
  view.isFresh("a", 0);
  view.shown("a", false, 100);
  const asked = [];
  for (let now = 200; now < 5_000; now += 100) if (view.isFresh("a", now)) asked.push(now);
  assert.deepEqual(asked, [3_100]);
});

test("a code stays in view while its answer is waited for", () => {
  const view = new InView();
  view.isFresh("a", 0);
  for (let now = 100; now <= 1_500; now += 100) view.stays("a", now);
  assert.ok(!view.isFresh("a", 1_600));
});

test("digits are grouped as codes are shown: the holder's number, four, four", () => {
  assert.equal(grouped(""), "");
  assert.equal(grouped("10428"), "1042 8");
  assert.equal(grouped("104283920174"), "1042 8392 0174");
  assert.equal(grouped("1042839201745"), "10428 3920 1745");
});

test("the latest good time is the service's, or that of a decision made since", () => {
  const clock = new Clock(nowhere, { service: 5_000_000, decided: 9_000_000 });
  assert.equal(clock.lastGood, 9_000_000);
  clock.heard(6_000_000); // the service undoes what a clock that was ahead had made of it
  assert.equal(clock.lastGood, 6_000_000);
  clock.heard(4_000_000); // an answer that was long on its way
  assert.equal(clock.lastGood, 6_000_000);
  clock.isAtLeast(5_500_000);
  assert.equal(clock.lastGood, 6_000_000);
  assert.deepEqual(clock.decided(7_000_000), ["state", "clock", { service: 6_000_000, decided: 7_000_000 }]);
});

test("a direction is said where it is needed", () => {
  const at = (kept) => new Device(nowhere, kept);
  assert.equal(at({ gateDirection: "entry" }).direction, null);
  assert.equal(at({ gateDirection: "both", way: "exit" }).direction, "exit");
  assert.equal(at({ gateDirection: "both", side: "entry", way: "exit" }).direction, "entry");
  assert.equal(at({ gateDirection: null, side: "exit" }).direction, "exit");
  assert.ok(at({ gateDirection: "exit" }).letsOut);
  assert.ok(at({ gateDirection: "both", side: "exit" }).letsOut);
  assert.ok(!at({ gateDirection: "both", way: "exit" }).letsOut);
});

test("request ids are 22 random characters", () => {
  const ids = new Set(Array.from({ length: 1_000 }, newRequestId));
  assert.equal(ids.size, 1_000);
  for (const id of ids) assert.match(id, /^k-[0-9A-Za-z]{22}$/);
});

test("a queue is sent in calls of up to a thousand rows and 1.5 MB, all of it and in order", () => {
  const rows = (count, token) => Array.from({ length: count }, (_, place) => [place, { token }]);
  const sizes = (queue) => [...calls(queue)].map((some) => some.length);
  assert.deepEqual(sizes([]), []);
  assert.deepEqual(sizes(rows(1_000, "GP1:ABC")), [1_000]);
  assert.deepEqual(sizes(rows(2_001, "GP1:ABC")), [1_000, 1_000, 1]);
  const long = rows(1_500, "\u4e00".repeat(984)); // three bytes each
  assert.deepEqual([...calls(long)].flat(), long);
  for (const some of calls(long)) assert.ok(Buffer.byteLength(JSON.stringify(some.map(([, row]) => row))) <= 1_500_000);
  assert.deepEqual(sizes(rows(3, "x".repeat(2_000_000))), [1, 1, 1]);
});
