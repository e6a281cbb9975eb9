// crypto: random values, UUIDs and digests.
(function (host, internal) {
  "use strict";
  const hex = (bytes) => host.toText(bytes, "hex");
  internal.randomUUID = () => {
    const bytes = host.random(16);
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    const text = hex(bytes);
    return `${text.slice(0, 8)}-${text.slice(8, 12)}-${text.slice(12, 16)}-${text.slice(16, 20)}-${text.slice(20)}`;
  };
  const subtle = {
    async digest(algorithm, data) {
      const name = String(typeof algorithm === "object" ? algorithm.name : algorithm);
      const digest = host.hash(name.toLowerCase().replace("-", ""), internal.toBytes(data));
      return digest.buffer.slice(digest.byteOffset, digest.byteOffset + digest.byteLength);
    },
  };
  for (const name of ["encrypt", "decrypt", "sign", "verify", "importKey", "exportKey", "generateKey", "deriveKey", "deriveBits"]) {
    subtle[name] = async () => { throw new DOMException(`crypto.subtle.${name} is not available in the tool runtime`, "NotSupportedError"); };
  }
  const crypto = {
    subtle,
    randomUUID: internal.randomUUID,
    getRandomValues(array) {
      const bytes = internal.toBytes(array);
      if (bytes.length > 65536) throw new DOMException("At most 65536 bytes can be asked for at once", "QuotaExceededError");
      bytes.set(host.random(bytes.length));
      return array;
    },
  };
  internal.define({ crypto });
})
