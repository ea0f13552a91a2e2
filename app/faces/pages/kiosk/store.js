/**
 * What the kiosk keeps, in IndexedDB: it outlives a reload and the loss of the network.
 *
 *     state    by name: `device`, `keys`, `bundle`, `clock`, `synced`
 *     chunks   the bundle's chunks by hash
 *     uses     the latest use of a token by its id, with `expires_at` of the token
 *     texts    the latest use of a token that cannot be read yet, by its text
 *     queue    verifications that are still to be sent, by the device that decided, the time and the request id
 *     entries  who was let in on a pass and is not in the bundle's count yet, by request id
 *
 * A browser may close it at any time. It is opened again then, and may be empty.
 */

const NAME = "gatepass-kiosk";
const VERSION = 2;
const STORES = ["state", "chunks", "uses", "texts", "queue", "entries"];

/** @returns {Promise<Store>} */
export async function openStore() {
  return new Store(await open());
}

async function open() {
  const opening = indexedDB.open(NAME, VERSION);
  opening.onupgradeneeded = () => {
    const { result: database, transaction } = opening;
    for (const name of STORES) if (!database.objectStoreNames.contains(name)) database.createObjectStore(name);
    const queue = transaction.objectStore("queue");
    if (!queue.indexNames.contains("token")) queue.createIndex("token", "token");
  };
  const database = await settled(opening);
  database.onversionchange = () => database.close(); // a newer page wants it
  return database;
}

class Store {
  constructor(database) {
    this._database = database;
    this.onReopened = async () => {};
  }

  async get(store, key) {
    return this._read(store, (objects) => settled(objects.get(key)));
  }

  /** Every value of a store, or of a range of it, with its key: `[key, value]`, in the order of the keys. */
  async entries(store, range) {
    const both = (objects) => Promise.all([settled(objects.getAllKeys(range)), settled(objects.getAll(range))]);
    const [keys, values] = await this._read(store, both);
    return keys.map((key, place) => [key, values[place]]);
  }

  async count(store, range) {
    return this._read(store, (objects) => settled(objects.count(range)));
  }

  /** The keys of what waits to be sent with this text. */
  async keysOfText(text) {
    return this._read("queue", (objects) => settled(objects.index("token").getAllKeys(text)));
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
    await this._in(names, "readwrite", { durability: strict ? "strict" : "relaxed" }, (transaction) => {
      for (const [store, key, value] of changes) {
        const objects = transaction.objectStore(store);
        if (value === undefined) objects.delete(key);
        else objects.put(value, key);
      }
      return new Promise((resolve, reject) => {
        transaction.oncomplete = resolve;
        transaction.onabort = () => reject(transaction.error ?? new Error("the browser did not keep it"));
      });
    });
  }

  _read(store, work) {
    return this._in([store], "readonly", {}, (transaction) => work(transaction.objectStore(store)));
  }

  async _in(names, mode, options, work) {
    let transaction;
    try {
      transaction = this._database.transaction(names, mode, options);
    } catch (error) {
      if (error.name !== "InvalidStateError") throw error; // that is: it was closed
      await this._reopen();
      transaction = this._database.transaction(names, mode, options);
    }
    return work(transaction);
  }

  /** Once for all who wait for it. */
  _reopen() {
    this._opening ??= open()
      .then((database) => {
        this._database = database;
        Promise.resolve(this.onReopened()).catch((error) => console.error("Nothing is kept.", error.message));
      })
      .finally(() => (this._opening = null));
    return this._opening;
  }
}

function settled(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
