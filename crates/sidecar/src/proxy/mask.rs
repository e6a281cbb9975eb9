//! Finding secrets in bytes that pass, and masking them.
//!
//! A secret is searched in the forms in which servers reflect it: plain, URL- and form-encoded, JSON-escaped, and base64 at any
//! alignment. Secrets below [`SHORTEST`] bytes are not searched: they would hit innocent text.

use std::borrow::Cow;
use std::collections::BTreeSet;

use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use bytes::{Bytes, BytesMut};

use super::escape;

/// Shorter secrets are not masked.
pub const SHORTEST: usize = 8;

const MASK: &[u8] = b"[redacted]";

/// Knows the secrets of one provider.
pub struct Masker {
    /// Longest first, so that the longest match at a position wins.
    patterns: Vec<Vec<u8>>,
    /// One bit for each pair of first bytes.
    starts: Vec<u64>,
    longest: usize,
}

impl std::fmt::Debug for Masker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Masker").field("patterns", &self.patterns.len()).finish_non_exhaustive()
    }
}

/// What stands in place of a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Filler {
    /// `[redacted]`, for text.
    Word,
    /// As many `*` as the secret has bytes, for data whose length must stay.
    SameLength,
}

impl Masker {
    pub fn new<'s>(secrets: impl IntoIterator<Item = &'s str>) -> Self {
        let mut forms = BTreeSet::new();
        for secret in secrets.into_iter().filter(|secret| secret.len() >= SHORTEST) {
            forms.extend(forms_of(secret).into_iter().filter(|form| form.len() >= SHORTEST));
        }
        let mut patterns: Vec<Vec<u8>> = forms.into_iter().collect();
        patterns.sort_by_key(|pattern| std::cmp::Reverse(pattern.len()));
        let mut starts = vec![0; if patterns.is_empty() { 0 } else { 65_536 / 64 }];
        for pattern in &patterns {
            let pair = usize::from(pattern[0]) << 8 | usize::from(pattern[1]);
            starts[pair / 64] |= 1 << (pair % 64);
        }
        let longest = patterns.first().map_or(0, Vec::len);
        Self { patterns, starts, longest }
    }

    /// Whether there is nothing to look for.
    pub fn is_empty(&self) -> bool {
        self.patterns.is_empty()
    }

    /// Masks a whole text.
    pub fn mask<'t>(&self, text: &'t [u8]) -> Cow<'t, [u8]> {
        if self.find(text, 0, text.len()).is_none() {
            return Cow::Borrowed(text);
        }
        let mut stream = MaskStream { masker: self, filler: Filler::Word, carry: BytesMut::new() };
        let mut out = stream.push(text).to_vec();
        out.extend_from_slice(&stream.finish());
        Cow::Owned(out)
    }

    /// Masks text that was UTF-8 and stays so.
    pub fn mask_str(&self, text: &str) -> String {
        String::from_utf8_lossy(&self.mask(text.as_bytes())).into_owned()
    }

    /// The first match that starts in `from..before`.
    fn find(&self, bytes: &[u8], from: usize, before: usize) -> Option<(usize, usize)> {
        if self.is_empty() {
            return None;
        }
        (from..before.min(bytes.len().saturating_sub(SHORTEST - 1))).find_map(|position| {
            let rest = &bytes[position..];
            if !self.may_start(rest[0], rest[1]) {
                return None;
            }
            self.patterns.iter().find(|pattern| rest.starts_with(pattern)).map(|pattern| (position, pattern.len()))
        })
    }

    fn may_start(&self, first: u8, second: u8) -> bool {
        let pair = usize::from(first) << 8 | usize::from(second);
        self.starts[pair / 64] & 1 << (pair % 64) != 0
    }

    /// From where the bytes might still grow into a (longer) match.
    fn undecided(&self, bytes: &[u8], from: usize) -> usize {
        let first = from.max((bytes.len() + 1).saturating_sub(self.longest));
        let open = |position: &usize| {
            let rest = &bytes[*position..];
            if rest.len() > 1 && !self.may_start(rest[0], rest[1]) {
                return false;
            }
            self.patterns.iter().any(|pattern| pattern.len() > rest.len() && pattern.starts_with(rest))
        };
        (first..bytes.len()).find(open).unwrap_or(bytes.len())
    }
}

