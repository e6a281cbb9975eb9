// node:events.
export class EventEmitter {
  #listeners = new Map();
  static defaultMaxListeners = 10;
  on(event, listener) { return this.addListener(event, listener); }
  addListener(event, listener) { return this.#add(event, listener, false, false); }
  prependListener(event, listener) { return this.#add(event, listener, false, true); }
  once(event, listener) { return this.#add(event, listener, true, false); }
  #add(event, listener, once, first) {
    if (typeof listener !== "function") throw new TypeError('The "listener" argument must be of type function');
    const list = this.#listeners.get(event) ?? [];
    this.#listeners.set(event, first ? [{ listener, once }, ...list] : [...list, { listener, once }]);
    return this;
  }
  off(event, listener) { return this.removeListener(event, listener); }
  removeListener(event, listener) {
    const list = this.#listeners.get(event) ?? [];
    const at = list.findLastIndex((entry) => entry.listener === listener);
    if (at >= 0) this.#listeners.set(event, list.toSpliced(at, 1));
    return this;
  }
  removeAllListeners(event) {
    if (event === undefined) this.#listeners.clear();
    else this.#listeners.delete(event);
    return this;
  }
  emit(event, ...args) {
    const list = this.#listeners.get(event) ?? [];
    if (list.length === 0 && event === "error") throw args[0] instanceof Error ? args[0] : new Error(`Unhandled error. (${String(args[0])})`);
    for (const { listener, once } of list) {
      if (once) this.removeListener(event, listener);
      listener.apply(this, args);
    }
    return list.length > 0;
  }
  listenerCount(event) { return (this.#listeners.get(event) ?? []).length; }
  listeners(event) { return (this.#listeners.get(event) ?? []).map((entry) => entry.listener); }
  eventNames() { return [...this.#listeners].filter(([, list]) => list.length > 0).map(([event]) => event); }
  setMaxListeners() { return this; }
  getMaxListeners() { return EventEmitter.defaultMaxListeners; }
}
EventEmitter.EventEmitter = EventEmitter;
export const once = (emitter, event, { signal } = {}) => new Promise((resolve, reject) => {
  signal?.throwIfAborted();
  const fail = (error) => { emitter.removeListener(event, succeed); reject(error); };
  const succeed = (...args) => { emitter.removeListener("error", fail); resolve(args); };
  emitter.once(event, succeed);
  if (event !== "error") emitter.once("error", fail);
  signal?.addEventListener("abort", () => fail(signal.reason), { once: true });
});
EventEmitter.once = once;
export default EventEmitter;
