//! `edit`: exact replacements in one file, all or none.

use std::fs;
use std::io::Read as _;

use serde::Deserialize;
use serde_json::{Value, json};
use wire::hands::ToolOutcome;
use wire::message::Block;

use crate::control::CallControl;
use crate::workspace::Workspace;

use super::FileError;
use super::error::{arguments, go_on, open_regular};

const MAX_FILE_BYTES: u64 = 16 * 1024 * 1024;

#[derive(Deserialize)]
struct Arguments {
    path: String,
    edits: Vec<Edit>,
}

#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Edit {
    old_text: String,
    new_text: String,
}

pub(super) fn run(workspace: &Workspace, given: Value, control: &CallControl) -> Result<ToolOutcome, FileError> {
    let Arguments { path, edits } = arguments(given)?;
    let target = workspace.resolve(&path)?;
    workspace.exclusively(&target, || {
        go_on(control)?;
        let mut bytes = Vec::new();
        let shown = workspace.display(&target);
        let failed = |action, source| FileError::Io { action, path: shown.clone(), source };
        open_regular(workspace, &target)?.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes).map_err(|source| failed("read", source))?;
        if bytes.len() as u64 > MAX_FILE_BYTES {
            return Err(FileError::Refused(format!("'{path}' is larger than {MAX_FILE_BYTES} bytes; use bash to change it")));
        }
        let original = String::from_utf8(bytes).map_err(|_| FileError::Refused(format!("'{path}' is not UTF-8 text")))?;
        let (changed, first_line) =
            apply(&original, &edits).map_err(|why| FileError::Refused(format!("could not edit '{path}': {why}")))?;
        fs::write(&target, changed).map_err(|source| failed("write", source))?;
        let text = format!("Replaced {} block(s) in {path}", edits.len());
        Ok(ToolOutcome { content: vec![Block::text(text)], details: Some(json!({ "firstChangedLine": first_line })), is_error: false })
    })
}

/// The text after all edits, each matched against the original, and the first line that differs (from 1).
fn apply(original: &str, edits: &[Edit]) -> Result<(String, usize), String> {
    if edits.is_empty() {
        return Err("there are no edits".to_owned());
    }
    // Models write "\n"; a file with "\r\n" throughout keeps its line ends.
    let windows = original.contains("\r\n") && original.matches('\n').count() == original.matches("\r\n").count();
    let mut places = Vec::with_capacity(edits.len());
    for (index, edit) in edits.iter().enumerate() {
        let number = index + 1;
        let edit = if windows && !edit.old_text.contains('\r') { with_windows_ends(edit) } else { edit.clone() };
        if edit.old_text.is_empty() {
            return Err(format!("edit {number}: oldText is empty; use write for a new file"));
        }
        if edit.old_text == edit.new_text {
            return Err(format!("edit {number}: oldText and newText are the same"));
        }
        let at = original
            .find(&edit.old_text)
            .ok_or_else(|| format!("edit {number}: oldText does not occur; it must match exactly, white space included"))?;
        if occurs_again(original, &edit.old_text, at) {
            return Err(format!("edit {number}: oldText occurs more than once; add lines around it until it is unique"));
        }
        places.push((at, number, edit));
    }
    places.sort_by_key(|(at, ..)| *at);
    let mut changed = String::with_capacity(original.len());
    let mut done = 0;
    let mut before: Option<usize> = None;
    for (at, number, edit) in &places {
        if let Some(before) = before
            && *at < done
        {
            return Err(format!("edits {} and {} overlap; join them into one", before.min(*number), before.max(*number)));
        }
        changed.push_str(&original[done..*at]);
        changed.push_str(&edit.new_text);
        done = at + edit.old_text.len();
        before = Some(*number);
    }
    changed.push_str(&original[done..]);
    let first_line = original[..places[0].0].matches('\n').count() + 1;
    Ok((changed, first_line))
}

/// Also finds an occurrence that overlaps the first.
fn occurs_again(text: &str, part: &str, at: usize) -> bool {
    let next = text.ceil_char_boundary(at + 1);
    text[next..].contains(part)
}

fn with_windows_ends(edit: &Edit) -> Edit {
    Edit { old_text: edit.old_text.replace('\n', "\r\n"), new_text: edit.new_text.replace("\r\n", "\n").replace('\n', "\r\n") }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn edit(old_text: &str, new_text: &str) -> Edit {
        Edit { old_text: old_text.to_owned(), new_text: new_text.to_owned() }
    }

    #[test]
    fn edits_match_the_original_in_any_order() {
        let (text, line) = apply("one\ntwo\nthree\n", &[edit("three", "one"), edit("two", "2")]).expect("applies");
        assert_eq!((text.as_str(), line), ("one\n2\none\n", 2));
    }

    #[test]
    fn doubtful_edits_are_refused_with_their_number() {
        for (original, edits, expected) in [
            ("a", vec![], "no edits"),
            ("a", vec![edit("a", "b"), edit("", "b")], "edit 2: oldText is empty"),
            ("a", vec![edit("a", "a")], "the same"),
            ("a", vec![edit("b", "c")], "does not occur"),
            ("aba", vec![edit("a", "c")], "more than once"),
            ("aaa", vec![edit("aa", "c")], "more than once"),
            ("ééé", vec![edit("éé", "c")], "more than once"),
            ("abc", vec![edit("bc", "x"), edit("ab", "y")], "edits 1 and 2 overlap"),
        ] {
            let error = apply(original, &edits).expect_err(expected);
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn windows_line_ends_are_kept() {
        let (text, _) = apply("a\r\nb\r\nc\r\n", &[edit("a\nb", "x\ny")]).expect("applies");
        assert_eq!(text, "x\r\ny\r\nc\r\n");
    }

    proptest! {
        #[test]
        fn an_edit_of_a_unique_part_is_a_plain_replacement(before in "[ab\n]{0,30}", after in "[ab\n]{0,30}", new in "[abc\n]{0,9}") {
            let original = format!("{before}<mark>{after}");
            let (text, _) = apply(&original, &[edit("<mark>", &new)]).expect("unique");
            prop_assert_eq!(text, format!("{before}{new}{after}"));
        }
    }
}
