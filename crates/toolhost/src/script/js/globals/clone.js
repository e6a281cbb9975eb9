// structuredClone for the values that tools use.
(function (host, internal) {
  "use strict";
  const refuse = (what) => { throw new DOMException(`${what} could not be cloned.`, "DataCloneError"); };
  const ERRORS = { Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError };
  const clone = (value, seen) => {
    if (typeof value === "function" || typeof value === "symbol") refuse(String(value));
    if (typeof value !== "object" || value === null) return value;
    if (seen.has(value)) return seen.get(value);
    const keep = (copy) => { seen.set(value, copy); return copy; };
    if (value instanceof Date) return keep(new Date(value.getTime()));
    if (value instanceof RegExp) return keep(new RegExp(value.source, value.flags));
    if (value instanceof ArrayBuffer) return keep(value.slice(0));
    if (value instanceof DataView) return keep(new DataView(clone(value.buffer, seen), value.byteOffset, value.byteLength));
    if (ArrayBuffer.isView(value)) {
      const View = globalThis[value[Symbol.toStringTag]];
      return keep(new View(clone(value.buffer, seen), value.byteOffset, value.length));
    }
    if (value instanceof Boolean || value instanceof Number || value instanceof String) return keep(Object(value.valueOf()));
    if (value instanceof Map) {
      const copy = keep(new Map());
      for (const [key, entry] of [...value]) copy.set(clone(key, seen), clone(entry, seen));
      return copy;
    }
    if (value instanceof Set) {
      const copy = keep(new Set());
      for (const entry of [...value]) copy.add(clone(entry, seen));
      return copy;
    }
    if (value instanceof Error) {
      const copy = keep(new (ERRORS[value.name] ?? Error)(value.message));
      if ("cause" in value) copy.cause = clone(value.cause, seen);
      return copy;
    }
    if (value instanceof Promise || value instanceof WeakMap || value instanceof WeakSet) refuse(Object.prototype.toString.call(value));
    const copy = keep(Array.isArray(value) ? new Array(value.length) : {});
    for (const key of Object.keys(value)) copy[key] = clone(value[key], seen);
    return copy;
  };
  internal.define({ structuredClone: (value) => clone(value, new Map()) });
})
