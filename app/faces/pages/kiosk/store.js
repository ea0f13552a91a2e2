/**
 * What the kiosk keeps, in IndexedDB: it outlives a reload and the loss of the network.
 *
 *     state    by name: `device`, `keys`, `bundle`, `clock`, `synced`
 *     chunks   the bundle's chunks by hash
 *     uses     the latest use of a token by its id, with `expires_at` of the token
 *     queue    verifications that are still to be sent, by the device that decided, the time and the request id
 *     entries  who was let in on a pass and is not in the bundle's count yet, by request id
 */

const NAME = "gatepass-kiosk";
const STORES = { state: {}, chunks: {}, uses: {}, queue: {}, entries: {} };

/** @returns {Promise<Store>} */
export async function openStore() {
  const opening = indexedDB.open(NAME, 1);
  opening.onupgradeneeded = () => {
    for (const [name, options] of Object.entries(STORES)) opening.result.createObjectStore(name, options);
  };
  return new Store(await settled(opening));
}

class Store {
  constructor(database) {
    this._database = database;
  }

  async get(store, key) {
    return settled(this._read(store).get(key));
  }

  /** Every value of a store, or of a range of it, with its key: `[key, value]`, in the order of the keys. */
  async entries(store, range) {
    const objects = this._read(store);
    const [keys, values] = await Promise.all([settled(objects.getAllKeys(range)), settled(objects.getAll(range))]);
    return keys.map((key, place) => [key, values[place]]);
  }

  async count(store, range) {
    return settled(this._read(store).count(range));
  }

  /**
   * Write all of it or nothing. Resolved once it is kept; with `strict`, once it is on the disk.
   *
   * @param {Array<[store: string, key: IDBValidKey | IDBKeyRange, value: unknown]>} changes a value that is undefined
   *   deletes
   * @param {{strict?: boolean}} how
   */
  async write(changes, { strict = false } = {}) {
    if (changes.length === 0) return;
    const names = [...new Set(changes.map(([store]) => store))];
    const transaction = this._database.transaction(names, "readwrite", { durability: strict ? "strict" : "relaxed" });
    for (const [store, key, value] of changes) {
      const objects = transaction.objectStore(store);
      if (value === undefined) objects.delete(key);
      else objects.put(value, key);
    }
    await new Promise((resolve, reject) => {
      transaction.oncomplete = resolve;
      transaction.onabort = () => reject(transaction.error ?? new Error("the browser did not keep it"));
    });
  }

  _read(store) {
    return this._database.transaction(store, "readonly").objectStore(store);
  }
}

function settled(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
