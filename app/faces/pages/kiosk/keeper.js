/**
 * Keeps the bundle: fetches what changed of it, believes it only under a pinned key, and keeps it over a reload.
 *
 * The service's keys are pinned when the kiosk is set up; each manifest under one of them pins the keys that it names.
 * Under an unknown key it is believed only if the service publishes that key. A manifest of another gate or another
 * organisation is refused, and one that is earlier than that which is kept is left unused. What was asked for before
 * the kiosk was set up or moved is not taken after it.
 *
 * Chunks are kept as they come, so that a download that was cut off goes on where it ended.
 */

import { Bundle, UnknownKey, chunkHash, missing, openManifest } from "./core/bundle.js";
import { decode } from "./core/cbor.js";
import { toHex } from "./core/hex.js";
import { available, importKey } from "./core/keys.js";

const CHUNKS_AT_ONCE = 64;

/** The bundle that came is not to be believed. */
class Refused extends Error {}

export class Keeper {
  constructor({ api, store, clock, device }) {
    this.keys = new Map();
    this.verifies = false; // whether this browser can
    this.trouble = null; // unknown_key, refused
    this.isCurrent = false; // the service was asked since the page was opened
    this._bundle = null;
    this._etag = null;
    this._epoch = 0; // how often everything was forgotten
    this._api = api;
    this._store = store;
    this._clock = clock;
    this._device = device;
    this._refreshing = null;
  }

  /** The bundle of the gate at which the kiosk stands, once there is one. */
  get bundle() {
    return this._bundle !== null && this._fits(this._bundle.manifest) ? this._bundle : null;
  }

  /** What was kept. A bundle that the browser damaged is fetched anew. */
  async load() {
    this.verifies = await available();
    if (!this.verifies) return;
    await this._pin((await this._store.get("state", "keys")) ?? []);
    const kept = await this._store.get("state", "bundle");
    if (kept === undefined) return;
    try {
      const manifest = await openManifest(kept.manifest, this.keys);
      const chunks = new Map(await this._store.entries("chunks"));
      if (!this._fits(manifest)) return;
      this._bundle = await Bundle.make(manifest, (hash) => chunks.get(hash));
      this._etag = kept.etag;
    } catch (error) {
      console.warn("The bundle that was kept cannot be read.", error.message);
    }
  }

  /** Pin the keys that the service publishes: when the kiosk is set up, over the connection that the site vouches for. */
  async pinPublished() {
    if (!this.verifies) return;
    const { keys } = await this._api.json("/.well-known/jwks.json");
    const pinned = keys.map(({ kid, x }) => [toHex(fromBase64Url(kid)), fromBase64Url(x)]);
    await this._store.write([["state", "keys", pinned]], { strict: true });
    await this._pin(pinned);
  }

  /**
   * Nothing is known of the gate any more: the kiosk was set up, or moved to another one. What is under way is dropped.
   * What is to be written together with what the kiosk is now.
   */
  forget() {
    this._epoch += 1;
    this._refreshing = null;
    this._bundle = null;
    this.trouble = null;
    this.fetchAnew();
    return [["state", "bundle", undefined]];
  }

  /** The next time all of it is fetched, whatever was kept. */
  fetchAnew() {
    this._etag = null;
  }

  /** Fetch the bundle, or what changed of it. Throws `Unreachable` or `Refusal`. */
  refresh() {
    if (this._refreshing !== null) return this._refreshing;
    const under = this._refresh(this._epoch).finally(() => {
      if (this._refreshing === under) this._refreshing = null;
    });
    this._refreshing = under;
    return under;
  }

  async _refresh(epoch) {
    if (this.keys.size === 0) await this.pinPublished();
    if (this.keys.size === 0) return; // this browser knows no Ed25519
    const gate = this._device.gate;
    const path = `/v1/gates/${gate}/bundle`;
    const answer = await this._api.bytes(path, { etag: this._etag });
    if (epoch !== this._epoch) return;
    if (answer !== null) await this._take(answer, path, epoch);
    this.isCurrent = true;
  }

