/** What this kiosk is: its credential, its gate, and which way people go. Kept over a reload. */

const NOTHING = {
  device: null,
  gate: null,
  side: null,
  name: null,
  apiKey: null,
  tenant: null,
  gateDirection: null,
  way: "entry",
  revoked: false,
};

export class Device {
  constructor(store, kept) {
    this._store = store;
    Object.assign(this, NOTHING, kept);
  }

  get isSetUp() {
    return this.apiKey !== null;
  }

  /** Which way, where it has to be said: at a gate for both directions, unless the kiosk is bound to a side. */
  get direction() {
    if (this.side !== null && this.gateDirection !== "entry" && this.gateDirection !== "exit") return this.side;
    return this.gateDirection === "both" ? this.way : null;
  }

  get letsOut() {
    return this.gateDirection === "exit" || (this.side === "exit" && this.gateDirection !== "entry");
  }

  /** Whether somebody at the kiosk has to choose the way. */
  get asksTheWay() {
    return this.gateDirection === "both" && this.side === null;
  }

  /** Take over what is new, and keep it. Whether anything was. */
  async learn(news) {
    const changed = Object.entries(news).some(([name, value]) => this[name] !== value);
    if (!changed) return false;
    Object.assign(this, news);
    await this._store.write([["state", "device", this._kept()]], { strict: true });
    return true;
  }

  _kept() {
    return Object.fromEntries(Object.keys(NOTHING).map((name) => [name, this[name]]));
  }
}
