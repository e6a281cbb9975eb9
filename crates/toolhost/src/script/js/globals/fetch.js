// Request, Response, fetch. Rust sends and receives, and calls `fetched`.
(function (host, internal) {
  "use strict";
  const METHODS = ["DELETE", "GET", "HEAD", "OPTIONS", "POST", "PUT"];
  const normalizeMethod = (method) => {
    const upper = String(method).toUpperCase();
    if (["CONNECT", "TRACE", "TRACK"].includes(upper)) throw new TypeError(`'${method}' cannot be fetched`);
    return METHODS.includes(upper) ? upper : String(method);
  };

  class Request extends internal.Body {
    constructor(input, init = {}) {
      const from = input instanceof Request ? input : null;
      const url = from ? from.url : new URL(String(input)).href;
      const method = normalizeMethod(init.method ?? from?.method ?? "GET");
      let [bytes, type] = internal.extractBody(init.body);
      if (init.body == null && from && init.body !== null) bytes = internal.peekBody(from);
      if (bytes !== null && (method === "GET" || method === "HEAD")) throw new TypeError("Request with GET/HEAD method cannot have body");
      super(bytes);
      this.url = url;
      this.method = method;
      this.headers = new Headers(init.headers ?? from?.headers);
      if (type !== null && !this.headers.has("content-type")) this.headers.set("content-type", type);
      this.redirect = init.redirect ?? from?.redirect ?? "follow";
      this.signal = init.signal ?? from?.signal ?? new AbortController().signal;
      for (const name of ["mode", "credentials", "cache", "referrer", "integrity", "keepalive"]) {
        if (init[name] !== undefined) this[name] = init[name];
      }
    }
    clone() { return new Request(this); }
  }

  const NULL_BODY = [101, 204, 205, 304];
  class Response extends internal.Body {
    constructor(body = null, init = {}) {
      const status = init.status ?? 200;
      if (!Number.isInteger(status) || status < 200 || status > 599) throw new RangeError("The status of a Response lies between 200 and 599");
      const [bytes, type] = internal.extractBody(body);
      if (bytes !== null && NULL_BODY.includes(status)) throw new TypeError(`A Response of status ${status} cannot have a body`);
      super(bytes);
      this.status = status;
      this.statusText = String(init.statusText ?? "");
      this.headers = new Headers(init.headers);
      if (type !== null && !this.headers.has("content-type")) this.headers.set("content-type", type);
      this.type = "default";
      this.url = "";
      this.redirected = false;
    }
    get ok() { return this.status >= 200 && this.status <= 299; }
    clone() {
      if (this.bodyUsed) throw new TypeError("Response body has already been used");
      const bytes = internal.peekBody(this);
      return received(this, bytes === null ? null : bytes.slice(), this.headers);
    }
    static json(data, init = {}) {
      const headers = new Headers(init.headers);
      if (!headers.has("content-type")) headers.set("content-type", "application/json");
      return new Response(JSON.stringify(data), { ...init, headers });
    }
    static error() { return received({ status: 0, statusText: "", url: "", redirected: false, type: "error" }, null, new Headers()); }
    static redirect(url, status = 302) { return new Response(null, { status, headers: { location: new URL(url).href } }); }
  }
  const received = (from, bytes, headers) => {
    const response = new Response(bytes !== null && !NULL_BODY.includes(from.status) ? bytes : null);
    const { status, statusText, url, redirected } = from;
    return Object.assign(response, { status, statusText, url, redirected, type: from.type ?? "basic", headers: new Headers(headers) });
  };

  const waiting = new Map();
  internal.fetched = (operation, answer) => {
    const entry = waiting.get(operation);
    if (!entry) return;
    waiting.delete(operation);
    entry.forget();
    if (answer.error !== undefined) {
      const cause = new Error(answer.error);
      entry.reject(Object.assign(new TypeError(`fetch failed: ${answer.error}`), { cause }));
      return;
    }
    const headers = new Headers();
    for (let at = 0; at < answer.headers.length; at += 2) headers.append(answer.headers[at], answer.headers[at + 1]);
    entry.resolve(received(answer, answer.body, headers));
  };

  const fetch = async (input, init) => {
    const request = new Request(input, init);
    const { signal } = request;
    signal.throwIfAborted();
    const headers = [...request.headers].flat();
    const { url, method, redirect } = request;
    const operation = host.fetch({ url, method, redirect, headers, body: internal.peekBody(request) ?? undefined });
    return await new Promise((resolve, reject) => {
      const onAbort = () => {
        waiting.delete(operation);
        host.abortFetch(operation);
        reject(signal.reason);
      };
      signal.addEventListener("abort", onAbort, { once: true });
      waiting.set(operation, { resolve, reject, forget: () => signal.removeEventListener("abort", onAbort) });
    });
  };
  internal.define({ Request, Response, fetch });
})