/// Masks bytes as they pass. Holds back only what might be the beginning of a secret.
#[derive(Debug)]
pub struct MaskStream<M> {
    masker: M,
    filler: Filler,
    carry: BytesMut,
}

impl<M: std::ops::Deref<Target = Masker>> MaskStream<M> {
    pub fn new(masker: M, filler: Filler) -> Self {
        Self { masker, filler, carry: BytesMut::new() }
    }

    /// Takes a piece, gives what is certain.
    pub fn push(&mut self, piece: &[u8]) -> Bytes {
        if self.masker.is_empty() {
            return Bytes::copy_from_slice(piece);
        }
        self.carry.extend_from_slice(piece);
        self.drain(false)
    }

    /// The rest, at the end of the bytes.
    pub fn finish(&mut self) -> Bytes {
        self.drain(true)
    }

    fn drain(&mut self, end: bool) -> Bytes {
        let bytes = std::mem::take(&mut self.carry);
        let mut out = BytesMut::with_capacity(bytes.len());
        let mut position = 0;
        let mut certain = if end { bytes.len() } else { self.masker.undecided(&bytes, 0) };
        while let Some((start, length)) = self.masker.find(&bytes, position, certain) {
            out.extend_from_slice(&bytes[position..start]);
            match self.filler {
                Filler::Word => out.extend_from_slice(MASK),
                Filler::SameLength => out.resize(out.len() + length, b'*'),
            }
            position = start + length;
            if position > certain {
                certain = if end { bytes.len() } else { self.masker.undecided(&bytes, position) };
            }
        }
        out.extend_from_slice(&bytes[position..certain]);
        self.carry = BytesMut::from(&bytes[certain..]);
        out.freeze()
    }
}

fn forms_of(secret: &str) -> Vec<Vec<u8>> {
    let json = serde_json::Value::from(secret).to_string();
    let json = json[1..json.len() - 1].to_owned();
    let slashed = json.replace('/', "\\/");
    let upper = percent_encode(secret);
    let lower = lower_escapes(&upper);
    let form: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
    let mut forms: Vec<Vec<u8>> = [secret.to_owned(), json, slashed, upper, lower, form].map(String::into_bytes).into();
    for offset in 0..3 {
        forms.push(base64_core(&STANDARD_NO_PAD, secret, offset));
        forms.push(base64_core(&URL_SAFE_NO_PAD, secret, offset));
    }
    forms
}

/// The letters that base64 gives a secret standing `offset` bytes (mod 3) into what was encoded, without those that neighbors change.
fn base64_core(engine: &impl base64::Engine, secret: &str, offset: usize) -> Vec<u8> {
    let mut padded = vec![0; offset];
    padded.extend_from_slice(secret.as_bytes());
    let encoded = engine.encode(&padded).into_bytes();
    let skipped = [0, 2, 3][offset];
    let whole = padded.len() * 8 / 6;
    encoded[skipped..whole.min(encoded.len())].to_vec()
}

fn percent_encode(text: &str) -> String {
    escape::encode(text, escape::is_unreserved)
}

