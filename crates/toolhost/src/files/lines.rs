//! Lines of a file of any size, in bounded memory.

use std::io::{self, BufRead};

/// Reads the next line without its end into `line`, keeping at most `limit` bytes of it. `None` at the end of the input;
/// `Some(true)` when the line was longer.
pub(crate) fn next_line(input: &mut impl BufRead, line: &mut Vec<u8>, limit: usize) -> io::Result<Option<bool>> {
    line.clear();
    let mut cut = false;
    let mut seen_any = false;
    loop {
        let available = match input.fill_buf() {
            Ok(available) => available,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        if available.is_empty() {
            return Ok(seen_any.then_some(cut));
        }
        seen_any = true;
        let end = available.iter().position(|byte| *byte == b'\n');
        let part = &available[..end.unwrap_or(available.len())];
        let keep = part.len().min(limit - line.len());
        line.extend_from_slice(&part[..keep]);
        cut |= keep < part.len();
        let used = end.map_or(available.len(), |at| at + 1);
        input.consume(used);
        if end.is_some() {
            if line.last() == Some(&b'\r') && !cut {
                line.pop();
            }
            return Ok(Some(cut));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_without_their_ends_and_long_ones_are_cut() {
        let mut input = io::BufReader::with_capacity(3, b"ab\r\n\nabcdefgh\nlast".as_slice());
        let mut line = Vec::new();
        let mut seen = Vec::new();
        while let Some(cut) = next_line(&mut input, &mut line, 5).expect("reads") {
            seen.push((String::from_utf8(line.clone()).expect("utf-8"), cut));
        }
        let expected = [("ab", false), ("", false), ("abcde", true), ("last", false)];
        assert_eq!(seen, expected.map(|(text, cut)| (text.to_owned(), cut)));
    }
}
