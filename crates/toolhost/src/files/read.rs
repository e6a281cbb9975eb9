//! `read`: the text of a file, from a line on, or a picture.

use std::io::{BufReader, Read as _, Seek as _};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::{Value, json};
use wire::hands::ToolOutcome;
use wire::message::Block;

use crate::control::CallControl;
use crate::output::{MAX_BYTES, MAX_LINES};
use crate::workspace::Workspace;

use super::FileError;
use super::error::{arguments, go_on, open_regular};
use super::lines::next_line;

/// Base64 of this still fits a frame with room to spare.
const MAX_IMAGE_BYTES: u64 = 10 * 1024 * 1024;

#[derive(Deserialize)]
struct Arguments {
    path: String,
    /// The first line to show, from 1.
    offset: Option<u64>,
    limit: Option<usize>,
}

pub(super) fn run(workspace: &Workspace, given: Value, control: &CallControl) -> Result<ToolOutcome, FileError> {
    let Arguments { path, offset, limit } = arguments(given)?;
    let mut file = open_regular(workspace, &workspace.resolve(&path)?)?;
    let failed = |source| FileError::Io { action: "read", path: path.clone(), source };
    let mut magic = Vec::new();
    (&mut file).take(16).read_to_end(&mut magic).map_err(failed)?;
    file.rewind().map_err(failed)?;
    if let Some(mime_type) = image_type(&magic) {
        let size = file.metadata().map_err(failed)?.len();
        if size > MAX_IMAGE_BYTES {
            return Err(FileError::Refused(format!("'{path}' is a picture of {size} bytes; at most {MAX_IMAGE_BYTES} can be shown")));
        }
        let mut bytes = Vec::new();
        file.take(MAX_IMAGE_BYTES).read_to_end(&mut bytes).map_err(failed)?;
        let image = Block::Image { data: STANDARD.encode(&bytes), mime_type: mime_type.to_owned() };
        let content = vec![Block::text(format!("Read image file [{mime_type}]")), image];
        return Ok(ToolOutcome { content, details: None, is_error: false });
    }

    let first = offset.unwrap_or(1).max(1);
    let wanted = limit.unwrap_or(MAX_LINES).clamp(1, MAX_LINES);
    let mut input = BufReader::with_capacity(64 * 1024, file);
    let mut line = Vec::new();
    let mut number = 0_u64;
    while number + 1 < first {
        if number.is_multiple_of(1024) {
            go_on(control)?;
        }
        if next_line(&mut input, &mut line, 0).map_err(failed)?.is_none() {
            return Err(FileError::Refused(format!("line {first} is beyond the end of '{path}', which has {number} lines")));
        }
        number += 1;
    }
    let mut text = String::new();
    let mut shown = 0_usize;
    let mut more = false;
    let mut cut_line = false;
    while let Some(cut) = next_line(&mut input, &mut line, MAX_BYTES).map_err(failed)? {
        let shown_line = String::from_utf8_lossy(&line);
        let first_is_too_long = shown == 0 && (cut || shown_line.len() >= MAX_BYTES);
        if shown == wanted || (text.len() + shown_line.len() >= MAX_BYTES && !first_is_too_long) {
            more = true;
            break;
        }
        text.push_str(crate::output::clip(&shown_line, MAX_BYTES));
        text.push('\n');
        shown += 1;
        number += 1;
        cut_line |= first_is_too_long;
    }
    if shown == 0 && first > 1 {
        return Err(FileError::Refused(format!("line {first} is beyond the end of '{path}', which has {number} lines")));
    }
    let mut notes = String::new();
    if cut_line {
        notes = format!("\n[Line {first} is longer than {} KB and was cut. Use bash to see a part of it.]", MAX_BYTES / 1024);
    }
    if more {
        notes = format!("{notes}\n[Showing lines {first}-{number}. More follows: use offset={} to continue.]", number + 1);
    }
    let details = json!({ "firstLine": first, "lines": shown, "truncated": more || cut_line });
    Ok(ToolOutcome { content: vec![Block::text(text + &notes)], details: Some(details), is_error: false })
}

fn image_type(magic: &[u8]) -> Option<&'static str> {
    match magic {
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Some("image/png"),
        [0xff, 0xd8, 0xff, ..] => Some("image/jpeg"),
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some("image/gif"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some("image/webp"),
        _ => None,
    }
}
