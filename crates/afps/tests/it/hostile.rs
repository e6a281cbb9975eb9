//! Archives that mean harm. Each is wrong in one way and must be refused for that reason.

use std::time::{Duration, Instant};

use afps::archive::{MAX_ENTRIES, PathProblem};
use afps::{ArchiveError, FileSet, read_archive, read_files};

use crate::forge::{AGENT, Entry, deflated, end_record, forge};

fn good() -> Vec<Entry> {
    vec![Entry::new("manifest.json", AGENT), Entry::new("prompt.md", "Say hello.")]
}

fn with(entry: Entry) -> Vec<u8> {
    let mut entries = good();
    entries.push(entry);
    forge(&entries)
}

fn refused(bytes: &[u8]) -> ArchiveError {
    read_files(bytes).expect_err("hostile")
}

#[test]
fn the_forge_makes_good_archives() {
    assert!(read_archive(&forge(&good())).is_ok());
    assert!(read_archive(&with(Entry::new("a/b.txt", "x"))).is_ok());
}

#[test]
fn paths_that_leave_the_folder() {
    for (name, problem) in [
        (&b"../evil"[..], PathProblem::Segment),
        (b"a/../../evil", PathProblem::Segment),
        (b"a/..", PathProblem::Segment),
        (b"../", PathProblem::Segment),
        (b"__MACOSX/../../evil", PathProblem::Segment),
        (b"./a", PathProblem::Segment),
        (b"a//b", PathProblem::Segment),
        (b"/etc/passwd", PathProblem::Absolute),
        (b"//server/share", PathProblem::Absolute),
        (b"C:/windows", PathProblem::Absolute),
        (b"..\\evil", PathProblem::Character),
        (b"a\\b", PathProblem::Character),
        (b"prompt.md\0.txt", PathProblem::Character),
        (b"a\nb", PathProblem::Character),
        (b"", PathProblem::Empty),
        (b"/", PathProblem::Empty),
        (b"\xff\xfe", PathProblem::NotUtf8),
        (&[b'a'; 256], PathProblem::TooLong),
        (b"1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17", PathProblem::TooDeep),
    ] {
        let error = refused(&with(Entry::new(name, "x")));
        assert!(matches!(&error, ArchiveError::Path { problem: found, .. } if *found == problem), "{}: {error}", name.escape_ascii());
        assert_eq!(error.code(), "zip_invalid");
    }
}

#[test]
fn names_that_mean_one_file() {
    let twice = with(Entry::new("prompt.md", "Another."));
    assert!(matches!(refused(&twice), ArchiveError::NotZip("two entries have the same name")));
    for name in ["PROMPT.md", "Manifest.JSON", "prompt.md/inner"] {
        assert!(matches!(refused(&with(Entry::new(name, "x"))), ArchiveError::Duplicate { .. }), "{name}");
    }
    let folded = forge(&[Entry::new("a/x", "1"), Entry::new("A", "2")]);
    assert!(matches!(refused(&folded), ArchiveError::Duplicate { .. }));
    let same_folder = forge(&[Entry::new("a/x", "1"), Entry::new("A/y", "2"), Entry::new("b", "3")]);
    assert_eq!(read_files(&same_folder).expect("one folder, two spellings, no file merged").len(), 3);
}

#[test]
fn links_and_devices() {
    for mode in [0o120_777, 0o060_660, 0o020_660, 0o010_644, 0o140_755] {
        let entry = Entry { mode, ..Entry::new("link", "/etc/passwd") };
        assert!(matches!(refused(&with(entry)), ArchiveError::NotAFile { path } if path == "link"), "{mode:o}");
    }
}

