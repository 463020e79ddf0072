// What one would write by hand in JavaScript for the same layout, with the same promises: an index that is in use is
// refused, and a write is done when its transaction is complete.

const settled = (request) =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

const completed = (transaction) =>
  new Promise((resolve, reject) => {
    transaction.oncomplete = resolve;
    transaction.onabort = () => reject(transaction.error);
  });

/** A database of upstream's layout, made if it is not there. */
function openLayout(name) {
  const request = indexedDB.open(name, 2);
  request.onupgradeneeded = () => {
    request.result.createObjectStore('sessions', { keyPath: 'id' });
    const events = request.result.createObjectStore('events', { keyPath: 'id' });
    events.createIndex('by_session_index', ['sessionId', 'eventIndex', 'id'], { unique: false });
  };
  return settled(request);
}

class Yardstick {
  constructor(database) {
    this.database = database;
  }

  /** One transaction for all rows. */
  insert(rows, { checked = true, durability = 'relaxed' } = {}) {
    const transaction = this.database.transaction('events', 'readwrite', { durability });
    const store = transaction.objectStore('events');
    const index = store.index('by_session_index');
    for (const row of rows) {
      if (checked) {
        const { sessionId, eventIndex } = row;
        const keys = IDBKeyRange.bound([sessionId, eventIndex], [sessionId, eventIndex, []], true, true);
        index.getKey(keys).onsuccess = ({ target }) => {
          if (target.result !== undefined) transaction.abort();
        };
      }
      store.add(row);
    }
    return completed(transaction);
  }

  /** An import: a record and rows, put in one transaction. */
  put(session, rows) {
    const transaction = this.database.transaction(['sessions', 'events'], 'readwrite', { durability: 'strict' });
    transaction.objectStore('sessions').put(session);
    const store = transaction.objectStore('events');
    for (const row of rows) store.put(row);
    return completed(transaction);
  }

  /** A page behind an event index, by the layout's index. */
  async page(sessionId, after, limit) {
    const index = this.database.transaction('events').objectStore('events').index('by_session_index');
    return settled(index.getAll(IDBKeyRange.bound([sessionId, after, []], [sessionId, []], true, true), limit));
  }

  /** The same page as upstream's driver finds it: the whole store is read, filtered, sorted and cut. */
  async pageOfEverything(sessionId, offset, limit) {
    const rows = await settled(this.database.transaction('events').objectStore('events').getAll());
    return rows
      .filter((row) => row.sessionId === sessionId)
      .sort((a, b) => a.eventIndex - b.eventIndex || (a.id < b.id ? -1 : 1))
      .slice(offset, offset + limit);
  }
}
