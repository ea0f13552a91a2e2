/**
 * Sends what was decided without the network, once it is back. A row leaves the queue when its answer is final.
 *
 * A queue is its device's: under another device's key the service would not know what it has answered already. What
 * another one left behind stays until that one is set up here again.
 *
 * Where the service admitted somebody whom the kiosk had refused, because only its answer was lost, the kiosk undoes it.
 */

import { Refusal } from "./api.js";

const AT_ONCE = 1_000;
const LEEWAY = 30_000_000;

export class Sync {
  constructor({ api, store, clock, device }) {
    this._api = api;
    this._store = store;
    this._clock = clock;
    this._device = device;
    this._sending = null;
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
    for (let place = 0; place < queue.length; place += AT_ONCE) {
      const some = queue.slice(place, place + AT_ONCE);
      const rows = some.map(([, row]) => row);
      const answer = await this._api.json("/v1/verifications/sync", { verifications: rows }, { deadline: 30_000 });
      const sent = IDBKeyRange.bound(some[0][0], some.at(-1)[0]); // what comes meanwhile comes behind them
      await this._settle(rows, answer.results, Date.parse(answer.now) * 1000, sent);
    }
    await this._forgetExpired();
  }

  _own() {
    return IDBKeyRange.bound([this._device.device ?? ""], [this._device.device ?? "", []]);
  }

  async _settle(rows, results, now, sent) {
    this._clock.heard(now);
    const entries = new Map(await this._store.entries("entries"));
    const changes = [["queue", sent, undefined]];
    let conflicts = await this.conflicts();
    for (const [place, result] of results.entries()) {
      const row = rows[place];
      if (result.status === "rejected") console.warn("The service did not take a verification.", result.error);
      if (result.decision === "admit" && row.decision === "deny") await this._undo(result.verification);
      if (result.conflicts.length > 0 || (result.decision === "deny" && row.decision === "admit")) conflicts += 1;
      const entry = entries.get(row.request_id);
      if (entry) changes.push(["entries", row.request_id, { ...entry, knownAt: now }]);
    }
    await this._store.write([...changes, ["state", "synced", { conflicts }]], { strict: true });
  }

  async _undo(verification) {
    try {
      await this._api.json(`/v1/verifications/${verification}/undo`, {});
    } catch (error) {
      if (!(error instanceof Refusal)) throw error; // refused for good: it was undone before, or is too old
    }
  }

  /** A use is forgotten when its token is no good any more by the service's own time, and nothing is left to be sent. */
  async _forgetExpired() {
    const before = this._clock.serviceTime - LEEWAY;
    const uses = await this._store.entries("uses");
    const over = uses.filter(([, { expiresAt }]) => expiresAt < before);
    await this._store.write(over.map(([id]) => ["uses", id, undefined]));
  }
}
