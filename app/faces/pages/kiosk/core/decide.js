/**
 * One attempt at a gate, decided from its facts as `app/core/decision.py` decides it: by the rules that can be asked
 * without the network. Pure: the same facts give the same decision.
 *
 * Facts are those of `tests/vectors/rules/README.md`, under the same names. Zones, counts, budgets and reservations are
 * the service's: nothing here reads them.
 */

import { nextUse } from "./admission.js";
import { RULES } from "./rules/index.js";

const BY_CODE = new Map(RULES.map((rule) => [rule.code, rule]));
const REPEAT_RULES = RULES.filter((rule) => rule.endsRepeat);

/**
 * @param {object} facts
 * @returns {{outcome: "admit" | "deny", reason: string, flags: string[], overridden: string | null, people_left:
 *   number, not_before: number | null, repeats: string | null, changes: {type: "redeem", token: string, use:
 *   object}[]}} `flags` says what was wrong with an attempt that was admitted all the same, `repeats` is the earlier
 *   verification that this one gives again, `people_left` how many more of a party may go in, `not_before` when the
 *   rule that refused would no longer do so
 */
export function decide(facts) {
  const earlier = repeated(facts);
  const refusal = firstRefusal(facts, earlier === null ? RULES : REPEAT_RULES);
  if (facts.exit_side) return decision("admit", { flags: refusal === null ? [] : [refusal] });
  if (refusal === null) {
    if (earlier === null) return entry(facts, []);
    return decision("admit", { repeats: earlier, people_left: peopleLeft(facts) });
  }
  const rule = BY_CODE.get(refusal);
  if (facts.override && rule !== undefined && rule.overridable !== false) {
    return entry(facts, RULES.filter((each) => each.refuses(facts)).map((each) => each.code));
  }
  return decision("deny", {
    reason: refusal,
    people_left: rule?.room === undefined ? 0 : peopleLeft(facts),
    not_before: rule?.notBefore === undefined ? null : rule.notBefore(facts),
  });
}

function decision(outcome, said) {
  return {
    outcome,
    reason: "ok",
    flags: [],
    overridden: null,
    people_left: 0,
    not_before: null,
    repeats: null,
    changes: [],
    ...said,
  };
}

/** The first reason against it: what was presented is no token, or the first of `rules` that refuses. */
function firstRefusal(facts, rules) {
  const { presented, token } = facts;
  if (presented.refused !== undefined) return presented.refused;
  if (token === null && (presented.otherwise ?? null) !== null) return presented.otherwise;
  const rule = rules.find((each) => each.refuses(facts));
  return rule === undefined ? null : rule.code;
}

/**
 * The verification of the latest use, if a polling camera shows the same token again within the gate's repeat window.
 */
function repeated({ last_use: use, gate, pass, now, credential, direction, people, exit_side, override }) {
  if (use === null || use.voided || use.reserved_until !== null || gate.repeat_window <= 0 || exit_side) return null;
  if (override || (use.pass !== null && pass !== null && use.pass !== pass.id)) return null;
  const same =
    use.gate === gate.id && use.credential === credential && use.direction === direction && use.people === people;
  return same && now >= use.at && now - use.at < gate.repeat_window ? use.verification : null;
}

/** Somebody goes in; or out, at a gate for both directions. `overridden` are all rules that refused. */
function entry(facts, overridden) {
  const use = nextUse(facts);
  const changes = [{ type: "redeem", token: facts.token.id, use }];
  const left = facts.pass.limits.party_size > 1 ? peopleLeft(afterEntry(facts, use)) : 0;
  return decision("admit", { flags: overridden, overridden: overridden[0] ?? null, people_left: left, changes });
}

function afterEntry(facts, use) {
  const { pass, direction, people } = facts;
  const entries = direction === "exit" ? pass.entries : pass.entries + people;
  return { ...facts, last_use: use, pass: { ...pass, entries } };
}

/** How many of the party may still go in, as far as the rules can say; 0 for a pass for one. */
function peopleLeft(facts) {
  if (facts.pass === null || facts.pass.limits.party_size === 1) return 0;
  const known = RULES.filter((rule) => rule.room !== undefined).map((rule) => rule.room(facts));
  return Math.max(0, Math.min(...known.filter((left) => left !== null)));
}