#[test]
fn encrypted_and_exotic_entries() {
    for flags in [1, 1 << 6, 1 << 13] {
        let entry = Entry { flags, ..Entry::new("secret", "x") };
        assert!(matches!(refused(&with(entry)), ArchiveError::Encrypted { .. }), "{flags}");
    }
    for method in [1, 9, 12, 14, 93, 95, 99] {
        let entry = Entry { method, ..Entry::new("odd", "x") };
        assert!(matches!(refused(&with(entry)), ArchiveError::Compression { method: found, .. } if found == method));
    }
}

#[test]
fn content_that_is_not_what_the_directory_says() {
    let wrong_crc = Entry { crc: 1, ..Entry::new("a", "x") };
    assert!(matches!(refused(&with(wrong_crc)), ArchiveError::DamagedFile { path, .. } if path == "a"));
    let larger = Entry { size: 100, ..Entry::new("a", "x") };
    assert_eq!(refused(&with(larger)).code(), "zip_invalid");
    let smaller = Entry { size: 1, ..Entry::new("a", "xyz") };
    assert_eq!(refused(&with(smaller)).code(), "zip_invalid");
    let not_deflate = Entry { method: 8, size: 50, ..Entry::new("a", [0xFF; 20]) };
    assert!(matches!(refused(&with(not_deflate)), ArchiveError::DamagedFile { .. }));
    let two_names = Entry { local_name: Some(b"b".to_vec()), ..Entry::new("a", "x") };
    assert!(matches!(refused(&with(two_names)), ArchiveError::Damaged { .. }));
}

#[test]
fn bombs() {
    let zeros = vec![0; 21 << 20];
    let flat = deflated(&[("manifest.json", AGENT), ("bomb", &zeros)]);
    assert!(flat.len() < 100_000);
    assert!(matches!(refused(&flat), ArchiveError::FileTooLarge { path } if path == "bomb"));
    let ratio = deflated(&[("manifest.json", AGENT), ("bomb", &zeros[..2 << 20])]);
    assert!(matches!(refused(&ratio), ArchiveError::Ratio { path } if path == "bomb"));
    assert_eq!(refused(&ratio).code(), "zip_bomb");
    // Below the free size any ratio is honest, so the sum must be what stops many of them.
    let names: Vec<String> = (0..51).map(|at| format!("f{at}")).collect();
    let many: Vec<(&str, &[u8])> = names.iter().map(|name| (name.as_str(), &zeros[..1 << 20])).collect();
    assert!(matches!(refused(&deflated(&many)), ArchiveError::TotalTooLarge));
    // An archive inside is a file like any other and is not opened.
    let inner = deflated(&[("inner.zip", &flat)]);
    assert_eq!(read_files(&inner).expect("a file").get("inner.zip"), Some(flat.as_slice()));
}

#[test]
fn a_bomb_that_lies_about_its_size() {
    let zeros = vec![0; 3 << 20];
    let honest = deflated(&[("bomb", &zeros)]);
    // Says 1000 bytes in both headers: the reader must stop there and not inflate the rest.
    let mut lying = honest.clone();
    let size = (3_u32 << 20).to_le_bytes();
    let places: Vec<usize> = (0..lying.len() - 4).filter(|at| lying[*at..*at + 4] == size).collect();
    assert!(places.len() >= 2, "local header and directory");
    for place in places {
        lying[place..place + 4].copy_from_slice(&1000_u32.to_le_bytes());
    }
    assert_eq!(refused(&lying).code(), "zip_invalid");
}

#[test]
fn one_block_read_many_times() {
    let mut entries = vec![Entry::new("a", vec![b'x'; 1000])];
    for at in 1..20 {
        entries.push(Entry { same_as: Some(0), local_name: Some(b"a".to_vec()), ..Entry::new(format!("b{at}"), vec![b'x'; 1000]) });
    }
    assert!(matches!(refused(&forge(&entries)), ArchiveError::Damaged { .. }));
}

