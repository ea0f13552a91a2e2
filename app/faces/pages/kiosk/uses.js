/**
 * Which tokens were used, as far as this kiosk knows: those that it let in itself, with the network or without it.
 *
 * What was let in online before the kiosk could read it (it had no bundle yet, or not the key) is kept as a text until
 * it can be read. What the browser does not keep is kept in memory, until the page is closed.
 */

import { timeIn } from "./clock.js";
import { recognise } from "./core/recognise.js";

const SETTLED_WITHIN = 2_000_000; // between the time of an answer and its commit, in microseconds

export class Uses {
  constructor({ store, clock, keeper, device }) {
    Object.assign(this, { _store: store, _clock: clock, _keeper: keeper, _device: device });
    this._unkept = new Map();
  }

  /** The latest use of a token; null where it was not used here. */
  async latest(id) {
    const kept = this._unkept.get(id) ?? (await this._store.get("uses", id));
    return kept?.use ?? null;
  }

  /** How many people were let in on a pass whom the bundle does not count. */
  async entriesSince(idx, seq) {
    const entries = (await this._store.entries("entries")).map(([, entry]) => entry);
    const counted = entries.filter((entry) => entry.idx === idx && (entry.knownAt === null || entry.knownAt > seq));
    return counted.reduce((sum, entry) => sum + entry.people, 0);
  }

  /** What is to be written when a token is used without the network. */
  changes(requestId, { token, idx }, use) {
    return [["uses", token.id, { use, expiresAt: token.expires_at }], ...this._entry(requestId, idx, use, null)];
  }

  /** What was admitted online cannot be shown again while there is no network. */
  async remember(attempt, answer, presented) {
    const { token = null, idx = null } = presented.claims ?? {};
    if (token !== null) await this._used(attempt, answer, token, idx);
    else if (answer.token_kind === "signed" && this._keeper.verifies) await this._usedUnread(attempt, answer);
  }

  /** Texts that could not be read when they were let in become uses, now that there is a bundle. */
  async read({ manifest }) {
    if ((await this._store.count("texts")) === 0) return;
    const changes = [];
    for (const [text, unread] of await this._store.entries("texts")) {
      const { token = null, idx = null } = (await recognise(text, this._device.tenant, this._keeper.keys)).claims ?? {};
      if (token !== null) {
        const use = after(await this.latest(token.id), { ...unread, pass: this._keeper.bundle?.pass(idx)?.id ?? null });
        changes.push(["uses", token.id, { use, expiresAt: token.expires_at }]);
      }
      if (token !== null || manifest.seq > unread.at) changes.push(["texts", text, undefined]);
    }
    await this._store.write(changes, { strict: true });
  }

  async _used(attempt, answer, token, idx) {
    const before = token.reusable ? null : await this.latest(token.id).catch(() => null);
    const use = after(before, { ...this._said(attempt, answer), pass: this._keeper.bundle?.pass(idx)?.id ?? null });
    this._unkept.set(token.id, { use, expiresAt: token.expires_at });
    const unkept = [...this._unkept].map(([id, value]) => ["uses", id, value]);
    await this._write([...unkept, ...this._entry(attempt.requestId, idx, use, use.at + SETTLED_WITHIN)]);
  }

  async _usedUnread(attempt, answer) {
    const before = await this._store.get("texts", attempt.token).catch(() => null);
    await this._write([["texts", attempt.token, after(before ?? null, { ...this._said(attempt, answer), pass: null })]]);
  }

  /** The service has let somebody in: whatever becomes of this, it stands. */
  async _write(changes) {
    try {
      await this._store.write(changes, { strict: true });
      for (const [store, id, value] of changes) if (store === "uses" && this._unkept.get(id) === value) this._unkept.delete(id);
    } catch (error) {
      console.error("A use could not be kept.", error.message);
    }
  }

  _said({ requestId }, { at, gate, direction, people }) {
    const credential = this._device.device;
    return { verification: requestId, at: timeIn(at) ?? this._clock.now(), gate, credential, direction, people };
  }

  /** People who were let in on a pass whose entries are counted. */
  _entry(requestId, idx, { direction, people }, knownAt) {
    const counted = idx !== null && direction !== "exit" && (this._keeper.bundle?.pass(idx)?.max_entries ?? null) !== null;
    return counted ? [["entries", requestId, { idx, people, knownAt }]] : [];
  }
}

/** The use by which the service let people in, after the one before. */
function after(before, said) {
  return {
    ...said,
    number: (before?.number ?? 0) + 1,
    voided: false,
    reserved_until: null,
    let_in: (before?.let_in ?? 0) + said.people,
  };
}
