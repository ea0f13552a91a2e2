/**
 * One attempt at the gate, online first.
 *
 * 1. The service is asked, with a request id of the kiosk's own.
 * 2. Without its answer the kiosk decides by itself, with the same request id: if the question arrived and only the
 *    answer was lost, the service knows that it is the same attempt when it is sent later.
 * 3. A decision made here is on the disk before it is shown.
 *
 * Attempts are decided one after another: each sees what the one before it used.
 */

import { Refusal, Unreachable } from "./api.js";
import { decide } from "./core/decide.js";
import { offlineFacts } from "./core/offline.js";
import { bare, recognise } from "./core/recognise.js";
import { newRequestId } from "./request_id.js";

const DEADLINE_MS = 1_500;
const DEADLINE_WHILE_OFFLINE_MS = 300;
const SETTLED_WITHIN = 2_000_000; // between the time of an answer and its commit, in microseconds
const NOT_UPLOADED = ["unrecognised", "malformed"];

/**
 * What is shown.
 *
 * @typedef {{decision: "admit" | "deny", reason: string, direction: string, name: string | null, peopleLeft: number,
 *   notBefore: Date | null, offline: boolean}} Verdict
 */

export class Verifier {
  /** @param {{moved: () => Promise<boolean>, signedOut: () => Promise<void>}} listener */
  constructor({ api, store, clock, network, keeper, device, listener }) {
    Object.assign(this, { _api: api, _store: store, _clock: clock, _network: network });
    Object.assign(this, { _keeper: keeper, _device: device, _listener: listener });
    this._last = Promise.resolve();
  }

  /** @returns {Promise<Verdict>} */
  verify(text) {
    const turn = this._last.then(() => this._verify(bare(text)));
    this._last = turn.catch(() => {});
    return turn;
  }

  async _verify(token) {
    const attempt = { token, requestId: newRequestId(), gate: this._device.gate, direction: this._device.direction };
    const [answer, presented] = await Promise.all([this._ask(attempt), this._recognise(token)]);
    if (answer?.id === undefined) return answer ?? this._decide(attempt, presented);
    if (answer.decision === "admit" && answer.repeated === null) await this._remember(attempt, answer, presented);
    return verdict(answer.decision, answer.reason, answer.direction, {
      name: answer.holder?.name ?? null,
      peopleLeft: answer.people_left,
      notBefore: answer.not_before === null ? null : new Date(answer.not_before),
    });
  }

  // 1. The service's answer; a verdict where it refused to give one; null where the kiosk is to decide.

  async _ask(attempt, again = true) {
    const { token, gate, requestId, direction } = attempt;
    const body = { token, gate, request_id: requestId, ...(direction === null ? {} : { direction }) };
    const deadline = this._network.online ? DEADLINE_MS : DEADLINE_WHILE_OFFLINE_MS;
    try {
      const answer = await this._api.json("/v1/verifications", body, { deadline });
      return answer.reason === "unavailable" ? null : answer;
    } catch (error) {
      if (error instanceof Unreachable) return null;
      if (!(error instanceof Refusal)) throw error;
      if (again && (await this._mended(error, attempt))) return this._ask(attempt, false);
      return this._refused(error);
    }
  }

  /** Whether asking again is worth it: the kiosk was moved, or has to say the way. */
  async _mended(refusal, attempt) {
    if ([403, 404].includes(refusal.status)) {
      if (!(await this._listener.moved())) return false;
    } else if (refusal.fields.includes("direction")) {
      await this._device.learn({ gateDirection: "both" });
    } else {
      return false;
    }
    Object.assign(attempt, { gate: this._device.gate, direction: this._device.direction });
    return true;
  }

  async _refused(refusal) {
    if (refusal.status === 401) {
      await this._listener.signedOut();
      return this._deny("signed_out");
    }
    if (this._device.letsOut) return null; // nobody is held back for what is wrong with the question
    return this._deny(refusal.fields.includes("token") ? "unrecognised" : "not_asked");
  }

  _deny(reason) {
    return verdict("deny", reason, this._device.direction ?? "entry", {});
  }

  // 2. Without the service's answer.

  async _recognise(token) {
    if (this._device.tenant === null) return { refused: "unavailable" };
    return recognise(token, this._device.tenant, this._keeper.keys);
  }

