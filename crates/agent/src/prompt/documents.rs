//! `## Documents`: the files that came with the input.

use super::tools::one_line;
use super::{Document, data};

pub(super) fn section(documents: &[Document]) -> Option<String> {
    if documents.is_empty() {
        return None;
    }
    let lines: Vec<_> = documents
        .iter()
        .map(|document| {
            let Document { name, mime_type, size_bytes, path } = document;
            format!("- {} ({}, {size_bytes} bytes): `./{}`", one_line(name), one_line(mime_type), one_line(path))
        })
        .collect();
    Some(format!("## Documents\n\n{}", data::block("documents", &lines.join("\n"))))
}
