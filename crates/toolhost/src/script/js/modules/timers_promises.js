// node:timers/promises.
const wait = (start, stop, value, signal) => new Promise((resolve, reject) => {
  signal?.throwIfAborted();
  const timer = start(() => resolve(value));
  signal?.addEventListener("abort", () => {
    stop(timer);
    reject(signal.reason);
  }, { once: true });
});
export const setTimeout = (delay, value, options) => wait((done) => globalThis.setTimeout(done, delay), globalThis.clearTimeout, value, options?.signal);
export const setImmediate = (value, options) => wait((done) => globalThis.setImmediate(done), globalThis.clearImmediate, value, options?.signal);
export async function* setInterval(delay, value, options) {
  for (;;) yield await setTimeout(delay, value, options);
}
export const scheduler = { wait: (delay, options) => setTimeout(delay, undefined, options), yield: () => setImmediate() };
export default { setTimeout, setImmediate, setInterval, scheduler };
