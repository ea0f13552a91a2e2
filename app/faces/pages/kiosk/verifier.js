/**
 * One attempt at the gate, online first.
 *
 * 1. What this kiosk has decided of the same code and not sent yet is sent: the service is to know of it.
 * 2. The service is asked, with a request id of the kiosk's own.
 * 3. Without its answer the kiosk decides by itself, with the same request id: if the question arrived and only the
 *    answer was lost, the service knows that it is the same attempt when it is sent later.
 * 4. A decision made here is on the disk before it is shown.
 *
 * Attempts are decided one after another: each sees what the one before it used. On the way out nobody is held back,
 * whatever fails here.
 */

import { Refusal, Unreachable } from "./api.js";
import { decide } from "./core/decide.js";
import { offlineFacts } from "./core/offline.js";
import { bare, recognise } from "./core/recognise.js";
import { Question, left } from "./question.js";
import { newRequestId } from "./request_id.js";

const DEADLINE_MS = 1_500;
const DEADLINE_WHILE_OFFLINE_MS = 300;
const NOT_UPLOADED = ["unrecognised", "malformed"];
const UNAVAILABLE = "unavailable";

/**
 * What is shown.
 *
 * @typedef {{decision: "admit" | "deny", reason: string, direction: string, name: string | null, peopleLeft: number,
 *   notBefore: Date | null, offline: boolean, again: boolean}} Verdict `again`: somebody was let in by it just now, and
 *   nobody else is
 */

export class Verifier {
  constructor({ api, store, clock, network, keeper, device, uses, sync, listener }) {
    Object.assign(this, { _store: store, _clock: clock, _network: network, _keeper: keeper });
    Object.assign(this, { _device: device, _uses: uses, _sync: sync });
    this._question = new Question({ api, device, listener });
    this._last = Promise.resolve();
  }

  /** @returns {Promise<Verdict>} */
  verify(text) {
    const turn = this._last.then(() => this._verify(bare(text)));
    this._last = turn.catch(() => {});
    return turn;
  }

  async _verify(token) {
    const patience = this._network.online ? DEADLINE_MS : DEADLINE_WHILE_OFFLINE_MS;
    const { gate, direction, letsOut } = this._device;
    const attempt = { token, requestId: newRequestId(), gate, direction, letsOut, until: performance.now() + patience };
    try {
      return await this._settled(attempt);
    } catch (error) {
      if (!this._letsOut(attempt)) throw error;
      console.error(error);
      return verdict("admit", "ok", "exit", { offline: true });
    }
  }

  async _settled(attempt) {
    const presented = await this._recognise(attempt.token);
    if ((await this._waits(attempt, presented)) && !(await this._sent(attempt, presented))) {
      return this._decided(attempt, presented);
    }
    const answer = await this._question.ask(attempt);
    if (answer === null) return this._decided(attempt, presented);
    if (answer.refused !== undefined) return this._deny(answer.refused);
    if (answer.reason === UNAVAILABLE || answer.flags.includes(UNAVAILABLE)) {
      attempt.letsOut ||= answer.decision === "admit"; // by the gate as the service knows it
      return this._decided(attempt, presented);
    }
    return this._answered(attempt, answer, presented);
  }

  async _answered(attempt, answer, presented) {
    const again = answer.repeated === "window";
    if (answer.decision === "admit" && !again) await this._uses.remember(attempt, answer, presented);
    return verdict(answer.decision, answer.reason, answer.direction, {
      name: answer.holder?.name ?? null,
      peopleLeft: answer.people_left,
      notBefore: answer.not_before === null ? null : new Date(answer.not_before),
      again,
    });
  }

  async _recognise(token) {
    if (this._device.tenant === null) return { refused: UNAVAILABLE };
    return recognise(token, this._device.tenant, this._keeper.keys);
  }

  _letsOut({ letsOut }) {
    return letsOut || this._device.letsOut;
  }

  _deny(reason) {
    return verdict("deny", reason, this._device.direction ?? "entry", {});
  }

  // 1. What the service does not know yet.

