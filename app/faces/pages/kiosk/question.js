/** Asks the service about one attempt, within the attempt's deadline. */

import { Refusal, Unreachable } from "./api.js";

const SHORTEST_MS = 300;
const MOST_MENDS = 2; // moved, and to a gate where the way has to be said

/** Milliseconds until the attempt has to be decided. Whatever is asked is given a little. */
export function left({ until }) {
  return Math.max(SHORTEST_MS, until - performance.now());
}

export class Question {
  /** @param {{moved: (deadline: number) => Promise<boolean>, signedOut: () => Promise<void>}} listener */
  constructor({ api, device, listener }) {
    Object.assign(this, { _api: api, _device: device, _listener: listener });
  }

  /**
   * The service's answer; `{refused}` where it refused to give one; null where the kiosk is to decide.
   *
   * @param {{token: string, gate: string, requestId: string, direction: string | null, until: number}} attempt
   */
  async ask(attempt, mends = MOST_MENDS) {
    const { token, gate, requestId, direction } = attempt;
    const body = { token, gate, request_id: requestId, ...(direction === null ? {} : { direction }) };
    try {
      return await this._api.json("/v1/verifications", body, { deadline: left(attempt) });
    } catch (error) {
      if (error instanceof Unreachable) return null;
      if (!(error instanceof Refusal)) throw error;
      if (mends === 0) return this._refused(error);
      const mended = await this._mended(error, attempt);
      if (mended === null) return null;
      return mended ? this.ask(attempt, mends - 1) : this._refused(error);
    }
  }

  /** Whether asking again is worth it: the kiosk was moved, or has to say the way. Null where that is not known. */
  async _mended(refusal, attempt) {
    if ([403, 404].includes(refusal.status)) {
      const moved = await this._moved(attempt);
      if (!moved) return moved;
    } else if (refusal.fields.includes("direction")) {
      await this._device.learn({ gateDirection: "both" }).catch((error) => console.error(error.message));
    } else {
      return false;
    }
    Object.assign(attempt, { gate: this._device.gate, direction: this._device.direction });
    return true;
  }

  async _moved(attempt) {
    try {
      return await this._listener.moved(left(attempt));
    } catch (error) {
      if (error instanceof Unreachable) return null;
      if (error instanceof Refusal) return false;
      throw error;
    }
  }

  async _refused(refusal) {
    if (refusal.status === 401) {
      await this._listener.signedOut();
      return { refused: "signed_out" };
    }
    if (this._device.letsOut) return null; // nobody is held back for what is wrong with the question
    return { refused: refusal.fields.includes("token") ? "unrecognised" : "not_asked" };
  }
}
