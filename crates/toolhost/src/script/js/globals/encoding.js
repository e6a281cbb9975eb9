// TextEncoder, TextDecoder, and the conversions that the rest of the prelude shares.
(function (host, internal) {
  "use strict";
  internal.define = (values) => {
    for (const [name, value] of Object.entries(values)) {
      Object.defineProperty(globalThis, name, { value, writable: true, configurable: true, enumerable: false });
    }
  };
  const toBytes = (value) => {
    if (value instanceof Uint8Array) return value;
    if (ArrayBuffer.isView(value)) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
    if (value instanceof ArrayBuffer) return new Uint8Array(value);
    throw new TypeError("expected an ArrayBuffer or a view of one");
  };
  internal.toBytes = toBytes;
  internal.encodeUtf8 = (text) => host.encodeUtf8(String(text).toWellFormed());
  internal.decodeUtf8 = (bytes) => host.decodeUtf8(bytes, false, false)[0];

  class TextEncoder {
    get encoding() { return "utf-8"; }
    encode(text = "") { return internal.encodeUtf8(text); }
    encodeInto(text, target) {
      let read = 0, written = 0;
      for (const character of String(text)) {
        const bytes = internal.encodeUtf8(character);
        if (written + bytes.length > target.length) break;
        target.set(bytes, written);
        written += bytes.length;
        read += character.length;
      }
      return { read, written };
    }
  }

  const UTF8 = ["utf-8", "utf8", "unicode-1-1-utf-8"];
  const LATIN1 = ["latin1", "iso-8859-1", "ascii", "us-ascii", "windows-1252"];
  class TextDecoder {
    #left = new Uint8Array(0);
    #begun = false;
    constructor(label = "utf-8", { fatal = false, ignoreBOM = false } = {}) {
      const name = String(label).trim().toLowerCase();
      if (UTF8.includes(name)) this.encoding = "utf-8";
      else if (LATIN1.includes(name)) this.encoding = "windows-1252";
      else if (name === "utf-16le" || name === "utf-16") this.encoding = "utf-16le";
      else throw new RangeError(`The encoding '${label}' is not available in the tool runtime`);
      this.fatal = Boolean(fatal);
      this.ignoreBOM = Boolean(ignoreBOM);
    }
    decode(input = new Uint8Array(0), { stream = false } = {}) {
      let bytes = toBytes(input);
      if (this.encoding === "windows-1252") return host.toText(bytes, "latin1");
      if (this.#left.length > 0) {
        const joined = new Uint8Array(this.#left.length + bytes.length);
        joined.set(this.#left);
        joined.set(bytes, this.#left.length);
        bytes = joined;
      }
      let text, left;
      if (this.encoding === "utf-16le") {
        left = stream ? bytes.length % 2 : 0;
        text = "";
        for (let at = 0; at + 1 < bytes.length; at += 2) text += String.fromCharCode(bytes[at] | (bytes[at + 1] << 8));
      } else {
        try {
          [text, left] = host.decodeUtf8(bytes, this.fatal, Boolean(stream));
        } catch (error) {
          throw Object.assign(new TypeError(error.message), { code: "ERR_ENCODING_INVALID_ENCODED_DATA" });
        }
      }
      this.#left = bytes.slice(bytes.length - left);
      if (!this.#begun && !this.ignoreBOM && text.startsWith("\ufeff")) text = text.slice(1);
      this.#begun = stream && (this.#begun || text.length > 0);
      return text;
    }
  }
  internal.define({ TextEncoder, TextDecoder });
})
