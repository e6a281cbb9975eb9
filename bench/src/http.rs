//! Where an HTTP/1.1 answer ends in a buffer (RFC 9112 §6): enough for a load generator, no more.

/// A whole answer at the beginning of a buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    /// Where the body begins.
    pub head: usize,
    /// Where the answer ends.
    pub end: usize,
}

/// What the server sent is not understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed;

/// The first answer of `buffer`; `None` until it is whole.
pub fn answer(buffer: &[u8]) -> Result<Option<Answer>, Malformed> {
    let Some(head) = find(buffer, b"\r\n\r\n").map(|at| at + 4) else { return Ok(None) };
    let text = std::str::from_utf8(&buffer[..head]).map_err(|_| Malformed)?;
    let mut lines = text.split("\r\n");
    let status = lines.next().and_then(|line| line.split(' ').nth(1)).and_then(|code| code.parse().ok()).ok_or(Malformed)?;
    let mut length = None;
    let mut is_chunked = false;
    for (name, value) in lines.filter_map(|line| line.split_once(':')) {
        if name.eq_ignore_ascii_case("content-length") {
            length = Some(value.trim().parse::<usize>().map_err(|_| Malformed)?);
        } else if name.eq_ignore_ascii_case("transfer-encoding") {
            is_chunked = value.trim().eq_ignore_ascii_case("chunked");
        }
    }
    let end = match (is_chunked, length) {
        (true, _) => chunks_end(buffer, head)?,
        (false, Some(length)) => (buffer.len() >= head + length).then_some(head + length),
        // An answer that ends with its connection would break keep-alive; no server here sends one.
        (false, None) => return Err(Malformed),
    };
    Ok(end.map(|end| Answer { status, head, end }))
}

/// Where the last chunk ends. Trailers are not understood.
fn chunks_end(buffer: &[u8], mut at: usize) -> Result<Option<usize>, Malformed> {
    loop {
        let Some(line) = buffer.get(at..).and_then(|rest| find(rest, b"\r\n")) else { return Ok(None) };
        let size = std::str::from_utf8(&buffer[at..at + line]).ok().and_then(|text| text.split(';').next()).ok_or(Malformed)?;
        let size = usize::from_str_radix(size.trim(), 16).map_err(|_| Malformed)?;
        let end = at + line + 2 + size + 2;
        if buffer.len() < end {
            return Ok(None);
        }
        if size == 0 {
            return Ok(Some(end));
        }
        at = end;
    }
}

fn find(buffer: &[u8], wanted: &[u8]) -> Option<usize> {
    buffer.windows(wanted.len()).position(|window| window == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_ends_where_its_length_says() {
        let bytes = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhelloHTTP/1.1";
        assert_eq!(answer(bytes), Ok(Some(Answer { status: 200, head: 38, end: 43 })));
        assert_eq!(answer(&bytes[..42]), Ok(None));
        assert_eq!(answer(&bytes[..20]), Ok(None));
    }

    #[test]
    fn an_answer_in_chunks_ends_with_the_empty_one() {
        let bytes = b"HTTP/1.1 502 Bad\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n1;x=y\r\n!\r\n0\r\n\r\n";
        assert_eq!(answer(bytes).unwrap().map(|answer| (answer.status, answer.end)), Some((502, bytes.len())));
        for cut in 0..bytes.len() {
            assert_eq!(answer(&bytes[..cut]), Ok(None), "cut at {cut}");
        }
    }

    #[test]
    fn what_has_no_end_is_refused() {
        assert_eq!(answer(b"HTTP/1.1 200 OK\r\n\r\n"), Err(Malformed));
        assert_eq!(answer(b"HTTP/1.1 200 OK\r\ncontent-length: five\r\n\r\n"), Err(Malformed));
        assert_eq!(answer(b"hello\r\n\r\n"), Err(Malformed));
    }
}
