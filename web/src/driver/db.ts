// What outlives the browser: the outbox with its photos, and the last answers of the platform. One IndexedDB database, written before any
// button answers. A photo is kept apart from its action, so that listing the outbox reads no photos.

import type { Action } from "./outbox";

export interface StoredFile {
  type: string;
  bytes: ArrayBuffer; // older Safari loses Blobs
}

const done = <T>(request: IDBRequest<T>): Promise<T> =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

const ended = (transaction: IDBTransaction): Promise<void> =>
  new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = transaction.onerror = () => reject(transaction.error);
  });

export class Store {
  private constructor(private readonly db: IDBDatabase) {}

  static async open(name = "kreislauf-driver"): Promise<Store> {
    const request = indexedDB.open(name, 1);
    request.onupgradeneeded = () => {
      request.result.createObjectStore("actions", { keyPath: "id", autoIncrement: true });
      request.result.createObjectStore("files"); // by the action's key
      request.result.createObjectStore("kept");
    };
    const db = await done(request);
    db.onversionchange = () => db.close(); // a newer version of the app in another tab
    return new Store(db);
  }

  close(): void {
    this.db.close();
  }

  /** All actions in the order in which they were taken. */
  actions(): Promise<Action[]> {
    return done(this.db.transaction("actions").objectStore("actions").getAll());
  }

  /** Adds an action and its file at once. It takes the place of a refused one of the same job and kind. */
  async add(action: Omit<Action, "id">, file?: StoredFile): Promise<void> {
    const transaction = this.db.transaction(["actions", "files"], "readwrite", { durability: "strict" });
    const finished = ended(transaction);
    const actions = transaction.objectStore("actions");
    const files = transaction.objectStore("files");
    const known: Action[] = await done(actions.getAll());
    const refused = known.find((each) => each.refused !== undefined && each.orderId === action.orderId && each.what === action.what && file === undefined);
    if (refused !== undefined) actions.put({ ...action, id: refused.id });
    else actions.add(action);
    if (file !== undefined) files.put(file, action.key);
    await finished;
  }

  /** Changes an action; undefined takes it and its file away. Gives it as it is then: undefined if it is gone, or was gone already. */
  async change(id: number, decide: (action: Action) => Action | undefined): Promise<Action | undefined> {
    const transaction = this.db.transaction(["actions", "files"], "readwrite", { durability: "strict" });
    const finished = ended(transaction);
    const actions = transaction.objectStore("actions");
    const known: Action | undefined = await done(actions.get(id));
    const next = known === undefined ? undefined : decide(known);
    if (next !== undefined) actions.put(next);
    else if (known !== undefined) {
      actions.delete(id);
      transaction.objectStore("files").delete(known.key);
    }
    await finished;
    return next;
  }

  file(key: string): Promise<StoredFile | undefined> {
    return done(this.db.transaction("files").objectStore("files").get(key));
  }

  async keep(name: string, value: unknown): Promise<void> {
    const transaction = this.db.transaction("kept", "readwrite");
    const finished = ended(transaction);
    if (value === undefined) transaction.objectStore("kept").delete(name);
    else transaction.objectStore("kept").put(value, name);
    await finished;
  }

  kept<T>(name: string): Promise<T | undefined> {
    return done(this.db.transaction("kept").objectStore("kept").get(name));
  }
}