#[test]
fn a_hundred_thousand_entries_cost_nothing() {
    let entries: Vec<Entry> = (0..100_000).map(|at| Entry::new(format!("f{at}"), "")).collect();
    let all = forge(&entries);
    // ZIP64 writers put 0xFFFF into the plain record.
    let mut zip64 = all.clone();
    let end = zip64.len() - 22;
    zip64[end + 8..end + 12].copy_from_slice(&[0xFF; 4]);
    let just_over = forge(&entries[..=MAX_ENTRIES]);
    // The plain count wraps at 65 536, so this one claims to hold 5.
    let wrapped = forge(&entries[..65_541]);

    let started = Instant::now();
    for bytes in [&all, &zip64, &just_over, &end_record(0xFFFF, 0, 0)] {
        assert!(matches!(refused(bytes), ArchiveError::TooManyEntries));
    }
    assert!(matches!(refused(&wrapped), ArchiveError::NotZip("its directory holds more than it counts")));
    assert!(started.elapsed() < Duration::from_secs(1), "{:?}", started.elapsed());
}

#[test]
fn archives_that_readers_disagree_about() {
    let plain = forge(&good());
    let prepended = [b"#!/bin/sh\n".as_slice(), &plain].concat();
    assert!(matches!(refused(&prepended), ArchiveError::NotZip(_)));
    let appended = [plain.as_slice(), b"tail"].concat();
    assert!(matches!(refused(&appended), ArchiveError::NotZip("it has no end record")));
    let two_archives = [plain.as_slice(), &plain].concat();
    assert!(matches!(refused(&two_archives), ArchiveError::NotZip(_)));
    let mut two_ends = plain.clone();
    let at = two_ends.len() - 2;
    let inner = end_record(0, 0, 0);
    two_ends[at..].copy_from_slice(&u16::try_from(inner.len()).expect("short").to_le_bytes());
    two_ends.extend(inner);
    assert!(matches!(refused(&two_ends), ArchiveError::NotZip("it has more than one end record")));
    let mut fewer = plain.clone();
    let end = fewer.len() - 22;
    fewer[end + 8..end + 12].copy_from_slice(&[1, 0, 1, 0]);
    assert!(matches!(refused(&fewer), ArchiveError::NotZip("its directory holds more than it counts")));
    let mut disks = plain;
    disks[end + 4] = 1;
    assert!(matches!(refused(&disks), ArchiveError::NotZip("it spans several disks")));
}

#[test]
fn what_is_no_archive() {
    for bytes in [&b""[..], b"PK", b"PK\x05\x06", b"not a zip at all, only text that is long enough", &[0; 1000]] {
        assert!(matches!(refused(bytes), ArchiveError::NotZip(_)));
    }
    assert!(matches!(refused(&vec![0; (10 << 20) + 1]), ArchiveError::TooLarge));
    assert_eq!(read_archive(&end_record(0, 0, 0)).expect_err("empty").code(), "missing_manifest");
}

#[test]
fn file_sets_keep_the_same_bounds() {
    let many = (0..=MAX_ENTRIES).map(|at| (format!("f{at}"), Vec::new()));
    assert!(matches!(FileSet::collect(many), Err(ArchiveError::TooManyEntries)));
    let one = [("big".to_owned(), vec![0; (20 << 20) + 1])];
    assert!(matches!(FileSet::collect(one), Err(ArchiveError::FileTooLarge { .. })));
    let sum = (0..3).map(|at| (format!("f{at}"), vec![0; 18 << 20]));
    assert!(matches!(FileSet::collect(sum), Err(ArchiveError::TotalTooLarge)));
    let mut set = FileSet::collect([("a".to_owned(), Vec::new())]).expect("good");
    assert!(set.insert("b/c/d".into(), vec![0; (20 << 20) + 1]).is_err());
    assert!(set.insert("b/C/../x".into(), Vec::new()).is_err());
    set.insert("b".into(), Vec::new()).expect("a refusal reserves nothing");
    let path = [("../x".to_owned(), Vec::new())];
    assert!(matches!(FileSet::collect(path), Err(ArchiveError::Path { .. })));
}
