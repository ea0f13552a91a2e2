/** The service, as the kiosk calls it. */

/** The service did not answer in time, or said that it cannot answer just now. */
export class Unreachable extends Error {}

/** The service refused: `code` is the problem's, `status` the answer's, `fields` those that are wrong. */
export class Refusal extends Error {
  constructor(status, problem) {
    super(`${status} ${problem?.code}`);
    this.status = status;
    this.code = problem?.code ?? String(status);
    this.fields = (problem?.errors ?? []).map(({ field }) => field);
  }
}

import { timeIn } from "./clock.js";

const DEADLINE_MS = 10_000;
const OWN = "Request-Id"; // every answer of the service has it; a sign-in page of the network's has not

export class Api {
  /**
   * @param {{onTime: (at: number | null) => void, onReach: (reached: boolean) => void}} listener told the service's time in
   *   microseconds, null where it was not understood, and whether it answered
   */
  constructor({ onTime, onReach }) {
    this.key = null;
    this._onTime = onTime;
    this._onReach = onReach;
  }

  /**
   * POST, or GET where there is no body; the answer's JSON. Throws `Unreachable` or `Refusal`.
   *
   * @param {{deadline?: number, key?: string | null}} how `key`: another one than the kiosk's, or null for none
   */
  async json(path, body, { deadline = DEADLINE_MS, key } = {}) {
    const headers = body === undefined ? {} : { "Content-Type": "application/json" };
    const text = body === undefined ? undefined : JSON.stringify(body);
    return (await this._ask(path, { method: text === undefined ? "GET" : "POST", headers, body: text }, deadline, key)).json();
  }

  /** GET of bytes. `etag` is that of those one has: null where they are still the same. */
  async bytes(path, { etag = null } = {}) {
    const headers = etag === null ? {} : { "If-None-Match": etag };
    const { status, bytes, headers: answered } = await this._ask(path, { headers }, 3 * DEADLINE_MS);
    return status === 304 ? null : { bytes, etag: answered.get("ETag") };
  }

  async _ask(path, request, deadline, key = this.key) {
    const own = this.key;
    const answer = await this._answer(path, request, deadline, key);
    if (own !== this.key) throw new Unreachable("the kiosk was set up anew meanwhile"); // it is another one's answer
    if (answer.status >= 500 || answer.status === 429) throw new Unreachable(`${answer.status}`);
    if (answer.status >= 400) throw new Refusal(answer.status, answer.json());
    return answer;
  }

  async _answer(path, request, deadline, key) {
    const headers = { ...request.headers, ...(key === null ? {} : { Authorization: `Bearer ${key}` }) };
    try {
      const signal = AbortSignal.timeout(deadline);
      const how = { cache: "no-store", credentials: "omit", redirect: "error" };
      const response = await fetch(path, { ...request, headers, signal, ...how });
      if (!response.headers.has(OWN)) throw new Error("somebody else answered");
      const bytes = new Uint8Array(await response.arrayBuffer()); // the deadline is the whole answer's
      this._heard(response);
      return { status: response.status, headers: response.headers, bytes, json: () => parsed(bytes) };
    } catch (error) {
      this._onReach(false);
      throw new Unreachable(error.message);
    }
  }

  _heard(response) {
    this._onReach(response.status < 500);
    if (response.status < 500) this._onTime(timeIn(response.headers.get("Date")));
  }
}

function parsed(bytes) {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return null;
  }
}
