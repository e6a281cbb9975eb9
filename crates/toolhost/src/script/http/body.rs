//! The body of a response: by length, in chunks, or until the end (RFC 9112 §6.3).

use std::io::{BufRead, Read as _};

use super::exchange::read_line;
use super::{FetchError, MAX_BODY_BYTES};

pub(super) fn read(reader: &mut impl BufRead, headers: &[(String, String)]) -> Result<Vec<u8>, FetchError> {
    let values = |wanted: &str| headers.iter().filter(move |(name, _)| name == wanted).map(|(_, value)| value.clone()).collect::<Vec<_>>();
    match values("transfer-encoding").as_slice() {
        [] => {}
        [coding] if coding.eq_ignore_ascii_case("chunked") => return chunks(reader),
        _ => return Err(FetchError::Malformed("its transfer coding")),
    }
    let mut lengths = values("content-length");
    lengths.dedup();
    match lengths.as_slice() {
        [] => until_end(reader),
        [length] => exactly(reader, length.parse().map_err(|_| FetchError::Malformed("its length"))?),
        _ => Err(FetchError::Malformed("two lengths")),
    }
}

fn exactly(reader: &mut impl BufRead, length: u64) -> Result<Vec<u8>, FetchError> {
    if length > MAX_BODY_BYTES as u64 {
        return Err(FetchError::TooLarge);
    }
    let mut body = Vec::new();
    reader.take(length).read_to_end(&mut body)?;
    if body.len() as u64 == length { Ok(body) } else { Err(FetchError::Malformed("it ended early")) }
}

fn until_end(reader: &mut impl BufRead) -> Result<Vec<u8>, FetchError> {
    let mut body = Vec::new();
    reader.take(MAX_BODY_BYTES as u64 + 1).read_to_end(&mut body)?;
    if body.len() > MAX_BODY_BYTES { Err(FetchError::TooLarge) } else { Ok(body) }
}

fn chunks(reader: &mut impl BufRead) -> Result<Vec<u8>, FetchError> {
    /// Chunk extensions and trailers have no use here.
    const MAX_LINE: u64 = 8 * 1024;
    const MAX_TRAILERS: usize = 100;
    let mut body = Vec::new();
    loop {
        let line = read_line(&mut reader.take(MAX_LINE))?;
        let size = line.split(';').next().unwrap_or_default().trim();
        let size = u64::from_str_radix(size, 16).map_err(|_| FetchError::Malformed("a chunk's size"))?;
        if size == 0 {
            break;
        }
        if size > (MAX_BODY_BYTES - body.len()) as u64 {
            return Err(FetchError::TooLarge);
        }
        let before = body.len();
        reader.take(size).read_to_end(&mut body)?;
        if (body.len() - before) as u64 != size || !read_line(&mut reader.take(2))?.is_empty() {
            return Err(FetchError::Malformed("a chunk"));
        }
    }
    for _ in 0..MAX_TRAILERS {
        if read_line(&mut reader.take(MAX_LINE))?.is_empty() {
            return Ok(body);
        }
    }
    Err(FetchError::Malformed("its trailers"))
}
