//! How much of a long text the model gets to see: 2,000 lines or 50 KB, whichever comes first.

/// Lines of one answer.
pub(crate) const MAX_LINES: usize = 2000;
/// Bytes of one answer.
pub(crate) const MAX_BYTES: usize = 50 * 1024;

/// The start of `text` within both limits, cut at a line end where possible, and whether something was left out.
pub(crate) fn head(text: &str) -> (&str, bool) {
    let by_lines = text.match_indices('\n').nth(MAX_LINES - 1).map_or(text.len(), |(at, _)| at + 1);
    let end = if by_lines > MAX_BYTES { cut_before(text, MAX_BYTES) } else { by_lines };
    (&text[..end], end < text.len())
}

/// The end of `text` within both limits, starting at a line start where possible, and whether something was left out.
pub(crate) fn tail(text: &str) -> (&str, bool) {
    let body = text.strip_suffix('\n').unwrap_or(text);
    let by_lines = body.rmatch_indices('\n').nth(MAX_LINES - 1).map_or(0, |(at, _)| at + 1);
    let start = if text.len() - by_lines > MAX_BYTES { start_after(text, text.len() - MAX_BYTES) } else { by_lines };
    (&text[start..], start > 0)
}

/// At most `limit` bytes of `text`, never half a character.
pub(crate) fn clip(text: &str, limit: usize) -> &str {
    &text[..text.floor_char_boundary(limit)]
}

fn cut_before(text: &str, limit: usize) -> usize {
    let limit = text.floor_char_boundary(limit);
    text[..limit].rfind('\n').map_or(limit, |at| at + 1)
}

fn start_after(text: &str, from: usize) -> usize {
    let from = text.ceil_char_boundary(from);
    match text[from..].find('\n') {
        Some(at) if from + at + 1 < text.len() => from + at + 1,
        _ => from,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn many_lines_keep_their_start_or_their_end() {
        let text = (1..=3000).map(|n| n.to_string()).collect::<Vec<_>>().join("\n") + "\n";
        let (first, cut) = head(&text);
        assert!(cut && first.ends_with("\n2000\n") && first.starts_with("1\n"), "{first:.20}");
        let (last, cut) = tail(&text);
        assert!(cut && last.starts_with("1001\n") && last.ends_with("3000\n"), "{last:.20}");
    }

    #[test]
    fn one_endless_line_is_cut_at_the_byte_limit() {
        let text = "é".repeat(MAX_BYTES);
        assert_eq!((head(&text).0.len(), tail(&text).0.len()), (MAX_BYTES, MAX_BYTES));
    }

    proptest! {
        #[test]
        fn cuts_stay_in_bounds_and_are_parts_of_the_text(text in "(é|a|\n|xyz){0,400}", times in 1_usize..200) {
            let text = text.repeat(times);
            for (part, cut) in [head(&text), tail(&text)] {
                prop_assert!(part.len() <= MAX_BYTES && part.lines().count() <= MAX_LINES);
                prop_assert_eq!(cut, part.len() < text.len());
            }
            prop_assert!(text.starts_with(head(&text).0) && text.ends_with(tail(&text).0));
        }
    }
}
