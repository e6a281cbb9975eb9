//! Honest archives.

use afps::{FileSet, Integrity, Manifest, Package, PackageType, integrity, read_archive, read_files, write_archive};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;

use crate::forge::{AGENT, Entry, PROVIDER, SKILL, TOOL, deflated, forge};

#[test]
fn one_example_of_each_type() {
    let agent = read_archive(&deflated(&[("manifest.json", AGENT), ("prompt.md", b"Say hello."), ("data/x.csv", b"1")])).expect("an agent");
    assert_eq!((agent.manifest().package_type(), agent.content()), (PackageType::Agent, Some("Say hello.")));
    assert_eq!(agent.files().iter().map(|(path, _)| path).collect::<Vec<_>>(), ["data/x.csv", "prompt.md"]);

    let skill = read_archive(&deflated(&[("manifest.json", SKILL), ("SKILL.md", b"---\nname: tone\n---\nBe kind.")])).expect("a skill");
    assert_eq!(skill.frontmatter().expect("frontmatter").name, "tone");

    let tool = read_archive(&deflated(&[("manifest.json", TOOL), ("src/index.ts", b"export default (pi) => {}")])).expect("a tool");
    assert_eq!((tool.source_code(), tool.content()), (Some("export default (pi) => {}"), None));

    let provider = read_archive(&deflated(&[("manifest.json", PROVIDER)])).expect("a provider");
    assert_eq!(provider.content(), None);
}

#[test]
fn wrappers_folders_and_mac_droppings() {
    let wrapped = deflated(&[
        ("hello-main/", b""),
        ("hello-main/manifest.json", AGENT),
        ("hello-main/prompt.md", b"Say hello."),
        ("__MACOSX/", b""),
        ("__MACOSX/._manifest.json", b"\0\x05\x16\x07"),
    ]);
    let package = read_archive(&wrapped).expect("an agent");
    assert_eq!(package.content(), Some("Say hello."));
    let beside = deflated(&[("a/manifest.json", AGENT), ("a/prompt.md", b"x"), ("b/other", b"x")]);
    assert_eq!(read_archive(&beside).expect_err("no wrapper").code(), "missing_manifest");
    let nested = deflated(&[("a/b/manifest.json", AGENT), ("a/b/prompt.md", b"x")]);
    assert_eq!(read_archive(&nested).expect_err("one wrapper only").code(), "missing_manifest");
}

#[test]
fn archives_of_other_writers() {
    // Info-ZIP 3.0 (`zip -r`): extended timestamps and owner fields in both headers, a folder entry.
    // Python 3.11 zipfile writing to a pipe: data descriptors, sizes only in the directory.
    for bytes in [include_str!("data/info-zip.zip.b64"), include_str!("data/python-stream.zip.b64")] {
        let bytes = STANDARD.decode(bytes.replace('\n', "")).expect("base64");
        let package = read_archive(&bytes).expect("an agent");
        assert_eq!(package.content(), Some("Say hello.\n"));
    }
}

#[test]
fn a_bare_skill_becomes_a_package() {
    let files = read_files(&deflated(&[
        ("forms/SKILL.md", b"---\nname: pdf-forms\ndescription: >\n  Fills in\n  forms.\nlicense: MIT\n---\nBody"),
        ("forms/scripts/fill.py", b"print(1)"),
    ]));
    let files = files.expect("readable");
    assert!(files.is_bare_skill());
    assert_eq!(Package::from_file_set(files.clone()).expect_err("no manifest").code(), "missing_manifest");
    let package = Package::from_bare_skill("acme", &"1.0.0".parse().expect("valid"), files.clone()).expect("a skill");
    assert_eq!(package.manifest().name().as_str(), "@acme/pdf-forms");
    assert_eq!(package.manifest().description(), Some("Fills in forms."));
    assert_eq!(package.manifest().license(), Some("MIT"));
    assert!(package.files().get("scripts/fill.py").is_some());
    assert_eq!(read_archive(&package.to_archive().expect("writes")).expect("reads back"), package);
    let bad_scope = Package::from_bare_skill("Acme Inc", &"1.0.0".parse().expect("valid"), files).expect_err("no scope");
    assert!(bad_scope.manifest_errors().iter().any(|error| error.pointer == "/name"));
}

