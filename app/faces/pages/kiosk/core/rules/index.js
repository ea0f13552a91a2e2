/**
 * The rules that can be asked without the network, in the order in which they are asked: the first that refuses gives
 * the reason. Each is the twin of one in `app/core/rules/`; a test compares the two lists.
 *
 * A rule is a module: its `code`, and `refuses(facts)`. Where it says more: `endsRepeat` (it also ends the repeat
 * window of a gate), `overridable` (false: nobody at the desk can admit against it), `room(facts)` (how many people it
 * would let in), `notBefore(facts)` (when it would no longer refuse, as far as it knows).
 */

import * as already_used from "./already_used.js";
import * as clock_behind from "./clock_behind.js";
import * as expired from "./expired.js";
import * as holder_blocked from "./holder_blocked.js";
import * as needs_network from "./needs_network.js";
import * as no_entries_left from "./no_entries_left.js";
import * as not_yet_valid from "./not_yet_valid.js";
import * as offline_not_allowed from "./offline_not_allowed.js";
import * as outside_schedule from "./outside_schedule.js";
import * as pass_expired from "./pass_expired.js";
import * as pass_not_yet_valid from "./pass_not_yet_valid.js";
import * as pass_revoked from "./pass_revoked.js";
import * as pass_suspended from "./pass_suspended.js";
import * as stale_bundle from "./stale_bundle.js";
import * as token_blocked from "./token_blocked.js";
import * as token_revoked from "./token_revoked.js";
import * as too_many_people from "./too_many_people.js";
import * as unknown from "./unknown.js";
import * as wrong_gate from "./wrong_gate.js";

export const RULES = Object.freeze([
  clock_behind,
  stale_bundle,
  needs_network,
  offline_not_allowed,
  unknown,
  holder_blocked,
  token_blocked,
  token_revoked,
  pass_revoked,
  pass_suspended,
  not_yet_valid,
  expired,
  pass_not_yet_valid,
  pass_expired,
  wrong_gate,
  outside_schedule,
  no_entries_left,
  already_used,
  too_many_people,
]);