fn lower_escapes(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut escape = 0_u8;
    for letter in text.chars() {
        escape = if letter == '%' { 3 } else { escape };
        out.push(if escape > 0 { letter.to_ascii_lowercase() } else { letter });
        escape = escape.saturating_sub(1);
    }
    out
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use proptest::prelude::*;

    use super::*;

    const SECRET: &str = "sk-live/abc+DEF=123\"x";

    fn streamed(masker: &Masker, text: &[u8], pieces: usize, filler: Filler) -> Vec<u8> {
        let mut stream = MaskStream::new(masker, filler);
        let mut out = Vec::new();
        for piece in text.chunks(pieces.max(1)) {
            out.extend_from_slice(&stream.push(piece));
        }
        out.extend_from_slice(&stream.finish());
        out
    }

    #[test]
    fn every_form_is_masked() {
        let masker = Masker::new([SECRET]);
        let basic = base64::engine::general_purpose::STANDARD.encode(format!("user:{SECRET}"));
        let json = serde_json::json!({ "echo": SECRET }).to_string();
        for reflected in [SECRET.to_owned(), json, percent_encode(SECRET), lower_escapes(&percent_encode(SECRET)), basic] {
            let clean = masker.mask_str(&format!("before {reflected} after"));
            assert!(clean.starts_with("before ") && clean.contains("[redacted]"), "{reflected} → {clean}");
        }
        let escaped = SECRET.replace('/', "\\/").replace('"', "\\\"");
        assert!(masker.mask_str(&escaped).contains("[redacted]"));
    }

    #[test]
    fn short_secrets_and_innocent_text_stay() {
        let masker = Masker::new(["short", "longer-secret"]);
        assert_eq!(masker.mask_str("short and longer-secre"), "short and longer-secre");
        assert!(Masker::new(["1234567"]).is_empty());
    }

    #[test]
    fn the_longer_of_two_secrets_wins_across_pieces() {
        let masker = Masker::new(["password1", "password1234"]);
        assert_eq!(streamed(&masker, b"x password1234 password1 y", 3, Filler::Word), b"x [redacted] [redacted] y");
    }

    #[test]
    fn the_same_length_filler_keeps_every_other_byte_in_its_place() {
        let masker = Masker::new(["12345678"]);
        assert_eq!(streamed(&masker, b"\xff\x0012345678\x00\xff", 2, Filler::SameLength), b"\xff\x00********\x00\xff");
    }

    #[test]
    fn nothing_is_held_back_without_need() {
        let masker = Masker::new(["secret-value"]);
        let mut stream = MaskStream::new(&masker, Filler::Word);
        assert_eq!(stream.push(b"data: one\n\n"), "data: one\n\n".as_bytes());
        assert_eq!(stream.push(b"data: sec"), "data: ".as_bytes());
        assert_eq!(stream.push(b"ond\n\n"), "second\n\n".as_bytes());
    }

    proptest! {
        #[test]
        fn no_cut_changes_the_result(before in "[a-z%+/=]{0,20}", after in "[a-z%+/=]{0,20}", size in 1usize..40, secret in "[a-zA-Z0-9+/=%\" -]{8,24}") {
            let masker = Masker::new([secret.as_str()]);
            let text = format!("{before}{secret}{after}{secret}");
            let whole = masker.mask(text.as_bytes()).into_owned();
            prop_assert_eq!(&streamed(&masker, text.as_bytes(), size, Filler::Word), &whole);
            prop_assert!(!String::from_utf8_lossy(&whole).contains(secret.as_str()));
        }

        #[test]
        fn base64_at_any_place_is_found(before in proptest::collection::vec(any::<u8>(), 0..7), after in proptest::collection::vec(any::<u8>(), 0..7), secret in "[ -~]{8,24}") {
            let text = base64::engine::general_purpose::STANDARD.encode([before.as_slice(), secret.as_bytes(), after.as_slice()].concat());
            let clean = Masker::new([secret.as_str()]).mask_str(&text);
            prop_assert!(clean.contains("[redacted]"), "{text}");
        }

        #[test]
        fn text_without_the_secret_is_untouched(bytes in proptest::collection::vec(any::<u8>(), 0..300), size in 1usize..50) {
            let masker = Masker::new(["a-secret-that-is-not-there"]);
            prop_assert_eq!(streamed(&masker, &bytes, size, Filler::Word), bytes);
        }
    }
}
