/**
 * Sends what was decided without the network, once it is back. A row leaves the queue when its answer is final.
 *
 * A queue is its device's: under another device's key the service would not know what it has answered already. What
 * another one left behind stays until that one is set up here again.
 *
 * Where the service admitted somebody whom the kiosk had refused, because only its answer was lost, the service takes
 * that back by itself when it is told of the refusal.
 */

import { Refusal, Unreachable } from "./api.js";
import { timeIn } from "./clock.js";

const AT_ONCE = 1_000;
const BYTES_AT_ONCE = 1_500_000;
const FOR_A_ROW = [400, 413, 422]; // refusals of a call that are for what stands in a row of it
const LEEWAY = 30_000_000;

export class Sync {
  constructor({ api, store, clock, device }) {
    this._api = api;
    this._store = store;
    this._clock = clock;
    this._device = device;
    this._sending = null;
  }

  get isSending() {
    return this._sending !== null;
  }

  /** Send the queue as it is now, the oldest first. Throws `Unreachable` or `Refusal`, with the rest still in the queue. */
  send() {
    this._sending ??= this._send().finally(() => (this._sending = null));
    return this._sending;
  }

  async waiting() {
    return this._store.count("queue", this._own());
  }

  /** What another device left behind. */
  async leftBehind() {
    return (await this._store.count("queue")) - (await this.waiting());
  }

  /** Entries in conflict that nobody has acknowledged. */
  async conflicts() {
    return (await this._store.get("state", "synced"))?.conflicts ?? 0;
  }

  async acknowledge() {
    await this._store.write([["state", "synced", undefined]]);
  }

  async _send() {
    const queue = await this._store.entries("queue", this._own());
    for (const some of calls(queue)) await this._sendTogether(some);
    await this._forgetExpired();
  }

  /** One row that the service does not take must not hold up the others: what is refused is sent again in halves. */
  async _sendTogether(some) {
    const verifications = some.map(([, row]) => row);
    try {
      const answer = await this._api.json("/v1/verifications/sync", { verifications }, { deadline: 30_000 });
      const now = timeIn(answer.now);
      this._clock.heard(now);
      await this._settle(some, answer.results, now ?? this._clock.serviceTime);
    } catch (error) {
      if (!(error instanceof Refusal && FOR_A_ROW.includes(error.status))) throw error;
      if (some.length === 1) return this._settle(some, [neverTaken(some[0][1], error)], this._clock.serviceTime);
      const half = some.length >> 1;
      await this._sendTogether(some.slice(0, half));
      await this._sendTogether(some.slice(half));
    }
  }

  _own() {
    return IDBKeyRange.bound([this._device.device ?? ""], [this._device.device ?? "", []]);
  }

  async _settle(some, results, now) {
    const entries = new Map(await this._store.entries("entries"));
    const changes = some.map(([key]) => ["queue", key, undefined]); // one by one: others came meanwhile
    let conflicts = await this.conflicts();
    for (const [row, result] of matched(some, results)) {
      if (result.status === "rejected") console.warn("The service did not take a verification.", result.error);
      if (result.conflicts.length > 0 || (result.decision === "deny" && row.decision === "admit")) conflicts += 1;
      const entry = entries.get(row.request_id);
      if (entry) changes.push(["entries", row.request_id, { ...entry, knownAt: now }]);
    }
    await this._store.write([...changes, ["state", "synced", { conflicts }]], { strict: true });
  }

  /** A use is forgotten when its token is no good any more by the service's own time, and nothing is left to be sent. */
  async _forgetExpired() {
    const before = this._clock.serviceTime - LEEWAY;
    const uses = await this._store.entries("uses");
    const over = uses.filter(([, { expiresAt }]) => expiresAt < before);
    await this._store.write(over.map(([id]) => ["uses", id, undefined]));
  }
}

/** The queue in calls that the service takes. */
export function* calls(queue) {
  let [some, bytes] = [[], 0];
  for (const each of queue) {
    const size = new TextEncoder().encode(JSON.stringify(each[1])).length + 1;
    if (some.length === AT_ONCE || (some.length > 0 && bytes + size > BYTES_AT_ONCE)) {
      yield some;
      [some, bytes] = [[], 0];
    }
    some.push(each);
    bytes += size;
  }
  if (some.length > 0) yield some;
}

/** Every row with its own result. An answer that lacks one, or has others, is not the answer to these rows. */
export function matched(some, results) {
  const byId = new Map(results.map((result) => [result.request_id, result]));
  const wrong = results.length !== some.length || some.some(([, row]) => !byId.has(row.request_id));
  if (wrong) throw new Unreachable("the answer is of other rows");
  return some.map(([, row]) => [row, byId.get(row.request_id)]);
}

function neverTaken(row, refusal) {
  return { request_id: row.request_id, status: "rejected", error: refusal.code, decision: null, conflicts: [] };
}