  /** Whether something that was decided here of this code still waits to be sent. */
  async _waits({ token: text }, presented) {
    const token = presented.claims?.token ?? null;
    if (token?.reusable) return false;
    try {
      const waiting = await this._store.keysOfText(text);
      if (waiting.some(([device]) => device === this._device.device)) return true;
      const use = token === null ? null : await this._uses.latest(token.id);
      if (use === null || use.voided) return false;
      return (await this._store.get("queue", [use.credential, use.at, use.verification])) !== undefined;
    } catch (error) {
      console.error("What waits cannot be read.", error.message);
      return false;
    }
  }

  /** Send what waits, within the attempt's deadline. Whether the service can be asked now. */
  async _sent(attempt, presented) {
    try {
      await within(left(attempt), this._sync.send());
      if (!(await this._waits(attempt, presented))) return true;
      await within(left(attempt), this._sync.send()); // the one before had begun earlier
      return !(await this._waits(attempt, presented));
    } catch (error) {
      if (!(error instanceof Unreachable || error instanceof Refusal)) throw error;
      return error.status === 401; // which is what it will say then
    }
  }

  // 3. Without the service's answer.

  async _decided(attempt, presented) {
    const now = this._clock.now();
    const out = this._letsOut(attempt);
    let decision;
    try {
      decision = await this._decision(attempt, presented, now);
      await this._store.write(this._changes(attempt, presented, decision, now), { strict: true }); // 4
    } catch (error) {
      console.error("The decision could not be made or kept.", error.message);
      if (!out && decision?.outcome !== "deny") return this._deny(UNAVAILABLE);
      decision ??= withoutBundle(true);
    }
    const direction = out || decision.exitSide ? "exit" : attempt.direction ?? "entry";
    return verdict(decision.outcome, decision.reason, direction, {
      peopleLeft: decision.people_left,
      notBefore: decision.not_before === null ? null : new Date(decision.not_before / 1000),
      offline: true,
      again: decision.repeats !== null,
    });
  }

  async _decision(attempt, presented, now) {
    const out = this._letsOut(attempt);
    const { bundle } = this._keeper;
    if (bundle === null) return withoutBundle(out);
    const decision = await this._withBundle(attempt, presented, bundle, now);
    return out && !decision.exitSide ? withoutBundle(true) : decision; // the gate has become an exit since
  }

  async _withBundle(attempt, presented, bundle, now) {
    const { token = null, idx = null } = presented.claims ?? {};
    await this._uses.read(bundle);
    const facts = offlineFacts(bundle, presented, {
      now,
      direction: attempt.direction,
      exitBound: this._device.side === "exit",
      lastUse: token === null ? null : await this._uses.latest(token.id),
      entriesSince: idx === null ? 0 : await this._uses.entriesSince(idx, bundle.manifest.seq),
      lastGood: this._clock.lastGood,
      credential: this._device.device,
      verification: attempt.requestId,
    });
    return { ...decide(facts), exitSide: facts.exit_side, goodUntil: bundle.manifest.seq + bundle.manifest.max_stale };
  }

  /** What is to be kept of a decision: the use, the entry, and what is to be sent. A repeat was kept before. */
  _changes(attempt, presented, decision, now) {
    if (decision.repeats !== null) return [];
    const changes = decision.outcome === "admit" ? [this._clock.admitted(now, decision.goodUntil)] : [];
    for (const { use } of decision.changes) changes.push(...this._uses.changes(attempt.requestId, presented.claims, use));
    const place = [this._device.device, now, attempt.requestId];
    return [...changes, ["queue", place, row(attempt, presented, decision, now)]];
  }
}

/** `goodUntil`: nothing is learnt of the time. */
function withoutBundle(out) {
  const said = out ? { outcome: "admit", reason: "ok", flags: ["stale_bundle"] } : { outcome: "deny", reason: UNAVAILABLE, flags: [] };
  return { ...said, exitSide: out, goodUntil: 0, people_left: 0, not_before: null, repeats: null, changes: [] };
}

async function within(deadline, work) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Unreachable("it takes too long")), deadline);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
    work.catch(() => {}); // it goes on, for whoever else waits for it
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

function verdict(decision, reason, direction, said) {
  const nothing = { name: null, peopleLeft: 0, notBefore: null, offline: false, again: false };
  return { decision, reason, direction, ...nothing, ...said };
}