  async _take(answer, path, epoch) {
    try {
      const manifest = await this._verified(answer.bytes);
      if (epoch !== this._epoch) return;
      if (!this._fits(manifest)) throw new Refused("It is another gate's or another organisation's.");
      if (this._bundle !== null && manifest.seq < this._bundle.manifest.seq) return; // another process looked earlier
      const chunks = await this._fetched(path, manifest);
      if (chunks === null) return; // changed meanwhile: with the next call
      if (await this._adopt(manifest, chunks, answer, epoch)) this.trouble = null;
    } catch (error) {
      if (epoch !== this._epoch) return;
      if (!(error instanceof UnknownKey || error instanceof Refused || error.name === "Malformed")) throw error;
      this.trouble = error instanceof UnknownKey ? "unknown_key" : "refused";
      console.warn("The bundle was not taken.", error.message);
    }
  }

  /** Whether it is for this kiosk. Whose organisation's the kiosk is, its first manifest says. */
  _fits({ gate, tenant }) {
    return gate.id === this._device.gate && (this._device.tenant === null || tenant === this._device.tenant);
  }

  /** Under a key that is not known the service is asked which it publishes: its keys may have been changed at once. */
  async _verified(bytes) {
    try {
      return await openManifest(bytes, this.keys);
    } catch (error) {
      if (!(error instanceof UnknownKey)) throw error;
      await this.pinPublished();
      return openManifest(bytes, this.keys);
    }
  }

  /** Every chunk of a manifest by its hash, and the hashes that came with it; null where one is no longer there. */
  async _fetched(path, manifest) {
    const all = new Map(await this._store.entries("chunks"));
    const wanted = missing(manifest, (hash) => all.has(hash));
    for (let place = 0; place < wanted.length; place += CHUNKS_AT_ONCE) {
      const hashes = wanted.slice(place, place + CHUNKS_AT_ONCE);
      const some = await this._some(path, hashes);
      await this._store.write(some.map(([hash, chunk]) => ["chunks", hash, chunk]));
      if (some.length < hashes.length) return null;
      for (const [hash, chunk] of some) all.set(hash, chunk);
    }
    return { all, fresh: wanted };
  }

  /** Those chunks with their hashes, as far as they are there. */
  async _some(path, hashes) {
    const { bytes } = await this._api.bytes(`${path}/chunks?of=${hashes.join(",")}`);
    const there = [];
    for (const [at, chunk] of decode(bytes).entries()) {
      if (chunk === null) continue;
      if ((await chunkHash(chunk)) !== hashes[at]) throw new Refused("A chunk is another than was asked for.");
      there.push([hashes[at], chunk]);
    }
    return there;
  }

  /** Use it from now on, and keep it. Whether it was still wanted. */
  async _adopt(manifest, { all, fresh }, { bytes, etag }, epoch) {
    const bundle = await this._whole(manifest, all, fresh);
    const named = new Set(missing(manifest, () => false));
    const pinned = [...manifest.keys];
    const counted = await this._countedIn(manifest);
    if (epoch !== this._epoch) return false;
    await this._device.learn({ tenant: manifest.tenant, gateDirection: manifest.gate.direction }, [
      ["state", "bundle", { manifest: bytes, etag }],
      ["state", "keys", pinned],
      ...fresh.map((hash) => ["chunks", hash, all.get(hash)]), // another page may have thrown them away
      ...[...all.keys()].filter((hash) => !named.has(hash)).map((hash) => ["chunks", hash, undefined]),
      ...counted,
    ]);
    if (epoch !== this._epoch) return false;
    this._bundle = bundle;
    this._etag = etag;
    this._clock.isAtLeast(manifest.seq);
    await this._pin(pinned);
    return true;
  }

  /** The bundle; what came of one that is no good is not kept. */
  async _whole(manifest, all, fresh) {
    try {
      return await Bundle.make(manifest, (hash) => all.get(hash), this._bundle);
    } catch (error) {
      await this._store.write(fresh.map((hash) => ["chunks", hash, undefined]));
      throw error;
    }
  }

  /** Entries that the service knew of when it made this bundle are in its own count. */
  async _countedIn(manifest) {
    const entries = await this._store.entries("entries");
    const known = entries.filter(([, entry]) => entry.knownAt !== null && entry.knownAt <= manifest.seq);
    return known.map(([id]) => ["entries", id, undefined]);
  }

  async _pin(pinned) {
    this.keys = new Map(await Promise.all(pinned.map(async ([kid, x]) => [kid, await importKey(x)])));
  }
}

function fromBase64Url(text) {
  return Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (character) => character.charCodeAt(0));
}
