/** Whether the service answers, and since when it does not. While it does not, it is asked again and again. */

const PROBE_MS = 2_000;

export class Network extends EventTarget {
  constructor() {
    super();
    this.online = true;
    this.since = null;
    this._probe = null;
    this._timer = null;
  }

  /** Ask with `probe` whether the service is back, every 2 s and when the browser says that there is a network. */
  watch(probe) {
    this._probe = probe;
    addEventListener("online", () => this._ask());
    addEventListener("offline", () => this.heard(false));
  }

  heard(answered) {
    if (answered === this.online) return;
    this.online = answered;
    this.since = answered ? null : Date.now();
    clearTimeout(this._timer);
    if (!answered) this._later();
    this.dispatchEvent(new Event("change"));
  }

  _later() {
    clearTimeout(this._timer);
    this._timer = setTimeout(() => this._ask(), PROBE_MS);
  }

  async _ask() {
    if (this.online || this._probe === null) return;
    await this._probe().catch(() => {});
    if (!this.online) this._later();
  }
}
