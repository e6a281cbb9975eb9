//! The file tools: limits, paths, clear errors.

use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;

use serde_json::json;
use wire::message::Block;

use crate::host::Host;

#[test]
fn read_shows_lines_from_an_offset_and_says_how_to_go_on() {
    let mut host = Host::plain();
    fs::write(host.path("a.txt"), (1..=5000).map(|n| format!("line {n}")).collect::<Vec<_>>().join("\n") + "\n").expect("writes");
    let shown = host.ok("read", json!({"path": "a.txt"}));
    assert!(
        shown.starts_with("line 1\n") && shown.contains("line 2000\n\n[Showing lines 1-2000. More follows: use offset=2001 to continue.]"),
        "{shown:.80}"
    );
    assert_eq!(host.ok("read", json!({"path": "a.txt", "offset": 4999})), "line 4999\nline 5000\n");
    assert!(host.ok("read", json!({"path": "./a.txt", "offset": 2, "limit": 1})).starts_with("line 2\n\n[Showing lines 2-2."));
    assert!(host.fails("read", json!({"path": "a.txt", "offset": 5001})).contains("beyond the end of 'a.txt', which has 5000 lines"));
    fs::write(host.path("wide"), "x".repeat(1_000_000)).expect("writes");
    let wide = host.ok("read", json!({"path": "wide"}));
    assert!(wide.len() < 52_000 && wide.contains("longer than 50 KB and was cut"));
    fs::write(host.path("bytes"), format!("{}\n", "y".repeat(999)).repeat(100)).expect("writes");
    let bytes = host.ok("read", json!({"path": "bytes"}));
    assert!(bytes.len() < 51_500 && bytes.contains("use offset=52 to continue"), "{}", &bytes[bytes.len() - 100..]);
    assert!(host.fails("read", json!({"path": "none"})).contains("could not read 'none'"));
    assert!(host.fails("read", json!({"path": "."})).contains("is a directory"));
}

#[test]
fn read_shows_pictures_by_their_content() {
    let mut host = Host::plain();
    fs::write(host.path("p.bin"), b"\x89PNG\r\n\x1a\nrest").expect("writes");
    let outcome = host.call("read", json!({"path": "p.bin"}));
    assert!(
        matches!(&outcome.content[1], Block::Image { mime_type, data } if mime_type == "image/png" && data == "iVBORw0KGgpyZXN0"),
        "{outcome:?}"
    );
    fs::write(host.path("big.jpg"), [b"\xff\xd8\xff".as_slice(), &vec![0; 10 << 20]].concat()).expect("writes");
    assert!(host.fails("read", json!({"path": "big.jpg"})).contains("at most"));
}

#[test]
fn nothing_hangs_on_a_fifo() {
    let mut host = Host::plain();
    assert!(Command::new("mkfifo").arg(host.path("pipe")).status().expect("mkfifo").success());
    assert!(host.fails("read", json!({"path": "pipe"})).contains("not a regular file"));
    assert!(host.fails("write", json!({"path": "pipe", "content": "x"})).contains("not a regular file"));
    assert!(host.fails("grep", json!({"path": "pipe", "pattern": "x"})).contains("not a regular file"));
    assert_eq!(host.ok("grep", json!({"pattern": "x"})), "No matches found");
}

#[test]
fn paths_outside_of_the_workspace_are_refused_by_every_tool() {
    let mut host = Host::plain();
    symlink("/etc", host.path("etc")).expect("link");
    for path in ["../x", "/etc/passwd", "etc/passwd", "a/../../x"] {
        for (tool, arguments) in [
            ("read", json!({"path": path})),
            ("write", json!({"path": path, "content": "x"})),
            ("edit", json!({"path": path, "edits": [{"oldText": "a", "newText": "b"}]})),
            ("ls", json!({"path": path})),
            ("find", json!({"path": path, "pattern": "*"})),
            ("grep", json!({"path": path, "pattern": "root"})),
        ] {
            let error = host.fails(tool, arguments);
            assert!(error.contains("outside of the workspace"), "{tool} {path}: {error}");
        }
    }
    assert!(!host.ok("grep", json!({"pattern": "root:"})).contains("passwd"));
}

