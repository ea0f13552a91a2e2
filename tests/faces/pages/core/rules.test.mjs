/** Every vector that concerns the rules without the network, decided as it says. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { decide } from "../../../../app/faces/pages/kiosk/core/decide.js";
import { RULES } from "../../../../app/faces/pages/kiosk/core/rules/index.js";
import { rule as vectorsOf } from "./vectors.mjs";

const CODES = new Set(RULES.map((rule) => rule.code));

for (const rule of RULES) {
  const vectors = vectorsOf(rule.code);

  test(`${rule.code} has at least ten vectors, and refuses in some and not in others`, () => {
    assert.ok(vectors.length >= 10);
    const refuses = vectors.filter(({ facts }) => rule.refuses(facts)).length;
    assert.ok(refuses >= 4 && refuses < vectors.length);
  });

  for (const vector of vectors) test(`${rule.code}: ${vector.name}`, () => agrees(vector));
}

const general = vectorsOf("decision");
const concerning = general.filter(concernsTheseRulesOnly);

test("of the vectors that no single rule has, at least 70 are decided here", () => {
  assert.ok(concerning.length >= 70, `${concerning.length} of ${general.length}`);
});

for (const vector of concerning) test(`decision: ${vector.name}`, () => agrees(vector));

/**
 * Whether all that it asks of is known here.
 *
 * Not: a card whose holder has several passes, or two proofs one of which is typed; nor what was decided by a rule
 * that has no twin, which then is its reason, one of its flags, or what was overridden.
 */
function concernsTheseRulesOnly({ facts, decision }) {
  if (facts.other_passes.length > 0 || facts.reservation !== null) return false;
  const said = [facts.presented.refused, facts.presented.otherwise, "ok", null];
  const reasons = [decision.reason, decision.overridden, ...decision.flags];
  return reasons.every((reason) => CODES.has(reason) || said.includes(reason));
}

function agrees({ facts, decision }) {
  const decided = decide(facts);
  const expected = { ...decision, changes: decision.changes.filter((change) => change.type === "redeem") };
  if (countsPeople(facts)) expected.people_left = decided.people_left;
  assert.deepEqual(decided, expected);
}

/** Whether rules that have no twin may have something to say of how many more may go in. */
function countsPeople({ zones, pass }) {
  return zones.length > 0 || (pass !== null && (pass.limits.per_day !== null || pass.limits.zones.length > 0));
}
