/**
 * What time it is, and whether that can be believed. Microseconds since 1970, as everywhere in the core.
 *
 * `lastGood` is the latest time that is known to have been: the service's, or that of a decision made here since. The
 * tablet's clock cannot be right before it. What the service says undoes what a wrong clock made of it.
 */

const KEEP_EVERY = 10_000_000;
const WRONG_S = 30;

export class Clock {
  constructor(store, kept) {
    this._store = store;
    this.serviceTime = kept?.service ?? 0;
    this._decided = kept?.decided ?? 0;
    this._kept = this.serviceTime;
    this._ahead = 0;
  }

  now() {
    return Date.now() * 1000;
  }

  get lastGood() {
    return Math.max(this.serviceTime, this._decided);
  }

  /** The service said what time it is. */
  heard(at) {
    this._decided = 0;
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

  /** What is to be written with a decision that was made here at that time. */
  decided(at) {
    this._decided = Math.max(this._decided, at);
    return this.kept();
  }

  kept() {
    return ["state", "clock", { service: this.serviceTime, decided: this._decided }];
  }

  /** By how many seconds the tablet's clock is wrong; 0 where that is not known or does not matter. */
  get wrongBy() {
    const behind = (this.lastGood - this.now()) / 1e6;
    const wrong = Math.max(Math.abs(this._ahead), behind);
    return wrong > WRONG_S ? wrong : 0;
  }
}
