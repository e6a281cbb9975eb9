//! The tool host is not trusted: what it says is cut to what the record and the model can hold.

use serde_json::Value;
use wire::hands::ToolOutcome;
use wire::message::Block;

/// Text of one outcome, in bytes.
pub const TEXT: usize = 512 * 1024;
/// Images of one outcome, in base64 bytes.
pub const IMAGES: usize = 6 * 1024 * 1024;
/// `details` of one outcome, as JSON.
pub const DETAILS: usize = 256 * 1024;
/// Blocks of one outcome.
pub const BLOCKS: usize = 64;
/// A line that a tool writes.
pub const LINE: usize = 4 * 1024;
/// Lines of a run.
pub const LINES: u32 = 1_000;

/// Cuts an outcome. What is cut is said in its place.
pub fn outcome(outcome: ToolOutcome) -> ToolOutcome {
    let (mut text_left, mut images_left) = (TEXT, IMAGES);
    let mut content = Vec::new();
    let blocks = outcome.content.len();
    for block in outcome.content.into_iter().take(BLOCKS) {
        content.push(match block {
            Block::Text { text } => {
                let kept = cut(text, text_left);
                text_left = text_left.saturating_sub(kept.len());
                Block::Text { text: kept }
            }
            Block::Image { data, mime_type } if data.len() <= images_left && is_image(&data, &mime_type) => {
                images_left -= data.len();
                Block::Image { data, mime_type }
            }
            Block::Image { .. } => Block::text("[image left out: too large or not an image]"),
        });
    }
    if blocks > BLOCKS {
        content.push(Block::text(format!("[{} more parts left out]", blocks - BLOCKS)));
    }
    let details = outcome.details.filter(fits);
    ToolOutcome { content, details, is_error: outcome.is_error }
}

/// The beginning of a text, at most `limit` bytes, with a note where it was cut.
pub fn cut(mut text: String, limit: usize) -> String {
    if text.len() <= limit {
        return text;
    }
    let whole = text.len();
    text.truncate(text.floor_char_boundary(limit));
    text.extend(["\n[cut: ", &whole.to_string(), " bytes in all]"]);
    text
}

fn is_image(data: &str, mime_type: &str) -> bool {
    let base64 = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte);
    matches!(mime_type, "image/jpeg" | "image/png" | "image/gif" | "image/webp") && data.bytes().all(base64)
}

fn fits(details: &Value) -> bool {
    details.to_string().len() <= DETAILS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_cut_and_says_so() {
        let blocks = (0..100).map(|_| Block::text("é".repeat(10_000))).collect();
        let bounded = outcome(ToolOutcome { content: blocks, details: Some(Value::from("x".repeat(DETAILS))), is_error: true });
        assert_eq!(bounded.content.len(), BLOCKS + 1);
        let size: usize = bounded.content.iter().map(|block| if let Block::Text { text } = block { text.len() } else { 0 }).sum();
        assert!(size < TEXT + 64 * 64, "{size}");
        assert_eq!(bounded.details, None);
        assert!(bounded.is_error);
    }

    #[test]
    fn only_images_pass_as_images() {
        let image = |data: &str, mime_type: &str| Block::Image { data: data.to_owned(), mime_type: mime_type.to_owned() };
        let content = vec![
            image("aGk=", "image/png"),
            image("<svg>", "image/png"),
            image("aGk=", "text/html"),
            image(&"a".repeat(IMAGES), "image/png"),
        ];
        let bounded = outcome(ToolOutcome { content, details: None, is_error: false });
        assert_eq!(bounded.content[0], image("aGk=", "image/png"));
        assert!(bounded.content[1..].iter().all(|block| matches!(block, Block::Text { .. })));
    }
}
