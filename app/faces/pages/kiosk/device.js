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

  /** Take over what is new, at once, and keep it, together with other `changes`. Whether anything was. */
  async learn(news, changes = []) {
    const changed = Object.entries(news).some(([name, value]) => this[name] !== value);
    Object.assign(this, news);
    if (changed || changes.length > 0) await this._store.write([this.kept(), ...changes], { strict: true });
    return changed;
  }

  kept() {
    return ["state", "device", Object.fromEntries(Object.keys(NOTHING).map((name) => [name, this[name]]))];
  }
}
