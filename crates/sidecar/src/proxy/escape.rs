//! Percent encoding (RFC 3986 §2.1), in one place.

/// Whether a byte stands for itself everywhere in a URL (RFC 3986 §2.3).
pub(super) const fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

/// Appends `%XX`.
pub(super) fn push(out: &mut String, byte: u8) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    out.push('%');
    out.push(char::from(DIGITS[usize::from(byte >> 4)]));
    out.push(char::from(DIGITS[usize::from(byte & 15)]));
}

/// Escapes every byte that `plain` does not let stand.
pub(super) fn encode(text: &str, plain: impl Fn(u8) -> bool) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if plain(byte) { out.push(char::from(byte)) } else { push(&mut out, byte) }
    }
    out
}

/// The byte of the escape that begins at `position`, if one does.
pub(super) fn at(bytes: &[u8], position: usize) -> Option<u8> {
    let digits = bytes.get(position + 1..position + 3).filter(|_| bytes[position] == b'%')?;
    let digit = |byte: u8| char::from(byte).to_digit(16);
    u8::try_from(digit(digits[0])? * 16 + digit(digits[1])?).ok()
}
