/** Facts for a verifier without the network. That they give the right decisions is held against the Python original. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { decide } from "../../../../app/faces/pages/kiosk/core/decide.js";
import { offlineFacts } from "../../../../app/faces/pages/kiosk/core/offline.js";

const NOW = 1_795_339_800_000_000;
const ID = "019aa97d2bc070008000000000000003";
const CLAIMS = {
  kind: "signed",
  token: {
    id: ID,
    kind: "signed",
    issued_at: NOW - 10_000_000,
    expires_at: NOW + 50_000_000,
    gate: null,
    reusable: false,
    epoch: 0,
    revoked: false,
    blocked: false,
  },
  idx: 4711,
  number: null,
};
const PASS = {
  id: "4711",
  idx: 4711,
  holder: { blocked: false },
  scope: { every_gate: true, gates: [], zones: [] },
  valid_from: null,
  valid_until: null,
  max_entries: 3,
  entries: 1,
  status: "active",
  hours: null,
  limits: { party_size: 1, per_day: null, zones: [] },
};

function bundle(direction = "entry", more = {}) {
  const gate = { id: "main-door", direction, from_zones: [], into_zones: [], repeat_window: 0, second_proof: 0 };
  const manifest = { epoch: 0, gate, offline: "admit_and_reconcile", seq: NOW, max_stale: 3_600_000_000 };
  return { manifest, pass: () => PASS, takenBack: () => false, ...more };
}

function facts(of = bundle(), presented = { claims: CLAIMS }, other = {}) {
  const usual = { now: NOW, exitBound: false, lastUse: null, entriesSince: 0, lastGood: NOW };
  return offlineFacts(of, presented, { ...usual, credential: "c", verification: "v", ...other });
}

test("an entry is admitted, and the token is used by it", () => {
  const { outcome, changes } = decide(facts());
  assert.equal(outcome, "admit");
  assert.deepEqual(changes.map(({ type, token }) => [type, token]), [["redeem", ID]]);
  assert.equal(changes[0].use.verification, "v");
  assert.equal(decide(facts(bundle(), { claims: CLAIMS }, { lastUse: changes[0].use })).reason, "already_used");
});

test("neither the claims nor the pass of the bundle are changed by what is made of them", () => {
  const made = facts(bundle("entry", { takenBack: (id) => id === ID }), { claims: CLAIMS }, { entriesSince: 2 });
  assert.equal(made.token.revoked, true);
  assert.equal(made.pass.entries, 3);
  assert.equal(CLAIMS.token.revoked, false);
  assert.equal(PASS.entries, 1);
});

test("what is no token, or none that can be verified here, has neither token nor pass", () => {
  assert.equal(decide(facts(bundle(), { refused: "malformed" })).reason, "malformed");
  const code = { claims: { kind: "code", token: null, idx: null, number: 1042 } };
  assert.deepEqual([facts(bundle(), code).token, facts(bundle(), code).pass], [null, null]);
  assert.equal(decide(facts(bundle(), code)).reason, "needs_network");
});

test("at a gate for both directions one has to be said, unless the device is bound to the exit side", () => {
  assert.throws(() => facts(bundle("both")), TypeError);
  assert.throws(() => facts(bundle("both"), { claims: CLAIMS }, { direction: "both" }), TypeError);
  assert.equal(facts(bundle("both"), { claims: CLAIMS }, { direction: "exit" }).direction, "exit");
  const bound = facts(bundle("both"), { claims: CLAIMS }, { exitBound: true });
  assert.deepEqual([bound.direction, bound.exit_side], ["exit", true]);
  const entry = facts(bundle("entry"), { claims: CLAIMS }, { exitBound: true, direction: "exit" });
  assert.deepEqual([entry.direction, entry.exit_side], ["entry", false]);
});

test("of a party that goes out at a gate for both directions, no entry is counted", () => {
  const party = { pass: () => ({ ...PASS, limits: { ...PASS.limits, party_size: 5 } }) };
  const left = (direction) => decide(facts(bundle("both", party), { claims: CLAIMS }, { direction })).people_left;
  assert.deepEqual([left("entry"), left("exit")], [1, 2]);
});

test("on the way out nobody is held back, whatever is wrong", () => {
  const out = bundle("exit", { pass: () => null });
  const old = { now: NOW + 2 * 3_600_000_000 };
  assert.deepEqual(decide(facts(out, { refused: "malformed" }, old)).flags, ["malformed"]);
  const decided = decide(facts(out, { claims: CLAIMS }, old));
  assert.deepEqual([decided.outcome, decided.flags, decided.changes], ["admit", ["stale_bundle"], []]);
});