#[test]
fn the_same_content_gives_the_same_bytes() {
    let files =
        [("prompt.md", "Say hello."), ("b.txt", "b"), ("a/c.txt", "c")].map(|(path, text)| (path.to_owned(), text.as_bytes().to_vec()));
    let mut reversed = files.clone();
    reversed.reverse();
    let manifest = Manifest::parse(AGENT).expect("valid");
    let one = write_archive(&manifest, &FileSet::collect(files).expect("good")).expect("writes");
    let two = write_archive(&manifest, &FileSet::collect(reversed).expect("good")).expect("writes");
    assert_eq!(one, two);
    // A frozen hash: a change of the writer or of the zip crate that moved it would break every stored integrity.
    assert_eq!(Integrity::of(&one).to_string(), "sha256-Xls0Z8Er2UeG1KbBZoU46uqN4dLbkSeHS621HJf/KAE=");
    assert_eq!(integrity::verify(&Integrity::of(&one).to_string(), &two), Ok(()));
}

#[test]
fn a_large_package_is_compressed_and_reads_back() {
    let text: Vec<u8> =
        (0..6_u32 << 20).map(|at| u8::try_from((at.wrapping_mul(2_654_435_761) >> 27) & 0x1F).expect("masked") + 64).collect();
    let files = FileSet::collect([("prompt.md".to_owned(), b"x".to_vec()), ("data.txt".to_owned(), text)]).expect("good");
    let package = Package::new(Manifest::parse(AGENT).expect("valid"), files).expect("an agent");
    let archive = package.to_archive().expect("writes");
    assert!(archive.len() < 6 << 20, "{}", archive.len());
    assert_eq!(read_archive(&archive).expect("reads back"), package);
}

#[test]
fn an_archive_nobody_could_read_back_is_not_written() {
    let mut state = 1_u64;
    let noise: Vec<u8> = std::iter::repeat_with(|| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        state.to_be_bytes()[0]
    })
    .take(11 << 20)
    .collect();
    let files = FileSet::collect([("prompt.md".to_owned(), b"x".to_vec()), ("noise".to_owned(), noise)]).expect("good");
    let refused = write_archive(&Manifest::parse(AGENT).expect("valid"), &files).expect_err("too large");
    assert_eq!(refused.code(), "file_too_large");
}

fn file_sets() -> impl Strategy<Value = Vec<(String, Vec<u8>)>> {
    let path = "[a-z]{1,3}(/[a-zü]{1,3}){0,3}";
    proptest::collection::vec((path, proptest::collection::vec(any::<u8>(), 0..64)), 0..12)
}

proptest! {
    #[test]
    fn what_is_written_reads_back(extra in file_sets()) {
        let mut files = FileSet::default();
        files.insert("prompt.md".into(), b"Say hello.".to_vec()).expect("good");
        for (path, bytes) in extra {
            // A collision with an earlier path is refused and must leave the set as it was.
            let before = files.clone();
            if files.insert(path, bytes).is_err() {
                prop_assert_eq!(&files, &before);
            }
        }
        let package = Package::new(Manifest::parse(AGENT).expect("valid"), files).expect("an agent");
        let archive = package.to_archive().expect("writes");
        prop_assert_eq!(read_archive(&archive).expect("reads back"), package);
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        prop_assert!(read_archive(&bytes).is_err());
    }

    /// A good archive with bytes changed is refused or reads as files that keep every rule.
    #[test]
    fn a_changed_archive_never_breaks_a_rule(changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6)) {
        let mut bytes = forge(&[Entry::new("manifest.json", AGENT), Entry::new("prompt.md", "hello"), Entry::new("a/b", "x")]);
        for (place, byte) in changes {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        if let Ok(files) = read_files(&bytes) {
            for (path, _) in files.iter() {
                prop_assert!(afps::archive::check_path(path).is_ok());
            }
        }
    }

    #[test]
    fn a_cut_archive_is_refused(cut in any::<prop::sample::Index>()) {
        let bytes = deflated(&[("manifest.json", AGENT), ("prompt.md", b"hello")]);
        prop_assert!(read_files(&bytes[..cut.index(bytes.len())]).is_err());
    }
}
