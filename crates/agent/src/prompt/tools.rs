//! `### Tools`: the declared tools, then their guides as their authors wrote them.

use super::ToolText;

pub(super) fn list(tools: &[ToolText]) -> Option<String> {
    if tools.is_empty() {
        return None;
    }
    let lines: Vec<_> = tools.iter().map(|tool| format!("- **{}**: {}", tool.name, one_line(&tool.description))).collect();
    Some(format!("### Tools\n\n{}", lines.join("\n")))
}

pub(super) fn guides(tools: &[ToolText]) -> Option<String> {
    let guides: Vec<_> = tools.iter().filter_map(|tool| tool.guide.as_deref()).map(str::trim).filter(|guide| !guide.is_empty()).collect();
    (!guides.is_empty()).then(|| guides.join("\n\n"))
}

/// Keeps a text within its bullet.
pub(super) fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
