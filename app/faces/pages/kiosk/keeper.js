/**
 * Keeps the bundle: fetches what changed of it, believes it only under a pinned key, and keeps it over a reload.
 *
 * The service's keys are pinned when the kiosk is set up; each manifest under one of them pins the keys that it names.
 * Under an unknown key it is believed only if the service publishes that key. A manifest of another gate or another
 * organisation is refused, and one that is earlier than that which is kept is left unused.
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
    this.bundle = null;
    this.keys = new Map();
    this.trouble = null; // unknown_key, refused
    this.isCurrent = false; // the service was asked since the page was opened
    this._etag = null;
    this._api = api;
    this._store = store;
    this._clock = clock;
    this._device = device;
    this._refreshing = null;
  }

  /** What was kept. A bundle that the browser damaged is fetched anew. */
  async load() {
    if (!(await available())) return;
    await this._pin((await this._store.get("state", "keys")) ?? []);
    const kept = await this._store.get("state", "bundle");
    if (kept === undefined) return;
    try {
      const manifest = await openManifest(kept.manifest, this.keys);
      const chunks = new Map(await this._store.entries("chunks"));
      this.bundle = await Bundle.make(manifest, (hash) => chunks.get(hash));
      this._etag = kept.etag;
    } catch (error) {
      console.warn("The bundle that was kept cannot be read.", error.message);
    }
  }

  /** Pin the keys that the service publishes: when the kiosk is set up, over the connection that the site vouches for. */
  async pinPublished() {
    if (!(await available())) return;
    const { keys } = await this._api.json("/.well-known/jwks.json");
    const pinned = keys.map(({ kid, x }) => [toHex(fromBase64Url(kid)), fromBase64Url(x)]);
    await this._store.write([["state", "keys", pinned]], { strict: true });
    await this._pin(pinned);
  }

  /** Nothing is known of the gate any more: the kiosk was set up, or moved to another one. */
  async forget() {
    this.bundle = null;
    this._etag = null;
    this.trouble = null;
    await this._store.write([["state", "bundle", undefined]]);
  }

  /** Fetch the bundle, or what changed of it. Throws `Unreachable` or `Refusal`. */
  refresh() {
    this._refreshing ??= this._refresh().finally(() => (this._refreshing = null));
    return this._refreshing;
  }

  async _refresh() {
    if (this.keys.size === 0) await this.pinPublished();
    if (this.keys.size === 0) return; // this browser knows no Ed25519
    const gate = this._device.gate;
    const path = `/v1/gates/${gate}/bundle`;
    const answer = await this._api.bytes(path, { etag: this._etag });
    if (gate !== this._device.gate) return;
    if (answer !== null) await this._take(answer, gate, path);
    this.isCurrent = true;
  }

  async _take(answer, gate, path) {
    try {
      const manifest = await this._opened(answer.bytes, gate);
      if (this.bundle !== null && manifest.seq < this.bundle.manifest.seq) return; // another process looked earlier
      const chunks = await this._fetched(path, manifest);
      if (chunks === null) return; // changed meanwhile: with the next call
      await this._adopt(manifest, chunks, answer);
      this.trouble = null;
    } catch (error) {
      if (!(error instanceof UnknownKey || error instanceof Refused || error.name === "Malformed")) throw error;
      this.trouble = error instanceof UnknownKey ? "unknown_key" : "refused";
      console.warn("The bundle was not taken.", error.message);
    }
  }

  async _opened(bytes, gate) {
    const manifest = await this._verified(bytes);
    const tenant = this._device.tenant;
    if (manifest.gate.id !== gate) throw new Refused("It is for another gate.");
    if (tenant !== null && manifest.tenant !== tenant) throw new Refused("It is another organisation's.");
    return manifest;
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

  async _adopt(manifest, { all, fresh }, { bytes, etag }) {
    const bundle = await this._whole(manifest, all, fresh);
    const named = new Set(missing(manifest, () => false));
    const pinned = [...manifest.keys];
    await this._store.write([
      ["state", "bundle", { manifest: bytes, etag }],
      ["state", "keys", pinned],
      ...fresh.map((hash) => ["chunks", hash, all.get(hash)]), // another page may have thrown them away
      ...[...all.keys()].filter((hash) => !named.has(hash)).map((hash) => ["chunks", hash, undefined]),
      ...(await this._countedIn(manifest)),
    ]);
    await this._pin(pinned);
    this.bundle = bundle;
    this._etag = etag;
    this._clock.isAtLeast(manifest.seq);
    await this._device.learn({ tenant: manifest.tenant, gateDirection: manifest.gate.direction });
  }

  /** The bundle; what came of one that is no good is not kept. */
  async _whole(manifest, all, fresh) {
    try {
      return await Bundle.make(manifest, (hash) => all.get(hash), this.bundle);
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
