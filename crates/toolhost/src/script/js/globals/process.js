// console and process. Lines are for display; the environment is the run's.
(function (host, internal) {
  "use strict";
  internal.write = (text) => host.write(String(text).toWellFormed());
  internal.line = (text) => internal.write(`${text}\n`);
  internal.describe = (error) => {
    if (error instanceof Error) return error.name === "Error" || !error.name ? error.message || "Error" : `${error.name}: ${error.message}`;
    return typeof error === "string" ? error : internal.inspect(error);
  };

  const MAX_DEPTH = 4;
  const MAX_ITEMS = 100;
  const quote = (text) => `'${text.replace(/\\/g, "\\\\").replace(/'/g, "\\'").replace(/\n/g, "\\n")}'`;
  const inspect = (value, depth, seen) => {
    if (typeof value === "string") return depth === 0 && seen.size === 0 ? value : quote(value);
    if (typeof value === "bigint") return `${value}n`;
    if (typeof value === "symbol") return value.toString();
    if (typeof value === "function") return `[Function: ${value.name || "(anonymous)"}]`;
    if (typeof value !== "object" || value === null) return String(value);
    if (seen.has(value)) return "[Circular *1]";
    if (value instanceof Error) return `${internal.describe(value)}${value.stack ? `\n${value.stack.trimEnd()}` : ""}`;
    if (value instanceof Date) return Number.isNaN(value.getTime()) ? "Invalid Date" : value.toISOString();
    if (value instanceof RegExp) return String(value);
    if (value instanceof Promise) return "Promise { … }";
    if (depth > MAX_DEPTH) return Array.isArray(value) ? "[Array]" : "[Object]";
    const inside = new Set(seen).add(value);
    const show = (item) => inspect(item, depth + 1, inside);
    const cut = (items) => (items.length > MAX_ITEMS ? [...items.slice(0, MAX_ITEMS), `… ${items.length - MAX_ITEMS} more`] : items);
    if (Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView))) {
      const items = cut(Array.from(value.length > MAX_ITEMS ? Array.prototype.slice.call(value, 0, MAX_ITEMS) : value, show));
      const more = value.length > MAX_ITEMS ? [`… ${value.length - MAX_ITEMS} more`] : [];
      const name = Array.isArray(value) ? "" : `${value.constructor.name}(${value.length}) `;
      return items.length === 0 ? `${name}[]` : `${name}[ ${[...items, ...more].join(", ")} ]`;
    }
    if (value instanceof Map) return `Map(${value.size}) { ${cut([...value].map(([key, item]) => `${show(key)} => ${show(item)}`)).join(", ")} }`;
    if (value instanceof Set) return `Set(${value.size}) { ${cut([...value].map(show)).join(", ")} }`;
    const name = value.constructor && value.constructor !== Object && value.constructor.name ? `${value.constructor.name} ` : "";
    const entries = cut(Object.keys(value).map((key) => `${/^[A-Za-z_$][\w$]*$/.test(key) ? key : quote(key)}: ${show(value[key])}`));
    return entries.length === 0 ? `${name}{}` : `${name}{ ${entries.join(", ")} }`;
  };
  internal.inspect = (value) => {
    try { return typeof value === "string" ? quote(value) : inspect(value, 0, new Set()); } catch { return "[unprintable]"; }
  };
  internal.format = (...values) => {
    let at = 0;
    let text = "";
    if (typeof values[0] === "string") {
      at = 1;
      text = values[0].replace(/%[sdifjoOc%]/g, (mark) => {
        if (mark === "%%") return "%";
        if (at >= values.length) return mark;
        const value = values[at++];
        if (mark === "%s") return typeof value === "object" && value !== null ? internal.inspect(value) : String(value);
        if (mark === "%d" || mark === "%i") return String(mark === "%i" ? parseInt(value, 10) : Number(value));
        if (mark === "%f") return String(parseFloat(value));
        if (mark === "%j") return JSON.stringify(value);
        return mark === "%c" ? "" : internal.inspect(value);
      });
    }
    const rest = values.slice(at).map((value) => (typeof value === "string" ? value : internal.inspect(value)));
    return [...(at > 0 ? [text] : []), ...rest].join(" ");
  };

  const log = (...values) => internal.line(internal.format(...values));
  const nothing = () => {};
  const started = new Map();
  const counts = new Map();
  const console = {
    log, info: log, debug: log, warn: log, error: log, trace: log, dir: (value) => log(value), table: (value) => log(value),
    group: (...label) => { if (label.length > 0) log(...label); }, groupCollapsed: nothing, groupEnd: nothing, clear: nothing,
    assert: (ok, ...values) => { if (!ok) log("Assertion failed", ...values); },
    count: (label = "default") => { counts.set(label, (counts.get(label) ?? 0) + 1); log(`${label}: ${counts.get(label)}`); },
    countReset: (label = "default") => { counts.delete(label); },
    time: (label = "default") => { started.set(label, performance.now()); },
    timeLog: (label = "default") => log(`${label}: ${(performance.now() - (started.get(label) ?? performance.now())).toFixed(3)}ms`),
    timeEnd: (label = "default") => { console.timeLog(label); started.delete(label); },
  };

  const decode = (chunk) => (typeof chunk === "string" ? chunk : internal.decodeUtf8(internal.toBytes(chunk)));
  const stream = (fd) => ({
    fd, isTTY: false, writable: true, columns: 80,
    write(chunk, encoding, callback) {
      internal.write(decode(chunk));
      const done = typeof encoding === "function" ? encoding : callback;
      if (typeof done === "function") queueMicrotask(() => done());
      return true;
    },
    end(chunk) { if (chunk !== undefined) internal.write(decode(chunk)); },
    on() { return this; }, once() { return this; }, off() { return this; }, emit: () => false, removeListener() { return this; },
  });
  const begun = performance.now();
  const hrtime = (since) => {
    const now = performance.now() - begun;
    const seconds = Math.floor(now / 1000), nanoseconds = Math.floor((now % 1000) * 1e6);
    if (!since) return [seconds, nanoseconds];
    const difference = (seconds - since[0]) * 1e9 + nanoseconds - since[1];
    return [Math.floor(difference / 1e9), difference % 1e9];
  };
  hrtime.bigint = () => BigInt(Math.floor((performance.now() - begun) * 1e6));
  const process = {
    env: { ...host.environment },
    argv: ["node", "tool"], execArgv: [], execPath: "/usr/bin/node", title: "tool", pid: 1, ppid: 0,
    platform: "linux", arch: "x64", version: "v20.0.0", versions: { node: "20.0.0" }, release: { name: "node" }, exitCode: undefined,
    stdout: stream(1), stderr: stream(2), stdin: { fd: 0, isTTY: false, on() { return this; } },
    cwd: () => host.cwd,
    chdir() { throw new Error("process.chdir() is not available in the tool runtime"); },
    exit(code) { throw new Error(`the tool called process.exit(${code ?? ""})`); },
    kill() { throw new Error("process.kill() is not available in the tool runtime"); },
    nextTick: (callback, ...args) => queueMicrotask(() => callback(...args)),
    uptime: () => (performance.now() - begun) / 1000,
    memoryUsage: () => ({ rss: 0, heapTotal: 0, heapUsed: 0, external: 0, arrayBuffers: 0 }),
    hrtime, emitWarning: (warning) => log(internal.describe(warning)),
    on() { return process; }, once() { return process; }, off() { return process; }, addListener() { return process; },
    removeListener() { return process; }, removeAllListeners() { return process; }, emit: () => false, listenerCount: () => 0, umask: () => 0o022,
  };
  internal.define({ console, process, global: globalThis, self: globalThis });
})
