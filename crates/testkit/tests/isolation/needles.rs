//! Secrets that must not be found, in the forms in which they might be written.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

/// One secret and every form of it that is looked for.
pub(crate) struct Needle {
    pub name: &'static str,
    pub forms: Vec<Vec<u8>>,
}

impl Needle {
    pub(crate) fn new(name: &'static str, secret: &str) -> Self {
        assert!(secret.len() >= 12, "{name} is too short to be found only where it stands");
        let hexadecimal = hex::encode(secret);
        let mut forms =
            vec![secret.to_owned(), hexadecimal.to_uppercase(), hexadecimal, percent(secret), percent(secret).replace("%20", "+")];
        forms.push(percent(secret).to_lowercase());
        for alignment in 0..3 {
            let bytes = [&b"  "[..alignment], secret.as_bytes()].concat();
            for text in [STANDARD_NO_PAD.encode(&bytes), URL_SAFE_NO_PAD.encode(&bytes)] {
                // The characters at both ends also depend on what stands beside the secret.
                forms.push(text[(alignment * 8).div_ceil(6)..bytes.len() * 8 / 6].to_owned());
            }
        }
        forms.sort();
        forms.dedup();
        Self { name, forms: forms.into_iter().map(String::into_bytes).collect() }
    }

    pub(crate) fn stands_in(&self, bytes: &[u8]) -> bool {
        self.forms.iter().any(|form| contains(bytes, form))
    }
}

fn percent(text: &str) -> String {
    let byte = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(byte).collect()
}

pub(crate) fn contains(bytes: &[u8], wanted: &[u8]) -> bool {
    let (first, rest) = wanted.split_first().expect("a form is not empty");
    let mut from = 0;
    while let Some(at) = bytes[from..].iter().position(|byte| byte == first) {
        from += at + 1;
        if bytes[from..].starts_with(rest) {
            return true;
        }
    }
    false
}

/// Fails with every needle that stands in `bytes`.
pub(crate) fn assert_clean(place: &str, bytes: &[u8], needles: &[Needle]) {
    let found: Vec<&str> = needles.iter().filter(|needle| needle.stands_in(bytes)).map(|needle| needle.name).collect();
    assert!(found.is_empty(), "{place} holds {found:?}");
}

/// The forms in the cipher that [`DECIPHER`] undoes, one on each line: a command that carries this carries no secret.
pub(crate) fn enciphered(needles: &[Needle]) -> String {
    let turn = |byte: u8| match byte {
        b'a'..=b'z' => (byte - b'a' + 13) % 26 + b'a',
        b'A'..=b'Z' => (byte - b'A' + 13) % 26 + b'A',
        b'0'..=b'9' => (byte - b'0' + 5) % 10 + b'0',
        other => other,
    };
    let lines: Vec<String> =
        needles.iter().flat_map(|needle| &needle.forms).map(|form| form.iter().map(|byte| char::from(turn(*byte))).collect()).collect();
    lines.join("\n")
}

/// Turns lines of [`enciphered`] back, in a shell.
pub(crate) const DECIPHER: &str = "tr 'A-Za-z0-9' 'N-ZA-Mn-za-m5-90-4'";

#[test]
fn every_form_is_found() {
    let secret = "key/with+odd%=&letters";
    let needle = Needle::new("it", secret);
    for before in ["", "B", "Be", "Bearer "] {
        let text = format!("{before}{secret}\n and more");
        for written in [
            text.clone(),
            hex::encode(&text),
            hex::encode_upper(&text),
            percent(&text),
            STANDARD_NO_PAD.encode(&text),
            URL_SAFE_NO_PAD.encode(&text),
        ] {
            assert!(needle.stands_in(written.as_bytes()), "{written}");
        }
    }
    assert!(!needle.stands_in(b"key/with+odd%=&letter and more"));
    assert!(!needle.stands_in(enciphered(&[Needle::new("it", secret)]).as_bytes()));
}
