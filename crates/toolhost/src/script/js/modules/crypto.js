// node:crypto: digests, HMAC, random values.
import { Buffer } from "node:buffer";
const { host, internal } = globalThis[Symbol.for("appstrate.tool.runtime")];
const toBytes = (data, encoding) => (typeof data === "string" ? Buffer.from(data, encoding) : internal.toBytes(data));
const plain = (bytes) => new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
class Digest {
  #parts = [];
  #finish;
  constructor(finish) { this.#finish = finish; }
  update(data, encoding) {
    this.#parts.push(Uint8Array.from(toBytes(data, encoding)));
    return this;
  }
  digest(encoding) {
    if (!this.#finish) throw new Error("Digest already called");
    const result = Buffer.from(this.#finish(plain(Buffer.concat(this.#parts))));
    this.#finish = null;
    return encoding && encoding !== "buffer" ? result.toString(encoding) : result;
  }
}
const normalize = (algorithm) => String(algorithm).toLowerCase().replace(/^rsa-/, "").replace("-", "");
const known = (algorithm) => {
  const name = normalize(algorithm);
  host.hash(name, new Uint8Array(0));
  return name;
};
export const createHash = (algorithm) => {
  const name = known(algorithm);
  return new Digest((data) => host.hash(name, data));
};
export const createHmac = (algorithm, key) => {
  const name = known(algorithm);
  const secret = plain(toBytes(key));
  return new Digest((data) => host.hmac(name, secret, data));
};
export const hash = (algorithm, data, encoding = "hex") => createHash(algorithm).update(data).digest(encoding);
export const getHashes = () => ["sha1", "sha256", "sha384", "sha512"];
export const randomUUID = () => internal.randomUUID();
export const randomBytes = (size, callback) => {
  const parts = [];
  for (let left = size; left > 0; left -= 65536) parts.push(host.random(Math.min(left, 65536)));
  const bytes = Buffer.concat(parts);
  if (callback) queueMicrotask(() => callback(null, bytes));
  return bytes;
};
export const randomInt = (low, high) => {
  const [min, max] = high === undefined || typeof high === "function" ? [0, low] : [low, high];
  const range = max - min;
  if (!Number.isSafeInteger(range) || range <= 0 || range > 2 ** 48) throw new RangeError("The range of randomInt lies between 1 and 2^48");
  const limit = 2 ** 48 - (2 ** 48 % range);
  for (;;) {
    const value = host.random(6).reduce((sum, byte) => sum * 256 + byte, 0);
    if (value < limit) return min + (value % range);
  }
};
export const timingSafeEqual = (a, b) => {
  const left = internal.toBytes(a), right = internal.toBytes(b);
  if (left.length !== right.length) throw new RangeError("Input buffers must have the same byte length");
  return left.reduce((difference, byte, at) => difference | (byte ^ right[at]), 0) === 0;
};
export const webcrypto = globalThis.crypto;
export const subtle = webcrypto.subtle;
export const getRandomValues = (array) => webcrypto.getRandomValues(array);
export default { createHash, createHmac, hash, getHashes, randomUUID, randomBytes, randomInt, timingSafeEqual, webcrypto, subtle, getRandomValues };
