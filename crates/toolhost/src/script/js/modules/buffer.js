// node:buffer: bytes and their encodings.
const { host, internal } = globalThis[Symbol.for("appstrate.tool.runtime")];
const normalize = (encoding = "utf8") => {
  const name = String(encoding).toLowerCase();
  if (name === "utf-8") return "utf8";
  if (name === "binary") return "latin1";
  return name === "ucs2" || name === "ucs-2" || name === "utf-16le" ? "utf16le" : name;
};
const encode = (text, encoding) => {
  const name = normalize(encoding);
  if (name === "utf8") return internal.encodeUtf8(text);
  if (name !== "utf16le") return host.fromText(text.toWellFormed(), name);
  const bytes = new Uint8Array(text.length * 2);
  for (let at = 0; at < text.length; at += 1) {
    bytes[2 * at] = text.charCodeAt(at) & 0xff;
    bytes[2 * at + 1] = text.charCodeAt(at) >> 8;
  }
  return bytes;
};
const wrap = (bytes) => new Buffer(bytes.buffer, bytes.byteOffset, bytes.byteLength);

export class Buffer extends Uint8Array {
  static from(value, second, third) {
    if (typeof value === "string") return wrap(encode(value, second));
    if (value instanceof ArrayBuffer) return new Buffer(value, second, third);
    if (value?.type === "Buffer" && Array.isArray(value.data)) return wrap(Uint8Array.from(value.data));
    if (ArrayBuffer.isView(value) || Array.isArray(value)) return wrap(Uint8Array.from(value));
    throw new TypeError("The first argument must be a string, an array, a Buffer or an ArrayBuffer");
  }
  static alloc(size, fill = 0, encoding) {
    const buffer = new Buffer(size);
    return fill === 0 ? buffer : buffer.fill(fill, 0, size, encoding);
  }
  static allocUnsafe(size) { return new Buffer(size); }
  static isBuffer(value) { return value instanceof Buffer; }
  static isEncoding(encoding) { return ["utf8", "utf16le", "latin1", "ascii", "base64", "base64url", "hex"].includes(normalize(encoding)); }
  static byteLength(value, encoding) { return typeof value === "string" ? encode(value, encoding).length : value.byteLength; }
  static concat(list, length = list.reduce((sum, item) => sum + item.length, 0)) {
    const joined = new Buffer(length);
    let at = 0;
    for (const item of list) {
      const part = at + item.length > length ? item.subarray(0, length - at) : item;
      joined.set(part, at);
      at += part.length;
    }
    return joined;
  }
  static compare(a, b) {
    for (let at = 0; at < Math.min(a.length, b.length); at += 1) if (a[at] !== b[at]) return a[at] < b[at] ? -1 : 1;
    return Math.sign(a.length - b.length);
  }
  toString(encoding, start = 0, end = this.length) {
    const bytes = new Uint8Array(this.buffer, this.byteOffset, this.byteLength).subarray(Math.max(0, start), Math.max(0, end));
    const name = normalize(encoding);
    if (name === "utf8") return internal.decodeUtf8(bytes);
    return name === "utf16le" ? new TextDecoder("utf-16le", { ignoreBOM: true }).decode(bytes) : host.toText(bytes, name);
  }
  toJSON() { return { type: "Buffer", data: Array.from(this) }; }
  equals(other) { return Buffer.compare(this, other) === 0; }
  compare(other) { return Buffer.compare(this, other); }
  slice(start, end) { return this.subarray(start, end); }
  write(text, offset = 0, length, encoding) {
    const bytes = encode(text, typeof length === "string" ? length : encoding);
    const part = bytes.subarray(0, Math.min(bytes.length, this.length - offset, typeof length === "number" ? length : Infinity));
    this.set(part, offset);
    return part.length;
  }
  fill(value, start = 0, end = this.length, encoding) {
    if (typeof value === "number") return super.fill(value, start, end);
    const bytes = typeof value === "string" ? encode(value, encoding) : value;
    if (bytes.length === 0) return super.fill(0, start, end);
    for (let at = start; at < end; at += 1) this[at] = bytes[(at - start) % bytes.length];
    return this;
  }
  copy(target, targetStart = 0, start = 0, end = this.length) {
    const part = this.subarray(start, Math.min(end, start + target.length - targetStart));
    target.set(part, targetStart);
    return part.length;
  }
  indexOf(value, from = 0, encoding) {
    if (typeof value === "number") return super.indexOf(value, from);
    const wanted = typeof value === "string" ? encode(value, encoding) : value;
    for (let at = from; at + wanted.length <= this.length; at += 1) if (wanted.every((byte, index) => this[at + index] === byte)) return at;
    return -1;
  }
  includes(value, from, encoding) { return this.indexOf(value, from, encoding) >= 0; }
}
const view = (buffer) => new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength);
for (const [name, method, size] of [["UInt8", "Uint8", 1], ["Int8", "Int8", 1], ["UInt16", "Uint16", 2], ["Int16", "Int16", 2], ["UInt32", "Uint32", 4], ["Int32", "Int32", 4], ["Float", "Float32", 4], ["Double", "Float64", 8], ["BigUInt64", "BigUint64", 8], ["BigInt64", "BigInt64", 8]]) {
  for (const end of size === 1 ? [""] : ["LE", "BE"]) {
    Buffer.prototype[`read${name}${end}`] = function (offset = 0) { return view(this)[`get${method}`](offset, end === "LE"); };
    Buffer.prototype[`write${name}${end}`] = function (value, offset = 0) {
      view(this)[`set${method}`](offset, value, end === "LE");
      return offset + size;
    };
  }
}
Buffer.poolSize = 0;
const { atob, btoa } = globalThis;
export { atob, btoa };
export const constants = { MAX_LENGTH: 2 ** 31, MAX_STRING_LENGTH: 2 ** 29 };
export default { Buffer, atob, btoa, constants };