#[test]
fn write_and_edit_change_files() {
    let mut host = Host::plain();
    assert_eq!(host.ok("write", json!({"path": "src/deep/a.rs", "content": "fn a() {}\nfn b() {}\n"})), "Wrote 20 bytes to src/deep/a.rs");
    let edits =
        json!({"path": "src/deep/a.rs", "edits": [{"oldText": "fn b", "newText": "fn c"}, {"oldText": "fn a", "newText": "pub fn a"}]});
    assert_eq!(host.ok("edit", edits), "Replaced 2 block(s) in src/deep/a.rs");
    assert_eq!(fs::read_to_string(host.path("src/deep/a.rs")).expect("reads"), "pub fn a() {}\nfn c() {}\n");
    let twice = json!({"path": "src/deep/a.rs", "edits": [{"oldText": "fn ", "newText": "x"}]});
    assert!(host.fails("edit", twice).contains("more than once"));
    assert!(host.fails("write", json!({"path": "src", "content": "x"})).contains("is a directory"));
}

#[test]
fn edits_of_one_file_at_the_same_time_all_arrive() {
    let mut host = Host::plain();
    let names: Vec<_> = (0..30).map(|n| format!("<{n}>")).collect();
    fs::write(host.path("a"), names.join("\n")).expect("writes");
    let calls: Vec<_> = (0..30)
        .map(|n| host.begin("edit", json!({"path": "a", "edits": [{"oldText": format!("<{n}>"), "newText": format!("[{n}]")}]}), None))
        .collect();
    for call in calls {
        assert!(!host.end(call).is_error);
    }
    assert_eq!(fs::read_to_string(host.path("a")).expect("reads"), names.join("\n").replace('<', "[").replace('>', "]"));
}

#[test]
fn ls_find_and_grep_are_bounded_and_leave_ignored_files_out() {
    let mut host = Host::plain();
    for n in 0..1100 {
        fs::write(host.path(&format!("f{n:04}.txt")), format!("needle {n}\nother\n")).expect("writes");
    }
    for directory in ["node_modules/x", "src/.hidden", ".git"] {
        fs::create_dir_all(host.path(directory)).expect("mkdir");
        fs::write(host.path(directory).join("n.txt"), "Needle!\n").expect("writes");
    }
    fs::write(host.path(".gitignore"), "node_modules\n").expect("writes");
    let listed = host.ok("ls", json!({}));
    assert!(listed.starts_with(".git/\n.gitignore\nf0000.txt\n") && listed.contains("[500 of 1104 entries shown]"), "{listed:.80}");
    assert_eq!(host.ok("ls", json!({"path": "src"})), ".hidden/\n");
    let found = host.ok("find", json!({"pattern": "*.txt"}));
    assert!(found.contains("[Cut after 1000 results"), "{}", &found[found.len() - 80..]);
    assert_eq!(host.ok("find", json!({"pattern": "n.txt"})), "src/.hidden/n.txt\n");
    assert_eq!(host.ok("find", json!({"pattern": "src/**/*.txt"})), "src/.hidden/n.txt\n");
    assert_eq!(host.ok("find", json!({"pattern": "nothing"})), "No files found matching the pattern");
    assert!(host.fails("find", json!({"pattern": "[", "path": "src"})).contains("not valid"));
    let hits = host.ok("grep", json!({"pattern": "needle"}));
    assert!(hits.starts_with("f0000.txt:1: needle 0\n") && hits.contains("[Stopped after 100 matches"), "{hits:.80}");
    assert_eq!(host.ok("grep", json!({"pattern": "NEEDLE!", "ignoreCase": true, "literal": true})), "src/.hidden/n.txt:1: Needle!\n");
    assert_eq!(
        host.ok("grep", json!({"pattern": "needle 7$", "glob": "f*.txt", "context": 1})),
        "f0007.txt:1: needle 7\nf0007.txt-2- other\n"
    );
    assert!(host.fails("grep", json!({"pattern": "("})).contains("not valid"));
    fs::write(host.path("long.md"), format!("{}mark{}", "a".repeat(600), "b".repeat(600))).expect("writes");
    let long = host.ok("grep", json!({"pattern": "mark", "path": "long.md"}));
    assert!(long.contains('…') && long.contains("Lines longer than 500"), "{long}");
}
