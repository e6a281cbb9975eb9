//! Random bytes, digests and HMAC.

use std::fs::File;
use std::io::Read as _;

use hmac::{Hmac, KeyInit, Mac};
use rquickjs::{Ctx, Object, TypedArray};
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha384, Sha512};

use super::{array, bytes, fail, set};

/// `getRandomValues` gives at most this many bytes at once (Web Cryptography API).
const MAX_RANDOM: usize = 65_536;

pub(super) fn install<'js>(host: &Object<'js>) -> rquickjs::Result<()> {
    set(host, "random", |ctx: Ctx<'js>, length: usize| -> rquickjs::Result<TypedArray<'js, u8>> {
        if length > MAX_RANDOM {
            return Err(fail(&ctx, "at most 65536 random bytes can be asked for at once"));
        }
        let mut random = vec![0; length];
        let read = File::open("/dev/urandom").and_then(|mut source| source.read_exact(&mut random));
        read.map_err(|error| fail(&ctx, &format!("no random bytes can be had: {error}")))?;
        array(&ctx, &random)
    })?;
    set(host, "hash", |ctx: Ctx<'js>, algorithm: String, data: TypedArray<'js, u8>| -> rquickjs::Result<TypedArray<'js, u8>> {
        match hash(&algorithm, &bytes(&data)) {
            Some(digest) => array(&ctx, &digest),
            None => Err(unsupported(&ctx, &algorithm)),
        }
    })?;
    set(
        host,
        "hmac",
        |ctx: Ctx<'js>, algorithm: String, key: TypedArray<'js, u8>, data: TypedArray<'js, u8>| -> rquickjs::Result<TypedArray<'js, u8>> {
            match hmac(&algorithm, &bytes(&key), &bytes(&data)) {
                Some(code) => array(&ctx, &code),
                None => Err(unsupported(&ctx, &algorithm)),
            }
        },
    )
}

fn unsupported(ctx: &Ctx<'_>, algorithm: &str) -> rquickjs::Error {
    fail(ctx, &format!("the digest '{algorithm}' is not available; use sha1, sha256, sha384 or sha512"))
}

fn hash(algorithm: &str, data: &[u8]) -> Option<Vec<u8>> {
    Some(match algorithm {
        "sha1" => Sha1::digest(data).to_vec(),
        "sha256" => Sha256::digest(data).to_vec(),
        "sha384" => Sha384::digest(data).to_vec(),
        "sha512" => Sha512::digest(data).to_vec(),
        _ => return None,
    })
}

fn hmac(algorithm: &str, key: &[u8], data: &[u8]) -> Option<Vec<u8>> {
    match algorithm {
        "sha1" => code::<Hmac<Sha1>>(key, data),
        "sha256" => code::<Hmac<Sha256>>(key, data),
        "sha384" => code::<Hmac<Sha384>>(key, data),
        "sha512" => code::<Hmac<Sha512>>(key, data),
        _ => None,
    }
}

fn code<M: Mac + KeyInit>(key: &[u8], data: &[u8]) -> Option<Vec<u8>> {
    // HMAC takes keys of any length.
    let mut mac = <M as KeyInit>::new_from_slice(key).ok()?;
    mac.update(data);
    Some(mac.finalize().into_bytes().to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_answers() {
        // RFC 4231 test case 2, and FIPS 180 "abc".
        let code = hmac("sha256", b"Jefe", b"what do ya want for nothing?").expect("known");
        assert_eq!(hex::encode(code), "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
        assert_eq!(hex::encode(hash("sha1", b"abc").expect("known")), "a9993e364706816aba3e25717850c26c9cd0d89d");
        assert!(hash("md5", b"abc").is_none());
    }
}
