// Timers. Rust keeps the time and calls `fired`.
(function (host, internal) {
  "use strict";
  const waiting = new Map();
  class Timeout {
    constructor(id) { this.id = id; }
    ref() { return this; }
    unref() { return this; }
    hasRef() { return true; }
    refresh() {
      const entry = waiting.get(this.id);
      if (entry) {
        host.stopTimer(this.id);
        waiting.delete(this.id);
        this.id = host.startTimer(entry.delay);
        waiting.set(this.id, entry);
      }
      return this;
    }
    close() { clear(this); }
    [Symbol.toPrimitive]() { return this.id; }
  }
  const start = (callback, delay, args, repeat) => {
    if (typeof callback !== "function") throw new TypeError("The callback of a timer must be a function");
    const number = Number(delay);
    const milliseconds = number >= 1 && number <= 2147483647 ? number : 1;
    const handle = new Timeout(host.startTimer(milliseconds));
    waiting.set(handle.id, { callback, args, delay: milliseconds, repeat, handle });
    return handle;
  };
  const clear = (handle) => {
    const id = handle instanceof Timeout ? handle.id : Number(handle);
    if (waiting.delete(id)) host.stopTimer(id);
  };
  internal.fired = (id) => {
    const entry = waiting.get(id);
    if (!entry) return;
    waiting.delete(id);
    if (entry.repeat) {
      entry.handle.id = host.startTimer(entry.delay);
      waiting.set(entry.handle.id, entry);
    }
    try {
      entry.callback(...entry.args);
    } catch (error) {
      internal.line(`Uncaught ${internal.describe(error)}`);
    }
  };
  internal.define({
    setTimeout: (callback, delay, ...args) => start(callback, delay, args, false),
    setInterval: (callback, delay, ...args) => start(callback, delay, args, true),
    setImmediate: (callback, ...args) => start(callback, 0, args, false),
    clearTimeout: clear,
    clearInterval: clear,
    clearImmediate: clear,
  });
})
