//! Text and bytes: UTF-8, Latin-1, base64, hex.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD, URL_SAFE_NO_PAD};
use rquickjs::convert::List;
use rquickjs::{Ctx, Object, TypedArray};

use super::{array, bytes, fail, set};

/// As Node reads base64: padding or not.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent).with_decode_allow_trailing_bits(true),
);

pub(super) fn install<'js>(host: &Object<'js>) -> rquickjs::Result<()> {
    set(host, "encodeUtf8", |ctx: Ctx<'js>, text: String| array(&ctx, text.as_bytes()))?;
    // The text, and how many bytes of a last, incomplete character were left.
    set(
        host,
        "decodeUtf8",
        |ctx: Ctx<'js>, given: TypedArray<'js, u8>, fatal: bool, more: bool| -> rquickjs::Result<List<(String, usize)>> {
            let given = bytes(&given);
            let left = if more { incomplete_end(&given) } else { 0 };
            let whole = &given[..given.len() - left];
            if fatal && std::str::from_utf8(whole).is_err() {
                return Err(fail(&ctx, "the encoded data was not valid"));
            }
            Ok(List((String::from_utf8_lossy(whole).into_owned(), left)))
        },
    )?;
    set(host, "toText", |ctx: Ctx<'js>, given: TypedArray<'js, u8>, encoding: String| -> rquickjs::Result<String> {
        let given = bytes(&given);
        match encoding.as_str() {
            "hex" => Ok(hex::encode(given)),
            "base64" => Ok(STANDARD.encode(given)),
            "base64url" => Ok(URL_SAFE_NO_PAD.encode(given)),
            "latin1" => Ok(given.into_iter().map(char::from).collect()),
            "ascii" => Ok(given.into_iter().map(|byte| char::from(byte & 0x7f)).collect()),
            other => Err(fail(&ctx, &format!("Unknown encoding: {other}"))),
        }
    })?;
    set(host, "fromText", |ctx: Ctx<'js>, text: String, encoding: String| -> rquickjs::Result<TypedArray<'js, u8>> {
        match from_text(&text, &encoding) {
            Some(decoded) => array(&ctx, &decoded),
            None => Err(fail(&ctx, &format!("Unknown encoding: {encoding}"))),
        }
    })
}

fn from_text(text: &str, encoding: &str) -> Option<Vec<u8>> {
    Some(match encoding {
        // As in Node, what is not in the alphabet is skipped, or ends the data.
        "hex" => {
            let digits: Vec<u8> = text.bytes().take_while(u8::is_ascii_hexdigit).collect();
            hex::decode(&digits[..digits.len() / 2 * 2]).unwrap_or_default()
        }
        "base64" | "base64url" => {
            let plain: Vec<u8> = text
                .bytes()
                .take_while(|byte| *byte != b'=')
                .filter_map(|byte| match byte {
                    b'-' => Some(b'+'),
                    b'_' => Some(b'/'),
                    byte if byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/') => Some(byte),
                    _ => None,
                })
                .collect();
            // A single last digit holds no whole byte.
            let whole = if plain.len() % 4 == 1 { plain.len() - 1 } else { plain.len() };
            LENIENT.decode(&plain[..whole]).unwrap_or_default()
        }
        "latin1" | "ascii" => text.chars().map(|character| u8::try_from(u32::from(character) & 0xff).unwrap_or_default()).collect(),
        _ => return None,
    })
}

/// Bytes at the end that begin a character without ending it.
fn incomplete_end(bytes: &[u8]) -> usize {
    for back in 1..=bytes.len().min(3) {
        let byte = bytes[bytes.len() - back];
        let length = match byte {
            0xc2..=0xdf => 2,
            0xe0..=0xef => 3,
            0xf0..=0xf4 => 4,
            0x80..=0xbf => continue,
            _ => return 0,
        };
        return if length > back { back } else { 0 };
    }
    0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn node_reads_sloppy_input_and_so_do_we() {
        assert_eq!(from_text("aGk", "base64").expect("known"), b"hi");
        assert_eq!(from_text("aG k=\n=x", "base64").expect("known"), b"hi");
        assert_eq!(from_text("-_-_", "base64").expect("known"), [0xfb, 0xff, 0xbf]);
        assert_eq!(from_text("6869zz", "hex").expect("known"), b"hi");
        assert_eq!(from_text("é", "latin1").expect("known"), [0xe9]);
        assert!(from_text("x", "utf-7").is_none());
    }

    proptest! {
        #[test]
        fn text_split_anywhere_decodes_to_itself(text in "\\PC{0,20}", at in 0_usize..60) {
            let bytes = text.as_bytes();
            let at = at.min(bytes.len());
            let left = incomplete_end(&bytes[..at]);
            prop_assert!(std::str::from_utf8(&bytes[..at - left]).is_ok());
        }
    }
}
