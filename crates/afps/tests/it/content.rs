//! What each type's package must contain.

use afps::{ArchiveError, Package};

use crate::forge::{AGENT, PROVIDER, SKILL, TOOL};

/// The entrypoint of [`TOOL`].
const MODULE: &[u8] = b"export default 1";

fn refused(files: &[(&str, &[u8])]) -> ArchiveError {
    Package::from_files(files.iter().map(|(path, bytes)| ((*path).to_owned(), bytes.to_vec()))).expect_err("incomplete")
}

#[test]
fn what_is_missing_or_empty() {
    for (files, code, text) in [
        (&[("prompt.md", &b"x"[..])][..], "missing_manifest", "the package has no manifest.json"),
        (&[("manifest.json", AGENT)], "missing_content", "the package has no prompt.md"),
        (&[("manifest.json", AGENT), ("prompt.md", b" \n\t")], "invalid_content", "the file prompt.md is empty"),
        (&[("manifest.json", AGENT), ("prompt.md", b"\xff")], "invalid_content", "the file prompt.md is not UTF-8"),
        (&[("manifest.json", AGENT), ("prompt.md", &vec![b'x'; 200_001])], "invalid_content", "the file prompt.md is too long"),
        (&[("manifest.json", SKILL)], "missing_content", "the package has no SKILL.md"),
        (
            &[("manifest.json", SKILL), ("SKILL.md", b"# Tone")],
            "invalid_content",
            "the file SKILL.md is not valid: the file does not begin with frontmatter between two lines of ---",
        ),
        (&[("manifest.json", TOOL), ("index.ts", b"export default 1")], "missing_content", "the package has no src/index.ts"),
        (&[("manifest.json", TOOL), ("src/index.ts", b"")], "invalid_content", "the file src/index.ts has no default export"),
        (&[("manifest.json", TOOL), ("src/index.ts", MODULE), ("TOOL.md", b"\xff")], "invalid_content", "the file TOOL.md is not UTF-8"),
        (&[("manifest.json", PROVIDER), ("PROVIDER.md", b"\xff")], "invalid_content", "the file PROVIDER.md is not UTF-8"),
    ] {
        let error = refused(files);
        assert_eq!((error.code(), error.to_string().as_str()), (code, text));
    }
}

#[test]
fn no_text_holds_nul() {
    for (files, path) in [
        (&[("manifest.json", AGENT), ("prompt.md", &b"Be\0brief."[..])][..], "prompt.md"),
        (&[("manifest.json", SKILL), ("SKILL.md", b"---\nname: tone\n---\nBe\0brief.")], "SKILL.md"),
        (&[("manifest.json", TOOL), ("src/index.ts", MODULE), ("TOOL.md", b"\0")], "TOOL.md"),
        (&[("manifest.json", TOOL), ("src/index.ts", b"export default 1 // \0")], "src/index.ts"),
        (&[("manifest.json", PROVIDER), ("PROVIDER.md", b"# Shop\0")], "PROVIDER.md"),
    ] {
        let error = refused(files);
        assert_eq!((error.code(), error.to_string()), ("invalid_content", format!("the file {path} holds a NUL character")));
    }
}

#[test]
fn a_bad_manifest_brings_all_its_errors() {
    let error = refused(&[("manifest.json", br#"{"type":"agent","name":"x","version":"1"}"#), ("prompt.md", b"x")]);
    let pointers: Vec<&str> = error.manifest_errors().iter().map(|error| error.pointer.as_str()).collect();
    assert_eq!(pointers, ["/author", "/displayName", "/name", "/schemaVersion", "/version"]);
    assert_eq!(error.code(), "invalid_manifest");
}
