// URL and URLSearchParams; Rust parses (WHATWG URL).
(function (host, internal) {
  "use strict";
  const NAMES = ["href", "origin", "protocol", "username", "password", "host", "hostname", "port", "pathname", "search", "hash"];
  const text = (value) => String(value).toWellFormed();

  class URLSearchParams {
    #pairs = [];
    #changed = null;
    constructor(init = "", changed = null) {
      if (typeof init === "object" && init !== null) {
        const pairs = typeof init[Symbol.iterator] === "function" ? [...init] : Object.entries(init);
        for (const pair of pairs) {
          const [name, value, ...more] = pair;
          if (value === undefined || more.length > 0) throw new TypeError("Each query pair must be an iterable [name, value] tuple");
          this.#pairs.push([text(name), text(value)]);
        }
      } else {
        this.#parse(text(init));
      }
      if (typeof changed === "function") this.#changed = changed;
    }
    #parse(query) {
      const flat = host.parseForm(query.startsWith("?") ? query.slice(1) : query);
      this.#pairs = [];
      for (let at = 0; at < flat.length; at += 2) this.#pairs.push([flat[at], flat[at + 1]]);
    }
    #set(pairs) {
      this.#pairs = pairs;
      this.#changed?.(this.toString());
    }
    static reparse(params, query) { params.#parse(query); }
    get size() { return this.#pairs.length; }
    append(name, value) { this.#set([...this.#pairs, [text(name), text(value)]]); }
    delete(name, value) { this.#set(this.#pairs.filter((pair) => pair[0] !== text(name) || (value !== undefined && pair[1] !== text(value)))); }
    get(name) { return this.#pairs.find((pair) => pair[0] === text(name))?.[1] ?? null; }
    getAll(name) { return this.#pairs.filter((pair) => pair[0] === text(name)).map((pair) => pair[1]); }
    has(name, value) { return this.#pairs.some((pair) => pair[0] === text(name) && (value === undefined || pair[1] === text(value))); }
    set(name, value) {
      const at = this.#pairs.findIndex((pair) => pair[0] === text(name));
      if (at < 0) return this.append(name, value);
      this.#set(this.#pairs.filter((pair, index) => index <= at || pair[0] !== text(name)).map((pair, index) => (index === at ? [pair[0], text(value)] : pair)));
    }
    sort() { this.#set([...this.#pairs].sort((a, b) => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0))); }
    forEach(callback, self) { for (const [name, value] of this.#pairs) callback.call(self, value, name, this); }
    *entries() { for (const pair of this.#pairs) yield [...pair]; }
    *keys() { for (const pair of this.#pairs) yield pair[0]; }
    *values() { for (const pair of this.#pairs) yield pair[1]; }
    [Symbol.iterator]() { return this.entries(); }
    toString() { return host.serializeForm(this.#pairs.flat()); }
  }
  const { reparse } = URLSearchParams;
  delete URLSearchParams.reparse;

  class URL {
    #parts;
    #params = null;
    constructor(input, base) {
      const parts = host.parseUrl(text(input), base === undefined ? undefined : text(base));
      if (!parts) throw Object.assign(new TypeError(`Invalid URL: ${input}`), { code: "ERR_INVALID_URL", input: String(input) });
      this.#parts = parts;
    }
    static canParse(input, base) { return Boolean(host.parseUrl(text(input), base === undefined ? undefined : text(base))); }
    static parse(input, base) { return URL.canParse(input, base) ? new URL(input, base) : null; }
    static part(url, index) { return url.#parts[index]; }
    static change(url, name, value) {
      const parts = host.changeUrl(url.#parts[0], name, text(value));
      if (!parts) throw new TypeError(`Invalid URL: ${value}`);
      url.#parts = parts;
      if (url.#params && (name === "href" || name === "search")) reparse(url.#params, url.search);
    }
    get searchParams() {
      this.#params ??= new URLSearchParams(this.search, (query) => {
        this.#parts = host.changeUrl(this.#parts[0], "search", query);
      });
      return this.#params;
    }
    toString() { return this.href; }
    toJSON() { return this.href; }
  }
  const { part, change } = URL;
  delete URL.part;
  delete URL.change;
  NAMES.forEach((name, index) => {
    const set = name === "origin" ? undefined : function (value) { change(this, name, value); };
    Object.defineProperty(URL.prototype, name, { get() { return part(this, index); }, set, enumerable: true, configurable: true });
  });
  internal.define({ URL, URLSearchParams });
})
