/**
 * What time it is, and whether that can be believed. Microseconds since 1970, as everywhere in the core.
 *
 * `lastGood` is the latest time that is known to have been: the service's, or that of an admission made here since. The
 * tablet's clock cannot be right before it. An admission raises it no further than its bundle was good: a clock that
 * once ran ahead must not shut the gate for long. What the service says undoes what a wrong clock made of it.
 */

const KEEP_EVERY = 10_000_000;
const WRONG_S = 30;

export class Clock {
  constructor(store, kept) {
    this._store = store;
    this.serviceTime = kept?.service || 0;
    this._admitted = kept?.decided || 0;
    this._kept = this.serviceTime;
    this._heard = 0;
    this._ahead = 0;
  }

  now() {
    return Date.now() * 1000;
  }

  get lastGood() {
    return Math.max(this.serviceTime, this._admitted);
  }

  /** The service said what time it is; null where it is not understood. */
  heard(at) {
    if (at === null) return;
    this._heard = at;
    this._admitted = 0;
    this._ahead = (this.now() - at) / 1e6;
    this.isAtLeast(at);
  }

  /** By what the service said, it is so late at least. */
  isAtLeast(at) {
    this.serviceTime = Math.max(this.serviceTime, at);
    if (this.serviceTime - this._kept < KEEP_EVERY) return;
    this._kept = this.serviceTime;
    this._store.write([this.kept()]).catch(() => {}); // kept with the next decision at the latest
  }

  /** Somebody is let in here at that time, by a bundle that is good until then. What is to be written with it. */
  admitted(at, goodUntil) {
    this._admitted = Math.max(this._admitted, Math.min(at, goodUntil));
    return this.kept();
  }

  /** The kiosk was set up anew: only what was heard last is still known. What is to be written with it. */
  reset() {
    this._admitted = 0;
    this.serviceTime = this._heard;
    this._kept = this._heard;
    return this.kept();
  }

  kept() {
    return ["state", "clock", { service: this.serviceTime, decided: this._admitted }];
  }

  /** By how many seconds the tablet's clock is wrong; 0 where that is not known or does not matter. */
  get wrongBy() {
    const behind = (this.lastGood - this.now()) / 1e6;
    const wrong = Math.max(Math.abs(this._ahead), behind);
    return wrong > WRONG_S ? wrong : 0;
  }
}

/** A time as the service writes it, in microseconds; null where it is none. */
export function timeIn(text) {
  const at = Date.parse(text ?? "");
  return Number.isNaN(at) ? null : at * 1000;
}
