/**
 * The kiosk at work: what is put together of store, service and verifier, and what happens by the clock.
 *
 * Tells of a `change` whenever something is to be shown anew.
 */

import { Api, Refusal, Unreachable } from "./api.js";
import { Clock } from "./clock.js";
import { Device } from "./device.js";
import { Keeper } from "./keeper.js";
import { Network } from "./network.js";
import { openStore } from "./store.js";
import { Sync } from "./sync.js";
import { Uses } from "./uses.js";
import { Verifier } from "./verifier.js";

const BUNDLE_EVERY_MS = 30_000;
const REPORT_EVERY_MS = 60_000;
const PROBE_MS = 1_500;

export class Kiosk extends EventTarget {
  /** A kiosk with what this browser kept of it. */
  static async open(version) {
    const store = await openStore();
    const [device, clock] = await Promise.all([store.get("state", "device"), store.get("state", "clock")]);
    const kiosk = new Kiosk(store, new Device(store, device), new Clock(store, clock), version);
    await kiosk.keeper.load();
    return kiosk;
  }

  constructor(store, device, clock, version) {
    super();
    this.version = version;
    this.device = device;
    this.clock = clock;
    this.network = new Network();
    this.waiting = 0;
    this.leftBehind = 0;
    this.conflicts = 0;
    this._timers = [];
    this._api = new Api({ onTime: (at) => clock.heard(at), onReach: (answered) => this.network.heard(answered) });
    this._api.key = device.apiKey;
    const parts = { api: this._api, store, clock, network: this.network, device };
    this.keeper = new Keeper(parts);
    this._sync = new Sync(parts);
    const uses = new Uses({ ...parts, keeper: this.keeper });
    const listener = { moved: (deadline) => this._report(deadline), signedOut: () => this._signedOut() };
    this._verifier = new Verifier({ ...parts, keeper: this.keeper, uses, sync: this._sync, listener });
    store.onReopened = () => this._keepAgain(store);
  }

  /**
   * Exchange a set-up token for this kiosk's own credential, and fetch what it needs. `onStep` is told what is done:
   * before `sign_in` the kiosk is what it was.
   */
  async setUp(token, handshake, onStep) {
    const body = { handshake_version: handshake, token, software: this._software() };
    const { device, gate, api_key: apiKey } = await this._api.json("/v1/devices/initialize", body, { key: null });
    const fresh = { device, gate, apiKey, side: null, name: null, gateDirection: null, tenant: null, revoked: false };
    const changes = [...this.keeper.forget(), this.clock.reset()];
    if (device !== this.device.device) changes.push(["entries", IDBKeyRange.lowerBound(""), undefined]);
    const kept = this.device.learn(fresh, changes);
    this._api.key = apiKey; // in one go: what is under way belongs to the device before
    await kept;
    await this._count(); // of this device from now on
    onStep("sign_in");
    await this.keeper.pinPublished();
    onStep("keys");
    await this._report();
    await this.keeper.refresh();
    onStep("bundle");
  }

  /** Keep to the service from now on. */
  start() {
    if (this._timers.length > 0) return;
    this.network.watch(() => this._api.json("/readyz", undefined, { deadline: PROBE_MS }));
    this.network.addEventListener("change", () => {
      this._changed();
      if (this.network.online) this._catchUp();
    });
    this._timers = [
      setInterval(() => this._quietly(() => this._refresh()), BUNDLE_EVERY_MS),
      setInterval(() => this._quietly(() => this._report()), REPORT_EVERY_MS),
    ];
    this._catchUp();
  }

  /** @returns {Promise<import("./verifier.js").Verdict>} */
  async verify(text) {
    const verdict = await this._verifier.verify(text);
    if (verdict.offline) await this._count();
    return verdict;
  }

  /** Somebody has seen that there were conflicts. */
  async acknowledge() {
    await this._sync.acknowledge();
    await this._count();
  }

  /** The latest bundle is too old to decide by, or there is none where there should be. */
  get isStale() {
    const { bundle } = this.keeper;
    return bundle !== null && this.clock.now() >= bundle.manifest.seq + bundle.manifest.max_stale;
  }

  /** Whether something is on its way to the service that is not to be broken off. */
  get isSending() {
    return this._sync.isSending;
  }

  async _catchUp() {
    await this._count();
    await this._quietly(() => this._sync.send());
    await this._quietly(() => this._report());
    await this._quietly(() => this._refresh());
  }

  async _refresh() {
    await this._quietly(() => this._sync.send());
    await this._count();
    try {
      await this.keeper.refresh();
    } catch (error) {
      if (!(error instanceof Refusal && error.status === 403)) throw error;
      await this._report(); // at another gate now
    }
  }

  /** Tell the service that this kiosk lives; it answers what it is now. Whether it stands at another gate. */
  async _report(deadline) {
    const battery = await navigator.getBattery?.().catch(() => null);
    const level = battery ? { battery: Math.round(battery.level * 100) } : {};
    const report = { software: this._software(), ...level };
    const { gate, side, name } = await this._api.json("/v1/devices/report", report, { deadline });
    const moved = gate !== this.device.gate;
    const news = { gate, side, name, revoked: false, ...(moved ? { gateDirection: null } : {}) };
    await this.device.learn(news, moved ? this.keeper.forget() : []).catch(notKept);
    if (moved) this._quietly(() => this.keeper.refresh()); // nobody waits for it
    this._changed();
    return moved;
  }

  async _signedOut() {
    if (await this.device.learn({ revoked: true }).catch(notKept)) this._changed();
  }

  /** The browser closed what is kept, and may have thrown it away. */
  async _keepAgain(store) {
    this.keeper.fetchAnew();
    if (this.device.isSetUp) await store.write([this.device.kept(), this.clock.kept()], { strict: true });
  }

  /** What fails by itself and is tried again later. */
  async _quietly(work) {
    if (!this.device.isSetUp) return;
    try {
      await work();
    } catch (error) {
      if (error instanceof Refusal && error.status === 401) await this._signedOut();
      else if (!(error instanceof Unreachable)) console.warn("The service refused.", error.message);
    }
    this._changed();
  }

  async _count() {
    const sync = this._sync;
    try {
      const counts = await Promise.all([sync.waiting(), sync.leftBehind(), sync.conflicts()]);
      [this.waiting, this.leftBehind, this.conflicts] = counts;
    } catch (error) {
      notKept(error); // what is shown is shown all the same
    }
    this._changed();
  }

  _software() {
    return `kiosk ${this.version}`;
  }

  _changed() {
    this.dispatchEvent(new Event("change"));
  }
}

/** Until the page is closed, it is known all the same. */
function notKept(error) {
  console.error("The browser keeps nothing.", error.message);
  return true;
}