  async _decide(attempt, presented) {
    const now = this._clock.now();
    const { bundle } = this._keeper;
    const decision = bundle === null ? this._withoutBundle() : await this._withBundle(attempt, presented, bundle, now);
    const direction = this._device.letsOut ? "exit" : attempt.direction ?? "entry";
    try {
      await this._store.write(this._changes(attempt, presented, decision, now), { strict: true }); // 3
    } catch (error) {
      console.error("The decision could not be kept.", error.message);
      if (decision.outcome === "admit" && !this._device.letsOut) return this._deny("unavailable");
    }
    return verdict(decision.outcome, decision.reason, direction, {
      peopleLeft: decision.people_left,
      notBefore: decision.not_before === null ? null : new Date(decision.not_before / 1000),
      offline: true,
    });
  }

  _withoutBundle() {
    const out = this._device.letsOut;
    const said = out ? { outcome: "admit", reason: "ok", flags: ["stale_bundle"] } : { outcome: "deny", reason: "unavailable", flags: [] };
    return { ...said, exitSide: out, people_left: 0, not_before: null, repeats: null, changes: [] };
  }

  async _withBundle(attempt, presented, bundle, now) {
    const { token = null, idx = null } = presented.claims ?? {};
    const used = token === null ? undefined : await this._store.get("uses", token.id);
    const facts = offlineFacts(bundle, presented, {
      now,
      direction: attempt.direction,
      exitBound: this._device.side === "exit",
      lastUse: used?.use ?? null,
      entriesSince: idx === null ? 0 : await this._entriesSince(idx, bundle.manifest.seq),
      lastGood: this._clock.lastGood,
      credential: this._device.device,
      verification: attempt.requestId,
    });
    return { ...decide(facts), exitSide: facts.exit_side };
  }

  async _entriesSince(idx, seq) {
    const entries = (await this._store.entries("entries")).map(([, entry]) => entry);
    const counted = entries.filter((entry) => entry.idx === idx && (entry.knownAt === null || entry.knownAt > seq));
    return counted.reduce((sum, entry) => sum + entry.people, 0);
  }

  /** What is to be kept of a decision: the use, the entry, and what is to be sent. A repeat was kept before. */
  _changes(attempt, presented, decision, now) {
    const changes = [this._clock.decided(now)];
    if (decision.repeats !== null) return changes;
    const { token = null, idx = null } = presented.claims ?? {};
    for (const { use } of decision.changes) changes.push(["uses", token.id, { use, expiresAt: token.expires_at }]);
    if (decision.changes.length > 0) changes.push(...this._entry(attempt, idx, decision.changes[0].use.direction, null));
    const place = [this._device.device, now, attempt.requestId];
    return [...changes, ["queue", place, row(attempt, presented, decision, now)]];
  }

  /** People who were let in on a pass whose entries are counted. */
  _entry(attempt, idx, direction, knownAt) {
    const counted = idx !== null && direction !== "exit" && (this._keeper.bundle?.pass(idx)?.max_entries ?? null) !== null;
    return counted ? [["entries", attempt.requestId, { idx, people: 1, knownAt }]] : [];
  }

  /** What was admitted online cannot be shown again while there is no network. */
  async _remember(attempt, answer, presented) {
    const { token = null, idx = null } = presented.claims ?? {};
    if (token === null) return;
    const before = (await this._store.get("uses", token.id))?.use;
    const at = Date.parse(answer.at) * 1000;
    const use = {
      number: (before?.number ?? 0) + 1,
      verification: attempt.requestId,
      at,
      gate: answer.gate,
      credential: this._device.device,
      direction: answer.direction,
      voided: false,
      reserved_until: null,
      let_in: (token.reusable ? 0 : (before?.let_in ?? 0)) + answer.people,
      people: answer.people,
      pass: this._keeper.bundle?.pass(idx)?.id ?? null,
    };
    await this._store.write([
      ["uses", token.id, { use, expiresAt: token.expires_at }],
      ...this._entry(attempt, idx, answer.direction, at + SETTLED_WITHIN),
    ]);
  }
}

/** One verification as it is sent later: with the same content under the same request id as it was asked online. */
function row({ requestId, gate, direction, token }, presented, { outcome, reason, flags, exitSide }, now) {
  const kept = outcome === "admit" || !NOT_UPLOADED.includes(presented.refused);
  return {
    request_id: requestId,
    gate,
    at: new Date(now / 1000).toISOString(),
    decision: outcome,
    reason,
    exit: exitSide, // then: gate and kiosk may have been changed when it is sent
    ...(flags.length > 0 ? { flags } : {}),
    ...(kept ? { token } : {}),
    ...(direction === null ? {} : { direction }),
  };
}

function verdict(decision, reason, direction, { name = null, peopleLeft = 0, notBefore = null, offline = false }) {
  return { decision, reason, direction, name, peopleLeft, notBefore, offline };
}
