/** Parts of the page that need no browser. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { Api, Unreachable } from "../../../app/faces/pages/kiosk/api.js";
import { Clock, timeIn } from "../../../app/faces/pages/kiosk/clock.js";
import { Device } from "../../../app/faces/pages/kiosk/device.js";
import { InView } from "../../../app/faces/pages/kiosk/in_view.js";
import { Keeper } from "../../../app/faces/pages/kiosk/keeper.js";
import { grouped } from "../../../app/faces/pages/kiosk/keypad.js";
import { newRequestId } from "../../../app/faces/pages/kiosk/request_id.js";
import { calls, matched } from "../../../app/faces/pages/kiosk/sync.js";
import { listenToWedge } from "../../../app/faces/pages/kiosk/wedge.js";

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

test("what is no code of ours is red once, and again only after it was away", () => {
  const view = new InView();
  view.isFresh("poster", 0);
  view.shown("poster", true, 100);
  for (let now = 200; now < 10_000; now += 100) assert.ok(!view.isFresh("poster", now));
  assert.ok(view.isFresh("poster", 11_000));
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

test("the latest good time is the service's, or that of an admission made since", () => {
  const clock = new Clock(nowhere, { service: 5_000_000, decided: 9_000_000 });
  assert.equal(clock.lastGood, 9_000_000);
  clock.heard(6_000_000); // the service undoes what a clock that was ahead had made of it
  assert.equal(clock.lastGood, 6_000_000);
  clock.heard(4_000_000); // an answer that was long on its way
  assert.equal(clock.lastGood, 6_000_000);
  clock.isAtLeast(5_500_000);
  assert.equal(clock.lastGood, 6_000_000);
  assert.deepEqual(clock.admitted(7_000_000, 8_000_000), ["state", "clock", { service: 6_000_000, decided: 7_000_000 }]);
});

test("an admission raises the latest good time no further than its bundle was good", () => {
  const clock = new Clock(nowhere, { service: 5_000_000, decided: 0 });
  clock.admitted(1e15, 6_000_000); // by a clock that is decades ahead
  assert.equal(clock.lastGood, 6_000_000);
});

test("what is no time teaches nothing of the time", () => {
  const clock = new Clock(nowhere, { service: NaN, decided: NaN });
  assert.equal(clock.lastGood, 0);
  clock.heard(5_000_000);
  for (const text of ["", null, undefined, "soon"]) clock.heard(timeIn(text));
  assert.equal(clock.lastGood, 5_000_000);
  assert.equal(timeIn("1970-01-01T00:00:05.000001Z"), 5_000_000);
});

test("a kiosk that is set up anew knows only the time that it heard last", () => {
  const clock = new Clock(nowhere, { service: 9_000_000, decided: 9_500_000 });
  clock.heard(6_000_000);
  assert.equal(clock.lastGood, 9_000_000);
  assert.deepEqual(clock.reset(), ["state", "clock", { service: 6_000_000, decided: 0 }]);
  assert.equal(clock.lastGood, 6_000_000);
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

test("a row leaves the queue by its own result, and none by an answer to others", () => {
  const rows = ["a", "b"].map((id, place) => [place, { request_id: id }]);
  const results = ["b", "a"].map((id) => ({ request_id: id }));
  assert.deepEqual(matched(rows, results), [[rows[0][1], results[1]], [rows[1][1], results[0]]]);
  for (const wrong of [[], [{ request_id: "a" }], [{ request_id: "a" }, { request_id: "c" }], [...results, ...results]]) {
    assert.throws(() => matched(rows, wrong));
  }
});

// A scanner as a keyboard: keys with the milliseconds since the one before.

function typing(...keys) {
  const keyboard = new EventTarget();
  const [texts, taken, pressed] = [[], [], []];
  listenToWedge({ onText: (text) => texts.push(text), onKey: (key) => taken.push(key) > 0 }, keyboard);
  let at = 1_000;
  for (const [key, pause] of keys) {
    at += pause;
    const event = new Event("keydown", { cancelable: true });
    for (const [name, value] of Object.entries({ key, timeStamp: at })) Object.defineProperty(event, name, { value });
    keyboard.dispatchEvent(event);
    if (!event.defaultPrevented) pressed.push(key);
  }
  return { texts, taken, pressed };
}

const fast = (text) => [...text].map((key) => [key, 5]);

test("a scanner may pause for 400 ms in the middle of a code, and before Enter", () => {
  for (const pause of [50, 150, 400]) {
    const { texts, pressed } = typing(...fast("GP1:AB"), ["C", pause], ...fast("DE"), ["Enter", pause]);
    assert.deepEqual([texts, pressed], [["GP1:ABCDE"], []]);
  }
  assert.deepEqual(typing(...fast("GP1:AB"), ["C", 500], ...fast("DEF"), ["Enter", 5]).texts, ["CDEF"]);
});

test("an Enter or a Tab behind a burst presses nothing, also a second one and behind too few characters", () => {
  assert.deepEqual(typing(...fast("GP1:AB"), ["Enter", 5], ["Tab", 20]).pressed, []);
  assert.deepEqual(typing(...fast("abc"), ["Enter", 20]), { texts: [], taken: [], pressed: [] });
});

test("a person's Enter and Tab are a person's", () => {
  const { texts, taken, pressed } = typing(["1", 500], ["2", 150], ["Enter", 300], ["Tab", 500]);
  assert.deepEqual([texts, taken, pressed], [[], ["Enter"], ["Tab"]]);
  assert.deepEqual(typing(...fast("GP1:AB"), ["Enter", 5], ["Tab", 900]).pressed, ["Tab"]);
});

test("a bundle that was asked for before the kiosk was moved is dropped, and asked for anew", async () => {
  const asked = [];
  const bytes = (path) => new Promise((resolve) => asked.push({ path, resolve }));
  const device = new Device(nowhere, { gate: "old-door" });
  const keeper = new Keeper({ api: { bytes }, store: nowhere, clock: new Clock(nowhere), device });
  keeper.keys.set("00000000", {});
  const before = keeper.refresh();
  assert.equal(keeper.refresh(), before); // one at a time
  await device.learn({ gate: "new-door" }, keeper.forget());
  const after = keeper.refresh();
  asked[0].resolve({ bytes: Uint8Array.of(0), etag: "old" }); // it would be refused
  await before;
  assert.deepEqual([keeper.trouble, keeper.isCurrent], [null, false]);
  assert.equal(keeper.refresh(), after);
  asked[1].resolve(null);
  await after;
  assert.deepEqual([asked.map(({ path }) => path), keeper.isCurrent], [
    ["/v1/gates/old-door/bundle", "/v1/gates/new-door/bundle"],
    true,
  ]);
});

test("what was asked under the key before is no answer to the kiosk that was set up meanwhile", async (t) => {
  const answers = [];
  t.mock.method(globalThis, "fetch", () => new Promise((resolve) => answers.push(resolve)));
  const api = new Api({ onTime() {}, onReach() {} });
  api.key = "one";
  const [before, without] = [api.json("/v1/devices/report", {}), api.json("/v1/devices/initialize", {}, { key: null })];
  const ok = () => new Response("{}", { headers: { "Request-Id": "x" } });
  answers[1](ok());
  assert.deepEqual(await without, {});
  assert.equal(api.key, "one");
  api.key = "two";
  answers[0](ok());
  await assert.rejects(before, Unreachable);
});
