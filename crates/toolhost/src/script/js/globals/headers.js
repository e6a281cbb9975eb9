// Headers, and the body that Request and Response share.
(function (host, internal) {
  "use strict";
  const NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
  const checkName = (name) => {
    const text = String(name);
    if (!NAME.test(text)) throw new TypeError(`Invalid header name: ${text}`);
    return text.toLowerCase();
  };
  const checkValue = (value) => {
    const text = String(value).replace(/^[\t\n\r ]+|[\t\n\r ]+$/g, "");
    if (/[\0\r\n]/.test(text)) throw new TypeError("Invalid header value");
    return text;
  };
  class Headers {
    #list = [];
    constructor(init) {
      if (init == null) return;
      if (typeof init !== "object") throw new TypeError("Headers cannot be made from this value");
      const pairs = typeof init[Symbol.iterator] === "function" ? init : Object.entries(init);
      for (const [name, value] of pairs) this.append(name, value);
    }
    append(name, value) { this.#list.push([checkName(name), checkValue(value)]); }
    set(name, value) {
      this.delete(name);
      this.append(name, value);
    }
    delete(name) {
      const key = checkName(name);
      this.#list = this.#list.filter((pair) => pair[0] !== key);
    }
    has(name) {
      const key = checkName(name);
      return this.#list.some((pair) => pair[0] === key);
    }
    get(name) {
      const key = checkName(name);
      const values = this.#list.filter((pair) => pair[0] === key).map((pair) => pair[1]);
      return values.length > 0 ? values.join(", ") : null;
    }
    getSetCookie() { return this.#list.filter((pair) => pair[0] === "set-cookie").map((pair) => pair[1]); }
    *entries() {
      for (const name of [...new Set(this.#list.map((pair) => pair[0]))].sort()) {
        if (name === "set-cookie") for (const value of this.getSetCookie()) yield [name, value];
        else yield [name, this.get(name)];
      }
    }
    *keys() { for (const [name] of this.entries()) yield name; }
    *values() { for (const [, value] of this.entries()) yield value; }
    [Symbol.iterator]() { return this.entries(); }
    forEach(callback, self) { for (const [name, value] of this.entries()) callback.call(self, value, name, this); }
  }

  // The bytes of a body and the content type it implies.
  internal.extractBody = (body) => {
    if (body == null) return [null, null];
    if (typeof body === "string") return [internal.encodeUtf8(body), "text/plain;charset=UTF-8"];
    if (body instanceof URLSearchParams) return [internal.encodeUtf8(body.toString()), "application/x-www-form-urlencoded;charset=UTF-8"];
    if (body instanceof ArrayBuffer || ArrayBuffer.isView(body)) return [internal.toBytes(body).slice(), null];
    if (typeof body === "object" && (typeof body.getReader === "function" || typeof body[Symbol.asyncIterator] === "function")) {
      throw new TypeError("A stream as body is not available in the tool runtime");
    }
    return [internal.encodeUtf8(body), "text/plain;charset=UTF-8"];
  };

  internal.Body = class {
    #bytes;
    #used = false;
    constructor(bytes) { this.#bytes = bytes; }
    static peek(body) { return body.#bytes; }
    get bodyUsed() { return this.#used; }
    #take() {
      if (this.#used) throw new TypeError("Body has already been read");
      this.#used = this.#bytes !== null;
      return this.#bytes ?? new Uint8Array(0);
    }
    async bytes() { return this.#take(); }
    async arrayBuffer() {
      const bytes = this.#take();
      return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
    }
    async text() {
      const text = internal.decodeUtf8(this.#take());
      return text.startsWith("\ufeff") ? text.slice(1) : text;
    }
    async json() { return JSON.parse(await this.text()); }
    async formData() { throw new TypeError("formData() is not available in the tool runtime"); }
    async blob() { throw new TypeError("blob() is not available in the tool runtime; use arrayBuffer()"); }
    // The whole body has arrived when a response is there: its stream has one chunk.
    get body() {
      if (this.#bytes === null) return null;
      const take = () => this.#take();
      let done = false;
      const read = async () => {
        if (done) return { done: true, value: undefined };
        done = true;
        return { done: false, value: take() };
      };
      return {
        locked: false,
        getReader: () => ({ read, releaseLock() {}, cancel: async () => { done = true; }, closed: Promise.resolve() }),
        cancel: async () => { done = true; },
        [Symbol.asyncIterator]: () => ({ next: read, return: async () => ({ done: true, value: undefined }) }),
      };
    }
  };
  internal.peekBody = internal.Body.peek;
  delete internal.Body.peek;
  internal.define({ Headers });
})
