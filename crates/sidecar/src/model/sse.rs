//! `text/event-stream`, as the HTML standard parses it (§9.2.6), piece by piece.

/// An event with data.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Event {
    /// The `event` field; empty when there is none.
    pub(super) name: String,
    pub(super) data: String,
}

/// The largest event, in bytes; a base64 image of a tool never comes this way.
const MAX_EVENT_BYTES: usize = 16 * 1024 * 1024;

/// An event is larger than anything a model sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an event of the stream is larger than 16 MiB")]
pub(super) struct TooLarge;

/// Takes bytes as they come, split anywhere, and gives whole events. What the stream's end leaves unfinished is no event.
#[derive(Debug, Default)]
pub(super) struct Parser {
    line: Vec<u8>,
    /// The byte before was CR, so an LF belongs to it.
    after_cr: bool,
    /// The first line, which may begin with a byte order mark, is behind.
    has_begun: bool,
    name: String,
    data: String,
    has_data: bool,
}

impl Parser {
    /// Appends the events that `bytes` complete to `events`.
    pub(super) fn push(&mut self, bytes: &[u8], events: &mut Vec<Event>) -> Result<(), TooLarge> {
        let mut rest = bytes;
        while !rest.is_empty() {
            if std::mem::take(&mut self.after_cr) && rest[0] == b'\n' {
                rest = &rest[1..];
                continue;
            }
            let Some(end) = rest.iter().position(|byte| matches!(byte, b'\r' | b'\n')) else {
                self.line.extend_from_slice(rest);
                return self.check_size();
            };
            self.line.extend_from_slice(&rest[..end]);
            self.after_cr = rest[end] == b'\r';
            rest = &rest[end + 1..];
            self.check_size()?;
            self.end_line(events);
        }
        Ok(())
    }

    fn check_size(&self) -> Result<(), TooLarge> {
        if self.line.len() + self.data.len() > MAX_EVENT_BYTES { Err(TooLarge) } else { Ok(()) }
    }

    fn end_line(&mut self, events: &mut Vec<Event>) {
        let line = std::mem::take(&mut self.line);
        let line = String::from_utf8_lossy(&line);
        let mut line = &*line;
        if !std::mem::replace(&mut self.has_begun, true) {
            line = line.strip_prefix('\u{feff}').unwrap_or(line);
        }
        if line.is_empty() {
            self.dispatch(events);
            return;
        }
        // A line that begins with a colon is a comment: its field name is empty, which no branch knows.
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut self.name),
            "data" => {
                if std::mem::replace(&mut self.has_data, true) {
                    self.data.push('\n');
                }
                self.data.push_str(value);
            }
            _ => {}
        }
    }

    fn dispatch(&mut self, events: &mut Vec<Event>) {
        let event = Event { name: std::mem::take(&mut self.name), data: std::mem::take(&mut self.data) };
        if std::mem::take(&mut self.has_data) {
            events.push(event);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<Event> {
        let mut parser = Parser::default();
        let mut events = Vec::new();
        for piece in pieces {
            parser.push(piece, &mut events).expect("small");
        }
        events
    }

    fn event(name: &str, data: &str) -> Event {
        Event { name: name.to_owned(), data: data.to_owned() }
    }

    #[test]
    fn the_examples_of_the_standard_hold() {
        let stock = "data: YHOO\ndata: +2\ndata: 10\n\n";
        assert_eq!(parse([stock.as_bytes()]), [event("", "YHOO\n+2\n10")]);
        let comments = ": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n";
        assert_eq!(parse([comments.as_bytes()]), [event("", "first event"), event("", "second event"), event("", " third event")]);
        let empty = "data\n\ndata\ndata\n\ndata:";
        assert_eq!(parse([empty.as_bytes()]), [event("", ""), event("", "\n")]);
        assert_eq!(parse(["data:test\n\ndata: test\n\n".as_bytes()]), [event("", "test"), event("", "test")]);
    }

    #[test]
    fn every_line_ending_and_a_byte_order_mark_are_understood() {
        for ending in ["\n", "\r", "\r\n"] {
            let text = ["\u{feff}event: a", "data: 1", "", "data: 2", "", ""].join(ending);
            assert_eq!(parse([text.as_bytes()]), [event("a", "1"), event("", "2")], "{ending:?}");
        }
    }

    #[test]
    fn an_event_without_data_is_none_and_its_name_does_not_stick() {
        assert_eq!(parse(["event: lost\n\ndata: x\n\n".as_bytes()]), [event("", "x")]);
    }

    #[test]
    fn a_giant_event_is_refused() {
        let mut parser = Parser::default();
        let piece = vec![b'x'; 1024 * 1024];
        let refused = (0..18).find_map(|_| parser.push(&piece, &mut Vec::new()).err());
        assert_eq!(refused, Some(TooLarge));
    }

    proptest! {
        #[test]
        fn any_split_gives_the_same_events(
            text in "(data|event|id|:| |\r|\n|\r\n|\u{feff}|é|漢|x|\\{\"a\":1\\}){0,60}",
            cuts in proptest::collection::vec(any::<proptest::sample::Index>(), 0..12),
        ) {
            let bytes = text.as_bytes();
            let mut cuts: Vec<_> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).chain([0, bytes.len()]).collect();
            cuts.sort_unstable();
            let pieces = cuts.windows(2).map(|pair| &bytes[pair[0]..pair[1]]);
            prop_assert_eq!(parse(pieces), parse([bytes]));
        }

        #[test]
        fn no_bytes_break_the_parser(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            parse([bytes.as_slice()]);
        }
    }
}
