//! Ids, names, versions, ranges, integrity hashes and frontmatter: any text is one, and then prints as itself, or is none.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(id) = text.parse::<domain::RunId>() {
        assert_eq!(id.to_string(), text);
    }
    if let Ok(name) = text.parse::<domain::PackageName>() {
        assert_eq!(name.to_string(), text);
    }
    if let Ok(version) = text.parse::<afps::Version>() {
        assert_eq!(version.to_string().parse::<afps::Version>().ok(), Some(version));
    }
    if let (Ok(range), Ok(version)) = (text.parse::<afps::Range>(), "1.2.3".parse::<afps::Version>()) {
        range.allows(&version);
    }
    _ = text.parse::<afps::Integrity>();
    _ = afps::Frontmatter::parse(text);
});
