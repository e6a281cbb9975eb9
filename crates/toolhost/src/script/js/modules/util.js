// node:util, the parts that tools use.
const { internal } = globalThis[Symbol.for("appstrate.tool.runtime")];
const custom = Symbol.for("nodejs.util.promisify.custom");
export const format = internal.format;
export const inspect = (value) => internal.inspect(value);
export const promisify = (original) => {
  if (typeof original !== "function") throw new TypeError('The "original" argument must be of type function');
  return original[custom] ?? ((...args) => new Promise((resolve, reject) => original(...args, (error, value) => (error ? reject(error) : resolve(value)))));
};
promisify.custom = custom;
export const callbackify = (original) => (...args) => {
  const callback = args.pop();
  original(...args).then((value) => queueMicrotask(() => callback(null, value)), (error) => queueMicrotask(() => callback(error)));
};
export const deprecate = (original) => original;
export const inherits = (constructor, parent) => Object.setPrototypeOf(constructor.prototype, parent.prototype);
const same = (a, b, seen) => {
  if (Object.is(a, b)) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Object.getPrototypeOf(a) !== Object.getPrototypeOf(b)) return false;
  if (seen.get(a) === b) return true;
  seen.set(a, b);
  if (a instanceof Date) return a.getTime() === b.getTime();
  if (a instanceof RegExp) return String(a) === String(b);
  if (a instanceof Error && (a.message !== b.message || a.name !== b.name)) return false;
  if (a instanceof Map) return a.size === b.size && [...a].every(([key, value]) => b.has(key) && same(value, b.get(key), seen));
  if (a instanceof Set) return a.size === b.size && [...a].every((value) => b.has(value) || [...b].some((other) => same(value, other, seen)));
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && same(a[key], b[key], seen));
};
export const isDeepStrictEqual = (a, b) => same(a, b, new Map());
export const stripVTControlCharacters = (text) => text.replace(/\u001b\[[0-?]*[ -/]*[@-~]/g, "");
export const types = {
  isDate: (value) => value instanceof Date,
  isRegExp: (value) => value instanceof RegExp,
  isPromise: (value) => value instanceof Promise,
  isMap: (value) => value instanceof Map,
  isSet: (value) => value instanceof Set,
  isNativeError: (value) => value instanceof Error,
  isTypedArray: (value) => ArrayBuffer.isView(value) && !(value instanceof DataView),
  isUint8Array: (value) => value instanceof Uint8Array,
  isArrayBuffer: (value) => value instanceof ArrayBuffer,
};
const { TextEncoder, TextDecoder } = globalThis;
export { TextEncoder, TextDecoder };
export default { format, inspect, promisify, callbackify, deprecate, inherits, isDeepStrictEqual, stripVTControlCharacters, types, TextEncoder, TextDecoder };
