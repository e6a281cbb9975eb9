// Event, EventTarget, AbortController, AbortSignal.
(function (host, internal) {
  "use strict";
  class Event {
    constructor(type, init = {}) {
      this.type = String(type);
      this.cancelable = Boolean(init.cancelable);
      this.defaultPrevented = false;
      this.target = null;
      this.currentTarget = null;
      this.timeStamp = performance.now();
    }
    preventDefault() { if (this.cancelable) this.defaultPrevented = true; }
    stopPropagation() {}
    stopImmediatePropagation() { this.stopped = true; }
  }
  class CustomEvent extends Event {
    constructor(type, init = {}) { super(type, init); this.detail = init.detail ?? null; }
  }

  const report = (error) => internal.line(`Uncaught ${internal.describe(error)}`);
  class EventTarget {
    #listeners = new Map();
    addEventListener(type, listener, options) {
      if (listener == null) return;
      const { once = false, signal } = typeof options === "object" && options !== null ? options : {};
      if (signal?.aborted) return;
      const list = this.#listeners.get(type) ?? [];
      if (list.some((entry) => entry.listener === listener)) return;
      this.#listeners.set(type, [...list, { listener, once }]);
      signal?.addEventListener("abort", () => this.removeEventListener(type, listener), { once: true });
    }
    removeEventListener(type, listener) {
      this.#listeners.set(type, (this.#listeners.get(type) ?? []).filter((entry) => entry.listener !== listener));
    }
    dispatchEvent(event) {
      event.target = event.currentTarget = this;
      const handler = this[`on${event.type}`];
      const list = this.#listeners.get(event.type) ?? [];
      for (const { listener, once } of typeof handler === "function" ? [{ listener: handler }, ...list] : list) {
        if (once) this.removeEventListener(event.type, listener);
        try {
          if (typeof listener === "function") listener.call(this, event);
          else listener.handleEvent(event);
        } catch (error) {
          report(error);
        }
        if (event.stopped) break;
      }
      return !event.defaultPrevented;
    }
    static listenerCount(target, type) {
      return (target.#listeners.get(type) ?? []).length + (typeof target[`on${type}`] === "function" ? 1 : 0);
    }
  }
  internal.listenerCount = EventTarget.listenerCount;
  delete EventTarget.listenerCount;

  let making = false;
  const make = () => {
    making = true;
    try { return new AbortSignal(); } finally { making = false; }
  };
  const abort = (signal, reason) => signal[ABORT](reason);
  const ABORT = Symbol("abort");
  class AbortSignal extends EventTarget {
    #aborted = false;
    #reason = undefined;
    onabort = null;
    constructor() {
      super();
      if (!making) throw new TypeError("Illegal constructor");
    }
    get aborted() { return this.#aborted; }
    get reason() { return this.#reason; }
    throwIfAborted() { if (this.#aborted) throw this.#reason; }
    [ABORT](reason) {
      if (this.#aborted) return;
      this.#aborted = true;
      this.#reason = reason === undefined ? new DOMException("This operation was aborted", "AbortError") : reason;
      this.dispatchEvent(new Event("abort"));
    }
    static abort(reason) {
      const signal = make();
      abort(signal, reason);
      return signal;
    }
    static timeout(milliseconds) {
      const signal = make();
      setTimeout(() => abort(signal, new DOMException("The operation was aborted due to timeout", "TimeoutError")), milliseconds);
      return signal;
    }
    static any(signals) {
      const signal = make();
      for (const source of signals) {
        if (source.aborted) { abort(signal, source.reason); break; }
        source.addEventListener("abort", () => abort(signal, source.reason), { once: true });
      }
      return signal;
    }
  }
  class AbortController {
    #signal = make();
    get signal() { return this.#signal; }
    abort(reason) { abort(this.#signal, reason); }
  }
  internal.define({ Event, CustomEvent, EventTarget, AbortSignal, AbortController });
})
